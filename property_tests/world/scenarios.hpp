// Small scenarios that the tests of the world begin with.
#pragma once

#include <string>

#include "fixpoint/sim/run.hpp"
#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

inline TabletAlias alias(const char* text) {
    return TabletAlias::parse(text).value();
}

inline Scenario shard_of(std::initializer_list<const char*> aliases, const char* policy) {
    Scenario scenario;
    scenario.name = "test";
    scenario.why = "a test";
    scenario.policy = DurabilityPolicy::parse(policy).value();
    for (const char* name : aliases) scenario.tablets.push_back(ScenarioTablet{.alias = alias(name)});
    scenario.tablets.front().type = TabletType::primary;
    scenario.managers.push_back({"m1", "zone2"});
    return scenario;
}

inline Scenario shard_of_three(const char* policy) {
    return shard_of({"zone1-100", "zone2-200", "zone3-300"}, policy);
}

inline Fault fault_at(FaultKind kind, Duration at, const char* tablet = nullptr) {
    Fault fault;
    fault.kind = kind;
    fault.when.at = at;
    if (tablet != nullptr) fault.tablet = alias(tablet);
    return fault;
}

}  // namespace fixpoint::sim
