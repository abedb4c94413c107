// See campaign.hpp.
#include "property_tests/real/main/campaign.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "fixpoint/sim/run.hpp"
#include "property_tests/real/shard/nemesis.hpp"
#include "property_tests/real/shard/pairs.hpp"
#include "reports/report.hpp"
#include "sim/explore/generate.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::real_shards {
namespace {

using namespace std::chrono_literals;

constexpr int violated = 5, own_fault = 1;

// A run takes as long as it says: small shards, soon over, and back-offs that end within it.
sim::Scenario drawn(std::uint64_t seed) {
    sim::GenerateOptions options;
    options.most_tablets = 4;
    options.most_faults = 6;
    options.faults_until = 10s;
    sim::Scenario scenario = sim::generate_scenario(seed, options);
    std::erase_if(scenario.faults, [](const sim::Fault& fault) { return !not_for_real(fault).empty(); });
    for (sim::ScenarioTablet& t : scenario.tablets) t.apply_delay = {};
    scenario.workload.writes_per_second = std::min(scenario.workload.writes_per_second, 20.0);
    scenario.limits.backoff_greatest = std::min<Duration>(scenario.limits.backoff_greatest, 8s);
    Duration last{};
    bool waits = false;
    for (const sim::Fault& fault : scenario.faults) {
        waits = waits || !fault.when.at;
        if (fault.when.at)
            last = std::max(last, *fault.when.at + fault.when.plus + std::min<Duration>(fault.for_time, 20s));
    }
    scenario.fault_phase = last + (waits ? 10s : 4s);
    return scenario;
}

// Seeds whose simulated run delivers all its faults; of every few of them the one with the kind that was
// delivered least so far, so that none goes short. The first is always the first such seed.
class Drawing {
  public:
    explicit Drawing(std::uint64_t first) : seed_(first) {}

    sim::Run next() {
        constexpr int choice = 8;
        sim::Run best = candidate();
        for (int i = 1; i < choice && rarest(best) > 0; ++i) {
            sim::Run other = candidate();
            if (rarest(other) < rarest(best)) best = std::move(other);
        }
        for (const auto& [kind, count] : best.faults) delivered_[kind] += count.delivered;
        return best;
    }

  private:
    sim::Run candidate() {
        for (;; ++seed_) {
            sim::Scenario scenario = drawn(seed_);
            if (scenario.faults.empty() && scenario.boot == sim::Boot::converged) continue;
            scenario.name = fmt::format("seed_{}", seed_);
            sim::Run found = sim::simulate(scenario, {.timeline = true});
            if (found.verdict == sim::Verdict::unknown) continue;
            ++seed_;
            return found;
        }
    }

    int rarest(const sim::Run& of) const {
        int least = std::numeric_limits<int>::max();
        for (const auto& [kind, count] : of.faults) {
            const auto it = delivered_.find(kind);
            if (count.delivered > 0) least = std::min(least, it == delivered_.end() ? 0 : it->second);
        }
        return least;
    }

    std::uint64_t seed_;
    std::map<sim::FaultKind, int> delivered_;
};

struct Counts {
    std::map<sim::Verdict, int> real, simulated;
    std::map<sim::FaultKind, sim::FaultCount> faults;
    std::map<std::string, int> reasons;
    int runs = 0, equal = 0, failed = 0, recoveries_equal = 0;
    std::int64_t acknowledged = 0, judged = 0;

    void add(const Pair& pair) {
        ++runs;
        if (!pair.failed.empty()) {
            ++failed;
            return;
        }
        const sim::Run& run = pair.real;
        ++real[run.verdict];
        ++simulated[pair.simulated.verdict];
        if (run.verdict == sim::Verdict::failed_justified) ++reasons[std::string(to_string(run.reason))];
        if (run.verdict == pair.simulated.verdict) ++equal;
        acknowledged += run.writes_acknowledged;
        judged += run.writes_judged;
        for (const auto& [kind, count] : run.faults) {
            sim::FaultCount& all = faults[kind];
            all.requested += count.requested;
            all.delivered += count.delivered;
            all.observed += count.observed;
        }
    }

    void print() const {
        fmt::print("\n{} runs, {} with the verdict of the simulation, {} that the harness could not run\n",
                   runs, equal, failed);
        for (const auto& [verdict, count] : real)
            fmt::print("  {:<16} {:>4} real {:>4} simulated\n", reports::verdict_word(verdict), count,
                       simulated.contains(verdict) ? simulated.at(verdict) : 0);
        for (const auto& [reason, count] : reasons) fmt::print("  failed because of {}: {}\n", reason, count);
        fmt::print("  {} writes acknowledged, {} of them judged\n", acknowledged, judged);
        fmt::print("{:<28} requested delivered observed\n", "fault");
        for (const sim::FaultRow& row : sim::fault_table()) {
            const auto it = faults.find(row.kind);
            if (it == faults.end()) continue;
            fmt::print("{:<28} {:>9} {:>9} {:>8}\n", row.name, it->second.requested, it->second.delivered,
                       it->second.observed);
        }
    }
};

void leave(const std::string& folder, const Pair& pair) {
    const sim::Scenario& scenario = pair.simulated.scenario;
    std::ofstream(folder + "/" + scenario.name + ".json") << sim::print_scenario(scenario);
    std::ofstream story(folder + "/" + scenario.name + ".txt");
    story << fmt::format("simulated: {} {}\nreal: {} {}\n{}\n", sim::to_string(pair.simulated.verdict),
                         pair.simulated.why, sim::to_string(pair.real.verdict), pair.real.why, pair.failed);
    for (const sim::Violation& v : pair.real.violations)
        story << fmt::format("  {} at {} ms: {}\n", v.invariant, to_ms(v.at), v.text);
    story << "\nsimulated:\n"
          << reports::text_timeline(pair.simulated) << "\nreal:\n"
          << reports::text_timeline(pair.real);
}

}  // namespace

int campaign(const CampaignCommand& command) {
    Counts counts;
    const auto began = std::chrono::steady_clock::now();
    const auto seconds = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    };
    Drawing drawing(command.first);
    std::uint64_t drawn = 0;
    const auto next = [&]() -> std::optional<sim::Run> {
        const bool out_of_time = command.minutes > 0 && seconds() > command.minutes * 60;
        if (out_of_time || drawn == command.runs) return std::nullopt;
        ++drawn;
        return drawing.next();
    };
    run_pairs(next, command.jobs, [&](const Pair& pair) {
        counts.add(pair);
        const sim::Run& run = pair.real;
        const bool equal = pair.failed.empty() && run.verdict == pair.simulated.verdict;
        fmt::print(
            "{:>5.0f} s  {:<10} {:<16} {}{}\n", seconds(), pair.simulated.scenario.name,
            pair.failed.empty() ? reports::verdict_word(run.verdict) : "harness failed",
            equal ? "" : fmt::format("(simulated: {}) ", reports::verdict_word(pair.simulated.verdict)),
            pair.failed.empty() ? run.why : pair.failed);
        std::fflush(stdout);
        if (!command.save.empty() && (!equal || run.verdict == sim::Verdict::violation))
            leave(command.save, pair);
    });
    counts.print();
    if (counts.failed > 0) return own_fault;
    return counts.real.contains(sim::Verdict::violation) ? violated : 0;
}

}  // namespace fixpoint::real_shards
