// The failover run that the manual compares: five tablets, one manager that polls each second, two writes a
// second, one kill of the primary, a hundred virtual seconds. And the same under load.
#pragma once

#include <cstdint>

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

Scenario failover_scenario(double writes_per_second);

struct FailoverFigures {
    double runs_per_second = 0;  // of a hundred virtual seconds each
    double events_per_second = 0;
    double virtual_per_wall = 0;
    double events_per_run = 0;
    double statements_per_run = 0;
    int runs = 0;
    int converged = 0;  // of these: a figure of runs that fail means nothing
};

// As many runs, with a seed of its own each, as fit into about `seconds`.
FailoverFigures failover_figures(double writes_per_second, double seconds);

// Union, difference and subset tests per second on sets of five uuids with a few intervals each.
double gtid_operations_per_second();

}  // namespace fixpoint::sim
