// The scenario files of this repository and their manual: all can be read, each says what must act, and the
// manual describes every fault, form and limit as the program knows them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/faults/fault_table.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/scenario_files.hpp"
#include "sim/scenario/scenario_json.hpp"
#include "sim/scenario/trigger_text.hpp"

namespace fixpoint::sim {
namespace {

using ::testing::HasSubstr;

const std::string folder = std::string(FIXPOINT_SOURCE_DIR) + "/scenarios";

std::vector<Scenario> all_files() {
    auto scenarios = read_scenarios({folder});
    if (scenarios) return *scenarios;
    for (const ScenarioError& error : scenarios.error()) ADD_FAILURE() << error.to_string();
    return {};
}

std::string manual() {
    std::ostringstream text;
    text << std::ifstream(folder + "/README.md").rdbuf();
    return text.str();
}

TEST(ScenarioFiles, all_can_be_read_and_say_what_must_act) {
    const std::vector<Scenario> scenarios = all_files();
    EXPECT_GE(scenarios.size(), 45u);
    for (const Scenario& scenario : scenarios) {
        EXPECT_TRUE(scenario.expect.recoveries.has_value() || scenario.group == "regressions")
            << scenario.file;
        EXPECT_GE(scenario.why.size(), 40u) << scenario.file << ": the incident in a sentence or two";
        EXPECT_TRUE(scenario.expect.verdict != Verdict::failed_justified || scenario.expect.reason ||
                    scenario.group == "regressions")
            << scenario.file << ": which reason?";
    }
}

TEST(ScenarioFiles, each_group_has_some_and_policies_differ) {
    std::map<std::string, int> groups;
    std::set<std::string> policies;
    for (const Scenario& scenario : all_files()) {
        ++groups[scenario.group];
        policies.insert(scenario.policy.to_string());
    }
    EXPECT_GE(groups["drift"], 30);
    EXPECT_GE(groups["audit"], 8);
    EXPECT_GE(groups["operator"], 4);
    EXPECT_GE(groups["policies"], 6);
    EXPECT_GE(groups["dropped"], 8);
    EXPECT_GE(policies.size(), 5u);
}

TEST(ScenarioFiles, what_is_printed_of_each_reads_back_to_the_same_value) {
    for (const Scenario& scenario : all_files()) {
        const auto again = read_scenario(print_scenario(scenario), scenario.file);
        ASSERT_TRUE(again.has_value()) << again.error().to_string();
        EXPECT_EQ(*again, scenario) << scenario.file;
    }
}

TEST(ScenarioFiles, a_name_stands_in_one_group_only) {
    std::map<std::string, std::string> files;
    for (const Scenario& scenario : all_files()) {
        const auto [it, is_new] = files.emplace(scenario.name, scenario.file);
        EXPECT_TRUE(is_new) << scenario.file << " and " << it->second;
    }
}

TEST(ScenarioFiles, paths_that_mean_nothing_are_all_reported) {
    const std::string empty = ::testing::TempDir() + "fixpoint_empty_folder";
    std::filesystem::create_directories(empty);
    const auto scenarios = read_scenarios({empty, "no/such/file.json", folder + "/README.md"});
    ASSERT_FALSE(scenarios.has_value());
    ASSERT_EQ(scenarios.error().size(), 3u);
    std::string all;
    for (const ScenarioError& error : scenarios.error()) all += error.to_string() + "\n";
    EXPECT_THAT(all, HasSubstr("a folder without scenarios"));
    EXPECT_THAT(all, HasSubstr("no/such/file.json: there is no such file"));
    EXPECT_THAT(all, HasSubstr("README.md: 1:1: not JSON"));
}

TEST(ScenarioFiles, a_file_that_is_named_twice_is_run_once) {
    const std::string file = folder + "/audit/kill_primary.json";
    const auto scenarios = read_scenarios({file, folder + "/audit/../audit/kill_primary.json"});
    ASSERT_TRUE(scenarios.has_value());
    EXPECT_EQ(scenarios->size(), 1u);
}

TEST(Manual, the_faults_are_those_of_the_table) {
    EXPECT_THAT(manual(), HasSubstr(fault_table_markdown()))
        << "write its end anew: fixpoint-sim faults --markdown";
}

TEST(Manual, limits_boots_verdicts_and_endpoints_are_described) {
    const std::string text = manual();
    for (const LimitField& field : limit_fields)
        EXPECT_THAT(text, HasSubstr("`" + std::string(field.key) + "`"));
    for (const std::string_view word : boot_words)
        EXPECT_THAT(text, HasSubstr("`" + std::string(word) + "`"));
    for (const std::string_view word : verdict_words)
        EXPECT_THAT(text, HasSubstr("`" + std::string(word) + "`"));
    for (const std::string_view word : {endpoint_store, endpoint_clients, endpoint_all})
        EXPECT_THAT(text, HasSubstr("`" + std::string(word) + "`"));
}

TEST(Manual, its_example_can_be_read) {
    const std::string text = manual();
    const std::size_t from = text.find("```json\n") + 8;
    const auto scenario = read_scenario(text.substr(from, text.find("```", from) - from),
                                        "x/primary_dies_while_the_preferred_replica_lags.json");
    EXPECT_TRUE(scenario.has_value()) << scenario.error().to_string();
}

TEST(Manual, every_group_that_exists_is_described) {
    const std::string text = manual();
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_directory())
            EXPECT_THAT(text, HasSubstr("`" + entry.path().filename().string() + "`"));
    }
}

}  // namespace
}  // namespace fixpoint::sim
