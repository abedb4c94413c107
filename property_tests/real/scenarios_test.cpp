// Incidents that the simulator knows, on real servers: the same files, the same judge, equal verdicts. And
// what the harness refuses. Several run side by side, since most of their time is waiting.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "property_tests/real/shard/nemesis.hpp"
#include "property_tests/real/shard/pairs.hpp"
#include "reports/report.hpp"
#include "sim/scenario/scenario_files.hpp"

namespace fixpoint::real_shards {
namespace {

sim::Scenario scenario(const std::string& name) {
    auto read = sim::read_scenarios({std::string(FIXPOINT_SOURCE_DIR) + "/scenarios/" + name + ".json"});
    if (!read) throw std::runtime_error(read.error().front().to_string());
    return read->front();
}

TEST(RealShard, HasTheVerdictOfTheSimulation) {
    std::vector<sim::Scenario> scenarios;
    for (const char* name :
         {"audit/kill_primary", "audit/kill_primary_autorestart", "audit/hang_primary",
          "audit/isolate_primary", "audit/crash_with_acker_down", "audit/relay_log_lost_kill9",
          "operator/old_primary_restarted_writable", "operator/old_primary_restarted_without_its_settings",
          "operator/planned_reparent_candidate_applier_blocked", "operator/planned_reparent_precheck_fails",
          "operator/two_managers_want_the_same", "operator/manager_killed_right_after_the_commit_point"})
        scenarios.push_back(scenario(name));
    std::size_t ran = 0;
    run_pairs(scenarios, 4, [&](const Pair& pair) {
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
