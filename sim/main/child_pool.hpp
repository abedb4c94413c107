// Runs cases in forked children, so that an abort or a hang is a finding and not the end of the campaign. A
// child works through a batch and sends each result as it is there; where it dies or falls silent, the case
// that it was at gets the verdict `violation` ("crashed: signal 6", with what it said last), and a new child
// goes on behind it. It refuses threads: two children at most do the work of two cores.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "fixpoint/sim/run.hpp"

namespace fixpoint::sim {

struct PoolOptions {
    int jobs = 1;
    std::size_t batch = 1;
    double silent_seconds = 120;  // without a result: the child is killed, the case hung
    std::function<bool()> stop = [] { return false; };  // asked between batches: no new ones then
};

// `work` runs in a child, `done` in the parent, each index in [0, count) at most once and in no promised
// order. False: stopped before all were done.
bool run_in_children(std::size_t count, const PoolOptions& options,
                     const std::function<Run(std::size_t)>& work,
                     const std::function<void(std::size_t, Run)>& done);

}  // namespace fixpoint::sim
