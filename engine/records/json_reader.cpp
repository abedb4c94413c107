// See json_reader.hpp. The only place that knows how nlohmann's library says that something is wrong.
#include "engine/records/json_reader.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace fixpoint {

using nlohmann::json;

namespace {

// nlohmann's message without its "[json.exception.parse_error.101]".
std::string plain(const std::string& message) {
    const std::size_t end = message.find("] ");
    return end == std::string::npos ? message : message.substr(end + 2);
}

}  // namespace

JsonReader::JsonReader(std::string_view text, std::string what)
    : json_(std::make_unique<json>(json::object())), what_(std::move(what)) {
    try {
        json parsed = json::parse(text);
        if (parsed.is_object()) {
            *json_ = std::move(parsed);
        } else {
            fail("", "it should be a JSON object");
        }
    } catch (const json::exception& e) {
        fail("", plain(e.what()));
    }
}

JsonReader::~JsonReader() = default;

void JsonReader::fail(const std::string& place, const std::string& problem) {
    if (ok()) error_ = what_ + ": " + (place.empty() ? "" : place + ": ") + problem;
}

JsonReader::Object JsonReader::root() {
    return Object(*this, *json_, "");
}

JsonReader::Object::Object(JsonReader& reader, const nlohmann::json& object, std::string place)
    : reader_(reader), object_(object), place_(std::move(place)) {}

std::string JsonReader::Object::place_of(std::string_view key) const {
    return place_.empty() ? std::string(key) : place_ + "." + std::string(key);
}

bool JsonReader::Object::has(const char* key) {
    known_.emplace_back(key);
    return reader_.ok() && object_.contains(key);
}

const json* JsonReader::Object::find(const char* key) {
    if (has(key)) return &object_.at(key);
    reader_.fail(place_of(key), "is absent");
    return nullptr;
}

void JsonReader::Object::should_be(const char* key, const char* wanted) {
    reader_.fail(place_of(key), std::string("should be ") + wanted);
}

std::int64_t JsonReader::Object::integer(const char* key, std::int64_t least, std::int64_t greatest) {
    const json* value = find(key);
    if (!value) return least;
    constexpr auto int64_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const bool fits = !value->is_number_unsigned() || value->get<std::uint64_t>() <= int64_max;
    if (value->is_number_integer() && fits) {
        const auto number = value->get<std::int64_t>();
        if (number >= least && number <= greatest) return number;
    }
    reader_.fail(place_of(key), "should be a whole number from " + std::to_string(least) + " to " +
                                    std::to_string(greatest));
    return least;
}

std::string JsonReader::Object::string(const char* key) {
    const json* value = find(key);
    if (!value) return {};
    if (value->is_string()) return value->get<std::string>();
    should_be(key, "a string");
    return {};
}

bool JsonReader::Object::boolean(const char* key) {
    const json* value = find(key);
    if (!value) return false;
    if (value->is_boolean()) return value->get<bool>();
    should_be(key, "true or false");
    return false;
}

void JsonReader::Object::object(const char* key, const std::function<void(Object&)>& read) {
    const json* value = find(key);
    if (!value) return;
    if (!value->is_object()) return should_be(key, "an object");
    Object inner(reader_, *value, place_of(key));
    read(inner);
}

void JsonReader::Object::objects(const char* key, const std::function<void(Object&)>& read) {
    if (!has(key)) return;
    const json& list = object_.at(key);
    if (!list.is_array()) return should_be(key, "a list");
    for (std::size_t i = 0; i < list.size() && reader_.ok(); ++i) {
        const std::string place = place_of(key) + "[" + std::to_string(i) + "]";
        if (!list[i].is_object()) return reader_.fail(place, "should be an object");
        Object inner(reader_, list[i], place);
        read(inner);
    }
}

void JsonReader::Object::strings(const char* key, const ReadText& read) {
    if (!has(key)) return;
    const json& list = object_.at(key);
    if (!list.is_array()) return should_be(key, "a list");
    for (std::size_t i = 0; i < list.size() && reader_.ok(); ++i) {
        const std::string place = place_of(key) + "[" + std::to_string(i) + "]";
        if (!list[i].is_string()) return reader_.fail(place, "should be a string");
        read(place, list[i].get<std::string>());
    }
}

void JsonReader::Object::all_strings(
    const std::function<void(const std::string&, const std::string&, const std::string&)>& read) {
    for (const auto& [key, value] : object_.items()) {
        if (!reader_.ok()) return;
        if (!value.is_string()) return should_be(key.c_str(), "a string");
        read(place_of(key), key, value.get<std::string>());
    }
}

std::string JsonReader::Object::unknown() const {
    json rest = json::object();
    for (const auto& [key, value] : object_.items()) {
        if (std::ranges::find(known_, key) == known_.end()) rest[key] = value;
    }
    return rest.empty() ? std::string() : rest.dump();
}

std::string dump_over(const std::string& unknown, const json& known) {
    json all = unknown.empty() ? json::object() : json::parse(unknown, nullptr, false);
    if (!all.is_object()) all = json::object();  // not from a decoder: nothing to keep
    all.update(known);
    return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace fixpoint
