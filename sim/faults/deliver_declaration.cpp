// What people declare, and what they do to records by hand: the same in every world.
#include <algorithm>
#include <memory>

#include "sim/faults/fault_book.hpp"

namespace fixpoint::sim {
namespace {

using enum FaultKind;
constexpr std::int64_t one_second = 1'000'000'000;

bool needs_tablet(FaultKind kind) {
    return kind == declare_primary || kind == pin_primary || kind == declare_type ||
           kind == delete_tablet_record || kind == forget;
}

}  // namespace

std::function<bool()> FaultBook::edit_of(const Fault& fault) {
    RecordsByHand& hand = records();
    switch (fault.kind) {
        case declare_primary:
            // As vtctld does it: with a younger time.
            return [&hand, alias = *fault.tablet] {
                return hand.edit_shard([&](ShardRecord& shard) {
                    if (shard.primary_alias == alias) return;
                    shard.primary_alias = alias;
                    shard.primary_term_start_time.ns += one_second;
                });
            };
        case pin_primary:
            return [&hand, alias = *fault.tablet] {
                return hand.edit_goal([&](Goal& goal) { goal.pinned_primary = alias; });
            };
        case declare_policy:
            return [&hand, text = fault.text] {
                const auto policy = DurabilityPolicy::parse(text);
                return policy &&
                       hand.edit_keyspace([&](KeyspaceRecord& k) { k.durability_policy = *policy; });
            };
        case declare_type:
            return [&hand, alias = *fault.tablet, text = fault.text] {
                const auto type = parse_tablet_type(text);
                return type && hand.edit_tablet(alias, [&](Tablet& tablet) { tablet.type = *type; });
            };
        case delete_fixpoint_record:
            return [&hand] { return hand.delete_fixpoint(); };
        case set_back_fixpoint_record:
            return [&hand, versions = std::max(1, fault.number)] { return hand.set_back_fixpoint(versions); };
        case clear_shard_primary:
            return
                [&hand] { return hand.edit_shard([](ShardRecord& shard) { shard.primary_alias.reset(); }); };
        case delete_tablet_record:
            return [&hand, alias = *fault.tablet] { return hand.delete_tablet(alias); };
        case pause_shard:
            return [&hand] { return hand.edit_goal([](Goal& goal) { goal.paused = true; }); };
        case forget:
            return [this, &hand, alias = *fault.tablet] {
                const std::optional<Uuid> uuid = uuid_of_the_dead(alias);
                return uuid && hand.edit_goal([&](Goal& goal) {
                    goal.forgotten.push_back(ForgottenTablet{alias, *uuid, "a person", {}});
                });
            };
        case allow_unfenced_promotion:
            return [&hand] {
                const auto record = hand.fixpoint();
                return record && hand.edit_goal([&](Goal& goal) {
                    goal.allowed.push_back(AllowedStep{"unfenced_promotion", record->term});
                });
            };
        default:
            return [] { return false; };
    }
}

Delivery FaultBook::plan_declaration(const Fault& fault) {
    Delivery plan;
    plan.possible = !needs_tablet(fault.kind) || fault.tablet.has_value();
    if (!plan.possible) return plan;
    const auto changed = std::make_shared<bool>(false);
    plan.apply = [edit = edit_of(fault), changed] { *changed = edit(); };
    plan.observed = [changed] { return *changed; };
    if (fault.kind == pause_shard) {
        plan.undo = [&hand = records()] { hand.edit_goal([](Goal& goal) { goal.paused = false; }); };
    }
    return plan;
}

}  // namespace fixpoint::sim
