// fixpoint-sim-canaries canaries: the suite proves its teeth. Each planted weakness in turn, first under
// every scenario, then under ordinary random cases, until a checker of an invariant (or a proven livelock)
// finds it in a run that passes without it. In the canary binary only. It refuses to count a crash, a wrong
// expectation or an unknown run as found, and calls a weakness that changes no run at all not planted.
#ifdef FIXPOINT_CANARIES

#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fixpoint/engine/canary.hpp"
#include "sim/explore/generate.hpp"
#include "sim/explore/shrink.hpp"
#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"
#include "sim/scenario/scenario_files.hpp"
#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::sim {
namespace {

// A scenario of the suite by its path, or a random case by its seed.
struct Trial {
    std::string name;
    Scenario scenario;
};

// What the healthy core does in the same case.
struct Healthy {
    std::uint64_t event_hash = 0;
    bool broken = false;  // a violation without any canary: it can prove nothing
    Verdict verdict{};
};

struct Score {
    Canary canary{};
    std::string found_by;  // an invariant, or "livelock"; "": not found
    std::string where;     // the scenario or the seed
    std::size_t trial = 0;
    std::string text;
    std::size_t runs = 0;
    std::size_t changed = 0;  // runs with other events than the healthy core's
    double seconds = 0;
};

// The oracle's weakness shows where a core that refuses everything is excused: planted together.
std::optional<std::string> excused(Canary canary, const Healthy& healthy, const Run& run) {
    if (canary != Canary::oracle_excuses_everything || healthy.verdict != Verdict::converged)
        return std::nullopt;
    if (run.verdict != Verdict::failed_justified) return std::nullopt;
    return "a run that converges was excused: " + run.why;
}

std::vector<Canary> together_with(Canary canary) {
    if (canary == Canary::oracle_excuses_everything) return {canary, Canary::refuses_everything};
    return {canary};
}

class Campaign {
  public:
    explicit Campaign(const CanariesCommand& options) : options_(options) {}

    bool read_trials() {
        const auto scenarios = read_scenarios(options_.paths);
        if (!scenarios) {
            for (const ScenarioError& error : scenarios.error())
                fmt::print(stderr, "{}\n", error.to_string());
            return false;
        }
        for (const Scenario& scenario : *scenarios)
            trials_.push_back({scenario.group + "/" + scenario.name, scenario});
        scenarios_ = trials_.size();
        for (std::uint64_t i = 0; i < options_.seeds; ++i) {
            const std::uint64_t seed = options_.first + i;
            trials_.push_back({fmt::format("seed {}", seed), generate_scenario(seed)});
        }
        return true;
    }

    std::size_t scenarios() const { return scenarios_; }
    std::size_t trials() const { return trials_.size(); }

    void run_healthy() {
        healthy_.resize(trials_.size());
        run_in_children(
            trials_.size(), {.jobs = options_.jobs, .batch = 10},
            [&](std::size_t i) { return simulate(trials_[i].scenario); },
            [&](std::size_t i, Run run) {
                healthy_[i] = {run.event_hash, run.verdict == Verdict::violation, run.verdict};
            });
    }

    Score run_planted(Canary canary) {
        Score score{.canary = canary};
        const double begin = wall_seconds();
        const auto over = [&] {
            return !score.found_by.empty() ||
                   (options_.seconds_each > 0 && wall_seconds() - begin > options_.seconds_each);
        };
        run_in_children(
            trials_.size(), {.jobs = options_.jobs, .batch = 4, .stop = over},
            [&](std::size_t i) {
                plant(together_with(canary));
                return simulate(trials_[i].scenario);
            },
            [&](std::size_t i, Run run) { judge(score, i, run); });
        score.seconds = wall_seconds() - begin;
        return score;
    }

    // The random case that found it, made as small as it still does and passes without the weakness.
    void save(const Score& score) const {
        if (options_.save.empty() || score.found_by.empty() || score.trial < scenarios_) return;
        const auto found = [&](const Scenario& scenario) {
            const Run healthy = run_isolated(scenario, {});
            if (healthy.verdict > Verdict::failed_justified || !healthy.every_fault_delivered) return false;
            const Run run = run_isolated(scenario, together_with(score.canary));
            return !run.violations.empty() && run.violations.front().invariant == score.found_by;
        };
        if (!found(trials_[score.trial].scenario)) return;
        Scenario scenario = shrink(trials_[score.trial].scenario, found, 300).scenario;
        scenario.name = to_string(score.canary);
        scenario.why = score.text;
        write_file(options_.save + "/" + scenario.name + ".json", print_scenario(scenario));
    }

  private:
    static Run run_isolated(const Scenario& scenario, const std::vector<Canary>& planted) {
        Run result;
        run_in_children(
            1, {},
            [&](std::size_t) {
                plant(planted);
                return simulate(scenario);
            },
            [&](std::size_t, Run run) { result = std::move(run); });
        return result;
    }

    void judge(Score& score, std::size_t i, const Run& run) const {
        ++score.runs;
        if (run.event_hash != healthy_[i].event_hash) ++score.changed;
        if (!score.found_by.empty() || healthy_[i].broken) return;
        if (run.verdict == Verdict::violation && !run.violations.empty()) {
            score.found_by = run.violations.front().invariant;
            score.text = run.violations.front().text;
        } else if (const auto excuse = excused(score.canary, healthy_[i], run)) {
            score.found_by = "verdict";
            score.text = *excuse;
        } else {
            return;
        }
        score.where = trials_[i].name;
        score.trial = i;
    }

    const CanariesCommand& options_;
    std::vector<Trial> trials_;
    std::size_t scenarios_ = 0;
    std::vector<Healthy> healthy_;
};

std::string state_of(const Score& score) {
    if (!score.found_by.empty()) return "found";
    return score.changed == 0 ? "changes no run" : "missed";
}

void print_score(const Score& score) {
    fmt::print("{:<36}  {:<14}  {:<8}  {:>5} runs, {:>5} changed, {:>5.1f} s  {}\n", to_string(score.canary),
               state_of(score), score.found_by, score.runs, score.changed, score.seconds, score.where);
    if (!score.text.empty()) fmt::print("{:<36}  {}\n", "", score.text);
    std::fflush(stdout);
}

std::string json_of(const std::vector<Score>& scores) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const Score& score : scores) {
        all.push_back({{"canary", std::string(to_string(score.canary))},
                       {"state", state_of(score)},
                       {"found_by", score.found_by},
                       {"where", score.where},
                       {"text", score.text},
                       {"runs", score.runs},
                       {"changed", score.changed},
                       {"seconds", score.seconds}});
    }
    return all.dump(2) + "\n";
}

std::optional<std::vector<Canary>> chosen(const CanariesCommand& options) {
    if (options.only.empty()) return all_canaries();
    std::vector<Canary> canaries;
    for (const std::string& name : options.only) {
        const auto canary = parse_canary(name);
        if (!canary) {
            fmt::print(stderr, "{}\n", canary.error());
            return std::nullopt;
        }
        canaries.push_back(*canary);
    }
    return canaries;
}

}  // namespace

int canaries(const CanariesCommand& options) {
    if (options.list) {
        for (const Canary canary : all_canaries()) fmt::print("{}\n", to_string(canary));
        return all_passed;
    }
    const auto wanted = chosen(options);
    Campaign campaign(options);
    if (!wanted || !campaign.read_trials() || !make_save_folder(options.save)) return bad_input;
    fmt::print("canaries: {} weaknesses, {} scenarios and {} random cases each, {} processes\n",
               wanted->size(), campaign.scenarios(), campaign.trials() - campaign.scenarios(), options.jobs);
    campaign.run_healthy();
    std::vector<Score> scores;
    for (const Canary canary : *wanted) {
        scores.push_back(campaign.run_planted(canary));
        print_score(scores.back());
        campaign.save(scores.back());
    }
    if (!options.json.empty() && !write_file(options.json, json_of(scores))) return own_fault;
    const auto found =
        std::ranges::count_if(scores, [](const Score& score) { return !score.found_by.empty(); });
    const auto idle =
        std::ranges::count_if(scores, [](const Score& score) { return state_of(score) == "changes no run"; });
    fmt::print("{} found, {} missed, {} change no run\n", found, std::ssize(scores) - found - idle, idle);
    return found == std::ssize(scores) ? all_passed : wrong_outcome;
}

}  // namespace fixpoint::sim

#endif
