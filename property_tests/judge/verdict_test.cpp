// Verdicts, I8 and I9: what the judge makes of the end of a run, and of the hold after it.
#include <gtest/gtest.h>

#include "property_tests/judge/ending.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::crash_for_good;
using testing::probed;
using testing::semi_sync;
using testing::Stage;
using testing::two_dead;

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

// ---- failed, justified; I9

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

}  // namespace
}  // namespace fixpoint::sim
