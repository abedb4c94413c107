// See course.hpp.
#include "sim/world/course.hpp"

#include <algorithm>
#include <utility>

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration after_last_fault = 10s;
constexpr Duration until_events_strike = 30s;  // where faults wait for events
constexpr int polls_of_quiet = 3;
constexpr Duration probe_applied_within = 10s;

}  // namespace

Duration fault_phase(const Scenario& scenario, const FaultBook& faults) {
    if (scenario.fault_phase != Duration{}) return scenario.fault_phase;
    const Duration length = faults.last_planned() + after_last_fault;
    return faults.bound_to_events() ? std::max(length, until_events_strike) : length;
}

bool Converging::is_quiet(Instant now, bool nothing_is_under_way, Instant last_mutating) {
    if (!judge_.settled() || !nothing_is_under_way) {
        quiet_since_.reset();
        return false;
    }
    if (!quiet_since_) quiet_since_ = now;
    return now - std::max(*quiet_since_, last_mutating) >= polls_of_quiet * poll_;
}

bool Converging::nothing_better_comes(Instant now) {
    if (!judge_.failure_is_justified()) {
        justified_since_.reset();
        return false;
    }
    if (!justified_since_) justified_since_ = now;
    return now - *justified_since_ >= refusal_stands_;
}

bool Converging::follow(const Probe& sent, Instant deadline, const std::function<Instant()>& now,
                        const std::function<bool()>& go_on) {
    probe_ = sent;
    const Instant patience = std::min(std::max(deadline, now() + 1s), now() + probe_applied_within);
    while (true) {
        const Convergence found = judge_.converged(probe_);
        if (found.converged || found.justified_failure) return true;
        if (!sent.acknowledged || now() >= patience || !go_on()) return false;
    }
}

Run run_of(const Scenario& scenario, Judgement judged) {
    Run run;
    run.scenario = scenario;
    run.verdict = judged.verdict;
    run.why = std::move(judged.why);
    run.violations = std::move(judged.violations);
    run.reason = judged.reason;
    run.within_promise = judged.within_promise;
    run.recoveries = std::move(judged.recoveries);
    run.faults = std::move(judged.faults);
    run.every_fault_delivered = judged.every_fault_delivered;
    run.writes_acknowledged = judged.writes_acknowledged;
    run.writes_judged = judged.writes_judged;
    run.writes_failed = judged.writes_failed;
    run.writes_unknown = judged.writes_unknown;
    run.writes_excused = judged.writes_excused;
    run.writes_blocked_longest = judged.writes_blocked_longest;
    run.commit_points = judged.commit_points;
    return run;
}

void add_violation(Run& run, const std::string& invariant, Instant at, const std::string& text) {
    run.verdict = Verdict::violation;
    run.why = text;
    run.violations.push_back({invariant, at, text});
}

}  // namespace fixpoint::sim
