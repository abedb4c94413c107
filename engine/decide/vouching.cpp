// Who has everything it ever acknowledged, what a CHANGE may drop, and the high-water mark (protocol 6).
// ON means: this process has not restarted since it was found complete. So each rule here is about when ON
// may be said, and about never doing what would make it a lie.
#include <vector>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

bool is_complete(const ShardFacts& facts, const TabletFacts& t,
                 const sql::GtidsAnswer& primary_log_after_boot, const GtidSet& received_at_boot) {
    if (!t.receives || t.source_uuid != facts.record.primary.uuid) return false;
    // log, not executed: P may still count a former acknowledgement of t for a commit that waits.
    if (!t.has_all(primary_log_after_boot.executed)) return false;
    if (!canary(Canary::qualified_by_executed) && !t.has_all(primary_log_after_boot.owned)) return false;
    // What it counted as received at its boot may be a phantom that no applier will ever read (M44).
    return canary(Canary::phantom_is_received) || t.executed.contains(received_at_boot);
}

ChangePlan plan_change(const ShardFacts& facts, const TabletFacts& stopped, bool primary_has_it) {
    // All that it can drop is what was received and not applied; the applier may stop by an error just then
    // (M8).
    const GtidSet unapplied = stopped.received - stopped.executed;
    const bool nothing_to_lose =
        unapplied.empty() || (primary_has_it && facts.record.opened_at.contains(unapplied));
    const bool switches_always = canary(Canary::change_always_switches_acks_off);
    if (nothing_to_lose) return switches_always ? ChangePlan::acks_off_around : ChangePlan::keeps_acks;
    const TabletFacts* p = facts.primary();
    if (!p || !facts.primary_answers || !p->log().contains(unapplied)) return ChangePlan::refused;
    return canary(Canary::change_keeps_acks_on) ? ChangePlan::keeps_acks : ChangePlan::acks_off_around;
}

GtidSet next_high_water(const ShardFacts& facts) {
    const int k = facts.record.k();
    if (k == 0) return {};
    const GtidSet& mark = facts.record.high_water;
    const TabletFacts* p = facts.primary();
    if (!p || !facts.primary_answers) return mark;
    if (mark.contains(p->executed)) return mark;
    if (canary(Canary::mark_counts_crash_recovered)) return mark | p->executed;
    // on_at_least[j]: of executed(P), what at least j of the vouching ackers looked at so far have.
    std::vector<GtidSet> on_at_least(static_cast<std::size_t>(k) + 1);
    on_at_least.front() = p->executed;
    for (const TabletFacts& t : facts.tablets) {
        if (!t.answered || !t.in_ackers || !t.vouching()) continue;
        const GtidSet has = t.has();
        for (std::size_t j = on_at_least.size() - 1; j >= 1; --j)
            on_at_least[j].add(on_at_least[j - 1] & has);
    }
    return mark | on_at_least.back();
}

}  // namespace fixpoint
