// The doors of the simulator: run one scenario, get everything that can be said about the run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/problem.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

struct Violation {
    std::string invariant;  // I1 … I11, or "livelock"
    Instant at;
    std::string text;
};

// One line of the timeline, and one lane's change of state.
struct TimelineEntry {
    Instant at;
    std::string lane;   // a manager, "store", a tablet's alias, "clients", "faults"
    std::string kind;   // fault, statement, recovery, commit_point, state, write, lock, phase …
    std::string text;
    Duration lasts{};   // of a band; 0: a point
};

struct FaultCount { int requested = 0, delivered = 0, observed = 0; };

struct TabletSample {   // the state of one tablet as a person reads it: P, r, s, w, dead …
    Instant at;
    std::string tablet;
    std::string state;  // "P  1-248", "r  1-250", "dead"
};

struct Run {
    Scenario scenario;
    Verdict verdict = Verdict::unknown;
    std::string why;                          // of the verdict: a clause that fails, the confirmed reason, what was not exercised
    std::vector<Violation> violations;
    Reason reason = Reason::none;             // of a justified failure
    bool within_promise = true;               // what the guard says of the delivered faults
    std::vector<Recovery> recoveries;         // that acted, in order of their first
    std::map<FaultKind, FaultCount> faults;
    bool every_fault_delivered = true;
    std::int64_t writes_acknowledged = 0, writes_judged = 0, writes_failed = 0, writes_unknown = 0, writes_excused = 0;
    Duration writes_blocked_longest{};
    int commit_points = 0;
    std::optional<TabletAlias> primary_at_end;  // in force at the end, by Fixpoint's record
    std::uint64_t event_hash = 0;
    std::uint64_t events = 0;
    std::uint64_t statements = 0, mutating_statements = 0;
    std::uint64_t notifications = 0;          // of the whole run: watch events, statement answers, record write answers
    std::vector<std::string> notification_names;  // recorded only where wanted
    Duration virtual_time{};
    double wall_seconds = 0;                  // measured outside of the simulation, by main
    std::vector<TimelineEntry> timeline;      // recorded only where wanted
    std::vector<TabletSample> samples;        // likewise

    // Does it have what the scenario expects, every fault in it delivered? Otherwise: why not.
    bool passed() const { return failure().empty(); }
    std::string failure() const;
};

struct SimulateOptions {
    bool timeline = false;
    bool notification_names = false;
    // Lose the n-th notification of the run (1-based; 0: none): the "dropped events" expansion.
    std::uint64_t lose_notification = 0;
    std::uint64_t perturb_heap = 0;  // junk allocations, for the determinism check
};

Run simulate(const Scenario& scenario, const SimulateOptions& options = {});

}  // namespace fixpoint::sim
