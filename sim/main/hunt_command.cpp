// fixpoint-sim hunt: random scenarios in forked children, with a progress line and a time limit; the first
// failures are minimised and printed as scenario files. A campaign that never delivered a kind of fault is
// unknown, not passed.
#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "sim/explore/generate.hpp"
#include "sim/explore/shrink.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"
#include "sim/main/hunt_statistics.hpp"
#include "sim/scenario/scenario_json.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {
namespace {

constexpr std::size_t most_minimised = 3;  // of different invariants
constexpr std::size_t most_listed = 50;
constexpr std::uint64_t large_campaign = 5000;  // from here on every kind must have struck

struct Finding {
    std::uint64_t seed = 0;
    std::string invariant, text;
};

Finding finding_of(std::uint64_t seed, const Run& run) {
    if (run.violations.empty()) return {seed, "violation", run.why};
    return {seed, run.violations.front().invariant, run.violations.front().text};
}

Run run_isolated(const Scenario& scenario) {
    Run result;
    run_in_children(
        1, {}, [&](std::size_t) { return timed_run(scenario, {}); },
        [&](std::size_t, Run run) { result = std::move(run); });
    return result;
}

void minimise(const Finding& finding, const HuntCommand& options) {
    const auto fails_alike = [&](const Scenario& scenario) {
        const Run run = run_isolated(scenario);
        return run.verdict == Verdict::violation && finding_of(0, run).invariant == finding.invariant;
    };
    const double begin = wall_seconds();
    Shrunk shrunk = shrink(generate_scenario(finding.seed), fails_alike);
    Scenario& scenario = shrunk.scenario;
    scenario.name = fmt::format("breaks_{}_seed_{}", finding.invariant, finding.seed);
    scenario.why = fmt::format("Found by the hunt: {}", finding.text);
    for (char& c : scenario.name) {
        if (c == ' ' || c == '/' || c == ':') c = '_';
    }
    fmt::print(
        "\n{} with seed {}, minimised in {} of {} tries, {:.1f} s: {} faults, {} tablets\n{}fixpoint-sim "
        "replay {}\n",
        finding.invariant, finding.seed, shrunk.steps, shrunk.tried, wall_seconds() - begin,
        scenario.faults.size(), scenario.tablets.size(), print_scenario(scenario), print_token(scenario));
    std::fflush(stdout);
    if (!options.save.empty())
        write_file(options.save + "/" + scenario.name + ".json", print_scenario(scenario));
}

void report(const std::vector<Finding>& findings, const HuntCommand& options) {
    std::set<std::string> minimised;
    for (std::size_t i = 0; i < findings.size() && i < most_listed; ++i) {
        fmt::print("seed {}: {}: {}\n", findings[i].seed, findings[i].invariant, findings[i].text);
    }
    for (const Finding& finding : findings) {
        if (minimised.size() == most_minimised) break;
        if (minimised.insert(finding.invariant).second) minimise(finding, options);
    }
}

}  // namespace

int hunt(const HuntCommand& options) {
    if (options.show) {
        for (std::uint64_t i = 0; i < options.seeds; ++i)
            fmt::print("{}", print_scenario(generate_scenario(options.first + i)));
        return all_passed;
    }
    if (!make_save_folder(options.save)) return bad_input;
    fmt::print("hunt: seeds {} to {}, {} processes\n", options.first, options.first + options.seeds - 1,
               options.jobs);
    HuntStatistics statistics;
    std::vector<Finding> findings;
    Progress progress;
    const double begin = wall_seconds();
    const auto out_of_time = [&] {
        return options.minutes > 0 && wall_seconds() - begin > options.minutes * 60;
    };
    const bool complete = run_in_children(
        options.seeds, {.jobs = options.jobs, .batch = 25, .stop = out_of_time},
        [&](std::size_t i) { return timed_run(generate_scenario(options.first + i), {}); },
        [&](std::size_t i, Run run) {
            statistics.add(run);
            if (run.verdict == Verdict::violation) findings.push_back(finding_of(options.first + i, run));
            const double elapsed = wall_seconds() - begin;
            progress.show(fmt::format("hunt: {} of {}, {} failed, {:.0f} a second, {:.0f} s",
                                      statistics.cases, options.seeds, findings.size(),
                                      static_cast<double>(statistics.cases) / elapsed, elapsed));
        });
    progress.clear();
    const double elapsed = wall_seconds() - begin;
    if (!complete)
        fmt::print("stopped by the time limit after {} of {} seeds\n", statistics.cases, options.seeds);
    fmt::print("{}", statistics.text(elapsed));
    if (!options.json.empty() && !write_file(options.json, statistics.json(elapsed))) return own_fault;
    std::ranges::sort(findings, {}, &Finding::seed);
    report(findings, options);
    fmt::print("{} passed, {} failed\n", statistics.cases - findings.size(), findings.size());
    if (!findings.empty()) return violated;
    return statistics.cases >= large_campaign && !statistics.never_delivered().empty() ? unknown_outcome
                                                                                       : all_passed;
}

}  // namespace fixpoint::sim
