// One run, from boot to verdict, in the phases of the manual: boot, safety (faults on), faults cease,
// convergence, hold, end. It asks the judge when to go on and gives it nothing to think about but events and
// states. It refuses to know what is right: that is the judge's.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixpoint/sim/run.hpp"
#include "sim/faults/nemesis.hpp"
#include "sim/world/course.hpp"
#include "sim/world/step_scope.hpp"
#include "sim/world/timeline.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration step = 100ms;       // between two looks at the world …
constexpr Duration long_step = 500ms;  // … once it has taken long already
constexpr Duration takes_long = 10s;
constexpr std::uint64_t event_limit = 200'000'000;

class Course {
  public:
    Course(const Scenario& scenario, const SimulateOptions& options)
        : world_(scenario, options),
          options_(options),
          converging_(scenario, world_.judge(), world_.judge().hold()) {}

    Run run() {
        world_.scheduler().set_event_limit(event_limit);
        world_.boot();  // nothing is reported before
        begin(Phase::boot);
        if (Timeline* timeline = world_.timeline()) timeline->sample();
        world_.start();
        begin(Phase::safety);
        safety();
        begin(Phase::faults_ceased);
        cease();
        begin(Phase::convergence);
        if (!over_ && converge()) {
            begin(Phase::hold);
            hold();
        }
        world_.nemesis().settle();
        begin(Phase::end);
        return result();
    }

  private:
    Instant now() { return world_.scheduler().now(); }
    void begin(Phase phase) { world_.report(PhaseBegan{phase}); }

    // Lets the world run up to `end`. False: the run is over, for a reason that was noted.
    bool advance(Instant end) {
        const RunEnd how = world_.scheduler().run_until(end);
        if (Timeline* timeline = world_.timeline()) timeline->sample();
        if (const std::string died = world_.manager_that_died(); !died.empty())
            return stop("manager died: " + died);
        if (how == RunEnd::nothing_left) return stop("nothing is left to run");
        if (how == RunEnd::event_limit) return stop("too many events: a loop that passes no time");
        return true;
    }

    bool stop(std::string why) {
        over_ = true;
        broken_ = std::move(why);
        return false;
    }

    void safety() {
        const Instant end = now() + fault_phase(world_.scenario(), world_.nemesis());
        while (now() < end && advance(std::min(end, now() + step_of_safety()))) {
        }
    }

    // Only a timeline needs to look often while faults are on.
    Duration step_of_safety() const { return options_.timeline ? 20ms : 1s; }

    void cease() {
        world_.network().freeze_latencies();
        world_.writers().stop_drawing();
        world_.set_core(world_.nemesis().cease());
    }

    // ---- convergence: until the judge is content, or nothing better can come, or the budget is used up

    bool converge() {
        const Instant began = now();
        const Instant deadline = began + world_.judge().budget();
        while (now() < deadline) {
            if (!advance(now() + (now() - began < takes_long ? step : long_step))) return false;
            if (livelock()) return false;
            if (is_quiet() && probe(deadline)) return true;
            if (over_ || nothing_better_comes()) return false;
        }
        return false;
    }

    bool is_quiet() {
        return converging_.is_quiet(now(), world_.nothing_is_under_way(), world_.counts().last_mutating);
    }

    bool nothing_better_comes() {
        if (now() < next_question_) return false;
        next_question_ = now() + 1s;
        return converging_.nothing_better_comes(now());
    }

    bool livelock() {
        // Once for each time that they went to sleep.
        const std::uint64_t statements = world_.counts().statements;
        if (statements == slept_after_ || !world_.all_managers_asleep()) return false;
        slept_after_ = statements;
        if (!world_.judge().on_all_asleep(now())) return false;
        over_ = true;
        return true;
    }

    // A write of our own to the primary in force: acknowledged, and then executed by all that are not
    // excused.
    bool probe(Instant deadline) {
        const auto record = world_.topology().fixpoint();
        if (!record) return world_.judge().converged(std::nullopt).converged;
        const auto told = std::make_shared<std::optional<WriteAnswered::Outcome>>();
        Probe sent;
        sent.write = world_.writers().write_once(record->primary.alias, probe_bound,
                                                 [told](WriteAnswered::Outcome outcome) { *told = outcome; });
        const Instant answered_by = now() + probe_bound + 2s;
        while (!*told && now() < answered_by) {
            if (!advance(now() + 10ms)) return false;
        }
        sent.acknowledged = *told == WriteAnswered::Outcome::acknowledged;
        return converging_.follow(
            sent, deadline, [this] { return now(); }, [this] { return advance(now() + step); });
    }

    // It must stay so, with nothing done.
    void hold() {
        const Instant end = now() + world_.judge().hold();
        while (now() < end) {
            if (!advance(std::min(end, now() + 1s))) return;
            if (livelock()) return;
        }
    }

    // ---- what there is to say

    Run result() {
        Run run = run_of(world_.scenario(), world_.judge().finish(now(), converging_.probe()));
        if (!broken_.empty()) add_violation(run, "I7", now(), broken_);
        if (const auto record = world_.topology().fixpoint()) run.primary_at_end = record->primary.alias;
        fill_counts(run);
        return run;
    }

    void fill_counts(Run& run) {
        run.event_hash = world_.scheduler().event_hash();
        run.events = world_.scheduler().counters().events;
        run.statements = world_.counts().statements;
        run.mutating_statements = world_.counts().mutating_effects;
        run.notifications = world_.counts().notifications;
        run.notification_names = world_.notification_names();
        run.virtual_time = now() - Instant{};
        if (Timeline* timeline = world_.timeline()) {
            run.timeline = timeline->take_entries();
            run.samples = timeline->take_samples();
        }
    }

    World world_;
    const SimulateOptions options_;
    Converging converging_;
    std::uint64_t slept_after_ = 0;
    Instant next_question_{};
    bool over_ = false;
    std::string broken_;
};

}  // namespace

Run simulate(const Scenario& scenario, const SimulateOptions& options) {
    // Junk between two runs: whatever is ordered by address orders itself otherwise, and the hashes differ.
    std::vector<std::unique_ptr<char[]>> junk;
    for (std::uint64_t i = 0; i < options.perturb_heap; ++i) {
        junk.push_back(std::make_unique<char[]>(16 + (i * 7919) % 4096));
        if (i % 3 == 0) junk[i / 2].reset();
    }
    const StepScope scope;
    return Course(scenario, options).run();
}

}  // namespace fixpoint::sim
