// I6: no step drops the only copy in reach of what a client was told of.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

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

}  // namespace
}  // namespace fixpoint::sim
