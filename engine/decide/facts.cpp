// The words of protocol 1 over plain facts: reached, vouching, and who P is.
// Each is asked anew at every decision; nothing is remembered here.
#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

bool TabletFacts::reached() const {
    return locked && restart_safe && privileges_ok && receiver_stopped_or_elsewhere;
}

bool TabletFacts::vouching() const {
    if (canary(Canary::restarted_acker_vouches)) return true;
    if (canary(Canary::durable_relay_vouches) && durable_relay_log && uuid_as_recorded) return true;
    return acks_on && acks_persisted_off && uuid_as_recorded;
}

bool TabletFacts::has_all(const GtidSet& set) const {
    if (executed.contains(set)) return true;
    return !received.empty() && has().contains(set);
}

const TabletFacts* ShardFacts::find(const TabletAlias& alias) const {
    for (const TabletFacts& t : tablets) {
        if (t.alias() == alias) return &t;
    }
    return nullptr;
}

const TabletFacts* ShardFacts::primary() const {
    const TabletFacts* p = find(record.primary.alias);
    if (p && p->answered && p->uuid != record.primary.uuid) return nullptr;
    return p;
}

ShardFacts as_if_stopped(ShardFacts facts) {
    const TabletFacts* p = facts.primary();
    for (TabletFacts& t : facts.tablets) {
        if (!t.answered || !t.manageable || !t.privileges_ok) continue;
        t.locked = true;
        t.receiver_stopped_or_elsewhere = true;
        if (!t.applier_failed) t.executed.add(t.received);
        if (&t == p && facts.primary_answers) t.closed = true;
    }
    return facts;
}

}  // namespace fixpoint
