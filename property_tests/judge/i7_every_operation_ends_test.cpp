// I7: every operation ends with an answer that is true: a success of which the next look knows nothing more,
// or a refusal that names its reason and leaves nothing worse than it was.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::alias_of;
using testing::Stage;

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

TEST(I7, TheEndOfAFaultBetweenASuccessAndTheNextLook) {
    for (const std::string fault : {"ends", "ended before", "goes on", "until all cease"}) {
        Stage s;
        Fault f;
        f.kind = FaultKind::pause;
        f.tablet = alias_of(2);
        if (fault == "ends") f.for_time = 5s;
        if (fault == "ended before") f.for_time = 2s;
        s.play(FaultHappened{f, FaultStage::delivered});
        s.after(3s);
        s.say(EventKind::recovery_began, Problem::receiver_stopped, 3);
        s.say(EventKind::recovery_succeeded, Problem::receiver_stopped, 3);
        s.after(3s);
        if (fault == "until all cease") s.play(PhaseBegan{Phase::faults_ceased});
        s.looked({{Problem::receiver_stopped, alias_of(3)}});
        const bool ended = fault == "ends" || fault == "until all cease";
        EXPECT_EQ(s.violated(), ended ? "" : "I7") << fault;
    }
}

TEST(I7, AFaultThatWasUndoneEndsNoSecondTime) {
    for (const bool resumed : {false, true}) {
        Stage s;
        Fault f;
        f.kind = FaultKind::pause;
        f.tablet = alias_of(2);
        f.for_time = 5s;
        s.play(FaultHappened{f, FaultStage::delivered});
        s.after(1s);
        if (resumed) s.fault(FaultKind::resume, 2);
        s.after(2s);
        s.say(EventKind::recovery_began, Problem::receiver_stopped, 3);
        s.say(EventKind::recovery_succeeded, Problem::receiver_stopped, 3);
        s.after(3s);
        s.looked({{Problem::receiver_stopped, alias_of(3)}});
        EXPECT_EQ(s.violated(), resumed ? "I7" : "");
    }
}

}  // namespace
}  // namespace fixpoint::sim
