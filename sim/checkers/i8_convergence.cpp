// I8: when faults have ceased, the shard reaches its declared state within a bound, and stays there with no
// further command issued. Looks at what the judge finds at the end, and at statements in the hold. Excused:
// nothing within the promise but what a tablet's own clause permits; a run beyond the promise is judged by
// I9.
#include <fmt/format.h>

#include "sim/checkers/excuses.hpp"
#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {

void I8Convergence::on(Instant at, const JudgeEvent& event) {
    if (const auto* phase = std::get_if<PhaseBegan>(&event)) {
        holding_ = phase->phase == Phase::hold && converged_;
        if (holding_) held_ = true;
        return;
    }
    if (!holding_) return;
    std::string what;
    if (const auto* e = std::get_if<StatementTookEffect>(&event); e && e->mutating) {
        what =
            fmt::format("{} sent {} to {}", e->manager, sql::to_string(e->statement), e->tablet.to_string());
    } else if (const auto* w = std::get_if<RecordWritten>(&event); w && !w->manager.empty()) {
        what = w->manager + " wrote to the store";
    }
    if (!what.empty() && in_hold_++ == 0) violated(at, "in the hold, after convergence, " + what);
}

void I8Convergence::conclude(Instant at, const Convergence& found, bool within_promise) {
    if (found.converged) return;
    if (held_ && !found.justified_failure)
        violated(at, "converged, and did not stay so: " + found.why);
    else if (within_promise)
        violated(at, "the faults were within the promise, and the shard did not converge: " + found.why);
}

void I8Convergence::livelock(Instant at) {
    violated("livelock", at, "the same state recurs for the third time, and statements were sent in between");
}

}  // namespace fixpoint::sim
