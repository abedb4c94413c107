// What people declare, and what they do to records by hand.
#include <memory>

#include "sim/faults/nemesis.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using enum FaultKind;
constexpr std::int64_t one_second = 1'000'000'000;

std::function<bool()> edit_of(World& world, const Fault& fault) {
    Topology& topology = world.topology();
    switch (fault.kind) {
        case declare_primary:
            // As vtctld does it: with a younger time.
            return [&topology, alias = *fault.tablet] {
                return topology.edit_shard([&](ShardRecord& shard) {
                    if (shard.primary_alias == alias) return;
                    shard.primary_alias = alias;
                    shard.primary_term_start_time.ns += one_second;
                });
            };
        case pin_primary:
            return [&topology, alias = *fault.tablet] {
                return topology.edit_goal([&](Goal& goal) { goal.pinned_primary = alias; });
            };
        case declare_policy:
            return [&topology, text = fault.text] {
                const auto policy = DurabilityPolicy::parse(text);
                return policy &&
                       topology.edit_keyspace([&](KeyspaceRecord& k) { k.durability_policy = *policy; });
            };
        case declare_type:
            return [&topology, alias = *fault.tablet, text = fault.text] {
                const auto type = parse_tablet_type(text);
                return type && topology.edit_tablet(alias, [&](Tablet& tablet) { tablet.type = *type; });
            };
        case delete_fixpoint_record:
            return [&topology] { return topology.delete_fixpoint(); };
        case set_back_fixpoint_record:
            return [&topology, versions = std::max(1, fault.number)] {
                return topology.set_back_fixpoint(versions);
            };
        case clear_shard_primary:
            return [&topology] {
                return topology.edit_shard([](ShardRecord& shard) { shard.primary_alias.reset(); });
            };
        case delete_tablet_record:
            return [&topology, alias = *fault.tablet] { return topology.delete_tablet(alias); };
        case pause_shard:
            return [&topology] { return topology.edit_goal([](Goal& goal) { goal.paused = true; }); };
        case forget:
            return [&world, &topology, alias = *fault.tablet] {
                const mysql::FakeMysql* server = world.server(alias);
                if (server == nullptr || server->up()) return false;  // only what is gone is forgotten
                const Uuid uuid = server->backup().uuid;
                return topology.edit_goal([&](Goal& goal) {
                    goal.forgotten.push_back(ForgottenTablet{alias, uuid, "a person", {}});
                });
            };
        case allow_unfenced_promotion:
            return [&topology] {
                const auto record = topology.fixpoint();
                return record && topology.edit_goal([&](Goal& goal) {
                    goal.allowed.push_back(AllowedStep{"unfenced_promotion", record->term});
                });
            };
        default:
            return [] { return false; };
    }
}

bool needs_tablet(FaultKind kind) {
    return kind == declare_primary || kind == pin_primary || kind == declare_type ||
           kind == delete_tablet_record || kind == forget;
}

}  // namespace

Delivery plan_declaration(Nemesis& nemesis, const Fault& fault) {
    World& world = nemesis.world();
    Delivery plan;
    plan.possible = !needs_tablet(fault.kind) || fault.tablet.has_value();
    if (!plan.possible) return plan;
    const auto changed = std::make_shared<bool>(false);
    plan.apply = [edit = edit_of(world, fault), changed] { *changed = edit(); };
    plan.observed = [changed] { return *changed; };
    if (fault.kind == pause_shard) {
        plan.undo = [&world] { world.topology().edit_goal([](Goal& goal) { goal.paused = false; }); };
    }
    return plan;
}

}  // namespace fixpoint::sim
