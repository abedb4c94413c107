// Processes: killed (also by themselves, and at every step of a small world), restarted, paused, resumed.
// Plain actions only; kills of coroutines are in executor_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "property_tests/sim_core/scheduler_world.hpp"

namespace fixpoint::sim {
namespace {

using std::chrono::milliseconds;
using testing::at_ms;
using testing::World;

TEST(Process, KillDropsTheWorkAndKeepsThatOfOthers) {
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

TEST(Process, AProcessThatKillsItselfIsSweptWhenItsActionReturned) {
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

TEST(Process, DestructorsMayScheduleCancelAndKillDuringAKill) {
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

TEST(Process, AKillAtAnyStepLeaksNothing) {
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

TEST(Process, PauseHoldsTheWorkAndResumeRunsItInItsOrder) {
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

TEST(Process, OnlyHeldWorkIsNothingLeftAndAKillDropsHeldWork) {
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

}  // namespace
}  // namespace fixpoint::sim
