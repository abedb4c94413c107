// The judge of a run: owns every checker, keeps the books they share, and gives the verdict.
// Why one observer: the world reports once, and no scenario can leave a checker out.
// It refuses to know how anything is decided: it hears events and reads states (include/fixpoint/sim).
//
// How the world uses it:
//   Judge judge(scenario, view);                 // before the first event
//   judge.on(at, event) …                        // everything of judge_event.hpp, PhaseBegan included
//   phase convergence: from time to time judge.settled(); when true, a probe write, then
//   judge.converged(probe) judge.on(at, PhaseBegan{Phase::end}); Judgement j = judge.finish(at, probe);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "fixpoint/sim/run.hpp"
#include "fixpoint/sim/scenario.hpp"
#include "fixpoint/sim/state.hpp"
#include "sim/checkers/as_declared.hpp"
#include "sim/checkers/checker.hpp"

namespace fixpoint::sim {

// A write of the world's own, sent to the primary that `Fixpoint` names once the shard is settled.
struct Probe {
    WriteId write = 0;
    bool acknowledged = false;  // its client was told OK within the bound
};

struct Convergence {
    bool converged = false;
    std::vector<Clause> unmet;  // and not excused
    std::vector<Clause> excused;
    std::vector<TabletAlias> excused_tablets;  // need not execute the probe
    bool justified_failure = false;  // what is excused makes the run a justified failure, not a convergence
    Reason reason = Reason::none;    // of it
    std::string why;                 // the first thing that is wrong, or the reason
};

struct Judgement {
    Verdict verdict = Verdict::unknown;
    std::string why;
    Reason reason = Reason::none;
    bool within_promise = true;
    std::string beyond;  // what the guard says went beyond
    std::vector<Violation> violations;
    std::map<FaultKind, FaultCount> faults;
    bool every_fault_delivered = true;
    std::vector<Recovery> recoveries;      // that acted, in the order of their first
    std::int64_t writes_acknowledged = 0;  // that a client saw succeed
    std::int64_t writes_judged = 0;        // of these, under a policy with k >= 1 and not excused
    std::int64_t writes_excused = 0;       // touched by a fault by hand
    std::int64_t writes_failed = 0, writes_unknown = 0;
    std::int64_t dual_acknowledgements = 0;  // under policy `none`: measured, not forbidden
    Duration writes_blocked_longest{};  // longest time without a write that a client saw succeed, from the
                                        // first to the end
    int commit_points = 0;
};

class Judge final : public Observer {
  public:
    Judge(const Scenario& scenario, WorldView& view);
    ~Judge() override;

    void on(Instant at, const JudgeEvent& event) override;

    // As declared, the permitted excuses applied: time for a probe. Cheap while nothing changed.
    bool settled();
    // The same with the probe: acknowledged, and executed on every tablet that is not excused.
    Convergence converged(const std::optional<Probe>& probe);
    // Nothing better can come: not settled, and a reason for it is confirmed.
    bool failure_is_justified();

    // Every manager of the core sleeps between passes (any order, as often as it happens, in phases
    // convergence and hold): finds livelocks. True: proven, the run may end.
    bool on_all_asleep(Instant at);

    // The longest time that convergence may take after faults ceased, from the goal's limits and the shard's
    // size.
    Duration budget() const;
    Duration hold() const;  // longer than the greatest back-off

    // The last call.
    Judgement finish(Instant at, const std::optional<Probe>& probe);

    const Books& books() const;
    // So far; of every checker, in the order in which they were found.
    std::vector<Violation> violations() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fixpoint::sim
