// The same scenarios in both worlds: simulated one after the other, and for real a few at a time, each in a
// thread of its own with servers, managers and clients of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "property_tests/real/shard/run.hpp"

namespace fixpoint::real_shards {

struct Pair {
    sim::Run simulated;  // with its timeline
    sim::Run real;
    std::string failed;  // the harness itself could not run it; "": it could
};

// `each`: called in the order of the scenarios, by the caller's thread, as soon as it may be.
// `enough`: asked before each further one is begun.
void run_pairs(const std::vector<sim::Scenario>& scenarios, int jobs,
               const std::function<void(const Pair&)>& each, const std::function<bool()>& enough = {});

}  // namespace fixpoint::real_shards
