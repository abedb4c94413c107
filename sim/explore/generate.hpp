// Random scenarios: a shard, its managers and clients, and what befalls them. Every answer comes from the
// chooser, so one number makes the same scenario again, and the hunt and the property tests share one
// generator. It refuses weights that favour a known weakness: within what a seed enables, all kinds are
// equally likely.
#pragma once

#include "fixpoint/sim/scenario.hpp"
#include "sim/core/chooser.hpp"

namespace fixpoint::sim {

struct GenerateOptions {
    int most_tablets = 7;
    int most_faults = 6;
    Duration faults_until = std::chrono::seconds(25);
    bool boots = true;      // not only converged shards
    bool triggers = true;   // faults bound to events, which may never happen
    bool permanent = true;  // faults that never cease
};

// Whether its verdict was right is said by the judges alone: it expects nothing but what invariants demand.
Scenario generate_scenario(Chooser& chooser, const GenerateOptions& options = {});

Scenario generate_scenario(std::uint64_t seed, const GenerateOptions& options = {});

}  // namespace fixpoint::sim
