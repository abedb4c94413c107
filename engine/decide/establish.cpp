// Whether enough tablets could follow a candidate for its first write to be acknowledged (protocol 4.3), and
// what a receiver needs to be able to follow at all (M3, M40). A candidate that nobody can follow would only
// wait.
#include <algorithm>

#include "engine/decide/election.hpp"

namespace fixpoint {

bool can_follow(const TabletFacts& t, const TabletFacts& source, const GtidSet& source_has) {
    if (!t.uuid || t.uuid == source.uuid) return false;
    const GtidSet has = t.has();
    // A source refuses a replica that has more of the source's own uuid, and one whose past it has purged.
    return source_has.contains(has.of_uuid(source.uuid)) && has.contains(source.purged);
}

namespace {

bool may_become_acker(const ShardFacts& facts, const TabletFacts& t, const TabletAlias& candidate) {
    // One that nothing makes restart-safe joins no A (9), and a forgotten P is of the shard no longer than
    // its term.
    return !is_forgotten(facts.goal, t.alias()) && t.locked && t.manageable && t.privileges_ok &&
           t.semi_sync_plugins && t.loads_persisted && facts.record.policy.may_ack(candidate, t.tablet);
}

}  // namespace

bool can_be_established(const ShardFacts& facts, const TabletFacts& candidate, const GtidSet& candidate_has,
                        std::string* why) {
    const int needed = facts.record.k();
    int followers = 0;
    for (const TabletFacts& t : facts.tablets) {
        if (&t == &candidate || !may_become_acker(facts, t, candidate.alias())) continue;
        if (can_follow(t, candidate, candidate_has) || facts.goal.rebuild_by_clone) ++followers;
    }
    if (followers >= needed) return true;
    if (why) {
        *why = std::to_string(followers) + " tablets in reach could acknowledge for " +
               candidate.alias().to_string() + ", the policy " + facts.record.policy.to_string() + " needs " +
               std::to_string(needed);
    }
    return false;
}

bool can_establish(const ShardFacts& facts, const TabletAlias& candidate, std::string* why) {
    const TabletFacts* t = facts.find(candidate);
    if (!t) {
        if (why) *why = candidate.to_string() + " is no tablet of this shard";
        return false;
    }
    return can_be_established(facts, *t, t->executed, why);
}

}  // namespace fixpoint
