// I4: once a newer holder of the shard lock has observed a tablet under its server lock, no statement of an
// older one takes effect there. Looks at server locks, the first reading after each, and every mutating
// statement. A KILL that ends a newer holder's session counts. Excepted: the journal row with its table, and
// the nudge, which are ordinary writes that a closed server refuses.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

bool ordinary_write(const sql::Statement& s) {
    return std::holds_alternative<sql::InsertJournalRow>(s) ||
           std::holds_alternative<sql::CreateJournal>(s) || std::holds_alternative<sql::Nudge>(s);
}
bool observes(const sql::Statement& s) {
    return std::holds_alternative<sql::Look>(s) || std::holds_alternative<sql::ReadGtids>(s) ||
           std::holds_alternative<sql::ReadReplica>(s);
}

class I4 final : public Checker {
  public:
    I4(const Books& books, WorldView& view) : Checker("I4", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        if (const auto* taken = std::get_if<ServerLockTaken>(&event)) {
            Fence& fence = fences_[taken->tablet];
            if (taken->lock_id > fence.taken) fence.taken = taken->lock_id, fence.holder = taken->manager;
        } else if (const auto* e = std::get_if<StatementTookEffect>(&event)) {
            took_effect(at, *e);
        }
    }

  private:
    struct Fence {
        std::int64_t taken = 0;     // the newest shard lock under which the server lock was taken
        std::int64_t observed = 0;  // … and the tablet looked at
        std::string holder;
    };

    void took_effect(Instant at, const StatementTookEffect& e) {
        const auto it = fences_.find(e.tablet);
        if (it == fences_.end()) return;
        Fence& fence = it->second;
        if (e.kills_manager_session && e.killed_lock_id > e.lock_id && fence.taken >= e.killed_lock_id) {
            violated(at, fmt::format(
                             "{} under lock {} killed a session of {}, the newer holder (lock {}), on {}",
                             e.manager, e.lock_id, e.killed_manager, e.killed_lock_id, e.tablet.to_string()));
            return;
        }
        if (observes(e.statement) && e.lock_id == fence.taken && e.manager == fence.holder)
            fence.observed = fence.taken;
        if (!e.mutating || ordinary_write(e.statement) || e.lock_id >= fence.observed) return;
        violated(at,
                 fmt::format("{} of {} under lock {} took effect on {}, which {} had observed under lock {}",
                             sql::to_string(e.statement), e.manager, e.lock_id, e.tablet.to_string(),
                             fence.holder, fence.observed));
    }

    std::map<TabletAlias, Fence> fences_;
};

}  // namespace

std::unique_ptr<Checker> make_i4_mutations_are_fenced(const Books& books, WorldView& view) {
    return std::make_unique<I4>(books, view);
}

}  // namespace fixpoint::sim
