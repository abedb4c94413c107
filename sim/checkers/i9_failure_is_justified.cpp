// I9: a run that does not converge must name a reason that the oracle confirms. Looks at what the judge finds
// at the end: every clause that does not hold is excused, or the run failed without a reason.
#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {

void I9FailureIsJustified::conclude(Instant at, const Convergence& found, bool within_promise) {
    if (found.converged || within_promise) return;  // within the promise: I8
    if (!found.justified_failure || !found.unmet.empty()) {
        violated(at, "the shard did not converge, and no confirmed reason explains: " + found.why);
    }
}

}  // namespace fixpoint::sim
