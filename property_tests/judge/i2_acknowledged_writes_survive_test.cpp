// I2: what was acknowledged is had by each next primary, and at the end. Every excuse is seen beside the like
// sequence that it does not cover.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

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

}  // namespace
}  // namespace fixpoint::sim
