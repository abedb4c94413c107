// See fault_reader.hpp.
#include "sim/scenario/fault_reader.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/faults/fault_table.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/json_object.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/trigger_text.hpp"

namespace fixpoint::sim {
namespace {

using nlohmann::json;

bool has_manager(const Scenario& scenario, std::string_view name) {
    return std::ranges::any_of(scenario.managers, [&](const ScenarioManager& m) { return m.name == name; });
}

bool has_cell(const Scenario& scenario, std::string_view cell) {
    return std::ranges::any_of(scenario.tablets,
                               [&](const ScenarioTablet& t) { return t.alias.cell == cell; }) ||
           std::ranges::any_of(scenario.managers, [&](const ScenarioManager& m) { return m.cell == cell; });
}

std::vector<std::string> cells_of(const Scenario& scenario) {
    std::vector<std::string> cells;
    for (const ScenarioTablet& t : scenario.tablets) cells.push_back(t.alias.cell);
    std::ranges::sort(cells);
    cells.erase(std::ranges::unique(cells).begin(), cells.end());
    return cells;
}

std::vector<std::string> managers_of(const Scenario& scenario) {
    std::vector<std::string> names;
    for (const ScenarioManager& m : scenario.managers) names.push_back(m.name);
    return names;
}

void check_manager(const Scenario& scenario, const std::string& name, const std::string& place) {
    if (!has_manager(scenario, name)) {
        complain(place, fmt::format("there is no manager \"{}\"", name),
                 suggest(name, managers_of(scenario)));
    }
}

void check_tablet(const Scenario& scenario, const TabletAlias& alias, const std::string& place) {
    if (!has_tablet(scenario, alias)) {
        complain(place, fmt::format("there is no tablet {}", alias.to_string()), aliases_of(scenario));
    }
}

void check_endpoint(const Scenario& scenario, const std::string& name, const std::string& place) {
    if (name == endpoint_store || name == endpoint_clients || name == endpoint_all) return;
    if (name.starts_with(endpoint_store_of_cell)) {
        const std::string cell = name.substr(endpoint_store_of_cell.size());
        if (has_cell(scenario, cell)) return;
        complain(place, fmt::format("there is no cell \"{}\"", cell), suggest(cell, cells_of(scenario)));
    }
    if (has_manager(scenario, name)) return;
    const auto alias = TabletAlias::parse(name);
    if (alias && has_tablet(scenario, *alias)) return;
    complain(place, fmt::format("\"{}\" is no endpoint of the network", name),
             "a tablet's alias, a manager's name, store, store:<cell>, clients or *");
}

std::vector<std::string> read_endpoints(const json& value, const std::string& place,
                                        const Scenario& scenario) {
    std::vector<std::string> names;
    if (value.is_string()) {
        names.push_back(text_of(value, place));
        check_endpoint(scenario, names.back(), place);
        return names;
    }
    if (!value.is_array() || value.empty())
        complain(place, "an endpoint or a list of endpoints is needed here");
    for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string here = fmt::format("{}/{}", place, i);
        names.push_back(text_of(value[i], here));
        check_endpoint(scenario, names.back(), here);
    }
    return names;
}

FaultTrigger read_trigger(JsonObject& object, const Scenario& scenario) {
    const std::optional<Duration> at = object.milliseconds("at_ms");
    const std::optional<std::string> when = object.text("when");
    if (at.has_value() == when.has_value()) {
        complain(object.place(), at ? "a fault has either \"at_ms\" or \"when\"" : "\"at_ms\" is missing",
                 at ? "not both" : "or \"when\": a moment of the run");
    }
    if (at) return FaultTrigger{.at = at};
    auto trigger = parse_trigger(*when);
    const std::string place = object.place_of("when");
    if (!trigger) complain(place, trigger.error());
    if (!trigger->manager.empty()) check_manager(scenario, trigger->manager, place);
    if (!trigger->tablet.empty()) {
        const auto alias = TabletAlias::parse(trigger->tablet);
        if (!alias) complain(place, fmt::format("\"{}\" is no tablet alias", trigger->tablet));
        check_tablet(scenario, *alias, place);
        trigger->tablet = alias->to_string();
    }
    trigger->plus += object.milliseconds("plus_ms").value_or(Duration{});
    return *trigger;
}

// What a text parameter may say depends on the kind.
void check_text(FaultKind kind, const std::string& text, const std::string& place) {
    if (kind == FaultKind::declare_policy) {
        const auto policy = DurabilityPolicy::parse(text);
        if (!policy) complain(place, policy.error());
    }
    if (kind == FaultKind::declare_type) {
        const auto type = parse_tablet_type(text);
        if (!type) complain(place, type.error());
    }
}

void read_parameter(JsonObject& object, const FaultParameter& parameter, const Scenario& scenario,
                    Fault& fault) {
    const std::string place = object.place_of(parameter.key);
    if (parameter.needed) object.need(parameter.key, fmt::format("{} needs it", to_string(fault.kind)));
    switch (parameter.field) {
        case FaultField::tablet:
        case FaultField::to_tablet: {
            const auto alias = object.alias(parameter.key);
            if (alias) check_tablet(scenario, *alias, place);
            (parameter.field == FaultField::tablet ? fault.tablet : fault.to) = alias;
            return;
        }
        case FaultField::manager:
            fault.manager = object.text(parameter.key).value_or("");
            if (!fault.manager.empty()) check_manager(scenario, fault.manager, place);
            return;
        case FaultField::cell:
            fault.cell = object.text(parameter.key).value_or("");
            if (!has_cell(scenario, fault.cell)) {
                complain(place, fmt::format("there is no cell \"{}\"", fault.cell),
                         suggest(fault.cell, cells_of(scenario)));
            }
            return;
        case FaultField::from_set:
        case FaultField::to_set:
            if (const json* value = object.find(parameter.key)) {
                (parameter.field == FaultField::from_set ? fault.from_set : fault.to_set) =
                    read_endpoints(*value, place, scenario);
            }
            return;
        case FaultField::for_time:
            fault.for_time = object.milliseconds(parameter.key).value_or(Duration{});
            return;
        case FaultField::amount:
            fault.amount = object.milliseconds(parameter.key).value_or(Duration{});
            return;
        case FaultField::permille:
            fault.permille = static_cast<int>(object.integer(parameter.key, 0, 1000).value_or(0));
            return;
        case FaultField::number:
            fault.number = static_cast<int>(object.integer(parameter.key, 0, 1'000'000).value_or(0));
            return;
        case FaultField::text:
            fault.text = object.text(parameter.key).value_or("");
            check_text(fault.kind, fault.text, place);
            return;
    }
}

}  // namespace

bool has_tablet(const Scenario& scenario, const TabletAlias& alias) {
    return std::ranges::any_of(scenario.tablets, [&](const ScenarioTablet& t) { return t.alias == alias; });
}

std::string aliases_of(const Scenario& scenario) {
    std::string text = "tablets: ";
    for (const ScenarioTablet& t : scenario.tablets) {
        if (&t != &scenario.tablets.front()) text += ", ";
        text += t.alias.to_string();
    }
    return text;
}

Fault read_fault(const json& value, const std::string& place, const Scenario& scenario) {
    JsonObject object(value, place);
    Fault fault;
    const std::string name = object.need_text("fault", "the kind of fault");
    const auto kind = parse_fault_kind(name);
    if (!kind) {
        std::vector<std::string> known;
        for (const FaultRow& row : fault_table()) known.emplace_back(row.name);
        complain(object.place_of("fault"), fmt::format("there is no fault \"{}\"", name),
                 suggest(name, known));
    }
    fault.kind = *kind;
    fault.when = read_trigger(object, scenario);
    for (const FaultParameter& parameter : fault_row(*kind).parameters)
        read_parameter(object, parameter, scenario, fault);
    if (const auto permanent = object.boolean("permanent")) {
        if (*permanent && !is_environment(*kind)) {
            complain(object.place_of("permanent"),
                     fmt::format("{} is not healed when faults cease anyway", name), "leave it out");
        }
        fault.permanent = *permanent;
    }
    object.finish();
    return fault;
}

}  // namespace fixpoint::sim
