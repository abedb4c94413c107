// print_scenario: see scenario_json.hpp. What has its default value is left out, so a file says only what it
// is about.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/faults/fault_table.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/scenario_json.hpp"
#include "sim/scenario/trigger_text.hpp"

namespace fixpoint::sim {
namespace {

using json = nlohmann::ordered_json;

// Whole milliseconds as a whole number; parts of them as a fraction that reads back to the same nanosecond.
json milliseconds(Duration duration) {
    const std::int64_t ns = duration.count();
    if (ns % 1'000'000 == 0) return ns / 1'000'000;
    return static_cast<double>(ns) / 1e6;
}

// 50, not 50.0.
json plain_number(double value) {
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<double>(whole) == value ? json(whole) : json(value);
}

json fault_value(const Fault& fault, FaultField field) {
    switch (field) {
        case FaultField::tablet:
            return fault.tablet ? json(fault.tablet->to_string()) : json();
        case FaultField::to_tablet:
            return fault.to ? json(fault.to->to_string()) : json();
        case FaultField::manager:
            return fault.manager.empty() ? json() : json(fault.manager);
        case FaultField::cell:
            return json(fault.cell);
        case FaultField::from_set:
        case FaultField::to_set: {
            const auto& names = field == FaultField::from_set ? fault.from_set : fault.to_set;
            if (names.empty()) return {};
            return names.size() == 1 ? json(names.front()) : json(names);
        }
        case FaultField::for_time:
            return fault.for_time == Duration{} ? json() : milliseconds(fault.for_time);
        case FaultField::amount:
            return fault.amount == Duration{} ? json() : milliseconds(fault.amount);
        case FaultField::permille:
            return json(fault.permille);
        case FaultField::number:
            return fault.number == 0 ? json() : json(fault.number);
        case FaultField::text:
            return json(fault.text);
    }
    return {};
}

json fault_json(const Fault& fault) {
    json object;
    if (fault.when.at) {
        object["at_ms"] = milliseconds(*fault.when.at);
    } else {
        object["when"] = trigger_text(fault.when);
        if (fault.when.plus != Duration{} && !plus_is_in_text(fault.when))
            object["plus_ms"] = milliseconds(fault.when.plus);
    }
    object["fault"] = to_string(fault.kind);
    for (const FaultParameter& parameter : fault_row(fault.kind).parameters) {
        json value = fault_value(fault, parameter.field);
        if (value.is_null() && parameter.needed)
            value = parameter.field == FaultField::tablet ? json("") : json(0);
        if (!value.is_null()) object[std::string(parameter.key)] = std::move(value);
    }
    if (fault.permanent) object["permanent"] = true;
    return object;
}

json tablet_json(const ScenarioTablet& tablet) {
    json object{{"alias", tablet.alias.to_string()}, {"type", to_string(tablet.type)}};
    if (tablet.promotion_rule != PromotionRule::neutral)
        object["promotion_rule"] = to_string(tablet.promotion_rule);
    if (tablet.apply_delay != Duration{}) object["apply_delay_ms"] = milliseconds(tablet.apply_delay);
    if (!tablet.semi_sync_plugins) object["semi_sync_plugins"] = false;
    return object;
}

json limits_json(const Limits& limits) {
    static const Limits defaults;
    json object = json::object();
    for (const LimitField& field : limit_fields) {
        if (limits.*field.member != defaults.*field.member)
            object[std::string(field.key)] = milliseconds(limits.*field.member);
    }
    return object;
}

json expectation_json(const Expectation& expect) {
    json object{{"verdict", to_string(expect.verdict)}};
    if (expect.recoveries) {
        json words = json::array();
        for (const Recovery recovery : *expect.recoveries) words.push_back(to_string(recovery));
        object["recoveries"] = std::move(words);
    } else {
        object["recoveries"] = "any";
    }
    if (expect.primary) object["primary"] = expect.primary->to_string();
    if (expect.reason) object["reason"] = to_string(*expect.reason);
    if (expect.writes_blocked_at_most)
        object["writes_blocked_at_most_ms"] = milliseconds(*expect.writes_blocked_at_most);
    if (expect.commit_points_at_most) object["commit_points_at_most"] = *expect.commit_points_at_most;
    if (expect.no_mutating_statement) object["no_mutating_statement"] = true;
    return object;
}

json scenario_json(const Scenario& scenario) {
    json object{{"name", scenario.name}, {"why", scenario.why}};
    if (scenario.seed != 1) object["seed"] = scenario.seed;
    json tablets = json::array();
    for (const ScenarioTablet& t : scenario.tablets) tablets.push_back(tablet_json(t));
    object["shard"] = {{"keyspace", scenario.shard.keyspace},
                       {"shard", scenario.shard.shard},
                       {"durability_policy", scenario.policy.to_string()},
                       {"tablets", std::move(tablets)}};
    json managers = json::array();
    for (const ScenarioManager& m : scenario.managers)
        managers.push_back({{"name", m.name}, {"cell", m.cell}});
    object["managers"] = std::move(managers);
    json workload{{"writes_per_second", plain_number(scenario.workload.writes_per_second)}};
    if (scenario.workload.until != Duration{}) workload["until_ms"] = milliseconds(scenario.workload.until);
    if (scenario.workload.clients != 1) workload["clients"] = scenario.workload.clients;
    object["workload"] = std::move(workload);
    if (json limits = limits_json(scenario.limits); !limits.empty()) object["limits"] = std::move(limits);
    if (scenario.pinned_primary) object["pinned_primary"] = scenario.pinned_primary->to_string();
    if (scenario.boot != Boot::converged)
        object["boot"] = boot_words[static_cast<std::size_t>(scenario.boot)];
    json faults = json::array();
    for (const Fault& fault : scenario.faults) faults.push_back(fault_json(fault));
    object["faults"] = std::move(faults);
    if (scenario.fault_phase != Duration{}) object["fault_phase_ms"] = milliseconds(scenario.fault_phase);
    if (!scenario.random_order) object["random_order"] = false;
    object["expect"] = expectation_json(scenario.expect);
    return object;
}

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// { "a": 1, "b": [ 2 ] } on one line.
std::string inline_text(const json& value) {
    if ((!value.is_object() && !value.is_array()) || value.empty()) return dump(value);
    std::string text = value.is_object() ? "{ " : "[";
    bool first = true;
    for (const auto& [key, element] : value.items()) {
        if (!first) text += ", ";
        first = false;
        if (value.is_object()) text += dump(json(key)) + ": ";
        text += inline_text(element);
    }
    return text + (value.is_object() ? " }" : "]");
}

// A list of objects, one a line.
std::string list_text(const json& list, const std::string& indent) {
    if (list.empty()) return "[]";
    std::string text = "[\n";
    for (std::size_t i = 0; i < list.size(); ++i) {
        text += indent + "  " + inline_text(list[i]) + (i + 1 < list.size() ? ",\n" : "\n");
    }
    return text + indent + "]";
}

std::string shard_text(const json& shard) {
    std::string text = "{\n    ";
    for (const auto& [key, value] : shard.items()) {
        if (key == "tablets") {
            text += "\n    \"tablets\": " + list_text(value, "    ");
        } else {
            text += dump(json(key)) + ": " + dump(value) + (key == "durability_policy" ? "," : ", ");
        }
    }
    return text + "\n  }";
}

}  // namespace

std::string print_scenario(const Scenario& scenario) {
    const json object = scenario_json(scenario);
    std::string text = "{\n";
    bool first = true;
    for (const auto& [key, value] : object.items()) {
        if (!first) text += ",\n";
        first = false;
        text += "  " + dump(json(key)) + ": ";
        text += key == "shard"                         ? shard_text(value)
                : value.is_array() && value.size() > 1 ? list_text(value, "  ")
                                                       : inline_text(value);
    }
    return text + "\n}\n";
}

std::string print_scenario_compact(const Scenario& scenario) {
    return dump(scenario_json(scenario));
}

}  // namespace fixpoint::sim
