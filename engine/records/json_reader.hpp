// Reading JSON records field by field: the first thing that is wrong is remembered with its place, everything
// after it is skipped, and what was never asked for is what the reader does not know. No exception leaves it.
// It refuses to coerce: a number in quotes is no number, a fraction is no whole number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint {

class JsonReader {
  public:
    // `what` names the record in errors ("Fixpoint record").
    JsonReader(std::string_view text, std::string what);
    ~JsonReader();

    bool ok() const { return error_.empty(); }
    const std::string& error() const { return error_; }
    void fail(const std::string& place, const std::string& problem);

    // An object at a place, as its values are read from it. What is absent fails, save where it says
    // otherwise.
    class Object {
      public:
        Object(JsonReader& reader, const nlohmann::json& object, std::string place);

        bool has(const char* key);  // also marks it as known
        std::int64_t integer(const char* key, std::int64_t least, std::int64_t greatest);
        std::string string(const char* key);
        bool boolean(const char* key);
        void object(const char* key, const std::function<void(Object&)>& read);
        // For each member of the list at `key`; absent: an empty list.
        void objects(const char* key, const std::function<void(Object&)>& read);
        using ReadText = std::function<void(const std::string& place, const std::string& text)>;
        void strings(const char* key, const ReadText& read);
        // For each member of this object, whatever its key: the place, the key, a string.
        void all_strings(const std::function<void(const std::string& place, const std::string& key,
                                                  const std::string& text)>& read);

        std::string place_of(std::string_view key) const;
        // What was never asked for, as a JSON object's text; empty if nothing.
        std::string unknown() const;

      private:
        const nlohmann::json* find(const char* key);  // fails where it is absent
        void should_be(const char* key, const char* wanted);

        JsonReader& reader_;
        const nlohmann::json& object_;
        std::string place_;
        std::vector<std::string> known_;
    };

    Object root();

  private:
    std::unique_ptr<nlohmann::json> json_;
    std::string what_;
    std::string error_;
};

// `unknown` (an object's text, or empty) with `known` laid over it; sorted keys, two spaces.
std::string dump_over(const std::string& unknown, const nlohmann::json& known);

}  // namespace fixpoint
