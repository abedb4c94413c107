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
#include "sim/world/step_scope.hpp"
#include "sim/world/timeline.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration after_last_fault = 10s;
constexpr Duration until_events_strike = 30s;  // where faults wait for events
constexpr Duration step = 100ms;               // between two looks at the world …
constexpr Duration long_step = 500ms;          // … once it has taken long already
constexpr Duration takes_long = 10s;
constexpr int polls_of_quiet = 3;
constexpr Duration probe_bound = 5s;
constexpr Duration probe_applied_within = 10s;
constexpr std::uint64_t event_limit = 200'000'000;

class Course {
  public:
    Course(const Scenario& scenario, const SimulateOptions& options)
        : world_(scenario, options), options_(options) {}

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
        const Scenario& scenario = world_.scenario();
        Duration length = scenario.fault_phase;
        if (length == Duration{}) {
            length = world_.nemesis().last_planned() + after_last_fault;
            if (world_.nemesis().bound_to_events()) length = std::max(length, until_events_strike);
        }
        const Instant end = now() + length;
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

    // As declared, for some polls in a row in which nothing was changed, begun or started: what a manager has
    // not looked at yet is not converged.
    bool is_quiet() {
        if (!world_.judge().settled() || !world_.nothing_is_under_way()) {
            quiet_since_.reset();
            return false;
        }
        if (!quiet_since_) quiet_since_ = now();
        const Instant since = std::max(*quiet_since_, world_.counts().last_mutating);
        return now() - since >= polls_of_quiet * world_.scenario().limits.poll;
    }

    // A confirmed reason that has stood for longer than the greatest back-off: every repair that the failed
    // run owes has had its turn.
    bool nothing_better_comes() {
        if (now() < next_question_) return false;
        next_question_ = now() + 1s;
        if (!world_.judge().failure_is_justified()) {
            justified_since_.reset();
            return false;
        }
        if (!justified_since_) justified_since_ = now();
        return now() - *justified_since_ >= world_.judge().hold();
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
        probe_ = sent;
        const Instant applied_by = std::max(deadline, now() + 1s);
        const Instant patience = std::min(applied_by, now() + probe_applied_within);
        while (true) {
            const Convergence found = world_.judge().converged(probe_);
            if (found.converged || found.justified_failure) return true;
            if (!sent.acknowledged || now() >= patience) return false;
            if (!advance(now() + step)) return false;
        }
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
        Judgement judged = world_.judge().finish(now(), probe_);
        Run run;
        run.scenario = world_.scenario();
        run.verdict = judged.verdict;
        run.why = std::move(judged.why);
        run.violations = std::move(judged.violations);
        run.reason = judged.reason;
        run.within_promise = judged.within_promise;
        run.recoveries = std::move(judged.recoveries);
        run.faults = std::move(judged.faults);
        run.every_fault_delivered = judged.every_fault_delivered;
        run.writes_acknowledged = judged.writes_acknowledged;
        run.writes_judged = judged.writes_judged;
        run.writes_failed = judged.writes_failed;
        run.writes_unknown = judged.writes_unknown;
        run.writes_excused = judged.writes_excused;
        run.writes_blocked_longest = judged.writes_blocked_longest;
        run.commit_points = judged.commit_points;
        if (!broken_.empty()) {
            run.verdict = Verdict::violation;
            run.why = broken_;
            run.violations.push_back({"I7", now(), broken_});
        }
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
    std::optional<Probe> probe_;
    std::uint64_t slept_after_ = 0;
    Instant next_question_{};
    std::optional<Instant> justified_since_;
    std::optional<Instant> quiet_since_;
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
