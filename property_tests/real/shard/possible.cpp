// What can be done to real servers, real processes and one SQLite file, and why the rest cannot.
#include <fmt/format.h>

#include <algorithm>

#include "property_tests/real/shard/nemesis.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::real_shards {
namespace {

using sim::Fault;
using sim::FaultGroup;
using sim::FaultKind;

std::string of_network(const Fault& fault) {
    if (fault.kind == FaultKind::loss || fault.kind == FaultKind::duplicate)
        return "a proxy above TCP cannot lose or double packets";
    const auto concerns_store = [](const std::string& name) { return name.starts_with("store"); };
    if (std::ranges::any_of(fault.from_set, concerns_store) ||
        std::ranges::any_of(fault.to_set, concerns_store))
        return "the store is a file of this machine: there is no link to it";
    const bool to_everybody =
        fault.to_set.empty() || std::ranges::find(fault.to_set, "*") != fault.to_set.end();
    const bool a_manager = std::ranges::any_of(fault.from_set, [](const std::string& name) {
        return name != "clients" && name != "*" && !TabletAlias::parse(name);
    });
    if (fault.kind != FaultKind::heal && to_everybody && a_manager)
        return "the store is a file of this machine: a manager cannot be cut from it";
    return {};
}

std::string of_tablet(FaultKind kind) {
    switch (kind) {
        case FaultKind::crash_before_durable:
            return "a machine's loss of power needs a machine";
        case FaultKind::too_many_connections:
            return "the observer's own sessions would be counted";
        case FaultKind::wrong_password:
            return "an account is changed by a transaction on the server";
        case FaultKind::applier_error:
        case FaultKind::restore_older_state:
            return "it needs data written into a closed server";
        case FaultKind::delay_applier:
            return "a server's delay is a setting of its channel, which is another incident";
        default:
            return {};
    }
}

std::string of_trigger(const sim::FaultTrigger& when) {
    if (when.at) return {};
    if ((when.event == "record" || when.event == "commit_point") && !when.before) return {};
    return "a real manager cannot be stopped between two of its round trips";
}

}  // namespace

std::string text_of(const Fault& fault) {
    std::string text(sim::to_string(fault.kind));
    if (fault.tablet) text += ' ' + fault.tablet->to_string();
    if (!fault.manager.empty()) text += ' ' + fault.manager;
    for (const std::string& name : fault.from_set) text += ' ' + name;
    for (const std::string& name : fault.to_set) text += " > " + name;
    if (fault.to) text += " > " + fault.to->to_string();
    if (!fault.text.empty()) text += ' ' + fault.text;
    if (fault.for_time > Duration{}) text += fmt::format(" for {} ms", to_ms(fault.for_time));
    return text;
}

std::string not_for_real(const Fault& fault) {
    if (std::string why = of_trigger(fault.when); !why.empty()) return why;
    switch (fault_row(fault.kind).group) {
        case FaultGroup::network:
            return of_network(fault);
        case FaultGroup::statement:
            return "what happens to one statement needs the simulator's hand between manager and server";
        case FaultGroup::tablet:
            return of_tablet(fault.kind);
        case FaultGroup::drift:
            if (fault.kind == FaultKind::foreign_journal) return "it needs data written into a closed server";
            return of_tablet(fault.kind);
        case FaultGroup::declaration:
            return {};
        case FaultGroup::store:
            return fault.kind == FaultKind::lease_expires ? "" : "the store is a file of this machine";
        case FaultGroup::manager:
            return fault.kind == FaultKind::manager_clock_jump ? "managers share this machine's clock" : "";
    }
    return {};
}

std::vector<std::string> not_for_real(const sim::Scenario& scenario) {
    std::vector<std::string> reasons;
    for (const sim::ScenarioTablet& t : scenario.tablets) {
        if (t.apply_delay > Duration{})
            reasons.push_back(fmt::format(
                "apply_delay_ms of {}: a server's delay is a setting of its channel", t.alias.to_string()));
    }
    for (const Fault& fault : scenario.faults) {
        if (const std::string why = not_for_real(fault); !why.empty())
            reasons.push_back(fmt::format("{}: {}", text_of(fault), why));
    }
    return reasons;
}

}  // namespace fixpoint::real_shards
