// What the courses of simulated and of real runs have in common: how long faults are waited for, when a shard
// is quiet enough for a probe, what becomes of the probe, when nothing better can come, and the verdict as a
// Run. How time passes, each course knows. It refuses to know what is right: that is the judge's.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "fixpoint/sim/run.hpp"
#include "sim/checkers/judge.hpp"
#include "sim/faults/fault_book.hpp"

namespace fixpoint::sim {

inline constexpr Duration probe_bound = std::chrono::seconds(5);  // in which its client is told OK

// As the scenario says; else until the faults that are bound to a time have ended, and some time longer.
Duration fault_phase(const Scenario& scenario, const FaultBook& faults);

// The convergence phase, looked at from time to time.
class Converging {
  public:
    // A justified failure must have stood for `refusal_stands`: longer than the greatest back-off, then every
    // repair that a failed run owes has had its turn.
    Converging(const Scenario& scenario, Judge& judge, Duration refusal_stands)
        : poll_(scenario.limits.poll), judge_(judge), refusal_stands_(refusal_stands) {}

    // As declared, for some polls in a row in which nothing was changed, begun or started: what a manager has
    // not looked at yet is not converged.
    bool is_quiet(Instant now, bool nothing_is_under_way, Instant last_mutating);
    // A confirmed reason that has stood for long enough.
    bool nothing_better_comes(Instant now);

    // A probe was sent: true when it is executed by all that are not excused. `go_on` lets the world run for
    // a while; false: the run is over.
    bool follow(const Probe& sent, Instant deadline, const std::function<Instant()>& now,
                const std::function<bool()>& go_on);
    // The last that was sent.
    const std::optional<Probe>& probe() const { return probe_; }

  private:
    const Duration poll_;
    Judge& judge_;
    const Duration refusal_stands_;
    std::optional<Instant> quiet_since_, justified_since_;
    std::optional<Probe> probe_;
};

// All that the judge says of a run.
Run run_of(const Scenario& scenario, Judgement judged);
// It broke a promise that no checker sees.
void add_violation(Run& run, const std::string& invariant, Instant at, const std::string& text);

}  // namespace fixpoint::sim
