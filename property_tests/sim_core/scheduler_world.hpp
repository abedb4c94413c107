// A world of plain actions: a chooser and a scheduler, no more.
#pragma once

#include <chrono>
#include <cstdint>

#include "sim/core/scheduler.hpp"

namespace fixpoint::sim::testing {

inline Instant at_ms(std::int64_t ms) {
    return Instant(std::chrono::milliseconds(ms));
}

struct World {
    explicit World(std::uint64_t seed = 1, Order order = Order::drawn)
        : chooser(seed), scheduler(chooser, order) {}
    Chooser chooser;
    Scheduler scheduler;
};

}  // namespace fixpoint::sim::testing
