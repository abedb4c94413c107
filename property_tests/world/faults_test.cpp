// Every kind of fault can be delivered, and its subject feels it: a kind that never changes anything is dead
// weight. And what the nemesis does when faults cease: the environment is healed, the core is who is left.
#include <gtest/gtest.h>

#include <string>

#include "fixpoint/engine/reconciler.hpp"
#include "property_tests/world/scenarios.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/faults/nemesis.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using enum FaultKind;

// What a kind needs so that there is something to strike: parameters, and faults that come first.
struct Prepared {
    Fault fault;
    std::vector<Fault> before;
};

Prepared prepared(FaultKind kind) {
    Prepared p;
    Fault& f = p.fault;
    f.kind = kind;
    f.when.at = 3s;
    f.amount = 500ms;
    f.number = kind == applier_error ? 1062 : kind == statement_error ? 1205 : 1;
    f.permille = 500;
    const char* primary = "zone1-100";
    const char* replica = "zone2-200";
    const std::string name = std::string(to_string(kind));
    for (const FaultParameter& parameter : fault_row(kind).parameters) {
        if (!parameter.needed) continue;
        if (parameter.field == FaultField::tablet) f.tablet = alias(replica);
        if (parameter.field == FaultField::to_tablet) f.to = alias("zone3-300");
        if (parameter.field == FaultField::cell) f.cell = "zone2";
        if (parameter.field == FaultField::from_set) f.from_set = {primary};
        if (parameter.field == FaultField::text) f.text = kind == declare_policy ? "none" : "rdonly";
    }
    switch (kind) {
        case set_read_only:
        case semi_sync_source_off:
        case semi_sync_timeout:
        case long_transaction:
        case primary_replicates_from:
            f.tablet = alias(primary);
            break;
        case restore_older_state:
            f.number = 2;
            break;
        case duplicate:
            f.from_set = {"store"};
            f.to_set = {"m1"};
            f.permille = 1000;
            f.for_time = 20s;
            break;
        case clog:
            f.for_time = 2s;
            break;
        case heal:
            p.before = {fault_at(cut, 1s)};
            p.before[0].from_set = {primary};
            break;
        case resume:
            p.before = {fault_at(pause, 1s, replica)};
            break;
        case forget:  // only what is gone is forgotten
            p.before = {fault_at(crash, 1s, replica)};
            break;
        case unblock_applier:
            p.before = {fault_at(block_applier, 1s, replica)};
            break;
        case store_reachable:
            p.before = {fault_at(store_unreachable, 1s)};
            break;
        case cell_store_up:
            p.before = {fault_at(cell_store_down, 1s)};
            p.before[0].cell = "zone2";
            break;
        case manager_resume:
            p.before = {fault_at(manager_pause, 1s)};
            break;
        case semi_sync_replica_on:
            p.before = {fault_at(semi_sync_replica_off, 2999ms, replica)};
            break;
        case set_back_fixpoint_record:
            p.before = {fault_at(crash, 1s, primary)};
            f.when.at = 12s;
            break;
        // Something that the manager writes to the store under its lock.
        case store_answer_lost:
        case store_write_late:
        case store_conflict:
            p.before = {fault_at(crash, 4s, primary)};
            break;
        case lease_expires:
            p.before = {fault_at(crash, 1s, primary)};
            f.when.at.reset();
            f.when.event = "statement";
            f.when.what = "StopReceiver";
            break;
        default:
            break;
    }
    return p;
}

class EveryFault : public testing::TestWithParam<FaultKind> {};

TEST_P(EveryFault, is_delivered_and_observed) {
    Scenario scenario = shard_of_three("semi_sync");
    Prepared p = prepared(GetParam());
    scenario.faults = p.before;
    scenario.faults.push_back(p.fault);
    // A record that can be set back, a transaction that can be applied, an event that can be lost.
    if (GetParam() == watch_lost || GetParam() == duplicate)
        scenario.faults.push_back(fault_at(pin_primary, 5s, "zone1-100"));
    World world(scenario, {});
    world.boot();
    world.report(PhaseBegan{Phase::boot});
    world.start();
    world.report(PhaseBegan{Phase::safety});
    world.scheduler().run_until(world.scheduler().now() + 25s);
    world.nemesis().settle();
    EXPECT_EQ(world.manager_that_died(), "");
    const Judgement judged = world.judge().finish(world.scheduler().now(), std::nullopt);
    const auto count = judged.faults.find(GetParam());
    ASSERT_NE(count, judged.faults.end());
    EXPECT_GE(count->second.requested, 1);
    EXPECT_GE(count->second.delivered, 1);
    EXPECT_GE(count->second.observed, 1);
}

std::vector<FaultKind> all_kinds() {
    std::vector<FaultKind> kinds;
    for (const FaultRow& row : fault_table()) kinds.push_back(row.kind);
    return kinds;
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryFault, testing::ValuesIn(all_kinds()),
                         [](const testing::TestParamInfo<FaultKind>& kind) {
                             return std::string(to_string(kind.param));
                         });

TEST(Nemesis, heals_the_environment_and_leaves_out_what_is_permanent) {
    Scenario scenario = shard_of_three("semi_sync");
    scenario.managers.push_back({"m2", "zone1"});
    scenario.faults = {fault_at(crash, 1s, "zone2-200"), fault_at(pause, 1s, "zone1-100"),
                       fault_at(crash, 1s, "zone3-300"), fault_at(manager_crash, 1s)};
    scenario.faults[2].permanent = true;
    scenario.faults[3].manager = "m2";
    World world(scenario, {});
    world.boot();
    world.start();
    world.scheduler().run_until(world.scheduler().now() + 2s);
    EXPECT_FALSE(world.server(alias("zone2-200"))->up());
    EXPECT_FALSE(world.manager("m2")->alive());
    const Core core = world.nemesis().cease();
    world.scheduler().run_until(world.scheduler().now() + 2s);
    EXPECT_TRUE(world.server(alias("zone2-200"))->up());
    EXPECT_FALSE(world.server(alias("zone1-100"))->paused());
    EXPECT_FALSE(world.server(alias("zone3-300"))->up());
    EXPECT_TRUE(world.manager("m2")->alive());
    EXPECT_EQ(core.tablets, (std::vector<TabletAlias>{alias("zone1-100"), alias("zone2-200")}));
    EXPECT_EQ(core.managers, (std::vector<std::string>{"m1", "m2"}));
    EXPECT_TRUE(core.global_store);
}

// What came later has ended it, however it was meant.
TEST(Nemesis, what_was_to_last_is_over_where_the_server_was_started_since) {
    for (const FaultKind last : {restart_loop, new_uuid, crash}) {
        Scenario scenario = shard_of_three("semi_sync");
        scenario.faults = {fault_at(last == crash ? pause : shutdown, 1s, "zone2-200"),
                           fault_at(last, 3s, "zone2-200")};
        scenario.faults[0].permanent = true;
        scenario.faults[1].amount = 1s;
        World world(scenario, {});
        world.boot();
        world.start();
        world.scheduler().run_until(world.scheduler().now() + 6s);
        const Core core = world.nemesis().cease();
        world.scheduler().run_until(world.scheduler().now() + 3s);
        EXPECT_TRUE(world.server(alias("zone2-200"))->up()) << to_string(last);
        EXPECT_TRUE(core.has(alias("zone2-200"))) << to_string(last);
    }
}

TEST(Nemesis, who_is_down_for_good_is_not_started_by_the_end_of_what_went_before) {
    Scenario scenario = shard_of_three("semi_sync");
    scenario.faults = {fault_at(restart_loop, 1s, "zone2-200"), fault_at(shutdown, 5s, "zone2-200")};
    scenario.faults[0].amount = 20s;
    scenario.faults[1].permanent = true;
    World world(scenario, {});
    world.boot();
    world.start();
    world.scheduler().run_until(world.scheduler().now() + 8s);
    const Core core = world.nemesis().cease();
    world.scheduler().run_until(world.scheduler().now() + 30s);
    EXPECT_FALSE(world.server(alias("zone2-200"))->up());
    EXPECT_FALSE(core.has(alias("zone2-200")));
}

TEST(Nemesis, a_clean_stop_of_one_that_is_suspended_is_healed_once_it_has_stopped) {
    Scenario scenario = shard_of_three("semi_sync");
    scenario.faults = {fault_at(pause, 1s, "zone2-200"), fault_at(shutdown, 2s, "zone2-200")};
    World world(scenario, {});
    world.boot();
    world.start();
    world.scheduler().run_until(world.scheduler().now() + 3s);
    world.nemesis().cease();
    world.scheduler().run_until(world.scheduler().now() + 5s);
    EXPECT_TRUE(world.server(alias("zone2-200"))->up());
    EXPECT_GT(world.server(alias("zone2-200"))->boot(), 1u);
}

TEST(Nemesis, strikes_at_the_statement_that_is_named) {
    Scenario scenario = shard_of_three("semi_sync");
    Fault killed = fault_at(manager_crash, 0s);
    killed.when.at.reset();
    killed.when.event = "statement";
    killed.when.recovery = "emergency_reparent";
    killed.when.what = "StopReceiver";
    killed.when.nth = 2;
    killed.for_time = 3s;
    scenario.faults = {fault_at(crash, 2s, "zone1-100"), killed};
    World world(scenario, {});
    world.boot();
    world.report(PhaseBegan{Phase::boot});
    world.start();
    world.scheduler().run_while([&] { return world.manager("m1")->alive(); }, Instant{} + 30s);
    EXPECT_FALSE(world.manager("m1")->alive()) << "the manager dies before its second StopReceiver is sent";
    world.scheduler().run_until(world.scheduler().now() + 4s);
    EXPECT_TRUE(world.manager("m1")->alive()) << "and is started again without memory";
}

TEST(Nemesis, loses_exactly_the_notification_that_is_asked_for) {
    Scenario scenario = shard_of_three("semi_sync");
    scenario.fault_phase = 5s;
    World world(scenario, {.notification_names = true, .lose_notification = 7});
    world.boot();
    world.start();
    world.scheduler().run_until(world.scheduler().now() + 5s);
    EXPECT_GT(world.counts().notifications, 7u);
    EXPECT_EQ(world.notification_names().size(), world.counts().notifications);
    EXPECT_FALSE(world.notification_names()[6].empty());
}

}  // namespace
}  // namespace fixpoint::sim
