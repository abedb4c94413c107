// Both worlds side by side, with a stand-in for the real one: what is drawn when, and in which order it is
// told.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "property_tests/real/shard/pairs.hpp"
#include "sim/scenario/scenario_files.hpp"

namespace fixpoint::real_shards {
namespace {

// So many runs, named by their numbers; counts how many were drawn.
Drawn runs(int most, std::atomic<int>& drawn) {
    return [most, &drawn]() -> std::optional<sim::Run> {
        if (drawn == most) return std::nullopt;
        sim::Run run;
        run.scenario.name = std::to_string(drawn++);
        return run;
    };
}

sim::Run at_once(const sim::Scenario& scenario) {
    sim::Run run;
    run.scenario = scenario;
    return run;
}

TEST(Pairs, AreToldInTheOrderInWhichTheyWereDrawn) {
    std::mutex mutex;
    std::condition_variable changed;
    bool later_has_ended = false;
    const auto first_is_slow = [&](const sim::Scenario& scenario) {
        std::unique_lock lock(mutex);
        if (scenario.name == "0") changed.wait(lock, [&] { return later_has_ended; });
        later_has_ended = later_has_ended || scenario.name == "1";
        changed.notify_all();
        return at_once(scenario);
    };
    std::atomic<int> drawn = 0;
    std::string told;
    run_pairs(
        runs(5, drawn), 2,
        [&](const Pair& pair) {
            told += pair.simulated.scenario.name;
            EXPECT_EQ(pair.real.scenario.name, pair.simulated.scenario.name);
        },
        first_is_slow);
    EXPECT_EQ(told, "01234");
}

TEST(Pairs, AreDrawnNoSoonerThanTheyAreRun) {
    std::atomic<int> drawn = 0;
    std::vector<int> drawn_when_run;
    run_pairs(
        runs(4, drawn), 1, [](const Pair&) {},
        [&](const sim::Scenario& scenario) {
            drawn_when_run.push_back(drawn);
            return at_once(scenario);
        });
    EXPECT_EQ(drawn_when_run, (std::vector<int>{1, 2, 3, 4}));
}

TEST(Pairs, WhatTheHarnessCannotRunIsSaidOfThatOneOnly) {
    std::atomic<int> drawn = 0;
    std::string failed;
    run_pairs(
        runs(3, drawn), 2, [&](const Pair& pair) { failed += pair.failed + ";"; },
        [](const sim::Scenario& scenario) {
            if (scenario.name == "1") throw std::runtime_error("no port");
            return at_once(scenario);
        });
    EXPECT_EQ(failed, ";no port;;");
}

TEST(Pairs, WhatIsThrownReachesTheCaller) {
    const auto nothing_more = []() -> std::optional<sim::Run> { throw std::runtime_error("cannot draw"); };
    EXPECT_THROW(run_pairs(nothing_more, 2, [](const Pair&) {}, at_once), std::runtime_error);
    std::atomic<int> drawn = 0;
    EXPECT_THROW(
        run_pairs(
            runs(1'000'000, drawn), 2, [](const Pair&) { throw std::logic_error("cannot write"); }, at_once),
        std::logic_error);
    EXPECT_LT(drawn, 1'000'000) << "no further one is begun";
}

TEST(Pairs, EachOfTheScenariosIsSimulatedOnceWithItsTimeline) {
    const auto read =
        sim::read_scenarios({std::string(FIXPOINT_SOURCE_DIR) + "/scenarios/audit/kill_primary.json"});
    ASSERT_TRUE(read.has_value());
    const std::vector<sim::Scenario> twice{read->front(), read->front()};
    const Drawn next = each_of(twice);
    for (int i = 0; i < 2; ++i) {
        const std::optional<sim::Run> run = next();
        ASSERT_TRUE(run.has_value());
        EXPECT_EQ(run->scenario.name, "kill_primary");
        EXPECT_FALSE(run->timeline.empty());
    }
    EXPECT_FALSE(next().has_value());
}

}  // namespace
}  // namespace fixpoint::real_shards
