// fixpoint-sim check-determinism: each scenario with each seed twice in one process, the heap perturbed in
// between. Two runs must agree in their event hash; where they do not, both are run again and the first
// difference is printed. With --print-hashes the output of a debug and of a release build can be compared as
// text.
#include <algorithm>

#include <fmt/format.h>

#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"
#include "sim/scenario/scenario_files.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {
namespace {

constexpr std::uint64_t perturbation = 0x5eed;

std::string line_of(const TimelineEntry& entry) {
    return fmt::format("{} ns {} {} {}", entry.at.time_since_epoch().count(), entry.lane, entry.kind,
                       entry.text);
}

std::string first_difference(const Scenario& scenario) {
    const Run a = simulate(scenario, {.timeline = true});
    const Run b = simulate(scenario, {.timeline = true, .perturb_heap = perturbation});
    const std::size_t both = std::min(a.timeline.size(), b.timeline.size());
    for (std::size_t i = 0; i < both; ++i) {
        const std::string one = line_of(a.timeline[i]), other = line_of(b.timeline[i]);
        if (one != other) return fmt::format("event {} of the timeline:\n    {}\n    {}", i + 1, one, other);
    }
    return fmt::format("the timelines agree in {} events; {} and {} events, hashes {:016x} and {:016x}", both,
                       a.events, b.events, a.event_hash, b.event_hash);
}

// One run that carries what the parent wants to know: the hash, and in `why` how the second one differed.
Run run_twice(const Scenario& scenario) {
    Run first = timed_run(scenario, {});
    const Run second = simulate(scenario, {.perturb_heap = perturbation});
    first.why.clear();
    if (first.event_hash != second.event_hash || first.events != second.events ||
        first.verdict != second.verdict) {
        first.why = first_difference(scenario);
    }
    return first;
}

}  // namespace

int check_determinism(const DeterminismCommand& options) {
    const auto files = read_scenarios(options.paths);
    if (!files) {
        for (const ScenarioError& error : files.error()) fmt::print(stderr, "{}\n", error.to_string());
        return bad_input;
    }
    std::vector<Scenario> cases;
    for (const Scenario& file : *files) {
        for (std::uint64_t n = 0; n < options.seeds; ++n) {
            cases.push_back(file);
            cases.back().seed = file.seed + n;
        }
    }
    const double begin = wall_seconds();
    std::size_t differed = 0;
    std::vector<std::uint64_t> hashes(cases.size());
    Progress progress;
    std::size_t done = 0;
    run_in_children(
        cases.size(), {.jobs = options.jobs, .batch = 20}, [&](std::size_t i) { return run_twice(cases[i]); },
        [&](std::size_t i, Run run) {
            hashes[i] = run.event_hash;
            progress.show(fmt::format("determinism: {} of {}", ++done, cases.size()));
            if (run.why.empty()) return;
            ++differed;
            progress.clear();
            fmt::print("{}: {}\n", print_short_token(cases[i]), run.why);
        });
    progress.clear();
    if (options.print_hashes) {
        for (std::size_t i = 0; i < cases.size(); ++i) {
            fmt::print("{:016x} {}/{}@{}\n", hashes[i], cases[i].group, cases[i].name, cases[i].seed);
        }
    }
    // On stderr, so that what --print-hashes prints is the same for two builds.
    fmt::print(stderr, "{} runs, each twice: {} differed, {:.1f} s\n", cases.size(), differed,
               wall_seconds() - begin);
    return differed == 0 ? all_passed : own_fault;
}

}  // namespace fixpoint::sim
