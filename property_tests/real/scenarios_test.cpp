// Incidents that the simulator knows, on real servers: the same files, the same judge, equal verdicts. And
// what the harness refuses. Several run side by side, since most of their time is waiting.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "property_tests/real/shard/nemesis.hpp"
#include "property_tests/real/shard/pairs.hpp"
#include "reports/report.hpp"
#include "sim/scenario/scenario_files.hpp"

namespace fixpoint::real_shards {
namespace {

using namespace std::chrono_literals;

sim::Scenario scenario(const std::string& name) {
    auto read = sim::read_scenarios({std::string(FIXPOINT_SOURCE_DIR) + "/scenarios/" + name + ".json"});
    if (!read) throw std::runtime_error(read.error().front().to_string());
    return read->front();
}

// In both worlds faults cease somewhat earlier than a file's default has it, so that this takes minutes only.
sim::Scenario soon_over(sim::Scenario scenario) {
    Duration last{};
    bool waits = false;
    for (const sim::Fault& fault : scenario.faults) {
        waits = waits || !fault.when.at;
        if (fault.when.at) last = std::max(last, *fault.when.at + fault.when.plus + fault.for_time);
    }
    scenario.fault_phase = last + (waits ? 8s : 5s);
    return scenario;
}

TEST(RealShard, HasTheVerdictOfTheSimulation) {
    std::vector<sim::Scenario> scenarios;
    for (const char* name :
         {"audit/kill_primary", "audit/kill_primary_autorestart", "audit/hang_primary",
          "audit/isolate_primary", "audit/crash_with_acker_down", "audit/relay_log_lost_kill9",
          "operator/old_primary_restarted_writable", "operator/old_primary_restarted_without_its_settings",
          "operator/planned_reparent_candidate_applier_blocked", "operator/planned_reparent_precheck_fails",
          "operator/reparented_by_somebody_else", "operator/two_managers_want_the_same",
          "operator/manager_killed_right_after_the_commit_point"})
        scenarios.push_back(soon_over(scenario(name)));
    std::size_t ran = 0;
    run_pairs(each_of(scenarios), 4, [&](const Pair& pair) {
        ++ran;
        const std::string& name = pair.simulated.scenario.name;
        EXPECT_EQ(pair.failed, "") << name;
        EXPECT_EQ(sim::to_string(pair.real.verdict), sim::to_string(pair.simulated.verdict))
            << name << ": " << pair.real.why << '\n'
            << reports::text_timeline(pair.real);
        EXPECT_TRUE(pair.real.every_fault_delivered) << name;
        EXPECT_GT(pair.real.writes_judged, 20) << name;
        EXPECT_TRUE(pair.real.violations.empty()) << name;
    });
    EXPECT_EQ(ran, scenarios.size());
}

// The judge sees what really is on the disks: a write that a client was told of, gone everywhere.
TEST(RealShard, AnAcknowledgedWriteThatIsGoneIsFound) {
    sim::Scenario calm = scenario("audit/kill_primary");
    calm.faults.resize(1);
    calm.faults[0].kind = sim::FaultKind::kill_session_by_hand;
    calm.faults[0].when.at = 1s;
    calm.fault_phase = 2s;
    RealOptions options;
    options.meddle = [](const std::vector<contract::RealServer*>& servers) {
        for (contract::RealServer* server : servers)
            server->as_root({"SET sql_log_bin = 0", "SET @closed = @@GLOBAL.super_read_only",
                             "SET GLOBAL super_read_only = OFF",
                             "DELETE FROM contract.`rows` ORDER BY id LIMIT 1",
                             "SET GLOBAL super_read_only = @closed"});
    };
    const sim::Run run = run_for_real(calm, options);
    EXPECT_EQ(sim::to_string(run.verdict), "violation") << reports::text_timeline(run);
    ASSERT_FALSE(run.violations.empty());
    EXPECT_EQ(run.violations.front().invariant, "I2") << run.violations.front().text;
}

TEST(RealShard, RefusesByNameWhatCannotBeDone) {
    EXPECT_TRUE(not_for_real(scenario("audit/kill_primary")).empty());
    const auto reasons = not_for_real(scenario("network/lossy_links"));
    ASSERT_FALSE(reasons.empty());
    EXPECT_NE(reasons.front().find("loss"), std::string::npos);
    const auto between = not_for_real(scenario("operator/manager_killed_in_mid_recovery"));
    ASSERT_FALSE(between.empty());
    EXPECT_NE(between.front().find("manager_crash"), std::string::npos);
}

}  // namespace
}  // namespace fixpoint::real_shards
