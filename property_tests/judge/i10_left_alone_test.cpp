// I10: nothing is touched in a shard that is as declared; which moment counts: of the look under the lock, or
// of the sending where there is no lock.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::alias_of;
using testing::gtids;
using testing::Stage;

TEST(I10, AStatementReachesAShardThatIsAsDeclared) {
    Stage s;
    s.lock(1);
    s.statement(sql::Look{}, 2, 1);
    s.statement(sql::GetLock{"fixpoint/commerce/0"}, 2, 1);
    EXPECT_EQ(s.violated(), "");
    s.statement(sql::StopReceiver{}, 2, 1);
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
    s.statement(sql::SetGlobal{sql::Variable::super_read_only, 1}, 2, 1);
    EXPECT_EQ(s.violated(), "");
}

TEST(I10, ADriftUnderTheLockMayBeRepaired) {
    Stage s;
    s.lock(1);
    s.b.row(2).super_read_only = false;
    s.statement(sql::SetGlobal{sql::Variable::super_read_only, 1}, 2, 1);
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
        s.statement(sql::StopReceiver{}, 2, 1);
        EXPECT_EQ(s.violated(), just_now ? "" : "I10");
    }
}

TEST(I10, UnderNoLockTheMomentOfSendingCounts) {
    for (const bool drifted : {false, true}) {
        Stage s;
        s.b.row(2).super_read_only = !drifted;
        StatementSent sent{"m1", alias_of(2), 7, 0, true, sql::StopReceiver{}};
        s.play(sent);
        s.b.row(2).super_read_only = true;
        s.statement(sql::StopReceiver{}, 2, 0);
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

TEST(I10, ANudgeFreesNothingElsewhere) {
    Stage s;
    s.b.row(1).gtid_owned = gtids(1, 15, 15);
    s.lock(1);
    s.statement(sql::Nudge{"n1"}, 2, 1);
    EXPECT_EQ(s.violated(), "I10");
}

TEST(I10, ATabletRecordWrittenByHandInACellWhoseStoreIsDownIsSeenByNobody) {
    for (const std::string store : {"down", "down until just now", "read since", "up again", "started again",
                                    "down later", "never down"}) {
        Stage s;
        Fault down;
        down.kind = FaultKind::cell_store_down;
        if (store == "down until just now") down.for_time = 29'500ms;
        if (store == "read since") down.for_time = 11s;
        if (store == "up again") down.for_time = 9s;
        const bool before = store != "never down" && store != "down later";
        if (before) s.play(FaultHappened{down, FaultStage::delivered});
        s.after(10s);
        s.play(RecordWritten{"", 0, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, true});
        s.after(10s);
        if (store == "down later") s.play(FaultHappened{down, FaultStage::delivered});
        down.kind = FaultKind::cell_store_up;
        if (store == "started again") s.play(FaultHappened{down, FaultStage::delivered});
        s.after(10s);
        s.lock(1);
        s.statement(sql::StopReceiver{}, 2, 1);
        EXPECT_EQ(s.violated(), store == "down" || store == "down until just now" ? "" : "I10") << store;
    }
}

TEST(I10, OnlyARecordOfATabletWrittenByAPersonIsSeenLate) {
    for (const std::string what : {"tablet by hand", "shard by hand", "tablet by a manager"}) {
        Stage s;
        RecordWritten e{"", 0, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, true};
        if (what == "shard by hand") e.tablet_changed = false, e.shard_changed = true;
        if (what == "tablet by a manager") e.manager = "m2";
        s.play(e);
        s.lock(1);
        s.statement(sql::StopReceiver{}, 2, 1);
        EXPECT_EQ(s.violated(), what == "tablet by hand" ? "" : "I10") << what;
    }
}

TEST(I10, WhileACommitWaitsOnlyANudgeIsExcused) {
    Stage s;
    s.b.row(1).gtid_owned = gtids(1, 15, 15);
    s.lock(1);
    s.statement(sql::Nudge{"n1"}, 1, 1);
    EXPECT_EQ(s.violated(), "");
    s.statement(sql::StopReceiver{}, 2, 1);
    EXPECT_EQ(s.violated(), "I10");
}

TEST(I10, ACommitThatWaitedWhenThatLockWasTaken) {
    for (const std::int64_t under : {1, 2}) {
        Stage s;
        s.b.row(1).gtid_owned = gtids(1, 15, 15);
        s.lock(1);
        s.b.row(1).gtid_owned = {};  // it was acknowledged since
        s.lock(2);
        s.statement(sql::Nudge{"n1"}, 1, under);
        EXPECT_EQ(s.violated(), under == 1 ? "" : "I10");
    }
}

TEST(I10, ANudgeUnderNoLockWhenACommitWaitedAtItsSending) {
    for (const int waits : {1, 2}) {
        Stage s;
        s.b.row(waits).gtid_owned = gtids(1, 15, 15);
        s.play(StatementSent{"m1", alias_of(1), 7, 0, true, sql::Nudge{"n1"}});
        s.b.row(waits).gtid_owned = {};
        s.statement(sql::Nudge{"n1"}, 1, 0);
        EXPECT_EQ(s.violated(), waits == 1 ? "" : "I10") << "on " << waits;
    }
}

}  // namespace
}  // namespace fixpoint::sim
