// When a fault is over: after its time, by what undoes it, or with all; each beside what does not end it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "property_tests/support/state_builder.hpp"
#include "sim/checkers/fault_ends.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::alias_of;
using enum FaultKind;

Fault of(FaultKind kind, int n = 0) {
    Fault f;
    f.kind = kind;
    if (n > 0) f.tablet = alias_of(n);
    return f;
}

// Of a fault at one second; the other one strikes at five.
std::optional<Instant> over_at(const Fault& fault, std::optional<Fault> later = std::nullopt,
                               std::optional<Instant> ceased = std::nullopt) {
    std::vector<DeliveredFault> all{{Instant(1s), fault, nullptr}};
    if (later) all.push_back({Instant(5s), *later, nullptr});
    return over(all.front(), all, ceased);
}

bool ended_by(const Fault& fault, const Fault& later) {
    return over_at(fault, later) == Instant(5s);
}

TEST(FaultEnds, AfterItsTimeOrWithAllWhicheverIsFirst) {
    Fault f = of(pause, 2);
    EXPECT_EQ(over_at(f), std::nullopt) << "until something undoes it";
    EXPECT_EQ(over_at(f, {}, Instant(9s)), Instant(9s));
    f.for_time = 3s;
    EXPECT_EQ(over_at(f), Instant(4s));
    EXPECT_EQ(over_at(f, {}, Instant(9s)), Instant(4s));
    EXPECT_EQ(over_at(f, {}, Instant(2s)), Instant(2s));
    f.for_time = {};
    f.permanent = true;
    EXPECT_EQ(over_at(f, {}, Instant(9s)), std::nullopt) << "for good";
    EXPECT_EQ(over_at(f, of(resume, 2), Instant(9s)), Instant(5s)) << "but not against that";
}

TEST(FaultEnds, WhatPeopleHoldOpenDoesNotCeaseWithTheEnvironment) {
    for (const FaultKind kind : {long_transaction, pause_shard}) {
        Fault f = of(kind, 1);
        EXPECT_EQ(over_at(f, {}, Instant(9s)), std::nullopt);
        f.for_time = 3s;
        EXPECT_EQ(over_at(f, {}, Instant(2s)), Instant(4s));
    }
}

TEST(FaultEnds, ADriftIsOverAtOnceAndAStartWhenItHasTakenItsTime) {
    EXPECT_EQ(over_at(of(set_writable, 2)), Instant(1s));
    EXPECT_EQ(over_at(of(heal)), Instant(1s));
    Fault slow = of(restart, 2);
    slow.amount = 7s;
    EXPECT_EQ(over_at(slow), Instant(8s));
}

TEST(FaultEnds, WhatUndoesAServersTrouble) {
    for (const FaultKind down : {crash, crash_before_durable, shutdown}) {
        EXPECT_TRUE(ended_by(of(down, 2), of(restart, 2)));
        EXPECT_TRUE(ended_by(of(down, 2), of(new_uuid, 2)));
        EXPECT_FALSE(ended_by(of(down, 2), of(restart, 3)));
        EXPECT_FALSE(ended_by(of(down, 2), of(resume, 2)));
    }
    EXPECT_TRUE(ended_by(of(pause, 2), of(restart, 2)));
    EXPECT_FALSE(ended_by(of(pause, 2), of(resume, 3)));
    EXPECT_TRUE(ended_by(of(restart_loop, 2), of(relay_log_lost, 2)));
    EXPECT_FALSE(ended_by(of(restart_loop, 2), of(new_uuid, 2))) << "the loop goes on";
    EXPECT_TRUE(ended_by(of(block_applier, 2), of(unblock_applier, 2)));
    EXPECT_FALSE(ended_by(of(block_applier, 2), of(unblock_applier, 3)));
    for (const FaultKind kind : {too_many_connections, wrong_password})
        EXPECT_FALSE(ended_by(of(kind, 2), of(restart, 2))) << "others come again";
    EXPECT_TRUE(ended_by(of(long_transaction, 2), of(shutdown, 2)));
    EXPECT_FALSE(ended_by(of(long_transaction, 2), of(shutdown, 3)));
}

TEST(FaultEnds, WhatHealsALink) {
    Fault link = of(cut);
    link.from_set = {"m1"};
    link.to_set = {"store"};
    const auto healed = [&](std::vector<std::string> from, std::vector<std::string> to) {
        Fault f = of(heal);
        f.from_set = std::move(from);
        f.to_set = std::move(to);
        return ended_by(link, f);
    };
    EXPECT_TRUE(healed({}, {}));
    EXPECT_TRUE(healed({"store"}, {}));
    EXPECT_TRUE(healed({"m1"}, {"store"}));
    EXPECT_FALSE(healed({"m2"}, {}));
    EXPECT_FALSE(healed({"m1"}, {"m2"}));
    EXPECT_FALSE(ended_by(of(pause, 2), of(heal)));
}

TEST(FaultEnds, StoresAndManagersComeBackEachByItsOwn) {
    Fault down = of(cell_store_down), up = of(cell_store_up);
    down.cell = "zone1";
    EXPECT_FALSE(ended_by(down, up));
    up.cell = "zone1";
    EXPECT_TRUE(ended_by(down, up));
    Fault one = of(manager_pause), another = of(manager_resume);
    one.manager = "m1";
    another.manager = "m2";
    EXPECT_FALSE(ended_by(one, another));
    EXPECT_TRUE(ended_by(one, of(manager_resume))) << "all of them";
    EXPECT_TRUE(ended_by(of(manager_pause), another)) << "somebody is back";
    EXPECT_TRUE(ended_by(one, of(manager_restart)));
    EXPECT_FALSE(ended_by(of(manager_crash), of(manager_resume)));
    EXPECT_TRUE(ended_by(of(store_unreachable), of(store_reachable)));
}

}  // namespace
}  // namespace fixpoint::sim
