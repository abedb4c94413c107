// The suite and a small hunt, in the binary that people use: every scenario passes, and random ones find
// nothing that is not known. Longer hunts are the same command with more seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "property_tests/campaign/command_line.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(Campaign, every_scenario_passes) {
    const Ran ran = fixpoint_sim("run scenarios --no-dropped-events");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(last_line(ran.output), EndsWith(" passed, 0 failed"));
}

// The numbers behind each line that begins with `mark`.
std::set<int> seeds_in(const std::string& text, const std::string& mark) {
    std::set<int> seeds;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(mark)) seeds.insert(std::atoi(line.c_str() + mark.size()));
    return seeds;
}

// How many random cases: those of a release build take minutes, others fewer.
std::string cases() {
    const char* const chosen = std::getenv("FIXPOINT_CAMPAIGN_CASES");
    return chosen != nullptr ? chosen : "20000";
}

// Exactly the cases that are known to break do: a new one is a defect to be minimised, saved and mended; one
// that no longer breaks leaves the list. The list is the project's open findings, in
// property_tests/campaign/OPEN.md. And the campaign is worth something: each kind of fault strikes and is
// seen, most runs converge, and what clients were told is judged by the million.
TEST(Campaign, random_scenarios_break_nothing_that_is_not_known) {
    std::ifstream file(FIXPOINT_SOURCE_DIR "/property_tests/campaign/OPEN.md");
    ASSERT_TRUE(file.good());
    const std::string open((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::string figures =
        (std::filesystem::temp_directory_path() / fmt::format("fixpoint-hunt-{}.json", ::getpid())).string();
    const Ran ran =
        fixpoint_sim(fmt::format("hunt --first 1 --seeds {} --jobs 1 --json {}", cases(), figures));
    EXPECT_EQ(seeds_in(ran.output, "seed "), seeds_in(open, "- seed ")) << ran.output;
    const auto campaign = nlohmann::json::parse(std::ifstream(figures));
    std::filesystem::remove(figures);
    const std::int64_t all = std::stoll(cases());
    EXPECT_EQ(campaign.at("cases"), all);
    EXPECT_GE(2 * campaign.at("verdicts").at("converged").get<std::int64_t>(), all);
    EXPECT_GE(campaign.at("writes").at("judged").get<std::int64_t>(), 50 * all);
    if (all < 5000) return;  // too few for each kind
    for (const FaultRow& row : fault_table()) {
        const auto& count = campaign.at("faults").at(std::string(row.name));
        EXPECT_GT(count.at("delivered").get<int>(), 0) << row.name;
        EXPECT_GT(count.at("observed").get<int>(), 0) << row.name;
    }
}

TEST(Campaign, scenarios_run_the_same_twice) {
    const Ran ran = fixpoint_sim("check-determinism scenarios --seeds 1");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(" 0 differed"));
}

}  // namespace
}  // namespace fixpoint::sim
