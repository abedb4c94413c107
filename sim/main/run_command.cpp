// fixpoint-sim run: scenario files, each in a child of its own, as a table; then, for the group `dropped`,
// every single notification lost in turn; then what failed, with the line that reproduces it.
#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"
#include "sim/scenario/scenario_files.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {
namespace {

using reports::Case;
using reports::Suite;

struct Widths {
    std::size_t group = 5, name = 8, verdict = 16;
};

Widths widths_of(const std::vector<Scenario>& scenarios) {
    Widths widths;
    for (const Scenario& scenario : scenarios) {
        widths.group = std::max(widths.group, scenario.group.size());
        widths.name = std::max(widths.name, scenario.name.size());
    }
    return widths;
}

void print_header(const Widths& w) {
    fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>9}  {:>7}  recoveries\n", "group", w.group, "scenario", w.name,
               "verdict", w.verdict, "virtual s", "wall ms");
}

void print_row(const Widths& w, const Case& one) {
    const Run& run = one.run;
    fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>9.1f}  {:>7.1f}  {}\n", run.scenario.group, w.group,
               run.scenario.name, w.name, reports::verdict_word(run.verdict), w.verdict,
               static_cast<double>(to_ms(run.virtual_time)) / 1e3, run.wall_seconds * 1e3,
               reports::recoveries_text(run));
    if (!one.passed()) fmt::print("{:<{}}  FAILED: {}\n", "", w.group, one.failure);
    std::fflush(stdout);
}

std::vector<Case> run_all(const std::vector<Scenario>& scenarios, const RunCommand& options) {
    const bool timeline = options.text || !options.html.empty();
    const Widths widths = widths_of(scenarios);
    print_header(widths);
    std::vector<std::optional<Case>> cases(scenarios.size());
    std::size_t printed = 0;
    run_in_children(
        scenarios.size(), {.jobs = options.jobs},
        [&](std::size_t i) { return timed_run(scenarios[i], {.timeline = timeline}); },
        [&](std::size_t i, Run run) {
            cases[i] = make_case(std::move(run), scenarios[i]);
            for (; printed < cases.size() && cases[printed]; ++printed) print_row(widths, *cases[printed]);
        });
    std::vector<Case> all;
    for (std::optional<Case>& one : cases) all.push_back(std::move(*one));
    return all;
}

// ---- every notification lost in turn

struct Lost {
    const Scenario* scenario = nullptr;
    std::uint64_t notification = 0;
};

// What a scenario expects of its clean run and may not of one that lost something: who acted, who won, how
// fast.
Scenario without_particulars(Scenario scenario) {
    const Verdict verdict = scenario.expect.verdict;
    scenario.expect = Expectation{};
    scenario.expect.verdict = verdict;
    return scenario;
}

std::vector<Lost> expand(const std::vector<Scenario>& relaxed, const std::vector<Case>& clean) {
    std::vector<Lost> lost;
    for (std::size_t i = 0; i < relaxed.size(); ++i) {
        if (relaxed[i].group != "dropped" || !clean[i].passed()) continue;
        for (std::uint64_t n = 1; n <= clean[i].run.notifications; ++n) lost.push_back({&relaxed[i], n});
    }
    return lost;
}

void run_dropped(const std::vector<Scenario>& scenarios, const RunCommand& options, Suite& suite) {
    std::vector<Scenario> relaxed;
    for (const Scenario& scenario : scenarios) relaxed.push_back(without_particulars(scenario));
    const std::vector<Lost> lost = expand(relaxed, suite.cases);
    if (lost.empty()) return;
    const double begin = wall_seconds();
    std::size_t done = 0, unknown = 0;
    std::vector<Case> failed;
    Progress progress;
    run_in_children(
        lost.size(), {.jobs = options.jobs, .batch = 200},
        [&](std::size_t i) {
            return timed_run(*lost[i].scenario, {.lose_notification = lost[i].notification});
        },
        [&](std::size_t i, Run run) {
            unknown += run.verdict == Verdict::unknown ? 1 : 0;
            Case one = make_case(std::move(run), *lost[i].scenario, lost[i].notification);
            if (!one.passed()) failed.push_back(std::move(one));
            ++done;
            progress.show(fmt::format("dropped events: {} of {}, {} failed, {:.0f} s", done, lost.size(),
                                      failed.size(), wall_seconds() - begin));
        });
    progress.clear();
    fmt::print(
        "dropped events: {} notifications lost one at a time, {} passed, {} failed, {} unknown, {:.1f} s\n",
        lost.size(), lost.size() - failed.size(), failed.size(), unknown, wall_seconds() - begin);
    suite.more_passed += lost.size() - failed.size();
    for (Case& one : failed) {
        if (suite.cases.size() < scenarios.size() + 20) {  // the first ones are shown, all are counted
            fmt::print("  FAILED: {}: {}\n", one.title(), one.failure);
        }
        suite.cases.push_back(std::move(one));
    }
}

void print_failures(const Suite& suite, bool text) {
    for (const Case& one : suite.cases) {
        if (text) {
            fmt::print("\n{}/{}: {}\n{}{}", one.run.scenario.group, one.title(), one.run.scenario.why,
                       reports::text_timeline(one.run), reports::text_summary(one));
        }
    }
    std::size_t shown = 0;
    for (const Case& one : suite.cases) {
        if (one.passed() || ++shown > 40) continue;
        if (shown == 1) fmt::print("\nto see what happened:\n");
        fmt::print("  fixpoint-sim replay {}\n", one.token);
    }
}

bool write_reports(const RunCommand& options, const Suite& suite) {
    bool written = true;
    if (!options.json.empty()) written &= write_file(options.json, reports::json_report(suite));
    if (!options.junit.empty()) written &= write_file(options.junit, reports::junit_report(suite));
    if (!options.html.empty()) written &= write_file(options.html, reports::html_report(suite));
    return written;
}

}  // namespace

int run(const RunCommand& options) {
    const auto scenarios = read_scenarios(options.paths);
    if (!scenarios) {
        for (const ScenarioError& error : scenarios.error()) fmt::print(stderr, "{}\n", error.to_string());
        return bad_input;
    }
    const double begin = wall_seconds();
    Suite suite;
    suite.title = "Fixpoint scenarios";
    suite.command = options.command;
    suite.cases = run_all(*scenarios, options);
    fmt::print("{} scenarios, {:.1f} s\n", suite.cases.size(), wall_seconds() - begin);
    if (options.dropped_events) run_dropped(*scenarios, options, suite);
    suite.wall_seconds = wall_seconds() - begin;
    print_failures(suite, options.text);
    int code = all_passed;
    for (const Case& one : suite.cases) {
        if (!one.passed()) code = std::max<int>(code, exit_code_of(one.run));
    }
    if (!write_reports(options, suite)) code = own_fault;
    fmt::print("{} passed, {} failed\n", suite.passed(), suite.failed());
    return code;
}

}  // namespace fixpoint::sim
