// Whether P is revoked (protocol 4.1) and what its successor must therefore have executed (4.2).
// By count: so many of A are stopped and vouch that P can get no more acknowledgements, and whatever it got
// is on one of them. By closing: P itself is stopped and has everything. Never by silence, and never by a
// look alone.
#include <algorithm>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

namespace {

bool unfenced_promotion_is_allowed(const ShardFacts& facts) {
    return std::ranges::any_of(facts.goal.allowed, [&](const AllowedStep& allowed) {
        return allowed.step == "unfenced_promotion" && allowed.term == facts.record.term;
    });
}

// The policy that counts is the one in force; what is declared may be in force nowhere yet.
DurabilityPolicy counting_policy(const ShardFacts& facts) {
    return canary(Canary::declared_policy_counts) ? facts.declared_policy : facts.record.policy;
}

bool counts_as_acker(const ShardFacts& facts, const TabletAlias& alias) {
    if (!canary(Canary::declared_policy_counts)) return true;
    const TabletFacts* t = facts.find(alias);
    return t && facts.declared_policy.may_ack(facts.record.primary.alias, t->tablet);
}

bool is_closed_for_good(const ShardFacts& facts) {
    const TabletFacts* p = facts.primary();
    if (!p || !facts.primary_answers || !p->locked || !p->closed) return false;
    return p->restart_safe || canary(Canary::closed_though_not_restart_safe);
}

std::string names(const std::vector<TabletAlias>& aliases) {
    std::string text;
    for (const TabletAlias& alias : aliases) text += (text.empty() ? "" : ", ") + alias.to_string();
    return text;
}

void explain(const ShardFacts& facts, int k, Revocation& revoked) {
    if (revoked.holds()) return;
    if (k == 0) {
        revoked.text =
            "no acknowledgements are needed: only a closed primary, or an unfenced promotion that the goal "
            "allows";
        return;
    }
    revoked.text = std::to_string(revoked.missing.size()) + " of " +
                   std::to_string(facts.record.ackers.size()) + " ackers are out of reach or do not vouch (" +
                   names(revoked.missing) + "), fewer than " + std::to_string(k) +
                   " may; and the primary is not proven closed";
}

// Has acknowledged, or may have while this operation looked.
bool may_have_acknowledged(const TabletFacts& t) {
    if (canary(Canary::demands_what_nobody_was_told)) return true;
    return t.acks_on || (t.acks_in_effect_at_first && !canary(Canary::off_but_still_acknowledging));
}

bool is_evidence(const ShardFacts& facts, const TabletFacts& t) {
    if (facts.is_primary(t)) return false;  // what only P has, nobody acknowledged
    if (canary(Canary::drained_is_no_evidence) && t.tablet.type != TabletType::replica) return false;
    return true;
}

GtidSet demanded_without_ackers(const ShardFacts& facts, const Revocation& revoked) {
    GtidSet set;
    if (!revoked.by_waiver || revoked.by_closing) set.add(facts.record.opened_at);
    for (const TabletFacts& t : facts.tablets) {
        if (t.locked) set.add(attributable_part(facts, t.has()));
    }
    return set;
}

}  // namespace

Revocation revocation(const ShardFacts& facts) {
    Revocation revoked;
    const int k = counting_policy(facts).ackers_needed;
    for (const RecordedServer& acker : facts.record.ackers) {
        if (!counts_as_acker(facts, acker.alias)) continue;
        const TabletFacts* t = facts.find(acker.alias);
        if (!t || !t->reached() || !t->vouching()) revoked.missing.push_back(acker.alias);
    }
    revoked.by_count = k > 0 && std::cmp_less(revoked.missing.size(), k);
    if (is_closed_for_good(facts)) {
        // One that is behind is no proof: what it acknowledged and has lost is on a tablet that would not be
        // asked.
        revoked.by_closing =
            k == 0 || canary(Canary::behind_but_closed_is_revoked) || primary_lacks(facts).empty();
    }
    revoked.by_waiver = k == 0 && unfenced_promotion_is_allowed(facts);
    explain(facts, k, revoked);
    return revoked;
}

GtidSet demanded(const ShardFacts& facts, const Revocation& revoked) {
    if (facts.record.k() == 0) return demanded_without_ackers(facts, revoked);
    GtidSet set = facts.record.opened_at | facts.record.high_water;
    const TabletFacts* p = facts.primary();
    if (revoked.by_count) {
        for (const TabletFacts& t : facts.tablets) {
            const bool itself =
                canary(Canary::primary_is_its_own_evidence) && facts.is_primary(t) && t.locked;
            if (itself) set.add(t.executed);
            if (t.reached() && is_evidence(facts, t) && may_have_acknowledged(t))
                set.add(attributable_part(facts, t.has()));
        }
    } else if (revoked.by_closing && p) {
        set.add(p->executed);
    }
    if (canary(Canary::released_commits_are_demanded) && p && facts.primary_answers) set.add(p->log());
    return set;
}

}  // namespace fixpoint
