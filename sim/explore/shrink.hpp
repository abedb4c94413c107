// From a scenario to simpler ones: what RapidCheck and the hunt try when one fails, until nothing simpler
// fails too. Each candidate is again a valid scenario and smaller by a measure that cannot fall for ever, so
// shrinking ends.
#pragma once

#include <functional>
#include <vector>

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

// The boldest steps first: fewer faults, fewer tablets, fewer managers, then plainer numbers.
std::vector<Scenario> simpler_scenarios(const Scenario& scenario);

struct Shrunk {
    Scenario scenario;
    int tried = 0;
    int steps = 0;
};

// Greedy: takes the first simpler one that still fails, until none does or `most_tries` are spent.
Shrunk shrink(const Scenario& scenario, const std::function<bool(const Scenario&)>& still_fails,
              int most_tries = 600);

}  // namespace fixpoint::sim
