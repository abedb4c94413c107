// Finds a shard that is led in circles: the same state again and again, with statements in between.
// Why: a livelock spends the whole budget of a run; this says so at once, and says what it is.
// It refuses to compare absolute numbers: terms, revisions, server ids and GTIDs count only relative to each
// other, or failover upon failover would never look the same twice.
#pragma once

#include <cstdint>
#include <map>

#include "fixpoint/sim/state.hpp"

namespace fixpoint::sim {

std::uint64_t state_hash(const WorldState& state);

class LivelockDetector {
  public:
    // Called when every manager of the core sleeps between passes. `mutations`: mutating statements so far.
    // True: the state recurred for the third time, each time with mutating statements since the last.
    bool seen(std::uint64_t hash, std::uint64_t mutations);

  private:
    struct Seen {
        int recurrences = 0;
        std::uint64_t mutations = 0;
    };
    std::map<std::uint64_t, Seen> states_;
};

}  // namespace fixpoint::sim
