// Coroutines on the simulated executor: how they end, kills at any event, the executor's rules, the clock.
// Completions and cancels one by one are in operation_test.cpp.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "property_tests/sim_core/coroutine_world.hpp"
#include "sim/asio/clock.hpp"

namespace fixpoint::sim::coroutine_tests {
namespace {

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

// ---- killing

asio::awaitable<void> kill_yourself(World& world, bool& went_on, std::vector<Completion<int>>& asked) {
    const Frame frame;
    co_await sleep_until(world.manager, Instant(milliseconds(1)));
    world.scheduler.kill(world.manager.process());
    went_on = true;  // until the next wait
    auto starter = [&asked](const Completion<int>& completion) { asked.push_back(completion); };
    co_await await_result<int>(world.manager, starter);
    ADD_FAILURE() << "a dead process went on";
}

TEST_F(Coroutines, AProcessThatKillsItselfEndsAtItsNextWait) {
    World world;
    bool went_on = false;
    std::vector<Completion<int>> asked;
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

TEST_F(Coroutines, WhatADyingProcessHandsOverIsDestroyedWhenItsActionReturned) {
    World world;
    auto token = std::make_shared<int>(0);
    world.scheduler.post(world.manager.process(), [&] {
        const SimExecutor executor = world.manager.executor();
        world.scheduler.kill(world.manager.process());
        asio::post(executor, [token] { ++*token; });
        asio::dispatch(executor, [token] { ++*token; });
        EXPECT_EQ(token.use_count(), 3);
    });
    world.run();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_EQ(*token, 0);
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

RC_GTEST_PROP(SimClockProperty, NeverWakesEarlyHoweverItDrifts, (std::uint64_t seed)) {
    World world(seed);
    const Stream stream = world.chooser.stream("test");
    for (int i = 0; i < 20; ++i) {
        SimClock clock(world.manager, WallTime{},
                       {.drift_ppm = world.chooser.range(stream, -900'000, 900'000)});
        const Instant deadline = clock.now() + world.chooser.duration(stream, Duration(0), Duration(50));
        Instant woke{};
        spawn(world.manager, wake_at(clock, deadline, woke), [](const std::exception_ptr&) {});
        world.run();
        RC_ASSERT(woke >= deadline);
        RC_ASSERT(woke <= deadline + Duration(3));
    }
}

}  // namespace
}  // namespace fixpoint::sim::coroutine_tests
