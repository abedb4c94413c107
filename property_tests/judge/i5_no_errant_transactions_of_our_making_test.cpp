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

}  // namespace
}  // namespace fixpoint::sim
