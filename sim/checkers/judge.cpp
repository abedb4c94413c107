// Wires the books and the checkers together, and turns what they found into a verdict.
#include "sim/checkers/judge.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "sim/checkers/books.hpp"
#include "sim/checkers/excuses.hpp"
#include "sim/checkers/guard.hpp"
#include "sim/checkers/invariants.hpp"
#include "sim/checkers/livelock.hpp"

namespace fixpoint::sim {

class Judge::Impl {
  public:
    Impl(const Scenario& scenario, WorldView& view)
        : books_(scenario), view_(view), i8_(books_, view), i9_(books_, view) {
        checkers_.push_back(make_i1_one_acknowledging_primary(books_, view));
        checkers_.push_back(make_i2_acknowledged_writes_survive(books_, view));
        checkers_.push_back(make_i3_no_acknowledgement_by_the_deposed(books_, view));
        checkers_.push_back(make_i4_mutations_are_fenced(books_, view));
        checkers_.push_back(make_i5_no_errant_transactions_of_our_making(books_, view));
        checkers_.push_back(make_i6_received_is_never_discarded(books_, view));
        checkers_.push_back(make_i7_every_operation_ends(books_, view));
        checkers_.push_back(make_i10_left_alone(books_, view));
        checkers_.push_back(make_i11_only_recorded_ackers_acknowledge(books_, view));
    }

    void on(Instant at, const JudgeEvent& event) {
        books_.on(at, event, view_);
        if (std::holds_alternative<ManagerSaid>(event) || std::holds_alternative<FaultHappened>(event) ||
            std::holds_alternative<PhaseBegan>(event) || std::holds_alternative<RecordWritten>(event) ||
            std::holds_alternative<ManagerStopped>(event)) {
            ++heard_;
        }
        if (std::holds_alternative<ShardLockTaken>(event)) unmet_now();
        if (const auto* e = std::get_if<StatementTookEffect>(&event); e && e->mutating) ++mutations_;
        if (const auto* w = std::get_if<RecordWritten>(&event); w && !w->manager.empty()) ++mutations_;
        for (const auto& checker : checkers_) checker->on(at, event);
        i8_.on(at, event);
    }

    // What is excused rests on the state and on what was heard; as long as both are the same, so is the
    // answer.
    const Convergence& found_now() {
        const std::vector<Clause>& unmet = unmet_now();
        const std::uint64_t version = view_.version();
        if (version == 0 || version != found_version_ || heard_ != found_heard_) {
            found_ = excused(view_.now(), unmet, books_, guarded().within);
            found_version_ = version;
            found_heard_ = heard_;
        }
        return found_;
    }

    bool settled() {
        const Convergence& found = found_now();
        return found.unmet.empty() && !found.justified_failure;
    }

    bool failure_is_justified() {
        const Convergence& found = found_now();
        return found.unmet.empty() && found.justified_failure;
    }

    Convergence converged(const std::optional<Probe>& probe) {
        Convergence found = with_probe(found_now(), view_.now(), probe, books_, guarded().within);
        i8_.probed(found);
        return found;
    }

    bool on_all_asleep(Instant at) {
        if (books_.phase != Phase::convergence && books_.phase != Phase::hold) return false;
        if (mutations_ == hashed_at_) return false;  // nothing was sent since: no recurrence
        hashed_at_ = mutations_;
        if (!livelock_.seen(state_hash(view_.now()), mutations_) || failure_is_justified()) return false;
        i8_.livelock(at);
        return true;
    }

    Judgement finish(Instant at, const std::optional<Probe>& probe) {
        const Convergence found = converged(probe);
        for (const auto& checker : checkers_) checker->at_end(at);
        Judgement j;
        const GuardVerdict& promise = guarded();
        j.within_promise = promise.within;
        j.beyond = promise.beyond;
        i8_.conclude(at, found, promise.within);
        i9_.conclude(at, found, promise.within);
        j.violations = violations();
        count(j, at);
        if (!j.violations.empty()) {
            j.verdict = Verdict::violation;
            j.why = j.violations.front().invariant + ": " + j.violations.front().text;
        } else if (!j.every_fault_delivered) {
            j.verdict = Verdict::unknown;
            j.why = "not every fault was delivered";
        } else if (books_.writes.empty()) {
            j.verdict = Verdict::unknown;
            j.why = "no client wrote anything";
        } else if (found.converged) {
            j.verdict = Verdict::converged;
        } else {
            j.verdict = Verdict::failed_justified;
            j.reason = found.reason;
            j.why = found.why;
        }
        return j;
    }

    std::vector<Violation> violations() const {
        std::vector<Violation> all;
        const auto take = [&](const Checker& c) {
            all.insert(all.end(), c.violations().begin(), c.violations().end());
        };
        for (const auto& checker : checkers_) take(*checker);
        take(i8_);
        take(i9_);
        std::ranges::sort(all, {}, [](const Violation& v) { return std::tie(v.at, v.invariant, v.text); });
        return all;
    }

    const Books& books() const { return books_; }

  private:
    // As declared, computed only when the world may have changed.
    const std::vector<Clause>& unmet_now() {
        const std::uint64_t version = view_.version();
        if (version == 0 || version != unmet_version_) {
            const WorldState& state = view_.now();
            unmet_ = as_declared(state);
            unmet_version_ = version;
            books_.saw(state, unmet_);
        }
        return unmet_;
    }

    const GuardVerdict& guarded() {
        if (guard_ && guarded_ == std::pair(books_.delivered.size(), books_.terms.size())) return *guard_;
        GuardInput input;
        input.tablets = books_.scenario.tablets;
        for (const ScenarioManager& m : books_.scenario.managers) input.managers.push_back(m.name);
        input.policy = books_.scenario.policy;
        input.recorded = books_.scenario.boot == Boot::converged;
        input.faults = books_.delivered;
        input.terms = books_.terms;
        input.recovering = books_.scenario.limits.backoff_greatest;
        guard_ = guard(input);
        guarded_ = {books_.delivered.size(), books_.terms.size()};
        return *guard_;
    }

    void count(Judgement& j, Instant at) const {
        j.faults = books_.fault_counts;
        std::map<FaultKind, int> wanted;
        for (const Fault& fault : books_.scenario.faults) ++wanted[fault.kind];
        for (const auto& [kind, count] : wanted) {
            const auto it = j.faults.find(kind);
            if (it == j.faults.end() || it->second.delivered < count) j.every_fault_delivered = false;
        }
        j.recoveries = books_.recoveries;
        j.commit_points = books_.commit_points;
        j.writes_acknowledged = books_.told;
        j.writes_failed = books_.failed;
        j.writes_unknown = books_.unknown;
        j.writes_blocked_longest = books_.blocked_longest;
        if (books_.last_told)
            j.writes_blocked_longest = std::max(j.writes_blocked_longest, at - *books_.last_told);
        for (const auto& [id, write] : books_.writes) {
            if (write.counts()) ++(write.by_hand.empty() ? j.writes_judged : j.writes_excused);
            for (const WriteBook::Acknowledged& ack : write.acknowledged) {
                if (ack.privileged || ack.policy.ackers_needed > 0 || ack.term < 0) continue;
                if (books_.terms.at(static_cast<std::size_t>(ack.term)).primary.alias != ack.tablet)
                    ++j.dual_acknowledgements;
            }
        }
    }

    Books books_;
    WorldView& view_;
    std::vector<std::unique_ptr<Checker>> checkers_;
    I8Convergence i8_;
    I9FailureIsJustified i9_;
    LivelockDetector livelock_;
    std::uint64_t mutations_ = 0;
    std::optional<std::uint64_t> hashed_at_;
    std::uint64_t heard_ = 0, found_heard_ = 0, found_version_ = 0;
    Convergence found_;
    std::vector<Clause> unmet_;
    std::uint64_t unmet_version_ = 0;
    std::optional<GuardVerdict> guard_;
    std::pair<std::size_t, std::size_t> guarded_{};  // of how many faults and terms
};

Judge::Judge(const Scenario& scenario, WorldView& view) : impl_(std::make_unique<Impl>(scenario, view)) {}
Judge::~Judge() = default;
void Judge::on(Instant at, const JudgeEvent& event) {
    impl_->on(at, event);
}
bool Judge::settled() {
    return impl_->settled();
}
Convergence Judge::converged(const std::optional<Probe>& probe) {
    return impl_->converged(probe);
}
bool Judge::failure_is_justified() {
    return impl_->failure_is_justified();
}
bool Judge::on_all_asleep(Instant at) {
    return impl_->on_all_asleep(at);
}
Judgement Judge::finish(Instant at, const std::optional<Probe>& probe) {
    return impl_->finish(at, probe);
}
const Books& Judge::books() const {
    return impl_->books();
}
std::vector<Violation> Judge::violations() const {
    return impl_->violations();
}

Duration Judge::budget() const {
    const Scenario& scenario = impl_->books().scenario;
    const Limits& limits = scenario.limits;
    const auto tablets = static_cast<int>(scenario.tablets.size());
    Duration slowest{};
    for (const ScenarioTablet& t : scenario.tablets) slowest = std::max(slowest, t.apply_delay);
    return limits.lease + 2 * limits.backoff_greatest + limits.catching_up + limits.applying +
           tablets * (limits.lock_wait_timeout_of_closing + 3 * limits.poll) + 20 * slowest +
           std::chrono::seconds(20);
}

Duration Judge::hold() const {
    return impl_->books().scenario.limits.backoff_greatest + std::chrono::seconds(5);
}

}  // namespace fixpoint::sim
