// Each planted weakness is caught by the run that its line in engine/canaries/caught_by.txt names: an
// ordinary scenario that passes with the core as it is and ends in the named violation with that rule left
// out. One without a line is red, unless it stands in NOT_PLANTED.md or NOT_CAUGHT.md, and nothing stands in
// two of them. Where the core has moved on since, the same incident is tried under a few more seeds before it
// counts as missed. A crash or a wrong expectation catches nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/sim/run.hpp"
#include "sim/scenario/scenario_files.hpp"

namespace fixpoint::sim {
namespace {

constexpr int seeds_tried = 8;

// One line of caught_by.txt: a canary, a scenario below scenarios/, and who fires: an invariant; or "verdict"
// where a run that is to converge is excused instead; or what the scenario expects besides: "outage" (writes
// are blocked for longer), "commit_points" (another primary is recorded more often), "touched" (something was
// changed where nothing may be).
struct Catch {
    std::string canary, scenario, by;
};

std::ostream& operator<<(std::ostream& out, const Catch& c) {
    return out << c.canary << " by " << c.scenario;
}

std::vector<Catch> catches() {
    std::ifstream file(FIXPOINT_SOURCE_DIR "/engine/canaries/caught_by.txt");
    std::vector<Catch> all;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        Catch c;
        if (line.starts_with("#") || !(words >> c.canary >> c.scenario >> c.by)) continue;
        all.push_back(c);
    }
    return all;
}

// The names in a list of a Markdown file: "- `name`…".
std::vector<std::string> listed_in(const std::string& name) {
    std::ifstream file(FIXPOINT_SOURCE_DIR "/engine/canaries/" + name);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("- `")) continue;
        all.push_back(line.substr(3, line.find('`', 3) - 3));
    }
    return all;
}

std::vector<Canary> with_company(Canary canary) {
    // The oracle's weakness shows only beside a core that refuses what it could do.
    if (canary == Canary::oracle_excuses_everything) return {canary, Canary::refuses_everything};
    return {canary};
}

Run run_with(const Scenario& scenario, std::vector<Canary> canaries) {
    plant(std::move(canaries));
    Run run = simulate(scenario);
    plant({});
    return run;
}

bool fires(const Run& run, const Scenario& scenario, const std::string& by) {
    if (by == "verdict") return run.verdict == Verdict::failed_justified;
    if (by == "outage") {
        const std::optional<Duration> most = scenario.expect.writes_blocked_at_most;
        return most && run.writes_blocked_longest > *most;
    }
    if (by == "commit_points") {
        const std::optional<int> most = scenario.expect.commit_points_at_most;
        return most && run.commit_points > *most;
    }
    if (by == "touched") return scenario.expect.no_mutating_statement && run.mutating_statements > 0;
    return std::ranges::any_of(run.violations, [&](const Violation& v) { return v.invariant == by; });
}

std::string text_of(const Run& run) {
    std::string text{to_string(run.verdict)};
    for (const Violation& v : run.violations) text += "\n  " + v.invariant + ": " + v.text;
    return text;
}

class CanaryRuns : public ::testing::TestWithParam<Catch> {};

TEST_P(CanaryRuns, is_caught) {
    const Catch& line = GetParam();
    const auto canary = parse_canary(line.canary);
    ASSERT_TRUE(canary) << canary.error();
    const auto read = read_scenarios({FIXPOINT_SOURCE_DIR "/scenarios/" + line.scenario + ".json"});
    ASSERT_TRUE(read) << line.scenario << " cannot be read";
    Scenario scenario = read->front();

    const sim::Run healthy = run_with(scenario, {});
    ASSERT_EQ(healthy.failure(), "") << text_of(healthy);
    std::string seen;
    for (int tried = 0; tried < seeds_tried; ++tried, ++scenario.seed) {
        const sim::Run weak = run_with(scenario, with_company(*canary));
        seen += "\nseed " + std::to_string(scenario.seed) + ": " + text_of(weak);
        if (!fires(weak, scenario, line.by)) continue;
        const sim::Run same = run_with(scenario, {});
        if (same.verdict == scenario.expect.verdict && same.violations.empty()) return;
        seen += "\n  and without it: " + text_of(same);
    }
    FAIL() << line.by << " does not fire." << seen;
}

INSTANTIATE_TEST_SUITE_P(Each, CanaryRuns, ::testing::ValuesIn(catches()),
                         [](const ::testing::TestParamInfo<Catch>& info) { return info.param.canary; });

TEST(Canaries, each_is_caught_or_stands_in_a_list_that_says_why_not) {
    std::map<std::string, int> times;
    for (const Catch& c : catches()) ++times[c.canary];
    for (const char* list : {"NOT_PLANTED.md", "NOT_CAUGHT.md"}) {
        for (const std::string& name : listed_in(list)) ++times[name];
    }
    for (const Canary canary : all_canaries()) {
        const std::string name(to_string(canary));
        EXPECT_EQ(times[name], 1)
            << name << " belongs into exactly one of caught_by.txt, NOT_PLANTED.md, NOT_CAUGHT.md";
        times.erase(name);
    }
    for (const auto& [name, count] : times) ADD_FAILURE() << "no canary is called " << name;
}

TEST(Canaries, what_is_planted_is_planted_alone_and_removed_again) {
    plant({Canary::elects_itself, Canary::lease_not_renewed});
    EXPECT_TRUE(canary(Canary::elects_itself));
    EXPECT_TRUE(canary(Canary::lease_not_renewed));
    EXPECT_FALSE(canary(Canary::adopted_for_ever));
    plant({Canary::adopted_for_ever});
    EXPECT_FALSE(canary(Canary::elects_itself));
    plant({});
    for (const Canary one : all_canaries()) EXPECT_FALSE(canary(one)) << to_string(one);
}

}  // namespace
}  // namespace fixpoint::sim
