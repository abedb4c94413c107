// What can be known of an emergency reparent without touching anything (protocol 11): asked by the recovery
// itself and by whoever only shows what would be done.
#include "engine/recoveries/recoveries.hpp"

namespace fixpoint {

Outcome not_revoked(const ShardFacts& facts, const Revocation& revoked) {
    const Reason reason =
        facts.record.k() == 0 ? Reason::unfenced_promotion_not_allowed : Reason::revocation_impossible;
    return refused(reason, revoked.text);
}

Outcome emergency_reparent_possible(const ShardFacts& facts) {
    if (facts.emergency_reparent_disabled)
        return refused(Reason::forbidden, "disable_emergency_reparent is set");
    const ShardFacts stopped = as_if_stopped(facts);
    if (const Revocation revoked = revocation(stopped); !revoked.holds()) return not_revoked(facts, revoked);
    const Election election = elect(stopped);
    return election.winner ? succeeded() : refused(election.reason, election.text);
}

}  // namespace fixpoint
