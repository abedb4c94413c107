// The scheduler: order, cancelling, killing, pausing, and that equal seeds give equal runs.
// Worlds here are small and made of plain actions; coroutines are tested in executor_test.cpp.
#include "sim/core/scheduler.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace fixpoint::sim {
namespace {

using std::chrono::milliseconds;

Instant at_ms(std::int64_t ms) {
    return Instant(milliseconds(ms));
}

struct World {
    explicit World(std::uint64_t seed = 1, Order order = Order::drawn)
        : chooser(seed), scheduler(chooser, order) {}
    Chooser chooser;
    Scheduler scheduler;
};

TEST(Scheduler, RunsByTimeAndThenInTheOrderOfScheduling) {
    for (const Order order : {Order::fifo, Order::drawn}) {
        World world(1, order);
        Process& process = world.scheduler.add_process("one");
        std::vector<int> ran;
        world.scheduler.at(process, at_ms(2), [&] { ran.push_back(3); });
        world.scheduler.at(process, at_ms(1), [&] {
            ran.push_back(1);
            world.scheduler.post(process, [&] { ran.push_back(2); });
        });
        world.scheduler.at(process, at_ms(2), [&] {
            ran.push_back(4);
            world.scheduler.at(process, at_ms(0), [&] { ran.push_back(6); });  // the past means now
            world.scheduler.post(process, [&] { ran.push_back(7); });
        });
        world.scheduler.at(process, at_ms(2), [&] { ran.push_back(5); });
        EXPECT_EQ(world.scheduler.run_until(at_ms(10)), RunEnd::nothing_left);
        EXPECT_EQ(ran, (std::vector<int>{1, 2, 3, 4, 5, 6, 7}));
        EXPECT_EQ(world.scheduler.now(), at_ms(2));
        EXPECT_EQ(world.scheduler.counters().events, 7U);
        EXPECT_EQ(world.scheduler.counters().timers, 4U);
    }
}

TEST(Scheduler, ReachesTheEndOnlyWhenSomethingIsLeftBeyondIt) {
    World world;
    Process& process = world.scheduler.add_process("one");
    int ran = 0;
    world.scheduler.at(process, at_ms(5), [&] { ++ran; });
    world.scheduler.at(process, at_ms(6), [&] { ++ran; });
    EXPECT_EQ(world.scheduler.run_until(at_ms(5)), RunEnd::reached);
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(world.scheduler.now(), at_ms(5));
    EXPECT_EQ(world.scheduler.next_event_at(), at_ms(6));
    EXPECT_EQ(world.scheduler.run_until(at_ms(9)), RunEnd::nothing_left);
    EXPECT_EQ(world.scheduler.now(), at_ms(6));
}

TEST(Scheduler, StopsWhenAskedAndAtTheEventLimit) {
    World world;
    Process& process = world.scheduler.add_process("one");
    int ran = 0;
    std::function<void()> forever = [&] {
        if (++ran == 10) world.scheduler.request_stop();
        world.scheduler.post(process, [&] { forever(); });
    };
    world.scheduler.post(process, [&] { forever(); });
    EXPECT_EQ(world.scheduler.run_until(at_ms(1)), RunEnd::stopped);
    EXPECT_EQ(ran, 10);
    world.scheduler.set_event_limit(100);
    EXPECT_EQ(world.scheduler.run_until(at_ms(1)), RunEnd::event_limit);
    EXPECT_EQ(ran, 100);
    world.scheduler.set_event_limit(1000);
    EXPECT_EQ(world.scheduler.run_while([&] { return ran < 200; }), RunEnd::reached);
    EXPECT_EQ(ran, 200);
}

TEST(Scheduler, CancelDestroysTheActionOnceAndIsHarmlessAfterwards) {
    World world;
    Process& process = world.scheduler.add_process("one");
    auto token = std::make_shared<int>(0);
    const TimerId timer = world.scheduler.at(process, at_ms(1), [token] { ++*token; });
    const TimerId posted = world.scheduler.post(process, [token] { ++*token; });
    EXPECT_EQ(token.use_count(), 3);
    EXPECT_TRUE(world.scheduler.cancel(timer));
    EXPECT_TRUE(world.scheduler.cancel(posted));
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_FALSE(world.scheduler.cancel(timer));
    // The event's memory is used again: the old name must not reach the new event.
    world.scheduler.at(process, at_ms(1), [token] { ++*token; });
    world.scheduler.at(process, at_ms(1), [token] { ++*token; });
    EXPECT_FALSE(world.scheduler.cancel(timer));
    EXPECT_FALSE(world.scheduler.cancel(posted));
    EXPECT_FALSE(world.scheduler.cancel(TimerId{}));
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(*token, 2);
}

TEST(Scheduler, AnActionCannotCancelItself) {
    World world;
    Process& process = world.scheduler.add_process("one");
    TimerId self;
    bool cancelled = true;
    auto token = std::make_shared<int>(7);
    self = world.scheduler.at(process, at_ms(1), [&, token] {
        cancelled = world.scheduler.cancel(self);
        EXPECT_EQ(*token, 7);
    });
    EXPECT_TRUE(world.scheduler.step());
    EXPECT_FALSE(cancelled);
    EXPECT_EQ(token.use_count(), 1);
}

RC_GTEST_PROP(Scheduler, RunsAnyMixOfTimersInOrderWithoutTheCancelled, (std::uint64_t seed)) {
    World world(seed);
    Chooser plan(seed ^ 0xabcdef);
    const Stream stream = plan.stream("plan");
    std::vector<Process*> processes;
    for (int i = 0; i < 4; ++i) processes.push_back(&world.scheduler.add_process("p" + std::to_string(i)));
    struct Ran {
        std::uint32_t process;
        Instant at;
        int number;
    };
    std::vector<Ran> ran;
    std::vector<std::pair<TimerId, int>> timers;
    std::vector<Instant> due;
    for (int i = 0; i < 300; ++i) {
        Process& process = *processes[plan.choose(stream, 4)];
        due.push_back(at_ms(plan.range(stream, 0, 20)));
        const TimerId timer = world.scheduler.at(process, due.back(), [&ran, &process, &world, i] {
            ran.push_back({process.id(), world.scheduler.now(), i});
        });
        timers.emplace_back(timer, i);
    }
    std::vector<int> cancelled;
    for (const auto& [timer, number] : timers) {
        if (!plan.chance(stream, 300)) continue;
        RC_ASSERT(world.scheduler.cancel(timer));
        cancelled.push_back(number);
    }
    while (world.scheduler.step()) {
    }
    RC_ASSERT(ran.size() + cancelled.size() == timers.size());
    for (std::size_t i = 0; i < ran.size(); ++i) {
        RC_ASSERT(ran[i].at == due[static_cast<std::size_t>(ran[i].number)]);
        RC_ASSERT(std::ranges::find(cancelled, ran[i].number) == cancelled.end());
        if (i > 0) RC_ASSERT(ran[i - 1].at <= ran[i].at);
        for (std::size_t j = 0; j < i; ++j) {  // each process keeps its own order
            if (ran[j].process == ran[i].process && ran[j].at == ran[i].at)
                RC_ASSERT(ran[j].number < ran[i].number);
        }
    }
}

TEST(Scheduler, DrawsWhichProcessRunsNext) {
    std::vector<std::string> orders;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        World world(seed);
        std::string order;
        for (const char* name : {"a", "b", "c"}) {
            Process& process = world.scheduler.add_process(name);
            world.scheduler.at(process, at_ms(1), [&order, name] { order += name; });
        }
        while (world.scheduler.step()) {
        }
        orders.push_back(order);
    }
    std::ranges::sort(orders);
    orders.erase(std::ranges::unique(orders).begin(), orders.end());
    EXPECT_EQ(orders.size(), 6U);
}

TEST(Scheduler, FifoDrawsNothing) {
    World world(1, Order::fifo);
    for (int i = 0; i < 5; ++i) {
        Process& process = world.scheduler.add_process("p");
        world.scheduler.at(process, at_ms(1), [] {});
    }
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(world.chooser.choices_made(), 0U);
}

TEST(Scheduler, KillDropsTheWorkAndKeepsThatOfOthers) {
    for (const Order order : {Order::fifo, Order::drawn}) {
        World world(3, order);
        Process& victim = world.scheduler.add_process("victim");
        Process& other = world.scheduler.add_process("other");
        auto token = std::make_shared<int>(0);
        int others = 0;
        for (int i = 0; i < 10; ++i) {
            world.scheduler.at(victim, at_ms(i), [token] { ++*token; });
            world.scheduler.at(other, at_ms(i), [&] { ++others; });
            world.scheduler.post(victim, [token] { ++*token; });
        }
        world.scheduler.kill(victim);
        EXPECT_EQ(token.use_count(), 1);
        EXPECT_FALSE(world.scheduler.post(victim, [token] { ++*token; }));
        EXPECT_EQ(token.use_count(), 1);
        while (world.scheduler.step()) {
        }
        EXPECT_EQ(*token, 0);
        EXPECT_EQ(others, 10);
        world.scheduler.restart(victim);
        EXPECT_EQ(victim.incarnation(), 2U);
        world.scheduler.post(victim, [token] { ++*token; });
        while (world.scheduler.step()) {
        }
        EXPECT_EQ(*token, 1);
    }
}

struct Counting : KillListener {
    int kills = 0;
    void on_kill(Process&) override { ++kills; }
};

TEST(Scheduler, AProcessThatKillsItselfIsSweptWhenItsActionReturned) {
    World world;
    Process& process = world.scheduler.add_process("one");
    Counting listener;
    process.listen(listener);
    auto token = std::make_shared<int>(0);
    world.scheduler.at(process, at_ms(2), [token] { ++*token; });
    world.scheduler.at(process, at_ms(1), [&, token] {
        world.scheduler.kill(process);
        EXPECT_FALSE(process.alive());
        EXPECT_EQ(listener.kills, 0);
        EXPECT_FALSE(world.scheduler.post(process, [token] { ++*token; }));
        EXPECT_EQ(*token, 0);  // the captured state is still there
    });
    EXPECT_TRUE(world.scheduler.step());
    EXPECT_EQ(listener.kills, 1);
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_FALSE(world.scheduler.step());
    EXPECT_EQ(*token, 0);
}

TEST(Scheduler, DestructorsMayScheduleCancelAndKillDuringAKill) {
    World world;
    Process& victim = world.scheduler.add_process("victim");
    Process& second = world.scheduler.add_process("second");
    Process& other = world.scheduler.add_process("other");
    int told = 0;
    struct AtDestruction {
        std::function<void()> todo;
        explicit AtDestruction(std::function<void()> f) : todo(std::move(f)) {}
        ~AtDestruction() { todo(); }
    };
    const TimerId sibling = world.scheduler.at(victim, at_ms(9), [] {});
    auto destroyed = std::make_shared<AtDestruction>([&] {
        EXPECT_FALSE(world.scheduler.cancel(sibling));
        EXPECT_FALSE(world.scheduler.post(victim, [&] { ++told; }));
        EXPECT_TRUE(world.scheduler.post(other, [&] { ++told; }));
        world.scheduler.kill(second);
    });
    world.scheduler.at(victim, at_ms(3), [held = std::move(destroyed)] {});
    world.scheduler.at(second, at_ms(3), [&] { told += 100; });
    world.scheduler.kill(victim);
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(told, 1);
    EXPECT_FALSE(second.alive());
}

// A small world in which processes pass a shared token around; killed at every one of its steps.
struct Ring {
    World world;
    std::vector<Process*> processes;
    std::shared_ptr<int> token = std::make_shared<int>(0);

    explicit Ring(std::uint64_t seed) : world(seed) {
        for (int i = 0; i < 5; ++i)
            processes.push_back(&world.scheduler.add_process("p" + std::to_string(i)));
        for (Process* process : processes) pass(*process, token, 6);
    }
    void pass(Process& process, std::shared_ptr<int> held, int rounds) {
        world.scheduler.after(process, milliseconds(1), [this, &process, held, rounds] {
            ++*held;
            if (rounds == 0) return;
            pass(*processes[(process.id() + 1) % processes.size()], held, rounds - 1);
            if (rounds == 3) world.scheduler.post(process, [held] { ++*held; });
        });
    }
};

TEST(Scheduler, AKillAtAnyStepLeaksNothing) {
    int steps = 0;
    {
        Ring whole(5);
        while (whole.world.scheduler.step()) ++steps;
    }
    ASSERT_GT(steps, 30);
    for (int kill_at = 0; kill_at <= steps; ++kill_at) {
        for (std::size_t victim = 0; victim < 5; ++victim) {
            std::weak_ptr<int> watched;
            {
                Ring ring(5);
                watched = ring.token;
                for (int i = 0; i < kill_at; ++i) ring.world.scheduler.step();
                ring.world.scheduler.kill(*ring.processes[victim]);
                if (kill_at % 3 == 0) ring.world.scheduler.restart(*ring.processes[victim]);
                for (int i = 0; kill_at % 2 == 0 && ring.world.scheduler.step(); ++i) {
                    ASSERT_LT(i, 1000);
                }
                if (kill_at % 2 == 0) {
                    EXPECT_EQ(ring.token.use_count(), 1);
                }
            }
            EXPECT_TRUE(watched.expired());
        }
    }
}

TEST(Scheduler, PauseHoldsTheWorkAndResumeRunsItInItsOrder) {
    for (const Order order : {Order::fifo, Order::drawn}) {
        World world(4, order);
        Process& paused = world.scheduler.add_process("paused");
        Process& other = world.scheduler.add_process("other");
        std::vector<int> ran;
        int others = 0;
        for (int i = 0; i < 5; ++i) {
            world.scheduler.at(paused, at_ms(i + 1), [&, i] { ran.push_back(i); });
            world.scheduler.at(other, at_ms(i + 1), [&] { ++others; });
        }
        world.scheduler.at(other, at_ms(50), [&] { ++others; });
        const TimerId cancelled = world.scheduler.at(paused, at_ms(3), [&] { ran.push_back(99); });
        EXPECT_EQ(world.scheduler.run_until(at_ms(1)), RunEnd::reached);
        world.scheduler.post(paused, [&] { ran.push_back(10); });
        world.scheduler.pause(paused);
        EXPECT_EQ(world.scheduler.run_until(at_ms(10)), RunEnd::reached);
        world.scheduler.post(paused, [&] { ran.push_back(11); });
        EXPECT_TRUE(world.scheduler.cancel(cancelled));
        EXPECT_EQ(ran, (std::vector<int>{0}));
        EXPECT_EQ(others, 5);
        world.scheduler.resume(paused);
        EXPECT_EQ(world.scheduler.run_until(at_ms(20)), RunEnd::reached);
        EXPECT_EQ(ran, (std::vector<int>{0, 10, 1, 2, 3, 4, 11}));
    }
}

TEST(Scheduler, OnlyHeldWorkIsNothingLeftAndAKillDropsHeldWork) {
    World world;
    Process& paused = world.scheduler.add_process("paused");
    auto token = std::make_shared<int>(0);
    world.scheduler.at(paused, at_ms(1), [token] { ++*token; });
    world.scheduler.pause(paused);
    EXPECT_EQ(world.scheduler.run_until(at_ms(5)), RunEnd::nothing_left);
    EXPECT_EQ(token.use_count(), 2);
    world.scheduler.kill(paused);
    EXPECT_EQ(token.use_count(), 1);
    world.scheduler.restart(paused);
    EXPECT_FALSE(paused.paused());
    world.scheduler.post(paused, [token] { ++*token; });
    EXPECT_TRUE(world.scheduler.step());
    EXPECT_EQ(*token, 1);
}

TEST(Scheduler, ChangingTheOrderKeepsWhatIsDue) {
    World world(1, Order::drawn);
    std::vector<int> ran;
    for (int i = 0; i < 4; ++i) {
        Process& process = world.scheduler.add_process("p");
        for (int j = 0; j < 3; ++j)
            world.scheduler.post(process, [&ran, i, j] { ran.push_back(10 * i + j); });
    }
    world.scheduler.set_order(Order::fifo);
    EXPECT_TRUE(world.scheduler.step());
    EXPECT_EQ(ran, std::vector<int>{0});
    world.scheduler.set_order(Order::drawn);
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(ran.size(), 12U);
}

// Draws, timers, cancels, kills and notes; the hash of a run of it.
std::uint64_t busy_run(Chooser& chooser, int events) {
    Scheduler scheduler(chooser);
    const Stream stream = chooser.stream("busy");
    std::vector<Process*> processes;
    for (int i = 0; i < 6; ++i) processes.push_back(&scheduler.add_process("p" + std::to_string(i)));
    std::vector<TimerId> timers;
    std::function<void(Process&)> act = [&](Process& process) {
        const std::uint64_t what = chooser.choose(stream, 10);
        Process& next = *processes[chooser.choose(stream, processes.size())];
        if (what == 0 && !timers.empty()) scheduler.cancel(timers[chooser.choose(stream, timers.size())]);
        if (what == 1 && next.alive() && &next != &process) {
            scheduler.kill(next);
            scheduler.restart(next);
        }
        scheduler.note(what);
        const Duration delay = chooser.duration(stream, milliseconds(0), milliseconds(3));
        timers.push_back(scheduler.after(next, delay, [&act, &next] { act(next); }));
        timers.push_back(scheduler.after(process, milliseconds(2), [&act, &process] { act(process); }));
        if (timers.size() > 40) scheduler.cancel(timers[timers.size() - 40]);
    };
    for (Process* process : processes) scheduler.post(*process, [&act, process] { act(*process); });
    for (int i = 0; i < events && scheduler.step(); ++i) {
    }
    return scheduler.event_hash();
}

RC_GTEST_PROP(Scheduler, EqualSeedsGiveEqualRunsWhateverTheHeapLooksLike, (std::uint64_t seed)) {
    Chooser first(seed);
    const std::uint64_t hash = busy_run(first, 2000);
    std::vector<std::unique_ptr<char[]>> junk;  // the same addresses must not come back
    for (std::size_t i = 1; i < 200; ++i) junk.push_back(std::make_unique<char[]>(i * 37 % 900 + 1));
    for (std::size_t i = 0; i < junk.size(); i += 2) junk[i].reset();
    Chooser again(seed);
    RC_ASSERT(busy_run(again, 2000) == hash);
    Chooser different(seed + 1);
    RC_ASSERT(busy_run(different, 2000) != hash);
}

RC_GTEST_PROP(Scheduler, AReplayedChoiceSequenceGivesTheSameHash, (std::uint64_t seed)) {
    Chooser first(seed);
    first.record(true);
    const std::uint64_t hash = busy_run(first, 500);
    Chooser replay(seed + 12345, first.recorded(), Chooser::Afterwards::zero);
    replay.record(true);
    RC_ASSERT(busy_run(replay, 500) == hash);
    RC_ASSERT(replay.recorded() == first.recorded());
}

}  // namespace
}  // namespace fixpoint::sim
