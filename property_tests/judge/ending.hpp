// What tests of a run's end begin with: faults that stay, and a probe that the shard has executed.
#pragma once

#include <algorithm>
#include <vector>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim::testing {

inline Fault crash_for_good(int n) {
    Fault f;
    f.kind = FaultKind::crash;
    f.tablet = alias_of(n);
    f.permanent = true;
    return f;
}

// The probe, executed everywhere but on those named.
inline Probe probed(Stage& s, std::vector<int> but = {}) {
    s.begin(99, 1);
    for (int n = 1; n <= static_cast<int>(s.b.state.servers.size()); ++n) {
        if (std::ranges::find(but, n) == but.end()) s.execute(99, n);
    }
    s.acknowledge(99, 1);
    return {99, true};
}

// The primary and an acker died for good: with one acker needed, a failure that may be justified.
inline Stage& two_dead(Stage& s) {
    s.write(11, 1, {1, 2, 3});
    for (const int n : {1, 3}) s.fault(FaultKind::crash, n, true);
    s.b.kill_primary();
    s.b.kill(3);
    s.play(PhaseBegan{Phase::faults_ceased});
    s.say(EventKind::reported, Problem::acker_gone, 3);
    return s;
}

}  // namespace fixpoint::sim::testing
