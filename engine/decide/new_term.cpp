// The record of a new term (protocol 4, last paragraphs, and 8): who acknowledges in it, and what is carried
// over. Whoever could not vouch is left out: it joins afterwards, by the front door, or the next failover
// counts on it.
#include <algorithm>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"
#include "fixpoint/model/assert.hpp"

namespace fixpoint {

namespace {

RecordedServer server_of(const TabletFacts& t) {
    return {t.alias(), t.tablet.mysql, t.uuid, t.server_id};
}

// Under `none` nobody acknowledges; those who joined already are to acknowledge under what is declared.
const DurabilityPolicy& acknowledging_policy(const ShardFacts& facts) {
    return facts.record.policy.is_none() ? facts.declared_policy : facts.record.policy;
}

bool stays_acker(const ShardFacts& facts, const RecordedServer& acker, const TabletAlias& winner) {
    if (acker.alias == winner || acker.alias == facts.record.primary.alias) return false;
    const TabletFacts* t = facts.find(acker.alias);
    if (!t || !t->locked) return true;  // it may follow the winner already
    const bool vouches = t->vouching() || canary(Canary::acks_off_are_counted);
    const bool may =
        acknowledging_policy(facts).may_ack(winner, t->tablet) || canary(Canary::sibling_stays_acker);
    return vouches && may;
}

void add_past_primary(FixpointRecord& record, const RecordedServer& old) {
    if (!old.alias || !old.uuid) return;
    if (std::ranges::find(record.past_primaries, old) == record.past_primaries.end())
        record.past_primaries.push_back(old);
}

// Whoever leads next, the history is carried over and nothing of the old term's state is.
FixpointRecord begin_term(const ShardFacts& facts, const TabletFacts& primary, std::int64_t term) {
    FixpointRecord record = facts.record;
    const RecordedServer old = record.primary;
    record.term = term;
    record.revision = 0;
    record.primary = server_of(primary);
    record.opened_at = primary.executed;
    if (!canary(Canary::adopted_for_ever)) record.adopted = {};
    if (old != record.primary) add_past_primary(record, old);
    record.retired = retired_without(std::move(record.retired), record.opened_at);
    return record;
}

}  // namespace

std::vector<RecordedServer> ackers_of_new_term(const ShardFacts& facts, const TabletAlias& winner) {
    std::vector<RecordedServer> ackers;
    for (const RecordedServer& acker : facts.record.ackers) {
        if (stays_acker(facts, acker, winner)) ackers.push_back(acker);
    }
    const TabletFacts* old = facts.find(facts.record.primary.alias);
    if (canary(Canary::acks_off_are_counted) && old && old->locked) ackers.push_back(server_of(*old));
    return ackers;
}

FixpointRecord record_of_new_term(const ShardFacts& facts, const TabletAlias& winner, std::int64_t term) {
    const TabletFacts* w = facts.find(winner);
    FIXPOINT_ASSERT(w && w->answered, "the winner of an election is a tablet that answered");
    FixpointRecord record = begin_term(facts, *w, term);
    record.ackers = ackers_of_new_term(facts, winner);
    if (record.k() == 0) record.high_water = {};
    return record;
}

FixpointRecord record_of_first_term(const ShardFacts& facts, const TabletAlias& winner, std::int64_t term) {
    const TabletFacts* w = facts.find(winner);
    FIXPOINT_ASSERT(w && w->answered, "the winner of an election is a tablet that answered");
    FixpointRecord record = begin_term(facts, *w, term);
    record.policy = facts.declared_policy;
    record.ackers = {};
    record.high_water = {};
    return record;
}

FixpointRecord record_of_adoption(const ShardFacts& facts, const TabletAlias& primary, std::int64_t term) {
    const TabletFacts* p = facts.find(primary);
    FIXPOINT_ASSERT(p && p->answered, "only a tablet that serves is adopted");
    FixpointRecord record = begin_term(facts, *p, term);
    record.policy = canary(Canary::adopts_with_declared_policy) ? facts.declared_policy : DurabilityPolicy{};
    record.ackers = {};
    record.high_water = {};
    if (canary(Canary::adopts_without_ackers_found)) return record;
    for (const TabletFacts& t : facts.tablets) {
        // Those whose acks are on and not in effect may have acknowledged before, and will once they are
        // connected.
        if (&t != p && t.answered && (t.acks_in_effect_at_first || t.acks_on))
            record.ackers.push_back(server_of(t));
    }
    return record;
}

}  // namespace fixpoint
