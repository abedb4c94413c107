// I6: no step discards relay logs that hold transactions not yet applied, unless a reachable tablet that
// stays provably has them, or no client was told of them. Looks at each relay log that a manager's statement
// dropped, by the writes' own ids. Reachable: it answers, or it answered in this very operation (it may die
// in between).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I6 final : public Checker {
  public:
    I6(const Books& books, WorldView& view) : Checker("I6", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        if (const auto* e = std::get_if<StatementTookEffect>(&event)) {
            if (e->lock_id != 0) answered(e->lock_id).insert(e->tablet);
        } else if (const auto* dropped = std::get_if<RelayLogDiscarded>(&event)) {
            if (!dropped->manager.empty()) judge(at, *dropped);
        }
    }

  private:
    // Operations hold the lock one after the other: those before the last two are over.
    std::set<TabletAlias>& answered(std::int64_t lock_id) {
        while (answered_.size() > 4 && answered_.begin()->first < lock_id) answered_.erase(answered_.begin());
        return answered_[lock_id];
    }

    void judge(Instant at, const RelayLogDiscarded& e) {
        const WorldState& state = view_.now();
        const std::set<TabletAlias>& answered_here = answered(e.lock_id);
        for (const WriteId id : e.writes) {
            const auto it = books_.writes.find(id);
            if (it == books_.writes.end()) continue;
            const WriteBook& write = it->second;
            const bool told = write.told || !write.acknowledged.empty();
            if (!told || write.privileged || !write.by_hand.empty()) continue;
            const bool kept = std::ranges::any_of(state.servers, [&](const ServerState& s) {
                if (s.alias == e.tablet || (!alive(s) && !answered_here.contains(s.alias))) return false;
                return s.writes.has(id) || s.writes_in_log.has(id) ||
                       (s.relay_log_readable && s.writes_received.has(id));
            });
            if (kept) continue;
            violated(at, fmt::format("{} dropped the relay log of {} with the acknowledged write {}, which "
                                     "no tablet in reach has",
                                     e.manager, e.tablet.to_string(), id));
            return;
        }
    }

    std::map<std::int64_t, std::set<TabletAlias>> answered_;  // by shard lock
};

}  // namespace

std::unique_ptr<Checker> make_i6_received_is_never_discarded(const Books& books, WorldView& view) {
    return std::make_unique<I6>(books, view);
}

}  // namespace fixpoint::sim
