// Who may be primary at all, whatever it has executed (protocol 4.4), and who is preferred among those that
// may. Promotion rules break ties and never override data; a rule `must_not` is the only one that excludes.
#include <algorithm>

#include "engine/decide/election.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

std::string unfit(const ShardFacts& facts, const TabletFacts& t, int k) {
    // Another server under its alias is not P but a tablet like the others.
    if (facts.is_primary(t) && !canary(Canary::elects_itself)) return "it is the primary in force";
    if (!t.locked) return t.answered ? "it is not locked" : "it does not answer";
    if (!t.manageable) return "it is not manageable";
    if (!t.privileges_ok) return "the manager's account lacks privileges there";
    const TabletType type = t.tablet.declared_type();
    if (type != TabletType::replica) return "its type is " + std::string(to_string(type));
    if (facts.goal.rule_of(t.alias()) == PromotionRule::must_not) return "its promotion rule is must_not";
    if (!t.restart_safe) return "it is not restart-safe";
    if (k > 0 && !t.semi_sync_plugins) return "it has no semi-sync plugins";
    if (t.applier_failed) return "its applier stands on an error";
    if (std::ranges::any_of(facts.tablets, [&](const TabletFacts& o) {
            return &o != &t && o.answered && o.uuid == t.uuid;
        })) {
        return "another tablet has its uuid";
    }
    if (const GtidSet missing = own_transactions_missing(facts, t); !missing.empty()) {
        return "it lacks transactions of its own uuid, whose numbers it would use again: " +
               missing.to_string();
    }
    return {};
}

bool has_enough_ackers(const ShardFacts& facts, const TabletFacts& t) {
    const DurabilityPolicy& policy = facts.declared_policy;
    return std::ranges::count_if(facts.tablets, [&](const TabletFacts& other) {
               return &other != &t && other.semi_sync_plugins && !is_forgotten(facts.goal, other.alias()) &&
                      policy.may_ack(t.alias(), other.tablet);
           }) >= policy.ackers_needed;
}

Preference preference(const ShardFacts& facts, const TabletFacts& t, const std::optional<TabletAlias>& wish,
                      bool must_fetch) {
    // Under a primary without the plugins the declared policy is never in force.
    const bool can_never_wait = !t.semi_sync_plugins && facts.declared_policy.ackers_needed > 0;
    return {can_never_wait,
            wish != t.alias(),
            facts.goal.rule_of(t.alias()),
            t.alias().cell != facts.record.primary.alias.cell,
            must_fetch,
            t.alias()};
}

}  // namespace fixpoint
