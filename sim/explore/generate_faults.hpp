// The faults of a random scenario: kinds that are possible upon its shard, equally likely within what the
// seed enables, at times or bound to events that are made to happen. It refuses to draw what cannot be
// delivered as the shard begins; what an earlier fault prevents is not foreseen.
#pragma once

#include "sim/explore/generate.hpp"

namespace fixpoint::sim {

// Adds them to a scenario whose shard and surroundings are drawn.
void draw_faults(Chooser& chooser, const GenerateOptions& options, Scenario& scenario);

}  // namespace fixpoint::sim
