// Reads one fault of a scenario, by the fault table. Internal to the reader.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

// Complains (BadScenario) about what is not a fault, or names a tablet, manager or cell that `scenario` does
// not have.
Fault read_fault(const nlohmann::json& value, const std::string& place, const Scenario& scenario);

bool has_tablet(const Scenario& scenario, const TabletAlias& alias);
std::string aliases_of(const Scenario& scenario);  // for messages

}  // namespace fixpoint::sim
