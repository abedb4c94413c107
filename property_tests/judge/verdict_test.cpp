// Excuses, verdicts, I8, I9 and livelocks: what the judge makes of the end of a run.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"
#include "sim/checkers/livelock.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::alias_of;
using testing::gtids;
using testing::semi_sync;
using testing::Stage;
using testing::StateBuilder;

Fault crash_for_good(int n) {
    Fault f;
    f.kind = FaultKind::crash;
    f.tablet = alias_of(n);
    f.permanent = true;
    return f;
}

// The probe, executed everywhere but on those named.
Probe probed(Stage& s, std::vector<int> but = {}) {
    s.begin(99, 1);
    for (int n = 1; n <= static_cast<int>(s.b.state.servers.size()); ++n) {
        if (std::ranges::find(but, n) == but.end()) s.execute(99, n);
    }
    s.acknowledge(99, 1);
    return {99, true};
}

// ---- converged

TEST(Verdict, AsDeclaredAndProbedIsConverged) {
    Stage s;
    EXPECT_TRUE(s.judge.settled());
    const Judgement j = s.finish(probed(s));
    EXPECT_EQ(j.verdict, Verdict::converged) << j.why;
    EXPECT_TRUE(j.within_promise);
    EXPECT_EQ(j.writes_judged, 1);
}

TEST(Verdict, WithinThePromiseNotConvergingIsAViolationOfI8) {
    for (const std::string what : {"no probe", "not acknowledged", "not executed", "writable"}) {
        Stage s;
        std::optional<Probe> probe =
            probed(s, what == "not executed" ? std::vector<int>{3} : std::vector<int>{});
        if (what == "no probe") probe.reset();
        if (what == "not acknowledged") probe->acknowledged = false;
        if (what == "writable") s.b.row(2).super_read_only = false;
        const Judgement j = s.finish(probe);
        EXPECT_EQ(j.verdict, Verdict::violation) << what;
        EXPECT_EQ(s.violated(), "I8") << what;
    }
}

TEST(Verdict, AFaultThatWasNotDeliveredMakesTheRunUnknown) {
    Stage s(3, semi_sync(1), {crash_for_good(3)});
    EXPECT_EQ(s.finish(probed(s)).verdict, Verdict::unknown);
    EXPECT_FALSE(s.finish(probed(s)).every_fault_delivered);
}

TEST(Verdict, ARunWithoutAWriteIsUnknown) {
    Stage s;
    s.execute(99, 1), s.execute(99, 2), s.execute(99, 3);
    EXPECT_EQ(s.finish(Probe{99, true}).verdict, Verdict::unknown);
}

// ---- the permitted excuses, one by one

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

// ---- failed, justified; I9

Stage& two_dead(Stage& s) {
    s.write(11, 1, {1, 2, 3});
    for (const int n : {1, 3}) s.fault(FaultKind::crash, n, true);
    s.b.kill_primary();
    s.b.kill(3);
    s.play(PhaseBegan{Phase::faults_ceased});
    s.say(EventKind::reported, Problem::acker_gone, 3);
    return s;
}

TEST(Justified, ARefusalThatTheOracleConfirms) {
    Stage s;
    two_dead(s).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    EXPECT_TRUE(s.judge.failure_is_justified());
    const Judgement j = s.finish();
    EXPECT_EQ(j.verdict, Verdict::failed_justified) << j.why;
    EXPECT_EQ(j.reason, Reason::revocation_impossible);
    EXPECT_FALSE(j.within_promise);
    EXPECT_EQ(s.violated(), "");
}

TEST(I9, WithoutAReasonOrWithOneThatIsNotConfirmed) {
    Stage silent;
    two_dead(silent).finish();
    EXPECT_EQ(silent.violated(), "I9");
    Stage wrong;
    two_dead(wrong).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::paused);
    wrong.finish();
    EXPECT_EQ(wrong.violated(), "I9");
    Stage before;
    before.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    two_dead(before).finish();
    EXPECT_EQ(before.violated(), "I9") << "said before faults ceased";
}

TEST(I9, WhatIsNotExcusedMustHoldInAFailedRunToo) {
    Stage s;
    two_dead(s).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    s.b.row(2).super_read_only = false;
    s.finish();
    EXPECT_EQ(s.violated(), "I9");
}

TEST(I8, WithinThePromiseNoRefusalIsAccepted) {
    Stage s;
    s.write(11, 1, {1, 2, 3});
    s.fault(FaultKind::crash, 1, true);
    s.b.kill_primary();
    s.play(PhaseBegan{Phase::faults_ceased});
    s.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    const Judgement j = s.finish();
    EXPECT_TRUE(j.within_promise) << j.beyond;
    EXPECT_EQ(s.violated(), "I8");
}

TEST(Justified, APolicyThatCannotBeMet) {
    Stage s(2);
    s.write(11, 1, {1, 2});
    s.fault(FaultKind::crash, 2, true);
    s.b.kill(2);
    s.play(PhaseBegan{Phase::faults_ceased});
    s.say(EventKind::reported, Problem::acker_gone, 2, Reason::dead_acker_blocks);
    EXPECT_TRUE(s.judge.settled()) << "as declared but for the dead one; a probe will tell";
    const Judgement j = s.finish(Probe{99, false});
    EXPECT_EQ(j.verdict, Verdict::failed_justified) << j.why;
    EXPECT_EQ(j.reason, Reason::dead_acker_blocks);
}

// ---- the hold

TEST(I8, StaysThereWithNoFurtherCommand) {
    for (const bool sent : {true, false}) {
        Stage s;
        const Probe probe = probed(s);
        s.judge.converged(probe);
        s.play(PhaseBegan{Phase::hold});
        if (sent) s.statement(sql::StopReceiver{}, 2, 1);
        s.statement(sql::Look{}, 2, 1);
        s.finish(probe);
        EXPECT_EQ(s.violated(), sent ? "I8" : "");
    }
}

TEST(I8, ConvergedAndDidNotStaySo) {
    Stage s;
    const Probe probe = probed(s);
    EXPECT_TRUE(s.judge.converged(probe).converged);
    s.play(PhaseBegan{Phase::hold});
    s.b.channel(2).receiver = sql::ThreadState::no;
    s.finish(probe);
    ASSERT_EQ(s.violated(), "I8");
    EXPECT_NE(s.judge.violations()[0].text.find("did not stay so"), std::string::npos);
}

TEST(I8, AHoldAfterAJustifiedFailureIsNone) {
    Stage s;
    two_dead(s).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    EXPECT_TRUE(s.judge.converged(std::nullopt).justified_failure);
    s.play(PhaseBegan{Phase::hold});
    s.statement(sql::StopReceiver{}, 2, 1);
    EXPECT_EQ(s.finish().verdict, Verdict::failed_justified);
}

TEST(I8, TheBudgetFollowsTheLimits) {
    Stage s(5);
    EXPECT_GT(s.judge.budget(), 200s);
    EXPECT_LT(s.judge.budget(), 300s);
    EXPECT_GT(s.judge.hold(), Limits{}.backoff_greatest);
}

// ---- livelock

TEST(Livelock, TheThirdRecurrenceWithStatementsInBetween) {
    LivelockDetector d;
    EXPECT_FALSE(d.seen(7, 0));
    EXPECT_FALSE(d.seen(8, 1));
    EXPECT_FALSE(d.seen(7, 2));
    EXPECT_FALSE(d.seen(7, 3));
    EXPECT_FALSE(d.seen(7, 3)) << "nothing was sent";
    EXPECT_TRUE(d.seen(7, 4));
}

TEST(Livelock, StatesAreComparedRelativeToEachOther) {
    StateBuilder now, later;
    later.state.at = Instant(1h);
    later.record().term += 5;
    for (auto& server : later.state.servers) {
        server.server.gtid_executed.add(gtids(1, 15, 900));
        server.server.uptime_s += 900;
        server.journal[0].term += 5;
        for (auto& r : server.channels) r.retrieved.add(gtids(1, 15, 900));
    }
    EXPECT_EQ(state_hash(now.state), state_hash(later.state));
    later.row(2).super_read_only = false;
    EXPECT_NE(state_hash(now.state), state_hash(later.state));
    StateBuilder renewed;
    renewed.row(2).server_id = 77;
    EXPECT_EQ(state_hash(now.state), state_hash(renewed.state));
    renewed.row(2).server_id = 1;
    EXPECT_NE(state_hash(now.state), state_hash(renewed.state));
}

TEST(Livelock, IsSaidAtOnce) {
    Stage s;
    s.play(PhaseBegan{Phase::convergence});
    s.b.row(2).super_read_only = false;
    bool proven = false;
    for (int round = 0; round < 4; ++round) {
        EXPECT_FALSE(proven);
        s.statement(sql::StopReceiver{}, 2, 1);
        proven = s.judge.on_all_asleep(s.at());
    }
    EXPECT_TRUE(proven);
    EXPECT_EQ(s.violated(), "livelock");
}

TEST(Livelock, AConfirmedRefusalIsNone) {
    Stage s;
    two_dead(s).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    s.play(PhaseBegan{Phase::convergence});
    for (int round = 0; round < 6; ++round) {
        s.statement(sql::StopReceiver{}, 2, 1);
        EXPECT_FALSE(s.judge.on_all_asleep(s.at()));
    }
}

}  // namespace
}  // namespace fixpoint::sim
