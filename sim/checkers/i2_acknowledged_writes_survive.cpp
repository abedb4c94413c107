// I2: every write that a client saw succeed is on the primary in force at each later commit point and at the
// end. By the write's own id, never by GTID: with a number used twice the sets look whole. Excused: what a
// fault by hand touched (it must still end on the primary, or be reported, as long as a disk of the core
// holds it), what somebody holds while the shard stands still for it, and what more faults took than the
// policy tolerates: more copies than the k of its acknowledgement.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers/fault_costs.hpp"
#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

bool holds(const WriteSet& ids, WriteId id) {
    return ids.has(id);
}
bool on_disk(const ServerState& server, WriteId id) {
    return holds(server.writes, id) || holds(server.writes_in_log, id);
}

// Also as received, where an applier can still read it.
bool is_held_by(const ServerState& server, WriteId id) {
    return on_disk(server, id) || (server.relay_log_readable && holds(server.writes_received, id));
}

class I2 final : public Checker {
  public:
    I2(const Books& books, WorldView& view) : Checker("I2", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        const auto* e = std::get_if<RecordWritten>(&event);
        if (!e || e->manager.empty() || !e->is_commit_point()) return;
        const WorldState& state = view_.now();
        const ServerState* primary = state.server(e->after->primary.alias);
        Lost lost;
        for (const auto& [id, write] : books_.writes) {
            if (!judged(write) || (primary && holds(primary->writes, id))) continue;
            if (static_cast<int>(copies_gone(id, write, state).size()) <= write.k()) lost.add(id);
        }
        lost.say([&](const std::string& which) {
            violated(at, fmt::format("term {} is recorded for {}, which lacks {}", e->after->term,
                                     e->after->primary.alias.to_string(), which));
        });
    }

    void at_end(Instant at) override {
        if (!books_.in_force) return;
        const WorldState& state = view_.now();
        const TabletAlias& alias = books_.in_force->primary.alias;
        const ServerState* primary = state.server(alias);
        Lost lost, dropped;
        for (const auto& [id, write] : books_.writes) {
            if (!write.counts() || write.number_reused || (primary && on_disk(*primary, id))) continue;
            if (stands_still(primary) && somebody_holds(id, state)) continue;
            if (write.by_hand.empty() && tolerable(id, write, alias, state)) {
                lost.add(id);
            } else if (silently_held(id, alias, state)) {
                dropped.add(id);
            }
        }
        lost.say([&](const std::string& which) {
            violated(at, fmt::format("at the end {} lacks {}", alias.to_string(), which));
        });
        dropped.say([&](const std::string& which) {
            violated(at, "at the end a tablet that nobody reports holds, and the primary lacks, " + which +
                             " (touched by hand)");
        });
    }

  private:
    struct Lost {
        int count = 0;
        std::string ids;
        void add(WriteId id) {
            if (++count <= 3) ids += fmt::format("{}{}", count == 1 ? "" : ", ", id);
        }
        template <class Say>
        void say(Say say_it) const {
            if (count > 0)
                say_it(fmt::format("{} acknowledged write{} ({}{})", count, count == 1 ? "" : "s", ids,
                                   count > 3 ? ", …" : ""));
        }
    };

    // Nobody writes there: a shard that refuses to go on without the write has not lost it (I8 and I9 judge
    // the refusal).
    static bool stands_still(const ServerState* primary) {
        return !primary || !alive(*primary) || !serves_clients(*primary);
    }

    static bool somebody_holds(WriteId id, const WorldState& state) {
        return std::ranges::any_of(state.servers,
                                   [&](const ServerState& server) { return is_held_by(server, id); });
    }

    static bool judged(const WriteBook& write) { return write.counts() && write.by_hand.empty(); }

    // One that a tablet has fetched again is not gone.
    static std::set<TabletAlias> copies_gone(WriteId id, const WriteBook& write, const WorldState& state) {
        std::set<TabletAlias> gone = write.copies_lost;
        std::erase_if(gone, [&](const TabletAlias& alias) {
            const ServerState* server = state.server(alias);
            return server && on_disk(*server, id);
        });
        return gone;
    }

    // A primary in force that lost its copy without a commit point: those of the tablets that stay broken are
    // gone too.
    static bool tolerable(WriteId id, const WriteBook& write, const TabletAlias& primary,
                          const WorldState& state) {
        std::set<TabletAlias> gone = copies_gone(id, write, state);
        if (gone.contains(primary)) {
            for (const ServerState& server : state.servers) {
                if (!state.core.has(server.alias)) gone.insert(server.alias);
            }
        }
        return static_cast<int>(gone.size()) <= write.k();
    }

    // Set back by hand and then opened by hand: what was written there bears numbers of the writes that it
    // had lost, and in no set of GTIDs can anybody see it (protocol 12).
    bool gave_numbers_again(const TabletAlias& tablet) const {
        bool set_back = false;
        for (const DeliveredFault& d : books_.delivered) {
            if (d.fault.tablet != tablet) continue;
            if (set_back && opens_by_hand(d.fault.kind)) return true;
            set_back = set_back || d.fault.kind == FaultKind::restore_older_state;
        }
        return false;
    }

    bool silently_held(WriteId id, const TabletAlias& primary, const WorldState& state) const {
        for (const ServerState& server : state.servers) {
            if (server.alias == primary || !state.core.has(server.alias)) continue;
            if (!is_held_by(server, id) || gave_numbers_again(server.alias)) continue;
            const auto t = state.store.tablets.find(server.alias);
            if (t == state.store.tablets.end()) continue;  // of this shard no more: people deleted its record
            const bool quarantined = t != state.store.tablets.end() && t->second.drained_by_fixpoint();
            if (!quarantined && !is_reported(books_, server.alias)) return true;
        }
        return false;
    }
};

}  // namespace

std::unique_ptr<Checker> make_i2_acknowledged_writes_survive(const Books& books, WorldView& view) {
    return std::make_unique<I2>(books, view);
}

}  // namespace fixpoint::sim
