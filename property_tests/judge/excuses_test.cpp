// The permitted excuses, one by one, each beside the like state that it does not excuse.
#include <gtest/gtest.h>

#include "property_tests/judge/ending.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::gtids;
using testing::probed;
using testing::Stage;

TEST(Excuses, ADeadReplicaIsExcusedIfItIsReported) {
    for (const bool reported : {true, false}) {
        Stage s;
        s.fault(FaultKind::crash, 3, true);
        s.b.kill(3);
        s.play(PhaseBegan{Phase::faults_ceased});
        if (reported) s.say(EventKind::reported, Problem::replica_dead, 3);
        EXPECT_EQ(s.judge.settled(), reported);
        EXPECT_EQ(s.finish(probed(s, {3})).verdict, reported ? Verdict::converged : Verdict::violation);
    }
}

TEST(Excuses, AForgottenTabletNeedsNoReport) {
    Stage s;
    s.b.kill(3);
    s.b.record().ackers.pop_back();
    EXPECT_FALSE(s.judge.settled());
    s.b.goal().forgotten = {{alias_of(3), testing::uuid_of(3), "somebody", {}}};
    EXPECT_TRUE(s.judge.settled());
}

TEST(Excuses, WhatIsReportedInALookCountsToo) {
    Stage s;
    s.b.kill(3);
    s.looked({{Problem::replica_dead, alias_of(3)}});
    EXPECT_TRUE(s.judge.settled());
    s.looked({});
    EXPECT_FALSE(s.judge.settled());
}

TEST(Excuses, AnUnmanageableTabletIsExcusedIfItIsReported) {
    Stage s;
    s.b.server(3).manageable = false;
    EXPECT_FALSE(s.judge.settled());
    s.say(EventKind::reported, Problem::not_manageable, 3);
    EXPECT_TRUE(s.judge.settled());
}

TEST(Excuses, WithoutPluginsItIsNoAcker) {
    Stage s;
    s.b.row(3).semi_sync_plugins = false;
    s.b.record().ackers.pop_back();
    s.say(EventKind::reported, Problem::semi_sync_plugin_missing, 3);
    EXPECT_TRUE(s.judge.settled());
    s.b.row(3).super_read_only = false;
    EXPECT_FALSE(s.judge.settled()) << "read-only it must be all the same";
}

TEST(Excuses, QuarantinedRightly) {
    const auto quarantine = [](Stage& s) {
        s.b.row(3).gtid_executed.add(gtids(3, 1, 1));
        s.b.row(3).semi_sync_replica_enabled = s.b.server(3).semi_sync.replica_status = false;
        s.b.channel(3).receiver = sql::ThreadState::no;
        s.b.row(3).semi_sync_source_enabled = true;  // as after any restart; nobody may start its applier
        s.b.record().ackers.pop_back();
        s.b.tablet(3).type = TabletType::drained;
        s.b.tablet(3).tags["fixpoint_was"] = "replica";
        s.say(EventKind::reported, Problem::errant_transactions, 3);
    };
    Stage s;
    quarantine(s);
    EXPECT_TRUE(s.judge.settled());
    EXPECT_EQ(s.finish(probed(s, {3})).verdict, Verdict::converged);
    Stage wrongly;
    quarantine(wrongly);
    wrongly.b.row(3).gtid_executed = gtids(1, 1, 14);
    EXPECT_FALSE(wrongly.judge.settled()) << "nothing is wrong with its data";
    Stage half;
    quarantine(half);
    half.b.channel(3).receiver = sql::ThreadState::yes;
    EXPECT_FALSE(half.judge.settled()) << "it still receives";
    Stage writable_one;
    quarantine(writable_one);
    writable_one.b.row(3).super_read_only = false;
    EXPECT_FALSE(writable_one.judge.settled());
}

TEST(Excuses, AnErrantAckerWithoutWhichNobodyAcknowledges) {
    Stage s(2);
    s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    s.say(EventKind::reported, Problem::errant_transactions, 2);
    EXPECT_TRUE(s.judge.settled());
    Stage not_needed(3);
    not_needed.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    not_needed.say(EventKind::reported, Problem::errant_transactions, 2);
    EXPECT_FALSE(not_needed.judge.settled());
}

TEST(Excuses, AnAckerThatMayNotLeave) {
    Stage s(2);
    s.b.tablet(2).type = TabletType::rdonly;
    EXPECT_FALSE(s.judge.settled());
    s.say(EventKind::reported, Problem::acker_to_leave, 2);
    EXPECT_TRUE(s.judge.settled());
    Stage enough(3);
    enough.b.tablet(2).type = TabletType::rdonly;
    enough.say(EventKind::reported, Problem::acker_to_leave, 2);
    EXPECT_FALSE(enough.judge.settled()) << "another one could acknowledge";
}

TEST(Excuses, AForgottenAckerDoesNotCountAsOneThatCouldAcknowledge) {
    Stage s;
    s.b.tablet(2).type = TabletType::rdonly;
    s.say(EventKind::reported, Problem::acker_to_leave, 2);
    EXPECT_FALSE(s.judge.settled());
    s.b.goal().forgotten = {{alias_of(3), testing::uuid_of(3), "somebody", {}}};
    EXPECT_TRUE(s.judge.settled());
}

TEST(Excuses, AWishForAForgottenTablet) {
    Stage s;
    s.b.state.store.shard->primary_alias = alias_of(2);
    s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::tablet_unreachable);
    EXPECT_FALSE(s.judge.settled());
    s.b.goal().forgotten = {{alias_of(2), testing::uuid_of(2), "somebody", {}}};
    EXPECT_TRUE(s.judge.settled());
}

TEST(Excuses, ACellWhoseStoreIsDown) {
    Stage s;
    std::erase(s.b.state.core.cells_with_store, "zone3");
    s.b.tablet(3).type = TabletType::primary;  // left as it was
    EXPECT_TRUE(s.judge.settled());
    s.b.channel(3).receiver = sql::ThreadState::no;
    s.say(EventKind::reported, Problem::replica_dead, 3);
    EXPECT_FALSE(s.judge.settled()) << "in A it is known, store or not";
    s.b.record().ackers.pop_back();
    EXPECT_TRUE(s.judge.settled());
}

TEST(Excuses, TheTimeOutsOfAStrangerInThePrimarysPlace) {
    for (const bool stranger : {false, true}) {
        Stage s(3, {DurabilityName::none, 0});
        s.fault(FaultKind::pause_shard, 1);  // beyond the promise
        if (stranger) s.b.row(1).server_uuid = testing::uuid_of(9);
        s.b.row(1).replica_net_timeout_s = 60;
        s.say(EventKind::recovery_refused, Problem::primary_is_another_server, 0,
              Reason::unfenced_promotion_not_allowed);
        EXPECT_EQ(s.judge.failure_is_justified(), stranger);
        EXPECT_FALSE(s.judge.settled());
    }
}

TEST(Excuses, ATabletThatNoManagerHasReadIsReportedByItsCell) {
    Stage s;
    std::erase(s.b.state.core.cells_with_store, "zone3");
    s.b.record().ackers.pop_back();
    s.b.channel(3).receiver = sql::ThreadState::no;
    EXPECT_FALSE(s.judge.settled());
    ManagerSaid of_the_cell;
    of_the_cell.manager = "m1";
    of_the_cell.event.kind = EventKind::reported;
    of_the_cell.event.key.tablet = {"zone2", 0};
    s.play(of_the_cell);
    EXPECT_FALSE(s.judge.settled());
    of_the_cell.event.key.tablet.cell = "zone3";
    s.play(of_the_cell);
    EXPECT_TRUE(s.judge.settled());
    s.b.state.core.cells_with_store.push_back("zone3");
    EXPECT_FALSE(s.judge.settled()) << "its record can be read";
}

TEST(Excuses, SettingsThatOnlyARestartCures) {
    Stage s;
    s.b.row(3).persisted_globals_load = false;
    EXPECT_FALSE(s.judge.settled());
    s.say(EventKind::reported, Problem::not_restart_safe, 3);
    EXPECT_FALSE(s.judge.settled()) << "it vouches for nothing, and another one acknowledges";
    s.b.record().ackers.pop_back();  // so it may not join either
    s.b.row(3).semi_sync_replica_enabled = s.b.server(3).semi_sync.replica_status = false;
    EXPECT_TRUE(s.judge.settled());
    s.b.server(2).persisted.clear();
    s.say(EventKind::reported, Problem::not_restart_safe, 2);
    EXPECT_FALSE(s.judge.settled()) << "these could be persisted";
}

TEST(Excuses, AWishRefusedForAReasonThatTheOracleConfirms) {
    Stage s;
    s.b.goal().pinned_primary = alias_of(2);
    s.b.goal().promotion_rules[alias_of(2)] = PromotionRule::must_not;
    EXPECT_FALSE(s.judge.settled());
    s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::candidate_lagging);
    EXPECT_FALSE(s.judge.settled()) << "it is not behind";
    s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::candidate_unfit);
    EXPECT_TRUE(s.judge.settled());
    EXPECT_EQ(s.finish(probed(s)).verdict, Verdict::converged);
}

TEST(Excuses, NothingExcusesALockOfTheDead) {
    Stage s;
    s.b.state.store.shard_lock = LockState{5, "m9", false, false};
    s.say(EventKind::reported, Problem::store_locked, 0, Reason::somebody_elses_lock);
    EXPECT_FALSE(s.judge.settled());
}

}  // namespace
}  // namespace fixpoint::sim
