// fixpoint-real: scenario files on real servers, and the same files simulated, side by side. A few
// real runs go on at a time. A file with something that cannot be done for real is refused by name.
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "property_tests/real/main/campaign.hpp"
#include "property_tests/real/shard/nemesis.hpp"
#include "property_tests/real/shard/pairs.hpp"
#include "property_tests/support/real_servers/real_server.hpp"
#include "reports/report.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/scenario/scenario_files.hpp"

namespace fixpoint::real_shards {
namespace {

enum ExitCode { all_equal = 0, own_fault = 1, bad_input = 2, unequal = 3 };

struct RunCommand {
    std::vector<std::string> paths;
    bool text = false;
    bool only_possible = false;
    std::string html;  // a file
    int jobs = 2;
    int times = 1;
};

void print_row(const char* world, const sim::Run& run) {
    fmt::print("  {:<9}  {:<16}  {:>6.1f} s  writes blocked {:>6} ms  {} commit point{}  {}\n", world,
               reports::verdict_word(run.verdict), static_cast<double>(to_ms(run.virtual_time)) / 1e3,
               to_ms(run.writes_blocked_longest), run.commit_points, run.commit_points == 1 ? " " : "s",
               reports::recoveries_text(run));
    if (!run.why.empty()) fmt::print("             {}\n", run.why);
}

// False: the two worlds do not agree.
bool print_pair(const Pair& pair, bool text) {
    const bool equal = !pair.real.scenario.tablets.empty() && pair.simulated.verdict == pair.real.verdict;
    fmt::print("{}{}\n", pair.simulated.scenario.name, equal ? "" : "  NOT EQUAL");
    print_row("simulated", pair.simulated);
    if (!pair.failed.empty()) {
        fmt::print("  real       {}\n", pair.failed);
    } else {
        print_row("real", pair.real);
    }
    if (text) {
        fmt::print("\nsimulated:\n{}\nreal:\n{}\n", reports::text_timeline(pair.simulated),
                   reports::text_timeline(pair.real));
    }
    std::fflush(stdout);
    return equal;
}

// The two timelines one after the other, under one name.
void show_both(const Pair& pair, reports::Suite& suite) {
    for (const bool real : {false, true}) {
        if (real && !pair.failed.empty()) continue;
        reports::Case one;
        one.run = real ? pair.real : pair.simulated;
        one.variant = real ? "real servers" : "simulated";
        one.failure = one.run.verdict == one.run.scenario.expect.verdict ? "" : one.run.why;
        one.token = one.run.scenario.file;
        for (const auto& [kind, count] : one.run.faults)
            one.faults.push_back({std::string(sim::to_string(kind)), count});
        suite.cases.push_back(std::move(one));
    }
}

// False, and said once: each run would fail of it, one after the other.
bool something_to_run_on() {
    try {
        contract::mysql_prefix();
        return true;
    } catch (const std::exception& error) {
        fmt::print(stderr, "fixpoint-real: {}\n", error.what());
        return false;
    }
}

bool can_save(const std::string& folder) {
    if (folder.empty()) return true;
    const auto made = sim::make_folder(folder);
    if (!made) fmt::print(stderr, "fixpoint-real: --save: {}\n", made.error().to_string());
    return made.has_value();
}

int run(const RunCommand& command) {
    const auto scenarios = sim::read_scenarios(command.paths);
    if (!scenarios) {
        for (const sim::ScenarioError& error : scenarios.error())
            fmt::print(stderr, "{}\n", error.to_string());
        return bad_input;
    }
    std::vector<sim::Scenario> chosen;
    bool refused = false;
    for (const sim::Scenario& scenario : *scenarios) {
        const std::vector<std::string> reasons = not_for_real(scenario);
        if (reasons.empty()) chosen.push_back(scenario);
        for (const std::string& why : reasons)
            fmt::print(stderr, "{}: cannot be done for real: {}\n", scenario.file, why);
        refused = refused || !reasons.empty();
    }
    if (refused && !command.only_possible) return bad_input;
    if (!something_to_run_on()) return bad_input;
    std::vector<sim::Scenario> rounds;
    for (int time = 0; time < command.times; ++time)
        rounds.insert(rounds.end(), chosen.begin(), chosen.end());
    std::map<std::string, int> equal;  // by name: how often
    for (const sim::Scenario& scenario : chosen) equal[scenario.name] = 0;
    reports::Suite suite;
    suite.title = "Fixpoint in both worlds";
    run_pairs(each_of(rounds), command.jobs, [&](const Pair& pair) {
        if (print_pair(pair, command.text)) ++equal[pair.simulated.scenario.name];
        if (!command.html.empty()) show_both(pair, suite);
    });
    if (!command.html.empty()) {
        std::ofstream page(command.html, std::ios::binary | std::ios::trunc);
        page << reports::html_report(suite);
        if (!page.flush()) throw std::runtime_error(command.html + " cannot be written");
    }
    std::size_t always_equal = 0;
    for (const auto& [name, count] : equal) {
        if (count == command.times) ++always_equal;
        if (command.times > 1) fmt::print("{:<44}  {} of {} equal\n", name, count, command.times);
    }
    fmt::print("{} scenarios in both worlds{}, {} with equal verdicts\n", chosen.size(),
               command.times > 1 ? fmt::format(", {} times each", command.times) : "", always_equal);
    return always_equal == chosen.size() ? all_equal : unequal;
}

int main_of(int argc, char** argv) {
    CLI::App app{"Scenarios on real servers, beside the simulation of the same files."};
    app.require_subcommand(1);
    RunCommand run_command;
    CLI::App* run_app = app.add_subcommand("run", "scenario files in both worlds");
    run_app->add_option("paths", run_command.paths, "files or folders")->required();
    run_app->add_flag("--text", run_command.text, "what happened, line by line");
    run_app->add_flag("--only-possible", run_command.only_possible, "leave out what cannot be done for real");
    run_app->add_option("--html", run_command.html, "a page with both timelines of each");
    run_app->add_option("--jobs", run_command.jobs, "real runs side by side (2)");
    run_app->add_option("--times", run_command.times, "all of them so many times in a row (1)")
        ->check(CLI::PositiveNumber);
    CampaignCommand campaign_command;
    CLI::App* campaign_app =
        app.add_subcommand("campaign", "random small runs, restricted to what can be done for real");
    campaign_app->add_option("runs", campaign_command.runs, "how many (10)");
    campaign_app->add_option("--first", campaign_command.first, "the first seed (1)");
    campaign_app->add_option("--jobs", campaign_command.jobs, "real runs side by side (2)");
    campaign_app->add_option("--minutes", campaign_command.minutes, "begin no further run after that");
    campaign_app->add_option("--save", campaign_command.save,
                             "a folder for what the two worlds judge differently");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : bad_input;
    }
    if (!campaign_app->parsed()) return run(run_command);
    if (!something_to_run_on() || !can_save(campaign_command.save)) return bad_input;
    return campaign(campaign_command);
}

}  // namespace
}  // namespace fixpoint::real_shards

int main(int argc, char** argv) {
    try {
        return fixpoint::real_shards::main_of(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fixpoint-real: {}\n", error.what());
        return 1;
    }
}
