// Whose a transaction is (protocol 8): attributable to the term in force, errant, foreign on P, or retired.
// U(P), all that P's uuid ever numbers, has no end, so it is asked of a given set and never built.
// A set that is too small here quarantines healthy tablets; one that is too great lets errant ones lead.
#include <algorithm>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

namespace {

// opened_at ∪ adopted ∪ executed(P), the last only where P answers.
GtidSet known_to_the_term(const ShardFacts& facts) {
    GtidSet known = facts.record.opened_at | facts.record.adopted;
    const TabletFacts* p = facts.primary();
    if (p && facts.primary_answers) known.add(p->executed);
    return known;
}

// The common case, without building a set: each uuid's transactions are in one of those sets as a whole.
bool is_plainly_attributable(const ShardFacts& facts, const GtidSet& set) {
    const TabletFacts* p = facts.primary();
    return std::ranges::all_of(set.entries(), [&](const GtidSet::Entry& entry) {
        if (entry.tsid.uuid == facts.record.primary.uuid && !canary(Canary::own_uuid_is_errant)) return true;
        if (facts.record.opened_at.contains(entry) || facts.record.adopted.contains(entry)) return true;
        return p && facts.primary_answers && p->executed.contains(entry);
    });
}

// Errant, or behind what P has purged, where the goal lets it be rebuilt: its uuid will begin to count anew.
bool is_to_be_rebuilt(const ShardFacts& facts, const TabletFacts& t) {
    if (!facts.goal.rebuild_by_clone || facts.is_primary(t)) return false;
    const TabletFacts* p = facts.primary();
    const bool purged = p && facts.primary_answers && !t.has_all(p->purged);
    return purged || !errant_on(facts, t).empty();
}

}  // namespace

bool is_forgotten(const Goal& goal, const TabletAlias& alias) {
    return std::ranges::any_of(goal.forgotten, [&](const ForgottenTablet& f) { return f.alias == alias; });
}

GtidSet attributable_part(const ShardFacts& facts, const GtidSet& set) {
    GtidSet part = set & known_to_the_term(facts);
    if (!canary(Canary::own_uuid_is_errant)) part.add(set.of_uuid(facts.record.primary.uuid));
    return part;
}

GtidSet errant_on(const ShardFacts& facts, const TabletFacts& t) {
    if (facts.is_primary(t)) return {};
    if (is_plainly_attributable(facts, t.executed) && is_plainly_attributable(facts, t.received)) return {};
    const GtidSet has = t.has();
    return has - attributable_part(facts, has);
}

GtidSet foreign_on_primary(const ShardFacts& facts) {
    const TabletFacts* p = facts.primary();
    if (!p || !facts.primary_answers || canary(Canary::foreign_is_not_adopted)) return {};
    GtidSet foreign = p->executed.without_uuid(p->uuid);
    foreign.subtract(facts.record.opened_at);
    foreign.subtract(facts.record.adopted);
    return foreign;
}

GtidSet own_transactions_missing(const ShardFacts& facts, const TabletFacts& t) {
    if (!t.uuid) return {};
    GtidSet known;
    const TabletFacts* p = facts.primary();
    if (p && facts.primary_answers) known.add(p->log().of_uuid(t.uuid));
    if (!canary(Canary::rebuilt_uuid_is_primary)) {
        known.add(facts.record.retired_gtids().of_uuid(t.uuid));
        known.add(facts.record.opened_at.of_uuid(t.uuid));
        known.add(facts.record.high_water.of_uuid(t.uuid));
        for (const TabletFacts& other : facts.tablets) {
            known.add(other.seen_to_have().of_uuid(t.uuid));
        }
    }
    return known - t.log();  // what waits for an acknowledgement there is no less its own
}

// One entry for each tablet that something was seen on; the sets of two tablets may overlap.
std::vector<RetiredGtids> retired_with(std::vector<RetiredGtids> retired, const GtidSet& gtids,
                                       const TabletAlias& alias) {
    if (gtids.empty()) return retired;
    for (RetiredGtids& entry : retired) {
        if (entry.seen_on.size() == 1 && entry.seen_on.front() == alias) {
            entry.gtids.add(gtids);
            return retired;
        }
    }
    retired.push_back({gtids, {alias}});
    return retired;
}

std::vector<RetiredGtids> retired_without(std::vector<RetiredGtids> retired, const GtidSet& opened_at) {
    for (RetiredGtids& entry : retired) entry.gtids.subtract(opened_at);
    std::erase_if(retired, [](const RetiredGtids& entry) { return entry.gtids.empty(); });
    return retired;
}

GtidSet retired_to_clear(const ShardFacts& facts) {
    if (facts.record.retired.empty() || canary(Canary::retired_for_ever)) return {};
    const auto seen_or_gone = [&](const TabletAlias& alias) {
        const TabletFacts* t = facts.find(alias);
        return (t && t->answered) || is_forgotten(facts.goal, alias);
    };
    GtidSet clear = facts.record.retired_gtids();
    for (const TabletFacts& t : facts.tablets) {
        if (!seen_or_gone(t.alias())) return {};
        if (!t.answered) continue;
        for (const Uuid& uuid : errant_on(facts, t).uuids()) clear = clear.without_uuid(uuid);
        if (is_to_be_rebuilt(facts, t)) clear = clear.without_uuid(t.uuid);
    }
    for (const RetiredGtids& entry : facts.record.retired) {
        if (std::ranges::all_of(entry.seen_on, seen_or_gone)) continue;
        for (const Uuid& uuid : entry.gtids.uuids()) clear = clear.without_uuid(uuid);
    }
    return clear;
}

}  // namespace fixpoint
