// When the policy and the ackers in force may change (protocol 9): the barrier, leaving and tightening.
// Each question counts tablets that vouch, of those that stay; a tablet that merely exists counts for
// nothing.
#include <algorithm>
#include <utility>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

namespace {

bool receives_from_primary(const ShardFacts& facts, const TabletFacts& t) {
    return t.receives && t.source_uuid == facts.record.primary.uuid;
}

// Tablets of A that vouch, but `leaving`, and for which `condition` holds.
template <class Condition>
int count_vouching(const ShardFacts& facts, const std::optional<TabletAlias>& leaving, Condition condition) {
    return static_cast<int>(std::ranges::count_if(facts.tablets, [&](const TabletFacts& t) {
        return t.answered && t.in_ackers && leaving != t.alias() && t.vouching() && condition(t);
    }));
}

}  // namespace

bool barrier_met(const ShardFacts& facts, const std::optional<TabletAlias>& leaving, int new_k,
                 const GtidSet& primary_log_after_change) {
    if (leaving && canary(Canary::leaves_without_barrier)) return true;
    const int old_k = facts.record.k();
    const int needed = canary(Canary::barrier_counts_old_policy) ? old_k : std::max(old_k, new_k);
    return count_vouching(facts, leaving, [&](const TabletFacts& t) {
               return t.has_all(primary_log_after_change);
           }) >= needed;
}

bool may_leave(const ShardFacts& facts, const TabletAlias& leaving) {
    if (canary(Canary::leaves_without_others)) return true;
    const TabletFacts* p = facts.primary();
    // The server may be stricter than the record: then its own count is what its commits wait for.
    int needed = facts.record.k();
    if (p && facts.primary_answers && p->source_semi_sync_on) needed = std::max(needed, p->source_wait_count);
    return count_vouching(facts, leaving,
                          [&](const TabletFacts& t) { return receives_from_primary(facts, t); }) >= needed;
}

bool may_tighten(const ShardFacts& facts, int new_k) {
    if (canary(Canary::tightens_without_ackers)) return true;
    return count_vouching(facts, std::nullopt,
                          [&](const TabletFacts& t) { return receives_from_primary(facts, t); }) >= new_k;
}

}  // namespace fixpoint
