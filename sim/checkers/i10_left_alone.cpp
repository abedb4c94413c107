// I10: no mutating statement reaches a shard that is as declared, and no write but locks its store.
// Fires when the shard was as declared both when the operation took the shard lock and when the statement
// takes effect: a drift that heals itself between look and statement is no offence, a record rewritten for
// ever is one. Excepted: a nudge while a commit waits; and what a pass does that had read the tablet records
// just before people wrote one (they lie in the cells' stores, where no lock is, and are read once a pass).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I10 final : public Checker {
  public:
    I10(const Books& books, WorldView& view) : Checker("I10", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        if (const auto* lock = std::get_if<ShardLockTaken>(&event)) {
            as_declared_at_lock_[lock->lock_id] = is_as_declared() && !written_by_hand_just_now(at);
            for (const ServerState& s : view_.now().servers) {
                if (!s.server.gtid_owned.empty()) waited_at_lock_.emplace(lock->lock_id, s.alias);
            }
        } else if (const auto* sent = std::get_if<StatementSent>(&event)) {
            // Under no lock the moment of sending stands for that of the lock. A closing changes what is read
            // before it takes effect: there it stands for that of the effect.
            if (sent->mutating &&
                (sent->lock_id == 0 || (closes(sent->statement) && at_lock(sent->lock_id)))) {
                as_declared_at_sending_[key(*sent)] =
                    is_as_declared() &&
                    !(std::holds_alternative<sql::Nudge>(sent->statement) && waits(sent->tablet));
            }
        } else if (const auto* e = std::get_if<StatementTookEffect>(&event)) {
            if (!e->mutating || frees_what_waits(*e) || !began_as_declared(*e)) return;
            if (!(closes(e->statement) ? at_sending(*e) : is_as_declared())) return;
            violated(at, fmt::format("{} sent {} to {}", e->manager, sql::to_string(e->statement),
                                     e->tablet.to_string()));
        } else if (const auto* written = std::get_if<RecordWritten>(&event)) {
            if (written->manager.empty() && written->tablet_changed) tablet_record_by_hand_ = at;
            if (written->manager.empty() || !at_lock(written->lock_id) || !is_as_declared()) return;
            violated(at, written->manager + " wrote to the store");
        }
    }

  private:
    template <class E>
    static std::pair<std::string, std::uint64_t> key(const E& e) {
        return {e.manager + "@" + e.tablet.to_string(), e.session};
    }

    // A commit whose acknowledgement was lost waits on a shard that is as declared: a nudge is its cure.
    bool frees_what_waits(const StatementTookEffect& e) {
        return std::holds_alternative<sql::Nudge>(e.statement) &&
               (waits(e.tablet) || waited_at_lock_.contains({e.lock_id, e.tablet}));
    }
    bool waits(const TabletAlias& tablet) {
        const ServerState* server = view_.now().server(tablet);
        return server && !server->server.gtid_owned.empty();
    }
    bool is_as_declared() { return as_declared(view_.now()).empty(); }
    // Or in a cell whose store has not answered since: no manager can know.
    bool written_by_hand_just_now(Instant at) {
        if (!tablet_record_by_hand_) return false;
        const Duration poll = limits_of(view_.now()).poll;
        if (at - *tablet_record_by_hand_ < poll) return true;
        return std::ranges::any_of(books_.delivered, [&](const DeliveredFault& d) {
            if (d.fault.kind != FaultKind::cell_store_down || d.at >= *tablet_record_by_hand_ + poll)
                return false;
            const std::optional<Instant> up_again = books_.over(d);
            return !up_again || (*tablet_record_by_hand_ < *up_again && at < *up_again + poll);
        });
    }
    bool at_lock(std::int64_t id) const {
        const auto it = as_declared_at_lock_.find(id);
        return it != as_declared_at_lock_.end() && it->second;
    }
    static bool closes(const sql::Statement& statement) {
        const auto* set = std::get_if<sql::SetGlobal>(&statement);
        return std::holds_alternative<sql::CloseInOnePacket>(statement) ||
               (set && set->value == 1 &&
                (set->variable == sql::Variable::read_only ||
                 set->variable == sql::Variable::super_read_only));
    }
    bool began_as_declared(const StatementTookEffect& e) const {
        return e.lock_id != 0 ? at_lock(e.lock_id) : at_sending(e);
    }
    bool at_sending(const StatementTookEffect& e) const {
        const auto it = as_declared_at_sending_.find(key(e));
        return it != as_declared_at_sending_.end() && it->second;
    }

    std::optional<Instant> tablet_record_by_hand_;
    std::map<std::int64_t, bool> as_declared_at_lock_;
    std::set<std::pair<std::int64_t, TabletAlias>> waited_at_lock_;  // a commit waited there at that lock
    std::map<std::pair<std::string, std::uint64_t>, bool> as_declared_at_sending_;
};

}  // namespace

std::unique_ptr<Checker> make_i10_left_alone(const Books& books, WorldView& view) {
    return std::make_unique<I10>(books, view);
}

}  // namespace fixpoint::sim
