// The same scenarios in both worlds: simulated one after the other, and for real a few at a time, each in a
// thread of its own with servers, managers and clients of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "property_tests/real/shard/run.hpp"

namespace fixpoint::real_shards {

struct Pair {
    sim::Run simulated;  // with its timeline
    sim::Run real;
    std::string failed;  // the harness itself could not run it; "": it could
};

// The simulated run of what is to be run for real next, with its timeline; none: that was all. Never asked
// by two threads at once.
using Drawn = std::function<std::optional<sim::Run>()>;

// These, one after the other. They must outlive it.
Drawn each_of(const std::vector<sim::Scenario>& scenarios);

// `next`: asked just before each real run is begun. `each`: called in that order, by the caller's thread, as
// soon as it may be. What one of them throws is thrown when the runs under way have ended.
void run_pairs(
    const Drawn& next, int jobs, const std::function<void(const Pair&)>& each,
    const std::function<sim::Run(const sim::Scenario&)>& for_real = [](const sim::Scenario& scenario) {
        return run_for_real(scenario);
    });

}  // namespace fixpoint::real_shards
