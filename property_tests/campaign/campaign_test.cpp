// The suite and a small hunt, in the binary that people use: every scenario passes, and random ones find
// nothing. Longer hunts are the same command with more seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "property_tests/campaign/command_line.hpp"

namespace fixpoint::sim {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(Campaign, every_scenario_passes) {
    const Ran ran = fixpoint_sim("run scenarios --no-dropped-events");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(last_line(ran.output), EndsWith(" passed, 0 failed"));
}

TEST(Campaign, random_scenarios_break_nothing) {
    const Ran ran = fixpoint_sim("hunt --first 1 --seeds 300");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("invariants   none broken"));
}

TEST(Campaign, scenarios_run_the_same_twice) {
    const Ran ran = fixpoint_sim("check-determinism scenarios --seeds 1");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(" 0 differed"));
}

}  // namespace
}  // namespace fixpoint::sim
