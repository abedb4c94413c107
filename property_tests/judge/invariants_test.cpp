// Every checker fires, and does not fire on a similar sequence that is legal.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::alias_of;
using testing::gtids;
using testing::recorded;
using testing::semi_sync;
using testing::Stage;

sql::Statement stop_receiver() {
    return sql::StopReceiver{};
}
sql::Statement set(sql::Variable variable, std::int64_t value) {
    return sql::SetGlobal{variable, value};
}

// ---- I1, I3

TEST(I1, TwoTabletsAcknowledgeWritesOfOneTerm) {
    Stage s;
    s.write(11, 1, {1, 2, 3});
    s.write(12, 2, {2});
    EXPECT_EQ(s.violated(), "I1 I3");
}

TEST(I1, AnAnswerUnderWayWhenItsTermEndsMayStillArrive) {
    Stage s;
    s.write(11, 1, {1, 2, 3});
    s.begin(12, 1);
    for (int n = 1; n <= 3; ++n) s.execute(12, n);
    s.record_primary(2);
    s.write(13, 2, {1, 2, 3});
    s.acknowledge(12, 1);
    EXPECT_EQ(s.violated(), "");
}

TEST(I1, UnderPolicyNoneTheDualWindowIsMeasured) {
    Stage s(3, {DurabilityName::none, 0});
    s.write(11, 1, {1});
    s.record_primary(2);
    s.write(12, 1, {1});
    s.write(13, 2, {2});
    EXPECT_EQ(s.violated(), "");
    EXPECT_EQ(s.finish().dual_acknowledgements, 1);
}

TEST(I3, TheDeposedAcknowledgesWhatWasBegunLater) {
    Stage s;
    s.record_primary(2);
    s.write(11, 1, {1, 2, 3});
    EXPECT_EQ(s.violated(), "I3");
}

TEST(I3, ARecordSetBackIsInForceAgainWhereNoJournalTells) {
    for (const bool journaled : {false, true}) {
        Stage s;
        const std::optional<FixpointRecord> before = s.b.state.store.fixpoint;
        s.record_primary(2);
        if (journaled) {
            sql::JournalRow row;
            row.shard = s.b.state.shard;
            row.term = s.b.record().term;
            s.b.server(2).journal.push_back(row);
        }
        s.play(RecordWritten{"", 0, s.b.state.store.fixpoint, before, false, false});
        s.b.state.store.fixpoint = before;
        s.write(11, 1, {1, 2, 3});
        EXPECT_EQ(s.violated(), journaled ? "I3" : "");
        if (journaled) continue;
        s.write(12, 2, {1, 2, 3});
        EXPECT_EQ(s.violated(), "") << "it serves until it is closed";
        s.statement(sql::CloseInOnePacket{}, 2, 1);
        s.write(13, 2, {1, 2, 3});
        EXPECT_EQ(s.violated(), "I1 I3");
    }
}

TEST(I3, APrivilegedClientIsNotJudged) {
    Stage s;
    s.record_primary(2);
    s.begin(11, 1, true);
    s.acknowledge(11, 1, true);
    EXPECT_EQ(s.violated(), "");
}

TEST(I3, AServerMadeWritableByHandIsExcusedUntilItIsClosed) {
    Stage s;
    s.fault(FaultKind::set_writable, 2);
    s.write(11, 2, {2});
    EXPECT_EQ(s.violated(), "");
    s.statement(sql::CloseInOnePacket{}, 2, 1);
    s.write(12, 2, {2});
    EXPECT_EQ(s.violated(), "I3");
}

TEST(I3, ByHandExcusesNothingThatAStepOpened) {
    Stage s;
    // It serves already: nothing is made writable by hand.
    s.fault(FaultKind::set_writable, 1);
    s.record_primary(2);
    s.write(11, 1, {1});
    EXPECT_EQ(s.violated(), "I3");
}

TEST(I3, AStartWithoutPersistedSettingsIsExcusedOnlyIfItCameUpWritable) {
    Stage s;
    s.fault(FaultKind::restart_without_persisted, 2);
    s.play(ServerStarted{alias_of(2), 2});  // read-only all the same
    s.write(11, 2, {2});
    EXPECT_EQ(s.violated(), "I3");
    Stage t;
    t.fault(FaultKind::restart_without_persisted, 2);
    t.b.row(2).read_only = t.b.row(2).super_read_only = false;
    t.play(ServerStarted{alias_of(2), 2});
    t.write(11, 2, {2});
    EXPECT_EQ(t.violated(), "");
}

TEST(I3, SemiSyncWeakenedByHandExcusesUntilAStepHasSetIt) {
    Stage s;
    s.fault(FaultKind::semi_sync_source_off, 1);
    s.b.row(1).semi_sync_source_enabled = false;
    s.write(11, 1, {1});
    EXPECT_EQ(s.judge.books().writes.at(11).by_hand, "semi-sync of zone1-100 was weakened by hand");
    s.statement(set(sql::Variable::rpl_semi_sync_source_enabled, 1), 1, 1);
    s.b.row(1).semi_sync_source_enabled = true;
    s.write(12, 1, {1, 2});
    EXPECT_EQ(s.judge.books().writes.at(12).by_hand, "");
}

// ---- I2

TEST(I2, TheNewPrimaryLacksAnAcknowledgedWrite) {
    Stage s;
    s.write(11, 1, {1, 3});
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "I2");
}

TEST(I2, TheNewPrimaryHasIt) {
    Stage s;
    s.write(11, 1, {1, 2});
    s.begin(12, 1);  // nobody was told of this one
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "");
}

TEST(I2, NotByGtid) {
    Stage s;
    s.write(11, 1, {1, 2});
    s.forget(11, 2);  // another write bears its number there
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "I2");
}

TEST(I2, AtTheEndOfAFailedRunToo) {
    Stage s;
    s.write(11, 1, {1, 2, 3});
    s.forget(11, 1);
    EXPECT_EQ(s.violated_at_end(), "I2");
    Stage t;
    t.write(11, 1, {1, 2, 3});
    t.b.kill_primary();  // dead, but nothing is lost
    EXPECT_EQ(t.violated_at_end(), "");
}

TEST(I2, UnderPolicyNoneNothingIsPromised) {
    Stage s(3, {DurabilityName::none, 0});
    s.write(11, 1, {1});
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "");
}

TEST(I2, ByThePolicyInForceWhenItWasAcknowledged) {
    Stage s;
    s.write(11, 1, {1, 3});
    s.b.record().policy = {DurabilityName::none, 0};
    RecordWritten loosened{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false};
    s.play(loosened);
    s.write(12, 1, {1});
    s.record_primary(2);
    ASSERT_EQ(s.judge.violations().size(), 1u);
    EXPECT_NE(s.judge.violations()[0].text.find("1 acknowledged write (11)"), std::string::npos);
}

TEST(I2, MoreCopiesLostThanThePolicyToleratesAreExcused) {
    Stage s;
    s.write(11, 1, {1, 2});
    s.play(CopiesLost{alias_of(1), {11}, false});
    s.forget(11, 1);
    s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "", 0, false});
    s.forget(11, 2);
    s.record_primary(3);
    EXPECT_EQ(s.violated(), "");
    // One copy less is what the policy tolerates.
    Stage t;
    t.write(11, 1, {1, 2});
    t.play(RelayLogDiscarded{alias_of(2), {}, {11}, "", 0, false});
    t.forget(11, 2);
    t.record_primary(2);
    EXPECT_EQ(t.violated(), "I2");
}

TEST(I2, WhatAServerLacksWhenItComesBackIsLostToTheFault) {
    for (const bool fetched_again : {false, true}) {
        Stage s;
        s.write(11, 1, {1, 2});
        for (const int n : {1, 2}) {
            s.fault(FaultKind::restore_older_state, n);
            s.play(ServerStopped{alias_of(n), false});
            s.forget(11, n);
            s.play(ServerStarted{alias_of(n), 2});
        }
        EXPECT_EQ(s.judge.books().writes.at(11).copies_lost.size(), 2u);
        if (fetched_again) s.execute(11, 1);
        s.record_primary(3);
        EXPECT_EQ(s.violated(), fetched_again ? "I2" : "");
    }
}

TEST(I2, AResetByHandIsOneWithoutBeingToldSo) {
    for (const bool restarted : {false, true}) {
        Stage s;
        s.write(11, 1, {1, 2});
        s.fault(FaultKind::reset_replication, 2);
        if (restarted) s.play(ServerStopped{alias_of(2), false});
        s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "", 0, false});
        s.forget(11, 2);
        s.record_primary(2);
        EXPECT_EQ(s.violated(), restarted ? "I2" : "");
    }
}

TEST(I2, ARelayLogDroppedByHandExcusesTheWritesThatItHeld) {
    Stage s;
    s.write(11, 1, {1, 2});
    s.write(12, 1, {1, 3});
    s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "", 0, true});
    s.forget(11, 2);
    s.execute(12, 2);
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "");
    EXPECT_EQ(s.finish().writes_excused, 1);
}

TEST(I2, WhatIsExcusedMustNotBeHeldSilently) {
    Stage s;
    s.fault(FaultKind::set_writable, 3);
    s.write(11, 3, {3});
    EXPECT_EQ(s.violated_at_end(), "I2");
    Stage t;
    t.fault(FaultKind::set_writable, 3);
    t.write(11, 3, {3});
    t.say(EventKind::reported, Problem::errant_transactions, 3);
    EXPECT_EQ(t.violated_at_end(), "");
}

TEST(I2, WhatACleanShutdownReleasedIsExcused) {
    Stage s;
    s.begin(11, 1);
    s.acknowledge(11, 1, false, true);
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "");
}

TEST(I2, ARecordSetBackUnseenExcusesWhatCameAfter) {
    Stage s;
    s.write(11, 1, {1});
    FixpointRecord older = s.b.record();
    older.term = 2;
    s.play(RecordWritten{"", 0, s.b.state.store.fixpoint, older, false, false});
    s.record_primary(2);
    EXPECT_EQ(s.violated(), "I2") << "a journal in reach says so";
    Stage t;
    t.write(11, 1, {1});
    for (int n = 1; n <= 3; ++n) t.b.server(n).journal.clear();
    t.play(RecordWritten{"", 0, t.b.state.store.fixpoint, older, false, false});
    t.record_primary(2);
    EXPECT_EQ(t.violated(), "");
}

// ---- I4

TEST(I4, AnOlderHoldersStatementTakesEffectAfterANewerOneHasLooked) {
    Stage s;
    s.server_lock(1, 2, "m1");
    s.server_lock(2, 2, "m2");
    s.statement(sql::Look{}, 2, 2, "m2");
    s.statement(stop_receiver(), 2, 1, "m1");
    EXPECT_EQ(s.violated(), "I4");
}

TEST(I4, BeforeTheNewerOneHasLookedItIsLegal) {
    Stage s;
    s.server_lock(1, 2, "m1");
    s.server_lock(2, 2, "m2");
    s.statement(stop_receiver(), 2, 1, "m1");
    s.statement(sql::Look{}, 2, 2, "m2");
    s.statement(stop_receiver(), 2, 2, "m2");
    s.statement(stop_receiver(), 3, 1, "m1");  // another tablet
    EXPECT_EQ(s.violated(), "");
}

TEST(I4, AStatementUnderNoLockIsOlderThanAny) {
    Stage s;
    s.server_lock(2, 2);
    s.statement(sql::Look{}, 2, 2);
    s.statement(sql::StartReceiver{}, 2, 0);
    EXPECT_EQ(s.violated(), "I4");
}

TEST(I4, TheJournalAndTheNudgeAreOrdinaryWrites) {
    Stage s;
    s.server_lock(2, 1, "m2");
    s.statement(sql::Look{}, 1, 2, "m2");
    s.statement(sql::InsertJournalRow{}, 1, 1, "m1");
    s.statement(sql::Nudge{"n1"}, 1, 1, "m1");
    EXPECT_EQ(s.violated(), "");
}

TEST(I4, AStaleManagerKillsItsSuccessorsSession) {
    for (const std::int64_t mine : {1, 3}) {
        Stage s;
        s.server_lock(2, 2, "m2");
        StatementTookEffect kill;
        kill.manager = "m1";
        kill.tablet = alias_of(2);
        kill.lock_id = mine;
        kill.kills_manager_session = true;
        kill.killed_manager = "m2";
        kill.killed_lock_id = 2;
        kill.statement = sql::Kill{7};
        s.play(kill);
        EXPECT_EQ(s.violated(), mine == 1 ? "I4" : "");
    }
}

// ---- I5

TEST(I5, AManagersOwnWriteOnAReplica) {
    Stage s;
    s.play(Committed{alias_of(2), {{testing::uuid_of(2), ""}, 1}, 0, "m1"});
    EXPECT_EQ(s.violated(), "I5");
    Stage t;
    t.play(Committed{alias_of(1), {{testing::uuid_of(1), ""}, 15}, 0, "m1"});
    t.play(Committed{alias_of(2), {{testing::uuid_of(2), ""}, 1}, 5, ""});  // a client's
    EXPECT_EQ(t.violated(), "");
}

TEST(I5, ANudgeThatIsWrittenOnAClosedServer) {
    Stage s;
    s.b.row(1).super_read_only = true;
    s.play(Committed{alias_of(1), {{testing::uuid_of(1), ""}, 15}, 0, "m1"});
    EXPECT_EQ(s.violated(), "I5");
}

TEST(I5, AReplicatingReplicaIsLeftErrant) {
    Stage s;
    s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    EXPECT_EQ(s.violated_at_end(), "I5");
    Stage t;
    t.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    t.b.channel(2).receiver = sql::ThreadState::no;  // quarantined
    EXPECT_EQ(t.violated_at_end(), "");
}

TEST(I5, AnErrantAckerThatIsNeededStays) {
    for (const bool reported : {true, false}) {
        Stage s(2);
        s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        if (reported) s.say(EventKind::reported, Problem::errant_transactions, 2);
        EXPECT_EQ(s.violated_at_end(), reported ? "" : "I5");
    }
}

TEST(I5, WhatAnElectionHadToFetchIsOfOpenedAt) {
    Stage s;
    s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    s.b.record().opened_at.add(gtids(2, 1, 1));
    EXPECT_EQ(s.violated_at_end(), "");
}

// ---- I6

TEST(I6, AStepDropsTheOnlyCopyInReach) {
    Stage s;
    s.write(11, 1, {1});
    s.b.kill_primary();
    s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "m1", 1, false});
    EXPECT_EQ(s.violated(), "I6");
}

TEST(I6, WhatIsElsewhereOrToldToNobodyMayBeDropped) {
    Stage s;
    s.write(11, 1, {1});
    s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "m1", 1, false});  // the primary has it
    s.begin(12, 1);
    s.execute(12, 2);
    s.b.kill_primary();
    s.play(RelayLogDiscarded{alias_of(2), {}, {12}, "m1", 1, false});  // nobody was told
    s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "", 0, false});    // no step did it
    EXPECT_EQ(s.violated(), "");
}

TEST(I6, ReachableIsAsOfTheLastAnswerInThisOperation) {
    for (const std::int64_t asked_under : {1, 2}) {
        Stage s;
        s.write(11, 1, {1});
        s.statement(sql::ReadGtids{}, 1, asked_under);
        s.b.kill_primary();  // between its answer and the CHANGE
        s.play(RelayLogDiscarded{alias_of(2), {}, {11}, "m1", 2, false});
        EXPECT_EQ(s.violated(), asked_under == 2 ? "" : "I6");
    }
}

// ---- I7

TEST(I7, ASuccessWhoseRowHoldsInTheNextLook) {
    Stage s;
    s.say(EventKind::recovery_began, Problem::replica_is_writable, 2);
    s.say(EventKind::recovery_succeeded, Problem::replica_is_writable, 2);
    s.looked({{Problem::replica_is_writable, alias_of(2)}});
    EXPECT_EQ(s.violated(), "I7");
}

TEST(I7, ASuccessIsBelievedOfItsOwnTabletAndUntilTheNextFault) {
    Stage s;
    s.say(EventKind::recovery_succeeded, Problem::replica_is_writable, 2);
    s.looked({{Problem::replica_is_writable, alias_of(3)}});
    s.say(EventKind::recovery_succeeded, Problem::replica_is_writable, 2);
    s.fault(FaultKind::set_super_read_only_off, 2);
    s.looked({{Problem::replica_is_writable, alias_of(2)}});
    s.looked({{Problem::replica_is_writable, alias_of(2)}});  // not the next look any more
    EXPECT_EQ(s.violated(), "");
}

TEST(I7, ARefusalNamesItsReason) {
    Stage s;
    s.say(EventKind::recovery_refused, Problem::dead_primary);
    EXPECT_EQ(s.violated(), "I7");
    Stage t;
    t.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    EXPECT_EQ(t.violated(), "");
}

TEST(I7, AnOperationThatNeverEnds) {
    for (const bool died : {false, true}) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::dead_primary);
        if (died) s.play(ManagerStopped{"m1"});
        s.after(600s);
        EXPECT_EQ(s.violated_at_end(), died ? "" : "I7");
    }
}

TEST(I7, AfterARefusalEveryReceiverRunsThatRanBefore) {
    for (const bool by_hand : {false, true}) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::dead_primary);
        s.b.channel(2).receiver = sql::ThreadState::no;
        s.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
        if (by_hand) s.fault(FaultKind::stop_receiver, 2);
        EXPECT_EQ(s.violated_at_end(), by_hand ? "" : "I7");
    }
}

TEST(I7, AfterARefusalThePrimaryServesIfItCan) {
    for (const bool reopened : {false, true}) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::wrong_primary);
        s.b.row(1).read_only = s.b.row(1).super_read_only = true;
        s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::candidate_lagging);
        if (reopened) s.b.row(1).read_only = s.b.row(1).super_read_only = false;
        EXPECT_EQ(s.violated_at_end(), reopened ? "" : "I7");
    }
}

TEST(I7, WhatAFaultStrikesWhileTheOperationRunsIsNotOwed) {
    for (const int struck : {2, 3}) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::dead_primary);
        s.fault(FaultKind::restart, struck);
        s.b.channel(2).receiver = sql::ThreadState::no;
        s.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
        EXPECT_EQ(s.violated_at_end(), struck == 2 ? "" : "I7");
    }
    for (const int struck : {1, 3}) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::wrong_primary);
        s.fault(FaultKind::restore_older_state, struck);
        s.b.row(1).read_only = s.b.row(1).super_read_only = true;
        s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::candidate_lagging);
        EXPECT_EQ(s.violated_at_end(), struck == 1 ? "" : "I7");
    }
}

TEST(I7, WhoTriesAgainByHandIsStillAtWork) {
    for (const bool again : {false, true}) {
        Stage s;
        s.fault(FaultKind::reset_replication, 2);
        s.say(EventKind::recovery_began, Problem::receiver_stopped, 2);
        s.say(EventKind::recovery_succeeded, Problem::receiver_stopped, 2);
        Fault reset;
        reset.kind = FaultKind::reset_replication;
        reset.tablet = alias_of(2);
        if (again) s.play(FaultHappened{reset, FaultStage::going_on});
        s.looked({{Problem::receiver_stopped, alias_of(2)}});
        EXPECT_EQ(s.violated(), again ? "" : "I7");
    }
}

// ---- I10

TEST(I10, AStatementReachesAShardThatIsAsDeclared) {
    Stage s;
    s.lock(1);
    s.statement(sql::Look{}, 2, 1);
    s.statement(sql::GetLock{"fixpoint/commerce/0"}, 2, 1);
    EXPECT_EQ(s.violated(), "");
    s.statement(stop_receiver(), 2, 1);
    EXPECT_EQ(s.violated(), "I10");
}

TEST(I10, AClosingIsJudgedByTheMomentOfSending) {
    for (const bool drifted : {false, true}) {
        Stage s;
        s.lock(1);
        s.b.row(1).offline_mode = drifted;
        s.play(StatementSent{"m1", alias_of(1), 7, 1, true, sql::CloseInOnePacket{}});
        s.b.row(1).offline_mode = false;
        s.b.row(1).read_only = s.b.row(1).super_read_only = true;  // it reads so before it is reported
        s.statement(sql::CloseInOnePacket{}, 1, 1);
        EXPECT_EQ(s.violated(), drifted ? "" : "I10");
    }
}

TEST(I10, ADriftThatHealsItselfBetweenLookAndStatementIsNoOffence) {
    Stage s;
    s.b.row(2).super_read_only = false;
    s.lock(1);
    s.b.row(2).super_read_only = true;
    s.statement(set(sql::Variable::super_read_only, 1), 2, 1);
    EXPECT_EQ(s.violated(), "");
}

TEST(I10, ADriftUnderTheLockMayBeRepaired) {
    Stage s;
    s.lock(1);
    s.b.row(2).super_read_only = false;
    s.statement(set(sql::Variable::super_read_only, 1), 2, 1);
    EXPECT_EQ(s.violated(), "");
}

TEST(I10, ARecordRewrittenForEver) {
    Stage s;
    s.lock(1);
    s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, true});
    EXPECT_EQ(s.violated(), "I10");
    Stage t;
    t.lock(1);
    t.play(
        RecordWritten{"", 0, t.b.state.store.fixpoint, t.b.state.store.fixpoint, false, true});  // a person
    EXPECT_EQ(t.violated(), "");
}

TEST(I10, ATabletRecordWrittenByHandMayBeSeenAPassLater) {
    for (const bool just_now : {false, true}) {
        Stage s;
        s.after(10s);
        s.play(RecordWritten{"", 0, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, true});
        s.after(just_now ? 10ms : 1s);
        s.lock(1);
        s.statement(stop_receiver(), 2, 1);
        EXPECT_EQ(s.violated(), just_now ? "" : "I10");
    }
}

TEST(I10, UnderNoLockTheMomentOfSendingCounts) {
    for (const bool drifted : {false, true}) {
        Stage s;
        s.b.row(2).super_read_only = !drifted;
        StatementSent sent{"m1", alias_of(2), 7, 0, true, stop_receiver()};
        s.play(sent);
        s.b.row(2).super_read_only = true;
        s.statement(stop_receiver(), 2, 0);
        EXPECT_EQ(s.violated(), drifted ? "" : "I10");
    }
}

TEST(I10, ANudgeFreesWhatWaits) {
    for (const bool waits : {false, true}) {
        Stage s;
        if (waits) s.b.row(1).gtid_owned = gtids(1, 15, 15);
        s.lock(1);
        s.statement(sql::Nudge{"n1"}, 1, 1);
        EXPECT_EQ(s.violated(), waits ? "" : "I10");
    }
}

// ---- I11

TEST(I11, AReceiverWithAcknowledgementsThatTheRecordDoesNotName) {
    Stage s;
    s.b.record().ackers.pop_back();
    s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
    EXPECT_EQ(s.violated(), "I11");
}

TEST(I11, NamedOrWithoutAcknowledgementsOrByHandIsLegal) {
    Stage s;
    s.b.record().ackers.pop_back();
    s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
    s.play(ReceiverConnected{alias_of(2), alias_of(1), true, false});
    s.play(ReceiverConnected{alias_of(3), alias_of(1), false, false});
    s.play(ReceiverConnected{alias_of(3), alias_of(2), true, false});  // not the primary in force
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, true});
    s.fault(FaultKind::semi_sync_replica_on, 3);
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
    EXPECT_EQ(s.violated(), "");
    s.statement(sql::StartReceiver{}, 3, 1);  // a step points it there
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
    EXPECT_EQ(s.violated(), "I11");
}

}  // namespace
}  // namespace fixpoint::sim
