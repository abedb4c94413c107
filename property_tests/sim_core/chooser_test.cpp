// The chooser: streams do not disturb each other, answers stay in their bounds, a recording plays back, an
// edited one stays valid.
#include "sim/core/chooser.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

namespace fixpoint::sim {
namespace {

TEST(Chooser, GivesTheSameNumbersEverywhere) {  // pinned: a change here breaks every saved replay token
    Chooser chooser(42);
    const Stream stream = chooser.stream("pinned");
    std::vector<std::uint64_t> drawn;
    for (int i = 0; i < 4; ++i) drawn.push_back(chooser.choose(stream, 1'000'000));
    EXPECT_EQ(drawn, (std::vector<std::uint64_t>{710273, 376674, 418505, 194643}));
}

RC_GTEST_PROP(Chooser, AStreamDrawsTheSameWhateverOthersDraw, (std::uint64_t seed)) {
    Chooser alone(seed);
    Chooser beside(seed);
    const Stream other = beside.stream("other");
    for (int i = 0; i < 50; ++i) {
        const Stream a = alone.stream("mine");
        const Stream b = beside.stream("mine");
        for (int j = 0; j < i % 3; ++j) beside.choose(other, 9);
        RC_ASSERT(alone.choose(a, 1000) == beside.choose(b, 1000));
    }
}

TEST(Chooser, StreamsAndSeedsDiffer) {
    const auto draw = [](std::uint64_t seed, const char* name) {
        Chooser chooser(seed);
        const Stream stream = chooser.stream(name);
        std::vector<std::uint64_t> drawn;
        for (int i = 0; i < 8; ++i) drawn.push_back(chooser.choose(stream, 1 << 20));
        return drawn;
    };
    EXPECT_NE(draw(1, "a"), draw(1, "b"));
    EXPECT_NE(draw(1, "a"), draw(2, "a"));
    EXPECT_EQ(draw(1, "a"), draw(1, "a"));
}

RC_GTEST_PROP(Chooser, AnswersStayInTheirBounds, (std::uint64_t seed, std::int32_t a, std::int32_t b)) {
    Chooser chooser(seed);
    const Stream stream = chooser.stream("s");
    const std::int64_t lo = std::min(a, b);
    const std::int64_t hi = std::max(a, b);
    for (int i = 0; i < 20; ++i) {
        const std::int64_t drawn = chooser.range(stream, lo, hi);
        RC_ASSERT(lo <= drawn);
        RC_ASSERT(drawn <= hi);
    }
    const std::int64_t far = std::numeric_limits<std::int64_t>::max();
    RC_ASSERT(chooser.range(stream, far - 1, far) >= far - 1);
    RC_ASSERT(chooser.choose(stream, 1) == 0U);
}

TEST(Chooser, EveryAnswerComesAndChancesAreAsAsked) {
    Chooser chooser(7);
    const Stream stream = chooser.stream("s");
    std::vector<int> count(6);
    for (int i = 0; i < 6000; ++i) ++count[chooser.choose(stream, 6)];
    for (const int times : count) EXPECT_NEAR(times, 1000, 150);
    int struck = 0;
    for (int i = 0; i < 10000; ++i) struck += chooser.chance(stream, 100) ? 1 : 0;
    EXPECT_NEAR(struck, 1000, 150);
    const std::uint64_t before = chooser.choices_made();
    EXPECT_FALSE(chooser.chance(stream, 0));
    EXPECT_TRUE(chooser.chance(stream, 1000));
    EXPECT_EQ(chooser.choices_made(), before);
}

// Asks the same questions in the same order; the answers.
std::vector<std::uint64_t> interview(Chooser& chooser) {
    std::vector<std::uint64_t> answers;
    const Stream a = chooser.stream("a");
    const Stream b = chooser.stream("b");
    for (std::uint64_t i = 2; i < 30; ++i) {
        answers.push_back(chooser.choose(i % 3 == 0 ? a : b, i));
        answers.push_back(chooser.chance(a, 500) ? 1 : 0);
    }
    return answers;
}

RC_GTEST_PROP(Chooser, PlaysARecordingBackAndClampsAnEditedOne, (std::uint64_t seed)) {
    Chooser first(seed);
    first.record(true);
    const std::vector<std::uint64_t> answers = interview(first);
    ChoiceSequence recorded = first.recorded();

    Chooser replay(seed + 1, recorded, Chooser::Afterwards::zero);
    replay.stream("interned first");  // the indexes need not agree, only the names
    RC_ASSERT(interview(replay) == answers);

    const std::size_t cut = recorded.choices.size() / 2;
    for (std::size_t i = 0; i < cut; ++i)
        recorded.choices[i].answer += *rc::gen::inRange<std::uint64_t>(0, 50);
    recorded.choices.resize(cut);
    recorded.choices.push_back({99, 3, 1});  // a stream that is not there
    Chooser edited(seed, recorded, Chooser::Afterwards::zero);
    edited.record(true);
    interview(edited);
    for (const Choice& choice : edited.recorded().choices) RC_ASSERT(choice.answer < choice.bound);
}

TEST(Chooser, AnEmptyRecordingAnswersZeroAndZeroIsTame) {
    Chooser chooser(1, {}, Chooser::Afterwards::zero);
    const Stream stream = chooser.stream("s");
    EXPECT_EQ(chooser.choose(stream, 10), 0U);
    EXPECT_EQ(chooser.range(stream, -5, 5), -5);
    EXPECT_FALSE(chooser.chance(stream, 999));
}

TEST(Chooser, AStrategyAnswersBeforeTheGenerator) {
    struct Highest : Strategy {
        std::optional<std::uint64_t> answer(std::string_view stream, std::uint64_t) override {
            if (stream == "left alone") return std::nullopt;
            return 1'000'000;
        }
    };
    Highest highest;
    Chooser chooser(1);
    Chooser plain(1);
    chooser.use(&highest);
    EXPECT_EQ(chooser.choose(chooser.stream("s"), 10), 9U);
    EXPECT_EQ(chooser.choose(chooser.stream("left alone"), 1 << 20),
              plain.choose(plain.stream("left alone"), 1 << 20));
}

}  // namespace
}  // namespace fixpoint::sim
