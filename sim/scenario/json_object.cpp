// See json_object.hpp.
#include "sim/scenario/json_object.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/scenario/nearest.hpp"

namespace fixpoint::sim {
namespace {

using nlohmann::json;

// A hundred days: longer than any incident, short enough that no sum of a few overflows.
constexpr double longest_ms = 100.0 * 24 * 3600 * 1000;

std::string shown(const json& value) {
    std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > 40) text = text.substr(0, 37) + "...";
    return fmt::format("{} {}", value.type_name(), text);
}

}  // namespace

void complain(const std::string& place, const std::string& what, const std::string& remedy) {
    throw BadScenario{{"", place.empty() ? "/" : place, what, remedy}};
}

JsonObject::JsonObject(const json& value, std::string place) : value_(value), place_(std::move(place)) {
    if (!value.is_object()) complain(place_, "an object is needed here, not " + shown(value));
}

const json* JsonObject::find(std::string_view key) {
    known_.emplace_back(key);
    const auto it = value_.find(key);
    return it == value_.end() ? nullptr : &*it;
}

const json& JsonObject::need(std::string_view key, std::string_view for_what) {
    const json* found = find(key);
    if (found == nullptr) {
        // A key that is nearly the one that is missing is the better message.
        for (const auto& [present, unused] : value_.items()) {
            if (edit_distance(present, key) <= 2) {
                complain(place_of(present), "unknown key \"" + present + "\"",
                         fmt::format("did you mean \"{}\"?", key));
            }
        }
        complain(place_, fmt::format("\"{}\" is missing", key), std::string(for_what));
    }
    return *found;
}

std::string text_of(const json& value, const std::string& place) {
    if (!value.is_string()) complain(place, "a string is needed here, not " + shown(value));
    return value.get<std::string>();
}

TabletAlias alias_of(const json& value, const std::string& place) {
    const std::string text = text_of(value, place);
    auto alias = TabletAlias::parse(text);
    if (!alias)
        complain(place, fmt::format("\"{}\" is no tablet alias", text), "cell-number, such as zone1-100");
    return *alias;
}

std::optional<std::string> JsonObject::text(std::string_view key) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    return text_of(*found, place_of(key));
}

std::string JsonObject::need_text(std::string_view key, std::string_view for_what) {
    std::string value = text_of(need(key, for_what), place_of(key));
    if (value.find_first_not_of(" \t\r\n") == std::string::npos) {
        complain(place_of(key), fmt::format("\"{}\" is empty", key), std::string(for_what));
    }
    return value;
}

std::optional<std::int64_t> JsonObject::integer(std::string_view key, std::int64_t lo, std::int64_t hi) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    const bool fits =
        found->is_number_integer() &&
        (!found->is_number_unsigned() ||
         found->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    if (!fits) complain(place_of(key), "a whole number is needed here, not " + shown(*found));
    const auto value = found->get<std::int64_t>();
    if (value < lo || value > hi)
        complain(place_of(key), fmt::format("{} is not within {} and {}", value, lo, hi));
    return value;
}

std::optional<std::uint64_t> JsonObject::natural(std::string_view key) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number_unsigned()) {
        complain(place_of(key), "a whole number from 0 is needed here, not " + shown(*found));
    }
    return found->get<std::uint64_t>();
}

std::optional<double> JsonObject::number(std::string_view key, double lo, double hi) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number()) complain(place_of(key), "a number is needed here, not " + shown(*found));
    const double value = found->get<double>();
    if (!(value >= lo && value <= hi)) {
        complain(place_of(key), fmt::format("{} is not within {} and {}", value, lo, hi));
    }
    return value;
}

std::optional<bool> JsonObject::boolean(std::string_view key) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_boolean()) complain(place_of(key), "true or false is needed here, not " + shown(*found));
    return found->get<bool>();
}

std::optional<Duration> JsonObject::milliseconds(std::string_view key) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number())
        complain(place_of(key), "a number of milliseconds is needed here, not " + shown(*found));
    const double ms = found->get<double>();
    if (ms < 0)
        complain(place_of(key), fmt::format("{} ms is negative", ms),
                 "times of a scenario begin with its clients, at 0");
    if (!(ms <= longest_ms)) complain(place_of(key), fmt::format("{} ms is more than a hundred days", ms));
    return Duration(std::llround(ms * 1e6));
}

std::optional<TabletAlias> JsonObject::alias(std::string_view key) {
    const json* found = find(key);
    if (found == nullptr) return std::nullopt;
    return alias_of(*found, place_of(key));
}

bool JsonObject::each(std::string_view key,
                      const std::function<void(const json&, const std::string&)>& element) {
    const json* found = find(key);
    if (found == nullptr) return false;
    if (!found->is_array()) complain(place_of(key), "an array is needed here, not " + shown(*found));
    for (std::size_t i = 0; i < found->size(); ++i) {
        element((*found)[i], fmt::format("{}/{}", place_of(key), i));
    }
    return true;
}

void JsonObject::finish() const {
    for (const auto& [key, unused] : value_.items()) {
        if (std::ranges::find(known_, key) == known_.end()) {
            complain(place_of(key), "unknown key \"" + key + "\"", suggest(key, known_));
        }
    }
}

}  // namespace fixpoint::sim
