// The checkers, one per invariant of engine/INVARIANTS.md; each stands in a file of its own number.
// I8 and I9 are judged once, when the run ends, from what the judge has found out by then.
#pragma once

#include <memory>

#include "sim/checkers/books.hpp"
#include "sim/checkers/checker.hpp"
#include "sim/checkers/judge.hpp"

namespace fixpoint::sim {

std::unique_ptr<Checker> make_i1_one_acknowledging_primary(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i2_acknowledged_writes_survive(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i3_no_acknowledgement_by_the_deposed(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i4_mutations_are_fenced(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i5_no_errant_transactions_of_our_making(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i6_received_is_never_discarded(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i7_every_operation_ends(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i10_left_alone(const Books& books, WorldView& view);
std::unique_ptr<Checker> make_i11_only_recorded_ackers_acknowledge(const Books& books, WorldView& view);

class I8Convergence final : public Checker {
  public:
    I8Convergence(const Books& books, WorldView& view) : Checker("I8", books, view) {}
    void on(Instant at, const JudgeEvent& event) override;
    void probed(const Convergence& found) { converged_ = found.converged; }
    // The end: what was found, and whether the guard says that the run was within the promise.
    void conclude(Instant at, const Convergence& found, bool within_promise);
    void livelock(Instant at);

  private:
    bool converged_ = false;  // as of the last probe
    bool holding_ = false, held_ = false;
    int in_hold_ = 0;
};

class I9FailureIsJustified final : public Checker {
  public:
    I9FailureIsJustified(const Books& books, WorldView& view) : Checker("I9", books, view) {}
    void on(Instant, const JudgeEvent&) override {}
    void conclude(Instant at, const Convergence& found, bool within_promise);
};

}  // namespace fixpoint::sim
