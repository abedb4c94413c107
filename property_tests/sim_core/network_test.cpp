// The network: order, latencies, every kind of link fault with its counters, and that a fault does not shift
// the latencies of the rest of the run.
#include "sim/core/network.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

namespace fixpoint::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct World {
    explicit World(std::uint64_t seed = 1) : chooser(seed), scheduler(chooser), network(scheduler) {}

    // Sends `count` numbered packets, one each millisecond from now; runs until all that can arrive has.
    std::vector<int> exchange(Endpoint from, Endpoint to, int count) {
        std::vector<int> arrived;
        const Instant start = scheduler.now();
        for (int i = 0; i < count; ++i) {
            scheduler.at(sender, start + milliseconds(i), [&, i] {
                network.send(from, to, receiver, [&arrived, i] { arrived.push_back(i); });
            });
        }
        scheduler.at(sender, start + seconds(10), [] {});
        scheduler.run_until(start + seconds(10));
        return arrived;
    }

    Chooser chooser;
    Scheduler scheduler;
    Network network;
    Process& sender = scheduler.add_process("sender");
    Process& receiver = scheduler.add_process("receiver");
    Endpoint a = network.endpoint("a");
    Endpoint b = network.endpoint("b");
    Endpoint c = network.endpoint("c");
};

std::vector<int> numbers(int count) {
    std::vector<int> result;
    for (int i = 0; i < count; ++i) result.push_back(i);
    return result;
}

RC_GTEST_PROP(Network, KeepsTheOrderOfALink, (std::uint64_t seed)) {
    World world(seed);
    world.network.set_latency(world.a, world.b, {milliseconds(1), milliseconds(20), 200, milliseconds(50)});
    RC_ASSERT(world.exchange(world.a, world.b, 50) == numbers(50));
}

TEST(Network, ChannelsKeepTheirOrderButOvertakeEachOther) {
    World world(2);
    world.network.set_latency(world.a, world.b, {milliseconds(1), milliseconds(20), 0, {}});
    Channel first{world.a, world.b};
    Channel second{world.a, world.b};
    std::vector<int> arrived;
    for (int i = 0; i < 40; ++i) {
        world.network.send(i % 2 == 0 ? first : second, world.receiver,
                           [&arrived, i] { arrived.push_back(i); });
    }
    while (world.scheduler.step()) {
    }
    ASSERT_EQ(arrived.size(), 40U);
    EXPECT_FALSE(std::ranges::is_sorted(arrived));
    std::vector<int> by_channel[2];
    for (const int i : arrived) by_channel[i % 2].push_back(i);
    EXPECT_TRUE(std::ranges::is_sorted(by_channel[0]));
    EXPECT_TRUE(std::ranges::is_sorted(by_channel[1]));
}

TEST(Network, LatenciesAreWithinWhatTheLinkSays) {
    World world;
    world.network.set_latency(world.a, world.b, {milliseconds(2), milliseconds(3), 100, milliseconds(40)});
    int slow = 0;
    for (int i = 0; i < 500; ++i) {
        Channel own{world.a, world.b};
        const Instant sent = world.scheduler.now();
        world.network.send(own, world.receiver, [&, sent] {
            const Duration took = world.scheduler.now() - sent;
            EXPECT_GE(took, milliseconds(2));
            EXPECT_LE(took, milliseconds(45));
            if (took > milliseconds(5)) ++slow;
        });
        while (world.scheduler.step()) {
        }
    }
    EXPECT_GT(slow, 10);
    EXPECT_LT(slow, 120);
}

TEST(Network, FrozenLatenciesDrawNothing) {
    World world;
    world.network.set_latency(world.a, world.b, {milliseconds(2), milliseconds(3), 100, milliseconds(40)});
    world.network.freeze_latencies();
    const std::uint64_t before = world.chooser.choices_made();
    const Instant sent = world.scheduler.now();
    world.network.send(world.a, world.b, world.receiver, [] {});
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(world.scheduler.now() - sent, milliseconds(2));
    EXPECT_EQ(world.chooser.choices_made(), before);
}

TEST(Network, ATwoWayCutStopsBothDirectionsUntilItIsHealed) {
    World world;
    const LinkFaultId cut = world.network.cut({world.a}, {world.b, world.c});
    EXPECT_FALSE(world.network.reachable(world.a, world.b));
    EXPECT_FALSE(world.network.reachable(world.b, world.a));
    EXPECT_FALSE(world.network.reachable(world.c, world.a));
    EXPECT_TRUE(world.network.reachable(world.b, world.c));
    EXPECT_TRUE(world.exchange(world.a, world.b, 5).empty());
    EXPECT_TRUE(world.exchange(world.b, world.a, 5).empty());
    EXPECT_EQ(world.exchange(world.b, world.c, 5), numbers(5));
    EXPECT_EQ(world.network.touched(cut), 10U);
    EXPECT_TRUE(world.network.heal(cut));
    EXPECT_FALSE(world.network.heal(cut));
    EXPECT_EQ(world.network.touched(cut), 10U);
    EXPECT_EQ(world.exchange(world.a, world.b, 5), numbers(5));
    const LinkFaultCounters& counters = world.network.counters(LinkFaultKind::cut);
    EXPECT_EQ(counters.requested, 1U);
    EXPECT_EQ(counters.delivered, 1U);
    EXPECT_EQ(counters.observed, 10U);
    EXPECT_EQ(world.network.counters().dropped, 10U);
}

TEST(Network, AOneWayCutStopsOneDirection) {
    World world;
    world.network.cut({world.a}, {world.b}, false);
    EXPECT_FALSE(world.network.reachable(world.a, world.b));
    EXPECT_TRUE(world.network.reachable(world.b, world.a));
    EXPECT_FALSE(world.network.reachable_both_ways(world.b, world.a));
    EXPECT_TRUE(world.exchange(world.a, world.b, 5).empty());
    EXPECT_EQ(world.exchange(world.b, world.a, 5), numbers(5));
}

TEST(Network, OverlappingCutsHealOneByOne) {
    World world;
    const LinkFaultId first = world.network.cut({world.a}, {world.b});
    const LinkFaultId second = world.network.cut({world.a, world.c}, {world.b});
    world.network.heal(first);
    EXPECT_FALSE(world.network.reachable(world.a, world.b));
    world.network.heal(second);
    EXPECT_TRUE(world.network.reachable(world.a, world.b));
}

TEST(Network, ACutDropsWhatIsInFlight) {
    World world;
    auto token = std::make_shared<int>(0);
    world.network.send(world.a, world.b, world.receiver, [token] { ++*token; });
    world.network.cut({world.a}, {world.b});
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(*token, 0);
    EXPECT_EQ(token.use_count(), 1);
}

TEST(Network, LossLosesSomeAndAllWhenAsked) {
    World world;
    const LinkFaultId some = world.network.add_fault({LinkFaultKind::loss, {world.a}, {world.b}, true, 300});
    EXPECT_TRUE(world.network.reachable(world.a, world.b));
    const std::vector<int> arrived = world.exchange(world.a, world.b, 400);
    EXPECT_NEAR(static_cast<double>(arrived.size()), 280, 50);
    EXPECT_EQ(world.network.touched(some), 400 - arrived.size());
    world.network.heal(some);
    world.network.add_fault({LinkFaultKind::loss, {world.a}, {world.b}, true, 1000});
    EXPECT_FALSE(world.network.reachable(world.a, world.b));
    EXPECT_TRUE(world.exchange(world.a, world.b, 20).empty());
}

TEST(Network, DelayAddsToEachPacket) {
    World world;
    world.network.freeze_latencies();
    world.network.set_latency(world.a, world.b, {milliseconds(2)});
    world.network.add_fault({LinkFaultKind::delay, {world.a}, {world.b}, true, 1000, seconds(1)});
    world.network.send(world.a, world.b, world.receiver, [] {});
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(world.scheduler.now(), Instant(seconds(1) + milliseconds(2)));
}

TEST(Network, ReorderBreaksTheOrderAndLosesNothing) {
    World world;
    const LinkFaultId fault =
        world.network.add_fault({LinkFaultKind::reorder, {world.a}, {world.b}, true, 500, milliseconds(30)});
    std::vector<int> arrived = world.exchange(world.a, world.b, 60);
    EXPECT_FALSE(std::ranges::is_sorted(arrived));
    std::ranges::sort(arrived);
    EXPECT_EQ(arrived, numbers(60));
    EXPECT_GT(world.network.touched(fault), 10U);
}

TEST(Network, DuplicateRunsTheActionTwice) {
    World world;
    world.network.add_fault({LinkFaultKind::duplicate, {world.a}, {world.b}, true, 1000});
    int ran = 0;
    Channel channel{world.a, world.b};
    world.network.send_copyable(channel, world.receiver, [&] { ++ran; });
    world.network.send(channel, world.receiver, [&] { ran += 100; });  // cannot be copied: once
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(ran, 102);
    EXPECT_EQ(world.network.counters().duplicated, 1U);
}

TEST(Network, AClogHoldsEverythingAndReleasesItInOrder) {
    World world;
    const LinkFaultId clog = world.network.clog({world.a}, {world.b}, false);
    EXPECT_FALSE(world.network.reachable(world.a, world.b));
    std::vector<int> arrived;
    for (int i = 0; i < 10; ++i) {
        world.network.send(world.a, world.b, world.receiver, [&arrived, i] { arrived.push_back(i); });
    }
    const Instant healed = Instant(seconds(3));
    world.scheduler.at(world.sender, healed, [&] {
        EXPECT_TRUE(arrived.empty());
        EXPECT_TRUE(world.network.heal(clog));
        world.network.send(world.a, world.b, world.receiver, [&arrived] { arrived.push_back(10); });
    });
    world.scheduler.at(world.sender, healed + seconds(1), [] {});
    world.scheduler.run_until(healed);
    EXPECT_EQ(arrived, numbers(10));
    world.scheduler.run_until(healed + seconds(1));
    EXPECT_EQ(arrived, numbers(11));
    EXPECT_EQ(world.network.touched(clog), 10U);
    EXPECT_EQ(world.network.counters().held, 10U);
}

RC_GTEST_PROP(Network, ClogsAndHealsAtAnyInstantKeepTheOrder, (std::uint64_t seed)) {
    World world(seed);
    const Stream stream = world.chooser.stream("nemesis");
    world.network.set_latency(world.a, world.b, {milliseconds(1), milliseconds(2), 100, milliseconds(5)});
    LinkFaultId clog;
    for (int i = 0; i < 20; ++i) {
        const Duration when = milliseconds(world.chooser.range(stream, 0, 60));
        world.scheduler.at(world.sender, Instant(when), [&] {
            if (clog) {
                world.network.heal(clog);
                clog = {};
            } else {
                clog = world.network.clog({world.a}, {world.b});
            }
        });
    }
    world.scheduler.at(world.sender, Instant(milliseconds(100)), [&] { world.network.heal_all(); });
    RC_ASSERT(world.exchange(world.a, world.b, 60) == numbers(60));
}

// A packet that arrives at the very instant of the heal, behind one that was held.
TEST(Network, AHealLetsNobodyOvertakeWhatWasHeld) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        World world(seed);
        world.network.freeze_latencies();
        world.network.set_latency(world.a, world.b, {milliseconds(1)});
        const LinkFaultId clog = world.network.clog({world.a}, {world.b});
        std::vector<int> arrived;
        const auto send = [&](int number) {
            world.network.send(world.a, world.b, world.receiver,
                               [&arrived, number] { arrived.push_back(number); });
        };
        send(0);
        world.scheduler.at(world.sender, Instant(milliseconds(2)), [&] { send(1); });
        world.scheduler.at(world.sender, Instant(milliseconds(3)), [&] { world.network.heal(clog); });
        while (world.scheduler.step()) {
        }
        EXPECT_EQ(arrived, numbers(2));
    }
}

TEST(Network, ALinkCloggedAnewAtTheHealStaysClogged) {
    World world;
    const LinkFaultId first = world.network.clog({world.a}, {world.b});
    std::vector<int> arrived;
    for (int i = 0; i < 5; ++i) {
        world.network.send(world.a, world.b, world.receiver, [&arrived, i] { arrived.push_back(i); });
    }
    while (world.scheduler.step()) {
    }
    world.network.heal(first);
    const LinkFaultId second = world.network.clog({world.a}, {world.b});
    while (world.scheduler.step()) {
    }
    EXPECT_TRUE(arrived.empty());
    const LinkFaultId cut = world.network.cut({world.a}, {world.b});
    world.network.send(world.a, world.b, world.receiver, [&arrived] { arrived.push_back(99); });  // dropped
    world.network.heal(cut);
    world.network.heal(second);
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(arrived, numbers(5));
}

TEST(Network, AKillOfTheReceiverDropsWhatIsInFlightAndWhatAClogHolds) {
    World world;
    auto token = std::make_shared<int>(0);
    const LinkFaultId clog = world.network.clog({world.a}, {world.b});
    world.network.send(world.a, world.b, world.receiver, [token] { ++*token; });
    world.exchange(world.c, world.b, 1);
    EXPECT_EQ(world.network.counters().held, 1U);
    world.network.send(world.c, world.b, world.receiver, [token] { ++*token; });
    EXPECT_EQ(token.use_count(), 3);
    world.scheduler.kill(world.receiver);
    EXPECT_EQ(token.use_count(), 1);
    world.scheduler.restart(world.receiver);
    world.network.heal(clog);
    while (world.scheduler.step()) {
    }
    EXPECT_EQ(*token, 0);
    EXPECT_EQ(world.exchange(world.a, world.b, 3), numbers(3));
}

RC_GTEST_PROP(Network, AFaultShiftsNoLatency, (std::uint64_t seed)) {
    const auto arrivals = [&](bool with_fault) {
        World world(seed);
        std::map<int, Instant> at;
        if (with_fault) {
            world.network.add_fault({LinkFaultKind::loss, {world.a}, {world.b}, true, 500});
            world.network.add_fault({LinkFaultKind::reorder, {world.a}, {world.b}, true, 500, Duration(0)});
        }
        for (int i = 0; i < 20; ++i) {
            for (const Endpoint to : {world.b, world.c}) {
                Channel own{world.a, to};
                const int number = to == world.b ? i : 100 + i;
                world.network.send(own, world.receiver, [&, number] { at[number] = world.scheduler.now(); });
            }
        }
        while (world.scheduler.step()) {
        }
        return at;
    };
    const std::map<int, Instant> healthy = arrivals(false);
    const std::map<int, Instant> faulty = arrivals(true);
    RC_ASSERT(healthy.size() == 40U);
    RC_ASSERT(faulty.size() < 40U);
    for (const auto& [number, at] : faulty) RC_ASSERT(healthy.at(number) == at);
}

TEST(Network, AFaultThatLiesOnNoLinkIsRequestedButNotDelivered) {
    World world;
    world.network.cut({world.a}, {});
    world.network.cut({world.a}, {world.a});
    EXPECT_EQ(world.network.counters(LinkFaultKind::cut).requested, 2U);
    EXPECT_EQ(world.network.counters(LinkFaultKind::cut).delivered, 0U);
}

}  // namespace
}  // namespace fixpoint::sim
