// The library's parser tells no lines of what it has read; it does tell when it has read a key, and then the
// iterator that it reads from stands behind it. So the text is read twice: for its values, and for its
// places.
#include "real_adapters/daemon/json_places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

namespace {

using nlohmann::json;

// Counts lines as the parser goes.
struct CountingIterator {
    using difference_type = std::ptrdiff_t;
    using value_type = char;
    using pointer = const char*;
    using reference = const char&;
    using iterator_category = std::input_iterator_tag;

    const char* at;
    std::size_t* line;

    reference operator*() const { return *at; }
    CountingIterator& operator++() {
        if (*at == '\n') ++*line;
        ++at;
        return *this;
    }
    bool operator==(const CountingIterator& other) const { return at == other.at; }
    bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

class Lines final : public nlohmann::json_sax<json> {
  public:
    Lines(const std::size_t& line, std::map<std::string, std::size_t>& lines) : line_(line), lines_(lines) {}

    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
    bool string(string_t& /*value*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_array(std::size_t /*size*/) override { return true; }
    bool end_array() override { return true; }
    bool start_object(std::size_t /*size*/) override {
        path_.push_back(key_);
        return true;
    }
    bool end_object() override {
        path_.pop_back();
        return true;
    }
    bool key(string_t& key) override {
        key_ = key;
        std::string path;
        for (std::size_t i = 1; i < path_.size(); ++i) path += path_[i] + ".";
        path += key;
        if (!lines_.emplace(path, line_).second) twice_.push_back(path);
        return true;
    }
    bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        return false;
    }
    const std::vector<std::string>& twice() const { return twice_; }

  private:
    const std::size_t& line_;
    std::map<std::string, std::size_t>& lines_;
    std::vector<std::string> path_;
    std::string key_;
    std::vector<std::string> twice_;
};

// The library's own words end in what it expected: "parse error at line 3, column 5: syntax error while …".
std::string without_prefix(std::string text) {
    const std::size_t colon = text.find(": ", text.find("column"));
    return colon == std::string::npos ? text : text.substr(colon + 2);
}

}  // namespace

JsonPlaces::JsonPlaces(std::string file, const std::string& text) : file_(std::move(file)) {
    try {
        root_ = std::make_unique<json>(json::parse(text, nullptr, true, true));
    } catch (const json::parse_error& error) {
        const std::size_t end = std::min(error.byte, text.size());
        const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
        throw ConfigurationError{
            fmt::format("{}:{}", file_, line), without_prefix(error.what()),
            "write JSON there (comments are allowed, a comma after the last element is not)"};
    }
    std::size_t line = 1;
    Lines lines(line, lines_);
    json::sax_parse(CountingIterator{text.data(), &line}, CountingIterator{text.data() + text.size(), &line},
                    &lines, json::input_format_t::json, true, true);
    if (!lines.twice().empty())
        fail(lines.twice().front(), "the key is there twice", "remove one of the two");
    if (!root_->is_object()) fail("", "it is no object", "begin it with { and end it with }");
}

JsonPlaces::~JsonPlaces() = default;

std::string JsonPlaces::place(const std::string& path) const {
    for (std::string known = path; !known.empty();) {
        if (const auto it = lines_.find(known); it != lines_.end())
            return fmt::format("{}:{}: {}", file_, it->second, path);
        const std::size_t dot = known.rfind('.');
        known = dot == std::string::npos ? std::string() : known.substr(0, dot);
    }
    return path.empty() ? file_ : file_ + ": " + path;
}

void JsonPlaces::fail(const std::string& path, std::string text, std::string remedy) const {
    throw ConfigurationError{place(path), std::move(text), std::move(remedy)};
}

JsonSection::JsonSection(const JsonPlaces& document, const json& object, std::string path)
    : document_(document), object_(object), path_(std::move(path)) {
    if (!object_.is_object()) document_.fail(path_, "it is no object", "write { … } there");
}

bool JsonSection::has(const std::string& key) const {
    return object_.contains(key);
}

const json& JsonSection::at(const std::string& key) const {
    return object_.at(key);
}

std::string JsonSection::text(const std::string& key, std::string otherwise) {
    if (!has(key)) return otherwise;
    if (!at(key).is_string()) fail(key, "it is no text", "write it in quotes");
    return at(key).get<std::string>();
}

std::string JsonSection::required_text(const std::string& key, const std::string& remedy) {
    std::string value = text(key, {});
    if (value.empty()) fail(key, "it is missing", remedy);
    return value;
}

bool JsonSection::boolean(const std::string& key, bool otherwise) {
    if (!has(key)) return otherwise;
    if (!at(key).is_boolean())
        fail(key, "it is neither true nor false", "write true or false, without quotes");
    return at(key).get<bool>();
}

std::vector<std::string> JsonSection::texts(const std::string& key) {
    if (!has(key)) return {};
    const json& list = at(key);
    if (!list.is_array() || !std::ranges::all_of(list, [](const json& item) { return item.is_string(); }))
        fail(key, "it is no list of texts", R"(write ["…", "…"])");
    return list.get<std::vector<std::string>>();
}

void JsonSection::refuse(const std::string& key, const std::string& text, const std::string& remedy) {
    if (object_.contains(key)) fail(key, text, remedy);
}

void JsonSection::fail(const std::string& key, std::string text, std::string remedy) const {
    document_.fail(path_of(key), std::move(text), std::move(remedy));
}

void JsonSection::only(const std::vector<std::string>& known) const {
    for (const auto& [key, value] : object_.items()) {
        if (std::ranges::find(known, key) != known.end()) continue;
        fail(key, "there is no such key" + did_you_mean(key, known), "known here: " + joined(known));
    }
}

}  // namespace fixpoint::real
