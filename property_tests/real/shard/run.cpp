// The course of a real run: the phases of sim/world/simulate.cpp on a real clock. It waits for conditions,
// each until a deadline; it refuses to know what is right: that is the judge's.
#include "property_tests/real/shard/run.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "property_tests/real/shard/nemesis.hpp"
#include "property_tests/real/shard/world.hpp"
#include "sim/world/course.hpp"

namespace fixpoint::real_shards {
namespace {

using sim::Phase;
using sim::Verdict;

constexpr Duration between_turns = 3ms;
constexpr Duration between_judgements = 100ms;
constexpr Duration started_within = 60s;

class Course {
  public:
    Course(const sim::Scenario& scenario, const RealOptions& options)
        : world_(scenario, options.folder),
          options_(options),
          converging_(scenario, world_.judge(), std::min(world_.judge().hold(), options.refusal_stands)) {}

    sim::Run run() {
        world_.boot();
        begin(Phase::boot);
        world_.start();
        begin(Phase::safety);
        safety();
        begin(Phase::faults_ceased);
        world_.set_core(world_.nemesis().cease());
        begin(Phase::convergence);
        if (!over_ && converge()) {
            begin(Phase::hold);
            hold();
        }
        world_.nemesis().settle();
        world_.go_on();
        if (options_.meddle) {
            std::vector<contract::RealServer*> servers;
            for (const auto& t : world_.tablets()) servers.push_back(&t->server());
            options_.meddle(servers);
        }
        begin(Phase::end);
        sim::Run all = result();
        world_.end();
        return all;
    }

  private:
    Instant now() const { return world_.clock().now(); }
    void begin(Phase phase) { world_.report(sim::PhaseBegan{phase}); }

    // Until the time has come, or the condition holds. False: the run is over.
    template <class Condition>
    bool advance(Instant end, Condition condition) {
        while (true) {
            world_.go_on();
            if (const std::string died = world_.manager_that_died(); !died.empty()) {
                over_ = true;
                broken_ = died;
                return false;
            }
            for (const auto& t : world_.tablets()) {
                if (const std::string trouble = t->trouble(); !trouble.empty())
                    throw std::runtime_error(trouble);
            }
            if (condition() || now() >= end) return true;
            std::this_thread::sleep_for(between_turns);
        }
    }
    bool advance(Instant end) {
        return advance(end, [] { return false; });
    }

    void safety() {
        const sim::Scenario& scenario = world_.scenario();
        const Duration length = sim::fault_phase(scenario, world_.nemesis());
        const Instant began = now();
        bool slow = scenario.workload.until == Duration{};
        while (now() < began + length) {
            if (!advance(std::min(began + length, now() + 500ms))) return;
            if (!slow && now() - began >= scenario.workload.until) {
                slow = true;
                world_.clients().slow_down();
            }
            world_.judge().settled();  // what is as declared again is no longer touched by faults
        }
    }

    bool converge() {
        const Instant began = now();
        // What was down when faults ceased is being started.
        if (!advance(now() + started_within, [this] {
                return std::ranges::all_of(world_.tablets(), [this](const auto& t) {
                    return !world_.core().has(t->alias()) || (t->up() && !t->busy());
                });
            }))
            return false;
        const Instant deadline = began + world_.judge().budget();
        while (now() < deadline) {
            if (!advance(now() + between_judgements)) return false;
            if (is_quiet() && probe(deadline)) return true;
            if (over_ || converging_.nothing_better_comes(now())) return false;
        }
        return false;
    }

    bool is_quiet() {
        return converging_.is_quiet(now(), world_.nothing_is_under_way(), world_.last_mutating());
    }

    bool probe(Instant deadline) {
        const auto record = world_.store().now().fixpoint;
        if (!record) return world_.judge().converged(std::nullopt).converged;
        const auto told = std::make_shared<std::atomic<int>>(-1);
        sim::Probe sent;
        sent.write = world_.clients().write_once(
            record->primary.alias, sim::probe_bound,
            [told](sim::WriteAnswered::Outcome outcome) { *told = static_cast<int>(outcome); });
        if (!advance(now() + sim::probe_bound + 2s, [&] { return *told >= 0; })) return false;
        sent.acknowledged = *told == static_cast<int>(sim::WriteAnswered::Outcome::acknowledged);
        return converging_.follow(
            sent, deadline, [this] { return now(); }, [this] { return advance(now() + between_judgements); });
    }

    void hold() {
        const Instant end = now() + std::min(world_.judge().hold(), options_.hold_at_most);
        const std::uint64_t before = world_.mutating_statements();
        advance(end);
        if (world_.mutating_statements() != before)
            disturbed_ = fmt::format("in the hold, after convergence, {} mutating statements were sent",
                                     world_.mutating_statements() - before);
    }

    // ---- what there is to say

    sim::Run result() {
        world_.look_closely();
        world_.now();
        const std::vector<TabletAlias> unseen = world_.unseen();
        sim::Run run = sim::run_of(world_.scenario(), world_.judge().finish(now(), converging_.probe()));
        run.recoveries = world_.recoveries();  // as the managers have told
        run.mutating_statements = world_.mutating_statements();
        run.virtual_time = now() - Instant{};
        if (const auto record = world_.store().now().fixpoint) run.primary_at_end = record->primary.alias;
        if (!unseen.empty()) {
            run.verdict = Verdict::unknown;
            run.why = unseen.front().to_string() + " does not answer its observer";
        }
        if (!broken_.empty()) add_violation(run, "I7", now(), broken_);
        if (!disturbed_.empty()) add_violation(run, "I8", now(), disturbed_);
        run.timeline = world_.timeline().take_entries();
        run.samples = world_.timeline().take_samples();
        return run;
    }

    World world_;
    const RealOptions options_;
    sim::Converging converging_;
    bool over_ = false;
    std::string broken_, disturbed_;
};

// What is left of a run that was killed: its process is no more.
void remove_leftovers(const std::filesystem::path& top, const std::string& prefix) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(top, ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        const pid_t pid = std::atoi(name.c_str() + prefix.size());
        if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH)
            std::filesystem::remove_all(entry.path(), ignored);
    }
}

std::filesystem::path folder_of(const RealOptions& options) {
    static std::atomic<int> count = 0;
    static std::once_flag once;
    std::call_once(once, [] { remove_leftovers(std::filesystem::temp_directory_path(), "fixpoint-real-"); });
    if (!options.folder.empty()) return options.folder;
    return std::filesystem::temp_directory_path() / fmt::format("fixpoint-real-{}-{}", ::getpid(), ++count);
}

// One after the other: they look for free ports.
std::unique_ptr<Course> made(const sim::Scenario& scenario, const RealOptions& options) {
    static std::mutex making;
    const std::scoped_lock lock(making);
    return std::make_unique<Course>(scenario, options);
}

}  // namespace

sim::Run run_for_real(const sim::Scenario& scenario, const RealOptions& options) {
    RealOptions mine = options;
    mine.folder = folder_of(options);
    const auto clean_up = [&] {
        std::error_code ignored;
        if (!mine.keep) std::filesystem::remove_all(mine.folder, ignored);
    };
    try {
        const auto began = std::chrono::steady_clock::now();
        sim::Run run = made(scenario, mine)->run();
        run.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        clean_up();
        return run;
    } catch (...) {
        clean_up();
        throw;
    }
}

}  // namespace fixpoint::real_shards
