// Coroutines on virtual time: who owns what when operations complete, are cancelled, or lose their process.
// Every test counts the frames it made: none may outlive its world. Run under the address sanitizer as well.
#include "sim/asio/executor.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/asio/clock.hpp"
#include "sim/asio/operation.hpp"

namespace fixpoint::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Text = std::unique_ptr<std::string>;  // a result that cannot be copied

int frames = 0;  // alive now
struct Frame {
    Frame() { ++frames; }
    ~Frame() { --frames; }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
};

struct World {
    explicit World(std::uint64_t seed = 1) : chooser(seed), scheduler(chooser) {}
    ~World() { EXPECT_EQ(scheduler.current(), nullptr); }

    void run() {
        while (scheduler.step()) {
        }
    }
    Chooser chooser;
    Scheduler scheduler;
    Process& harness = scheduler.add_process("harness");
    SimProcess manager{scheduler, scheduler.add_process("manager")};
    SimProcess other{scheduler, scheduler.add_process("other")};
};

class Coroutines : public testing::Test {
  protected:
    void SetUp() override { frames = 0; }
    void TearDown() override { EXPECT_EQ(frames, 0); }
};

// How a spawned coroutine ended.
struct Exit {
    int calls = 0;
    std::exception_ptr error;
    OnExit callback() {
        return [this](std::exception_ptr thrown) {
            ++calls;
            error = std::move(thrown);
        };
    }
    std::optional<error_code> code() const {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const boost::system::system_error& thrown) {
            return thrown.code();
        }
        return std::nullopt;
    }
};

asio::awaitable<void> sleep_twice(World& world, std::vector<Instant>& woke) {
    const Frame frame;
    co_await sleep_until(world.manager, Instant(milliseconds(5)));
    woke.push_back(world.scheduler.now());
    co_await sleep_until(world.manager, Instant(seconds(100)));
    woke.push_back(world.scheduler.now());
    co_await sleep_until(world.manager, Instant(seconds(1)));  // passed long ago
    woke.push_back(world.scheduler.now());
}

TEST_F(Coroutines, SleepOnVirtualTime) {
    World world;
    std::vector<Instant> woke;
    Exit exit;
    spawn(world.manager, sleep_twice(world, woke), exit.callback());
    EXPECT_EQ(frames, 0);  // spawned from outside: it has not begun
    world.run();
    const std::vector<Instant> expected{Instant(milliseconds(5)), Instant(seconds(100)),
                                        Instant(seconds(100))};
    EXPECT_EQ(woke, expected);
    EXPECT_EQ(exit.calls, 1);
    EXPECT_FALSE(exit.error);
}

asio::awaitable<void> throw_after(World& world, Duration delay) {
    const Frame frame;
    co_await sleep_until(world.manager, Instant(delay));
    throw std::runtime_error("a bug");
}

TEST_F(Coroutines, TellHowTheyEnded) {
    World world;
    Exit exit;
    spawn(world.manager, throw_after(world, seconds(1)), exit.callback());
    world.run();
    ASSERT_EQ(exit.calls, 1);
    EXPECT_THROW(std::rethrow_exception(exit.error), std::runtime_error);
}

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

TEST_F(Coroutines, ACancelledSleepTakesItsTimerAway) {
    Cancellable world;
    std::vector<Instant> woke;
    world.start(sleep_twice(world, woke));
    world.scheduler.step();  // asleep until 100 s
    EXPECT_EQ(woke.size(), 1U);
    world.cancel();
    world.run();
    EXPECT_EQ(world.exit.code(), error_code(asio::error::operation_aborted));
    EXPECT_LT(world.scheduler.now(), Instant(seconds(1)));
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

// ---- killing

asio::awaitable<void> kill_yourself(World& world, bool& went_on, std::vector<Completion<Text>>& asked) {
    const Frame frame;
    co_await sleep_until(world.manager, Instant(milliseconds(1)));
    world.scheduler.kill(world.manager.process());
    went_on = true;  // until the next wait
    std::string answer;
    co_await ask(world.manager, asked, answer);
    ADD_FAILURE() << "a dead process went on";
}

TEST_F(Coroutines, AProcessThatKillsItselfEndsAtItsNextWait) {
    World world;
    bool went_on = false;
    std::vector<Completion<Text>> asked;
    Exit exit;
    spawn(world.manager, kill_yourself(world, went_on, asked), exit.callback());
    world.run();
    EXPECT_TRUE(went_on);
    EXPECT_TRUE(asked.empty());  // nothing leaves a dead process
    EXPECT_EQ(frames, 0);
    EXPECT_EQ(exit.calls, 0);
}

asio::awaitable<void> kill_and_hand_over(World& world, bool by_post) {
    const Frame frame;
    co_await sleep_until(world.manager, Instant(milliseconds(1)));
    world.scheduler.kill(world.manager.process());
    const auto executor = co_await asio::this_coro::executor;
    if (by_post) {
        co_await asio::post(executor, asio::use_awaitable);
    } else {
        co_await asio::dispatch(executor, asio::use_awaitable);
    }
    ADD_FAILURE() << "a dead process went on";
}

TEST_F(Coroutines, AProcessThatKillsItselfCanHandNothingToItsExecutor) {
    for (const bool by_post : {true, false}) {
        World world;
        spawn(world.manager, kill_and_hand_over(world, by_post), [](const std::exception_ptr&) {});
        world.run();
        EXPECT_EQ(frames, 0);
    }
}

// Two processes that exchange answers, race, nest, spawn and use channels: enough kinds of ownership that a
// kill at each event meets them all.
struct Busy : World {
    using Channel = asio::experimental::channel<void(error_code, int)>;
    int rounds = 0;
    std::vector<Completion<int>> forgotten;

    explicit Busy(std::uint64_t seed) : World(seed) {
        spawn(manager, loop(manager, 4), [](const std::exception_ptr&) {});
        spawn(other, loop(other, 4), [](const std::exception_ptr&) {});
    }
    asio::awaitable<int> call(SimProcess& from, SimProcess& to, Duration takes) {
        const Frame frame;
        auto starter = [this, &to, takes](Completion<int> completion) {
            forgotten.push_back(completion);
            scheduler.after(to.process(), takes, [completion] { completion.complete(1); });
        };
        co_return co_await await_result<int>(from, starter);
    }
    asio::awaitable<void> feed(SimProcess& self, std::shared_ptr<Channel> channel) {
        const Frame frame;
        co_await sleep_until(self, scheduler.now() + milliseconds(2));
        co_await channel->async_send(error_code{}, 1, asio::use_awaitable);
        co_await channel->async_send(error_code{}, 2, asio::use_awaitable);
    }
    asio::awaitable<void> loop(SimProcess& self, int times) {
        using namespace asio::experimental::awaitable_operators;
        const Frame frame;
        SimProcess& peer = &self == &manager ? other : manager;
        for (int i = 0; i < times; ++i) {
            rounds += co_await call(self, peer, milliseconds(1));
            auto both = call(self, peer, milliseconds(3)) && call(self, self, milliseconds(2));
            co_await std::move(both);
            auto either =
                call(self, peer, milliseconds(5)) || sleep_until(self, scheduler.now() + milliseconds(4));
            co_await std::move(either);
            auto channel = std::make_shared<Channel>(self.executor(), 0);
            spawn(self, feed(self, channel), [channel](const std::exception_ptr&) {});
            rounds += co_await channel->async_receive(asio::use_awaitable);
            rounds += co_await channel->async_receive(asio::use_awaitable);
        }
    }
};

TEST_F(Coroutines, AKillAtAnyEventLeaksNothing) {
    int events = 0;
    {
        Busy whole(9);
        while (whole.scheduler.step()) ++events;
        EXPECT_EQ(whole.rounds, 32);
        EXPECT_EQ(frames, 0);
    }
    ASSERT_GT(events, 100);
    for (int kill_at = 0; kill_at <= events; ++kill_at) {
        for (const bool restart : {false, true}) {
            Busy world(9);
            for (int i = 0; i < kill_at; ++i) world.scheduler.step();
            world.scheduler.kill(world.manager.process());
            if (restart) {
                world.scheduler.restart(world.manager.process());
                spawn(world.manager, world.loop(world.manager, 1), [](const std::exception_ptr&) {});
            }
            for (int i = 0; world.scheduler.step(); ++i) ASSERT_LT(i, 10 * events);
            for (const Completion<int>& completion : world.forgotten) completion.complete(5);
            world.run();
            world.scheduler.kill(world.manager.process());
            world.scheduler.kill(world.other.process());
            ASSERT_EQ(frames, 0) << "killed at event " << kill_at;
        }
    }
}

TEST_F(Coroutines, EqualSeedsGiveEqualRunsWhateverTheHeapLooksLike) {
    const auto hash = [](std::uint64_t seed, bool recycling) {
        Busy world(seed);
        std::optional<RecyclingScope> scope;
        if (recycling) scope.emplace();
        world.run();
        return world.scheduler.event_hash();
    };
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        const std::uint64_t first = hash(seed, true);
        std::vector<std::unique_ptr<char[]>> junk;
        for (std::size_t i = 1; i < 300; ++i) junk.push_back(std::make_unique<char[]>(i * 53 % 700 + 1));
        for (std::size_t i = 0; i < junk.size(); i += 3) junk[i].reset();
        EXPECT_EQ(hash(seed, false), first);
    }
    EXPECT_NE(hash(1, true), hash(2, true));
}

// ---- executor and clock

TEST_F(Coroutines, TheExecutorRunsInlineOnlyInItsOwnProcess) {
    World world;
    std::string ran;
    world.scheduler.post(world.manager.process(), [&] {
        asio::dispatch(world.manager.executor(), [&] { ran += "inline "; });
        asio::dispatch(world.other.executor(), [&] { ran += "other "; });
        asio::post(world.manager.executor(), [&] { ran += "posted "; });
        ran += "end ";
    });
    world.scheduler.step();
    EXPECT_EQ(ran, "inline end ");
    world.run();
    EXPECT_EQ(ran.size(), std::string("inline end other posted ").size());
    EXPECT_EQ(&asio::query(world.manager.executor(), asio::execution::context), &world.manager.context());
    EXPECT_NE(world.manager.executor(), world.other.executor());
}

TEST_F(Coroutines, AnExecutorOfADeadIncarnationDropsItsWork) {
    World world;
    const SimExecutor old = world.manager.executor();
    world.scheduler.kill(world.manager.process());
    world.scheduler.restart(world.manager.process());
    auto token = std::make_shared<int>(0);
    asio::post(old, [token] { ++*token; });
    EXPECT_EQ(token.use_count(), 1);
    asio::post(world.manager.executor(), [token] { ++*token; });
    world.run();
    EXPECT_EQ(*token, 1);
    EXPECT_NE(old, world.manager.executor());
}

asio::awaitable<void> wake_at(Clock& clock, Instant deadline, Instant& woke) {
    const Frame frame;
    co_await clock.sleep_until(deadline);
    woke = clock.now();
}

TEST_F(Coroutines, TheClockShowsItsProcessesOwnTime) {
    for (const std::int64_t drift :
         {std::int64_t{0}, std::int64_t{333}, std::int64_t{-777}, std::int64_t{100'000}}) {
        World world;
        SimClock clock(world.manager, WallTime{1'700'000'000'000'000'000}, {seconds(50), drift, seconds(3)});
        EXPECT_EQ(clock.now(), Instant(seconds(50)));
        EXPECT_EQ(clock.wall_now().ns, 1'700'000'003'000'000'000);
        const Instant deadline = Instant(seconds(1050)) + Duration(1);
        Instant woke;
        spawn(world.manager, wake_at(clock, deadline, woke), [](const std::exception_ptr&) {});
        world.run();
        EXPECT_GE(woke, deadline);
        EXPECT_LE(woke, deadline + Duration(2));
        const auto elapsed = world.scheduler.now().time_since_epoch().count();
        EXPECT_NEAR(static_cast<double>(elapsed) * (1.0 + static_cast<double>(drift) / 1e6), 1e12, 10.0);
        const WallTime before = clock.wall_now();
        clock.jump_wall(-seconds(7));
        EXPECT_EQ(clock.wall_now().ns, before.ns - 7'000'000'000);
        EXPECT_GE(clock.now(), woke);
    }
}

}  // namespace
}  // namespace fixpoint::sim
