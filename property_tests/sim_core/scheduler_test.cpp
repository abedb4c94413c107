// The scheduler: order, cancelling, and that equal seeds give equal runs.
// Worlds here are small and made of plain actions; killing and pausing are in process_test.cpp,
// coroutines in executor_test.cpp.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "property_tests/sim_core/scheduler_world.hpp"

namespace fixpoint::sim {
namespace {

using std::chrono::milliseconds;
using testing::at_ms;
using testing::World;

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
    EXPECT_EQ(world.scheduler.run_until(at_ms(5) + Duration(1)), RunEnd::reached);
    EXPECT_EQ(world.scheduler.now(), at_ms(5) + Duration(1));
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

TEST(Scheduler, ChangingTheOrderKeepsWhatIsDue) {
    World world(1, Order::drawn);
    std::vector<int> ran;
    std::vector<Process*> processes;
    for (int i = 0; i < 4; ++i) processes.push_back(&world.scheduler.add_process("p"));
    for (int i = 0; i < 12; ++i) world.scheduler.post(*processes[i % 4], [&ran, i] { ran.push_back(i); });
    world.scheduler.set_order(Order::fifo);
    for (int i = 0; i < 6; ++i) world.scheduler.step();
    EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4, 5}));
    world.scheduler.set_order(Order::drawn);
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(ran.size(), 12U);
}

TEST(Scheduler, TheHashTellsTimeProcessKindAndNotesApart) {
    const auto hash = [](int process, std::int64_t ms, EventKind kind, std::uint64_t note) {
        World world;
        std::vector<Process*> processes;
        for (int i = 0; i < 2; ++i) processes.push_back(&world.scheduler.add_process("p"));
        const auto action = [&] { world.scheduler.note(note); };
        world.scheduler.at(*processes[process], at_ms(ms), action, kind);
        world.scheduler.step();
        return world.scheduler.event_hash();
    };
    const std::uint64_t usual = hash(0, 1, EventKind::timer, 1);
    EXPECT_EQ(hash(0, 1, EventKind::timer, 1), usual);
    EXPECT_NE(hash(1, 1, EventKind::timer, 1), usual);
    EXPECT_NE(hash(0, 2, EventKind::timer, 1), usual);
    EXPECT_NE(hash(0, 1, EventKind::client, 1), usual);
    EXPECT_NE(hash(0, 1, EventKind::timer, 2), usual);
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
