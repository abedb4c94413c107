// fixpoint-sim as a person meets it: what it prints, what it returns, and what it says to bad input.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "property_tests/campaign/command_line.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class CommandLine : public ::testing::Test {
  protected:
    CommandLine()
        : folder_(std::filesystem::temp_directory_path() / ("fixpoint-cli-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~CommandLine() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name, const std::string& text) const {
        const auto path = folder_ / name;
        std::ofstream(path, std::ios::binary) << text;
        return path.string();
    }
    std::string folder() const { return folder_.string(); }
    static std::string text_of(const std::string& path) {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }

  private:
    std::filesystem::path folder_;
};

TEST_F(CommandLine, a_passing_scenario_is_a_row_of_a_table_and_returns_0) {
    const Ran ran = fixpoint_sim("run scenarios/drift/receiver_stopped.json");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("receiver_stopped"));
    EXPECT_THAT(ran.output, HasSubstr("converged"));
    EXPECT_THAT(ran.output, HasSubstr("fix_replica"));
    EXPECT_EQ(last_line(ran.output), "1 passed, 0 failed");
}

TEST_F(CommandLine, an_expectation_that_is_not_met_returns_3_and_says_what_acted) {
    std::string text = text_of(FIXPOINT_SOURCE_DIR "/scenarios/drift/receiver_stopped.json");
    const std::string wanted = "\"recoveries\": [\"fix_replica\"]";
    ASSERT_NE(text.find(wanted), std::string::npos);
    text.replace(text.find(wanted), wanted.size(), "\"recoveries\": [\"open_primary\"]");
    const Ran ran = fixpoint_sim("run " + file("receiver_stopped.json", text));
    EXPECT_EQ(ran.code, 3) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("fix_replica acted, expected: open_primary"));
    EXPECT_THAT(ran.output, HasSubstr("fixpoint-sim replay "));
    EXPECT_EQ(last_line(ran.output), "0 passed, 1 failed");
}

TEST_F(CommandLine, bad_input_returns_2_and_says_where) {
    EXPECT_EQ(fixpoint_sim("run nowhere.json").code, 2);
    EXPECT_EQ(fixpoint_sim("run " + folder()).code, 2);
    EXPECT_EQ(fixpoint_sim("run --no-such-option").code, 2);
    EXPECT_EQ(fixpoint_sim("").code, 2);
    EXPECT_EQ(fixpoint_sim("replay gibberish!").code, 2);
    EXPECT_EQ(fixpoint_sim("hunt --seeds 0").code, 2);
    const Ran ran = fixpoint_sim("run " + file("x.json", "{\n  \"name\": }") + " " + file("y.json", ""));
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("x.json: 2:11: not JSON"));
    EXPECT_THAT(ran.output, HasSubstr("y.json: 1:1: the file is empty"));  // all of them, not only the first
}

TEST_F(CommandLine, a_hunt_makes_the_folder_for_what_it_finds_before_it_begins) {
    const std::string wanted = folder() + "/new/findings";
    fixpoint_sim("hunt --seeds 1 --save " + wanted);
    EXPECT_TRUE(std::filesystem::is_directory(wanted));
    const Ran ran = fixpoint_sim("hunt --seeds 1000000 --save " + file("no_folder", "") + "/findings");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("no_folder/findings"));
    EXPECT_THAT(ran.output, HasSubstr("name a folder that you may write to"));
    EXPECT_THAT(ran.output, Not(HasSubstr("hunt: seeds")));  // nothing was begun
}

TEST_F(CommandLine, a_report_that_cannot_be_written_is_a_fault_of_its_own) {
    EXPECT_EQ(fixpoint_sim("run scenarios/drift/receiver_stopped.json --json /no/such/folder/x.json").code,
              1);
}

TEST_F(CommandLine, the_reports_are_written_and_agree) {
    const std::string base = folder() + "/r";
    const Ran ran =
        fixpoint_sim("run scenarios/drift/receiver_stopped.json scenarios/audit/kill_primary.json --json " +
                     base + ".json --junit " + base + ".xml --html " + base + ".html");
    const auto json = nlohmann::json::parse(text_of(base + ".json"));
    EXPECT_EQ(json["cases"].size(), 2u) << ran.output;
    EXPECT_EQ(json["passed"].get<int>() + json["failed"].get<int>(), 2);
    EXPECT_THAT(text_of(base + ".xml"), HasSubstr("name=\"receiver_stopped\""));
    EXPECT_THAT(text_of(base + ".html"), HasSubstr("receiver_stopped"));
}

TEST_F(CommandLine, replaying_a_token_is_the_same_run_to_the_very_event) {
    const std::string file = "scenarios/audit/kill_primary.json";
    const Ran first = fixpoint_sim("replay " + file + "@7");
    const auto line = [](const std::string& text, const std::string& key) {
        const std::size_t at = text.find("\n" + key) + 1;
        return text.substr(at, text.find('\n', at) - at);
    };
    const std::string token = line(first.output, "token: ").substr(7);
    const Ran again = fixpoint_sim("replay " + token);
    EXPECT_THAT(line(first.output, "events"), HasSubstr("hash"));
    EXPECT_EQ(line(first.output, "events"), line(again.output, "events"));
    EXPECT_EQ(first.code, again.code);
    EXPECT_NE(line(first.output, "events"), line(fixpoint_sim("replay " + file + "@8").output, "events"));
}

TEST_F(CommandLine, a_replay_has_a_column_for_each_tablet) {
    const Ran ran = fixpoint_sim("replay scenarios/audit/kill_primary.json");
    EXPECT_THAT(ran.output, HasSubstr("t_ms  zone1-100"));
    EXPECT_THAT(ran.output, HasSubstr("fault: crash zone1-100"));
    EXPECT_THAT(ran.output, HasSubstr("<- commit point"));
}

TEST_F(CommandLine, the_faults_are_listed) {
    const Ran ran = fixpoint_sim("faults");
    EXPECT_EQ(ran.code, 0);
    for (const FaultRow& row : fault_table()) EXPECT_THAT(ran.output, HasSubstr(std::string(row.name)));
}

TEST_F(CommandLine, determinism_is_checked_and_hashes_are_printed) {
    const Ran ran =
        fixpoint_sim("check-determinism scenarios/audit/kill_primary.json --seeds 2 --print-hashes");
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_THAT(
        ran.output,
        MatchesRegex("(.|\n)*[0-9a-f]{16} audit/kill_primary@1\n[0-9a-f]{16} audit/kill_primary@2\n(.|\n)*"));
}

}  // namespace
}  // namespace fixpoint::sim
