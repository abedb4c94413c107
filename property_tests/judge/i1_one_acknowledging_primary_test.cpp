// I1: of the writes begun in one term no two tablets acknowledge any. Not so an answer that is under way when
// its term ends; and under policy none the dual window is measured, not judged.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::Stage;

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

}  // namespace
}  // namespace fixpoint::sim
