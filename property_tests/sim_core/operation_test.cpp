// Operations: who owns what when they complete, complete twice, are cancelled, or lose their process.
// Kills at every event of a larger world are in executor_test.cpp.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "property_tests/sim_core/coroutine_world.hpp"

namespace fixpoint::sim::coroutine_tests {
namespace {

using Text = std::unique_ptr<std::string>;  // a result that cannot be copied

// Waits for a text and stores it.
asio::awaitable<void> ask(SimProcess& process, std::vector<Completion<Text>>& asked, std::string& answer) {
    const Frame frame;
    auto starter = [&asked](const Completion<Text>& completion) { asked.push_back(completion); };
    const Text text = co_await await_result<Text>(process, starter);
    answer += *text;
}

struct Asking : World {
    Asking() {
        spawn(manager, ask(manager, asked, answer), exit.callback());
        while (scheduler.step() && asked.empty()) {
        }
    }
    Completion<Text>& completion() { return asked.back(); }
    std::vector<Completion<Text>> asked;
    std::string answer;
    Exit exit;
};

TEST_F(Coroutines, ACompletionNeverResumesInline) {
    Asking world;
    EXPECT_TRUE(world.completion().pending());
    world.completion().complete(std::make_unique<std::string>("yes"));
    EXPECT_FALSE(world.completion().pending());
    EXPECT_EQ(world.answer, "");
    EXPECT_EQ(world.exit.calls, 0);
    world.run();
    EXPECT_EQ(world.answer, "yes");
    EXPECT_EQ(world.exit.calls, 1);
}

TEST_F(Coroutines, OnlyTheFirstCompletionCounts) {
    Asking world;
    const Completion<Text> copy = world.completion();
    copy.complete(std::make_unique<std::string>("first"));
    world.completion().complete(std::make_unique<std::string>("second"));
    copy.fail(asio::error::connection_reset);
    world.run();
    copy.complete(std::make_unique<std::string>("third"));
    world.run();
    EXPECT_EQ(world.answer, "first");
    EXPECT_EQ(world.exit.calls, 1);
    EXPECT_FALSE(world.exit.error);
}

TEST_F(Coroutines, AFailureIsThrown) {
    Asking world;
    world.completion().fail(asio::error::connection_reset);
    world.run();
    EXPECT_EQ(world.exit.code(), error_code(asio::error::connection_reset));
}

TEST_F(Coroutines, AnOperationThatNobodyCompletesWaitsAndLeaksNothing) {
    Asking world;
    world.asked.clear();
    world.run();
    EXPECT_EQ(world.exit.calls, 0);
    EXPECT_EQ(frames, 1);
}

TEST_F(Coroutines, AStarterMayCompleteAtOnceOrThrow) {
    World world;
    int got = 0;
    Exit first;
    Exit second;
    auto at_once = [](SimProcess& process, int& result) -> asio::awaitable<void> {
        const Frame frame;
        auto starter = [&result](const Completion<int>& completion) {
            completion.complete(7);
            EXPECT_EQ(result, 0);
        };
        result = co_await await_result<int>(process, starter);
    };
    auto throwing = [](SimProcess& process) -> asio::awaitable<void> {
        const Frame frame;
        auto starter = [](const Completion<void>&) { throw std::logic_error("in the starter"); };
        co_await await_result<void>(process, starter);
    };
    spawn(world.manager, at_once(world.manager, got), first.callback());
    spawn(world.manager, throwing(world.manager), second.callback());
    world.run();
    EXPECT_EQ(got, 7);
    EXPECT_FALSE(first.error);
    EXPECT_THROW(std::rethrow_exception(second.error), std::logic_error);
}

TEST_F(Coroutines, AKillDestroysTheFramesAndLateCompletionsAreIgnored) {
    Asking world;
    EXPECT_EQ(frames, 1);
    world.scheduler.kill(world.manager.process());
    EXPECT_EQ(frames, 0);
    EXPECT_EQ(world.exit.calls, 0);
    EXPECT_FALSE(world.completion().pending());
    world.completion().complete(std::make_unique<std::string>("late"));
    world.run();

    world.scheduler.restart(world.manager.process());
    world.completion().complete(std::make_unique<std::string>("later"));
    world.completion().fail(asio::error::connection_reset);
    world.run();
    EXPECT_EQ(world.answer, "");

    // The successor asks anew: an answer to its predecessor does not reach it.
    const Completion<Text> old = world.completion();
    spawn(world.manager, ask(world.manager, world.asked, world.answer), world.exit.callback());
    world.run();
    ASSERT_EQ(world.asked.size(), 2U);
    old.complete(std::make_unique<std::string>("for the dead"));
    world.run();
    EXPECT_EQ(world.answer, "");
    world.completion().complete(std::make_unique<std::string>("for the living"));
    world.run();
    EXPECT_EQ(world.answer, "for the living");
    EXPECT_EQ(world.exit.calls, 1);
}

TEST_F(Coroutines, AKillBetweenCompletionAndResumptionWins) {
    Asking world;
    world.completion().complete(std::make_unique<std::string>("on its way"));
    world.scheduler.kill(world.manager.process());
    EXPECT_EQ(frames, 0);
    world.scheduler.restart(world.manager.process());
    world.run();
    EXPECT_EQ(world.answer, "");
}

TEST_F(Coroutines, ACompletionMayOutliveTheWorld) {
    Completion<Text> kept;
    {
        Asking world;
        kept = world.completion();
    }
    EXPECT_FALSE(kept.pending());
    kept.complete(std::make_unique<std::string>("to nobody"));
}

TEST_F(Coroutines, APausedProcessGetsItsAnswerWhenItResumes) {
    Asking world;
    world.scheduler.pause(world.manager.process());
    world.completion().complete(std::make_unique<std::string>("held"));
    world.run();
    EXPECT_EQ(world.answer, "");
    world.scheduler.resume(world.manager.process());
    world.run();
    EXPECT_EQ(world.answer, "held");
}

// ---- cancelling

struct Cancellable : World {
    template <class Coroutine>
    void start(Coroutine coroutine) {
        auto on_exit = [this](std::exception_ptr error) { exit.callback()(std::move(error)); };
        asio::co_spawn(manager.executor(), std::move(coroutine),
                       asio::bind_cancellation_slot(signal.slot(), std::move(on_exit)));
        scheduler.step();  // up to its first wait
    }
    // co_spawn hands a cancel to the process's queue: inside this action it acts at once.
    void cancel() {
        scheduler.post(manager.process(), [this] {
            signal.emit(asio::cancellation_type::terminal);
            EXPECT_EQ(exit.calls, 0);  // never inline
            EXPECT_EQ(frames, 1);
        });
        scheduler.step();
    }
    asio::cancellation_signal signal;
    Exit exit;
    std::vector<Completion<Text>> asked;
    std::string answer;
};

TEST_F(Coroutines, CancelCompletesWithOperationAbortedThroughTheQueue) {
    Cancellable world;
    world.start(ask(world.manager, world.asked, world.answer));
    ASSERT_EQ(world.asked.size(), 1U);
    world.cancel();
    EXPECT_FALSE(world.asked.back().pending());
    world.asked.back().complete(std::make_unique<std::string>("too late"));
    world.run();
    EXPECT_EQ(world.exit.code(), error_code(asio::error::operation_aborted));
    EXPECT_EQ(world.answer, "");
    world.signal.emit(asio::cancellation_type::terminal);  // nothing is there any more
}

TEST_F(Coroutines, ACompletionBeforeTheCancelWins) {
    Cancellable world;
    world.start(ask(world.manager, world.asked, world.answer));
    world.asked.back().complete(std::make_unique<std::string>("in time"));
    world.signal.emit(asio::cancellation_type::terminal);
    world.run();
    world.signal.emit(asio::cancellation_type::terminal);
    world.run();
    EXPECT_EQ(world.answer, "in time");
}

asio::awaitable<void> sleep_long(World& world) {
    const Frame frame;
    co_await sleep_until(world.manager, Instant(seconds(100)));
}

TEST_F(Coroutines, ACancelledSleepTakesItsTimerAway) {
    Cancellable world;
    world.start(sleep_long(world));
    world.cancel();
    world.run();
    EXPECT_EQ(world.exit.code(), error_code(asio::error::operation_aborted));
    EXPECT_EQ(world.scheduler.now(), Instant{});
    EXPECT_FALSE(world.scheduler.next_event_at());
}

asio::awaitable<void> ask_when_cancelled(Cancellable& world, bool& asked) {
    const Frame frame;
    // Boost 1.81: a coroutine cancelled before its first suspension throws out of co_spawn's own frame.
    co_await sleep_until(world.manager, Instant(milliseconds(1)));
    auto starter = [&world, &asked](const Completion<int>& completion) {
        asked = true;
        completion.complete(1);
        world.signal.emit(asio::cancellation_type::terminal);  // the coroutine does not begin to wait
    };
    co_await await_result<int>(world.manager, starter);
}

TEST_F(Coroutines, ACompletionThatNobodyCameToWaitForIsIgnored) {
    Cancellable world;
    bool asked = false;
    world.start(ask_when_cancelled(world, asked));
    world.run();
    EXPECT_TRUE(asked);
    EXPECT_EQ(world.exit.code(), error_code(asio::error::operation_aborted));
    EXPECT_EQ(world.exit.calls, 1);
}

TEST_F(Coroutines, ACancelAfterTheKillIsHarmless) {
    Cancellable world;
    world.start(ask(world.manager, world.asked, world.answer));
    world.scheduler.kill(world.manager.process());
    EXPECT_EQ(frames, 0);
    world.signal.emit(asio::cancellation_type::terminal);
    world.scheduler.restart(world.manager.process());
    world.signal.emit(asio::cancellation_type::terminal);
    world.run();
    EXPECT_EQ(world.exit.calls, 0);
}

asio::awaitable<void> race(World& world, std::vector<Completion<Text>>& asked, std::string& answer) {
    using namespace asio::experimental::awaitable_operators;
    const Frame frame;
    std::string unused;
    auto either = ask(world.manager, asked, unused) || sleep_until(world.manager, Instant(milliseconds(50)));
    const auto outcome = co_await std::move(either);
    answer = outcome.index() == 0 ? "asked" : "slept";
}

TEST_F(Coroutines, TheLoserOfARaceIsCancelled) {
    World world;
    std::vector<Completion<Text>> asked;
    std::string answer;
    Exit exit;
    spawn(world.manager, race(world, asked, answer), exit.callback());
    world.run();
    EXPECT_EQ(answer, "slept");
    EXPECT_EQ(world.scheduler.now(), Instant(milliseconds(50)));
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_FALSE(asked[0].pending());
}

}  // namespace
}  // namespace fixpoint::sim::coroutine_tests
