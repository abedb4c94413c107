// I5: no manager writes where it makes a transaction errant, and no replica is left replicating with one that
// can be spared.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::gtids;
using testing::Stage;

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

TEST(I5, OfTwoAckersAnErrantOneIsNotNeeded) {
    for (const std::string other : {"clean", "errant", "on a data error", "dead"}) {
        Stage s;
        s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        s.say(EventKind::reported, Problem::errant_transactions, 2);
        if (other == "errant") {
            s.b.row(3).gtid_executed.add(gtids(3, 1, 1));
            s.b.channel(3).receiver = sql::ThreadState::no;
        }
        if (other == "on a data error") s.b.channel(3).applier_errno = sql::error_number::duplicate_entry;
        if (other == "dead") s.b.kill(3);
        EXPECT_EQ(s.violated_at_end(), other == "clean" ? "I5" : "") << other;
    }
}

TEST(I5, WhoseRecordWasSetBackIsNotTouchedBeforeItIsRecovered) {
    for (const bool of_this_shard : {true, false}) {
        Stage s;
        s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        sql::JournalRow row = s.b.server(3).journal.front();
        row.term = s.b.record().term + 1;
        if (!of_this_shard) row.shard.shard = "1";
        s.b.server(3).journal.push_back(row);
        EXPECT_EQ(s.violated_at_end(), of_this_shard ? "" : "I5");
    }
}

TEST(I5, AServerClosedByHandMayHaveHadTheWriteUnderWay) {
    const auto journal = [](Stage& s) {
        s.play(Committed{alias_of(1), {{testing::uuid_of(1), ""}, 15}, 0, "m1"});
    };
    for (const int closed : {1, 2}) {
        Stage s;
        s.fault(FaultKind::set_read_only, closed);
        s.b.row(1).super_read_only = true;
        journal(s);
        EXPECT_EQ(s.violated(), closed == 1 ? "" : "I5");
    }
    Stage again;
    again.fault(FaultKind::set_read_only, 1);
    again.statement(sql::CloseInOnePacket{}, 1, 1);  // a step has closed it since
    again.b.row(1).super_read_only = true;
    journal(again);
    EXPECT_EQ(again.violated(), "I5");
}

TEST(I5, AClosingThatIsPendingLetsTheWriteThrough) {
    for (const bool pending : {true, false}) {
        Stage s;
        s.b.row(1).super_read_only = true;
        s.b.server(1).closing_pending = pending;
        s.play(Committed{alias_of(1), {{testing::uuid_of(1), ""}, 15}, 0, "m1"});
        EXPECT_EQ(s.violated(), pending ? "" : "I5");
    }
}

TEST(I5, InAPausedShardNobodyMayAct) {
    for (const bool paused : {true, false}) {
        Stage s;
        s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        s.b.goal().paused = paused;
        EXPECT_EQ(s.violated_at_end(), paused ? "" : "I5");
    }
}

TEST(I5, ATabletWhoseRecordPeopleDeletedIsOfThisShardOnlyIfTheRecordInForceNamesIt) {
    for (const bool named : {true, false}) {
        Stage s;
        s.b.row(3).gtid_executed.add(gtids(3, 1, 1));
        s.b.state.store.tablets.erase(alias_of(3));
        if (!named) s.b.record().ackers.pop_back();
        EXPECT_EQ(s.violated_at_end(), named ? "I5" : "");
    }
}

TEST(I5, WhatAPrimaryLacksOnlyAPrimaryThatAnswersShows) {
    for (const bool answers : {false, true}) {
        Stage s;
        s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        s.b.server(1).up = answers;
        EXPECT_EQ(s.violated_at_end(), answers ? "I5" : "");
    }
}

TEST(I5, ALaterJournalCountsOnlyWhereItCanBeReadAndIsOfThisShard) {
    for (const std::string row_of : {"a server of ours", "a dead one", "a stranger"}) {
        Stage s;
        s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        sql::JournalRow row = s.b.server(3).journal.front();
        row.term = s.b.record().term + 1;
        if (row_of == "a stranger") row.alias = {"zone9", 900};
        s.b.server(3).journal.push_back(row);
        if (row_of == "a dead one") s.b.kill(3);
        EXPECT_EQ(s.violated_at_end(), row_of == "a server of ours" ? "" : "I5") << row_of;
    }
}

}  // namespace
}  // namespace fixpoint::sim
