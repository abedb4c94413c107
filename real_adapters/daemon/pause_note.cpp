// See pause_note.hpp.
#include "real_adapters/daemon/pause_note.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "real_adapters/daemon/clock.hpp"

namespace fixpoint::real {

namespace {

using nlohmann::json;
constexpr const char* key = "pause_note";

json unknown_of(const Goal& goal) {
    json fields =
        goal.unknown_fields.empty() ? json::object() : json::parse(goal.unknown_fields, nullptr, false);
    return fields.is_object() ? fields : json::object();
}

void put_back(Goal& goal, const json& fields) {
    goal.unknown_fields = fields.empty() ? std::string() : fields.dump();
}

}  // namespace

Goal paused(Goal goal, const PauseNote& note) {
    goal.paused = true;
    json fields = unknown_of(goal);
    fields[key] = {{"who", note.who}, {"why", note.why}, {"since", note.since.ns}, {"until", note.until.ns}};
    put_back(goal, fields);
    return goal;
}

Goal resumed(Goal goal) {
    goal.paused = false;
    json fields = unknown_of(goal);
    fields.erase(key);
    put_back(goal, fields);
    return goal;
}

std::optional<PauseNote> pause_note(const Goal& goal) {
    const json fields = unknown_of(goal);
    if (!goal.paused || !fields.contains(key) || !fields.at(key).is_object()) return std::nullopt;
    const json& note = fields.at(key);
    const auto text = [&](const char* name) {
        return note.contains(name) && note.at(name).is_string() ? note.at(name).get<std::string>()
                                                                : std::string();
    };
    const auto number = [&](const char* name) {
        return note.contains(name) && note.at(name).is_number_integer() ? note.at(name).get<std::int64_t>()
                                                                        : 0;
    };
    return PauseNote{text("who"), text("why"), {number("since")}, {number("until")}};
}

std::string to_string(const PauseNote& note) {
    std::string text = fmt::format("paused by {} at {}", note.who, to_rfc3339(note.since));
    if (note.until.ns != 0) text += fmt::format(" until {}", to_rfc3339(note.until));
    return note.why.empty() ? text : text + ": " + note.why;
}

}  // namespace fixpoint::real
