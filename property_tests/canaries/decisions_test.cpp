// The weaknesses that no run shows (engine/canaries/NOT_CAUGHT.md says of each why): here the decision or the
// event that its rule is about is seen to differ, with it and without, so that they are planted all the same.
// It refuses to stand in for a run: what stands in caught_by.txt needs no line here.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/sim/run.hpp"
#include "property_tests/engine_pure/facts_builder.hpp"
#include "property_tests/world/scenarios.hpp"

namespace fixpoint {
namespace {

using facts::by;
using facts::past;
using facts::shard;
using facts::Shard;
using namespace std::chrono_literals;

template <class Decide>
auto under(Canary canary, Decide decide) {
    plant({canary});
    auto decision = decide();
    plant({});
    return decision;
}

TEST(Decisions, qualified_by_executed) {
    Shard s = shard("semi_sync", {102});
    const sql::GtidsAnswer log{by(101, 11, 11), s[101].executed};  // 11 waits, perhaps for 102's former word
    const auto complete = [&] { return is_complete(s, s[102], log, {}); };
    EXPECT_FALSE(complete());
    EXPECT_TRUE(under(Canary::qualified_by_executed, complete));
}

TEST(Decisions, phantom_is_received) {
    Shard s = shard("semi_sync", {102});
    s[102].received = by(101, 10, 10);
    s[102].executed.subtract(by(101, 10, 10));
    const sql::GtidsAnswer log{{}, s[101].executed};
    const auto complete = [&] { return is_complete(s, s[102], log, by(101, 10, 10)); };
    EXPECT_FALSE(complete());
    EXPECT_TRUE(under(Canary::phantom_is_received, complete));
}

TEST(Decisions, off_but_still_acknowledging) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    facts::add_reader(s, 104);
    s[104].received = by(101, 11, 20);
    s[104].acks_in_effect_at_first = true;
    const auto asked = [&] { return demanded(s, revocation(s)).contains(by(101, 11, 20)); };
    EXPECT_TRUE(asked());
    EXPECT_FALSE(under(Canary::off_but_still_acknowledging, asked));
}

TEST(Decisions, closed_though_not_restart_safe) {
    Shard s = shard("semi_sync", {102}).close_primary();
    facts::silence(s[102]);
    s[101].restart_safe = false;
    const auto revoked = [&] { return revocation(s).holds(); };
    EXPECT_FALSE(revoked());
    EXPECT_TRUE(under(Canary::closed_though_not_restart_safe, revoked));
}

TEST(Decisions, opening_waits_for_a_stuck_closing) {
    Shard s = shard("semi_sync", {102});
    s.tablets.push_back(facts::replica(100, past()));
    s[100].writable = s[100].closing_pending = s[100].offline_mode = true;
    const auto opens = [&] { return may_open(s).verdict == OpeningVerdict::may_open; };
    EXPECT_TRUE(opens());
    EXPECT_FALSE(under(Canary::opening_waits_for_a_stuck_closing, opens));
}

// ---- what only takes longer: the event that its rule forbids is in the run

bool says(const sim::Scenario& scenario, const std::string& text) {
    const sim::Run run = sim::simulate(scenario, {.timeline = true});
    return std::ranges::any_of(run.timeline, [&](const sim::TimelineEntry& entry) {
        return entry.text.find(text) != std::string::npos;
    });
}

sim::Fault on_statement(sim::FaultKind kind, const char* what, const char* tablet) {
    sim::Fault fault;
    fault.kind = kind;
    fault.tablet = sim::alias(tablet);
    fault.when.event = "statement";
    fault.when.recovery = "emergency_reparent";
    fault.when.what = what;
    fault.when.tablet = tablet;
    return fault;
}

sim::Scenario failover_with_a_reader() {
    sim::Scenario scenario = sim::shard_of({"zone1-100", "zone2-200", "zone3-300", "zone4-400"}, "semi_sync");
    scenario.tablets.back().type = TabletType::rdonly;
    scenario.workload.writes_per_second = 20;
    scenario.faults.push_back(sim::fault_at(sim::FaultKind::crash, 5s, "zone1-100"));
    return scenario;
}

TEST(Decisions, any_lost_session_ends_it) {
    sim::Scenario scenario = failover_with_a_reader();
    scenario.faults.push_back(on_statement(sim::FaultKind::session_killed, "StopReceiver", "zone4-400"));
    const auto ended = [&] { return says(scenario, "recovery_failed emergency_reparent"); };
    EXPECT_FALSE(ended());
    EXPECT_TRUE(under(Canary::any_lost_session_ends_it, ended));
}

TEST(Decisions, lease_not_renewed) {
    sim::Scenario scenario = failover_with_a_reader();
    for (const char* tablet : {"zone2-200", "zone3-300"}) {
        sim::Fault held = sim::fault_at(sim::FaultKind::block_applier, 4s, tablet);
        held.for_time = 14s;
        scenario.faults.push_back(held);
    }
    const auto ran_out = [&] { return says(scenario, "what is left of the lease"); };
    EXPECT_FALSE(ran_out());
    EXPECT_TRUE(under(Canary::lease_not_renewed, ran_out));
}

}  // namespace
}  // namespace fixpoint
