// A JSON text with comments, read so that every complaint can name its place: each object knows the line of
// each of its keys, and refuses those that nobody asked for. Throws ConfigurationError; only the
// configuration's door catches.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "real_adapters/daemon/configuration.hpp"

namespace fixpoint::real {

class JsonPlaces {
  public:
    JsonPlaces(std::string file, const std::string& text);
    ~JsonPlaces();
    JsonPlaces(const JsonPlaces&) = delete;
    JsonPlaces& operator=(const JsonPlaces&) = delete;

    const nlohmann::json& root() const { return *root_; }
    std::string place(const std::string& path) const;  // file:line: path
    [[noreturn]] void fail(const std::string& path, std::string text, std::string remedy) const;

  private:
    std::string file_;
    std::unique_ptr<nlohmann::json> root_;
    std::map<std::string, std::size_t> lines_;  // by path: manager.tls
};

// One object of it.
class JsonSection {
  public:
    JsonSection(const JsonPlaces& document, const nlohmann::json& object, std::string path);

    std::string path_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
    bool has(const std::string& key) const;
    std::string text(const std::string& key, std::string otherwise);
    std::string required_text(const std::string& key, const std::string& remedy);
    bool boolean(const std::string& key, bool otherwise);
    std::vector<std::string> texts(const std::string& key);
    const nlohmann::json& at(const std::string& key) const;
    void refuse(const std::string& key, const std::string& text,
                const std::string& remedy);  // where it is there
    [[noreturn]] void fail(const std::string& key, std::string text, std::string remedy) const;
    void only(const std::vector<std::string>& known) const;  // any other key is refused

  private:
    const JsonPlaces& document_;
    const nlohmann::json& object_;
    std::string path_;
};

}  // namespace fixpoint::real
