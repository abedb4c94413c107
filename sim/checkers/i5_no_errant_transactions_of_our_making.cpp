// I5: no step puts a transaction on a replica that the primary lacks, and no replicating replica is left with
// one. Looks at the writes of managers (journal, nudge) where they are committed, and at what the core's
// replicas have at the end. Excused, if reported: an acker without which no write could be acknowledged. What
// an election had to fetch is in `opened_at`, and so is not errant.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I5 final : public Checker {
  public:
    I5(const Books& books, WorldView& view) : Checker("I5", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        const auto* e = std::get_if<Committed>(&event);
        if (!e || e->manager.empty()) return;
        const bool ever_primary = std::ranges::any_of(
            books_.terms, [&](const TermBook& t) { return t.primary.alias == e->tablet; });
        const ServerState* server = view_.now().server(e->tablet);
        if (!ever_primary) {
            violated(at, fmt::format("{} wrote {} on {}, which was never primary", e->manager,
                                     e->gtid.to_string(), e->tablet.to_string()));
        } else if (server && server->server.super_read_only && !server->closing_pending &&
                   !books_.closed_by_hand.contains(e->tablet)) {  // by hand: it may have been under way
            violated(at, fmt::format("{} wrote {} on {}, which is closed", e->manager, e->gtid.to_string(),
                                     e->tablet.to_string()));
        }
    }

    void at_end(Instant at) override {
        const WorldState& state = view_.now();
        if (!state.store.fixpoint) return;
        if (state.store.goal && state.store.goal->paused) return;  // people's hands, and nobody may act
        const FixpointRecord& record = *state.store.fixpoint;
        if (was_set_back(state, record)) return;  // nobody may touch the shard before it is recovered
        const ServerState* primary = state.server(record.primary.alias);
        if (!primary || !alive(*primary) || !state.core.has(primary->alias)) return;
        if (primary->server.server_uuid != record.primary.uuid) return;  // nobody leaves A under a stranger
        for (const ServerState& server : state.servers) {
            if (!state.core.has(server.alias) || server.alias == record.primary.alias || !alive(server))
                continue;
            if (is_undeclared(state, server.alias)) continue;
            const bool replicates = std::ranges::any_of(server.channels, [](const sql::ReplicaRow& r) {
                return r.receiver == sql::ThreadState::yes;
            });
            const GtidSet errant = errant_on(server, state);
            if (!replicates || errant.empty() || needed(server, state, record)) continue;
            violated(at, fmt::format("{} replicates, and has what the primary lacks: {}",
                                     server.alias.to_string(), errant.to_string()));
        }
    }

  private:
    static bool was_set_back(const WorldState& state, const FixpointRecord& record) {
        return std::ranges::any_of(state.servers, [&](const ServerState& server) {
            return state.core.has(server.alias) && alive(server) &&
                   std::ranges::any_of(server.journal, [&](const sql::JournalRow& row) {
                       return counts(row, state) && row.term > record.term;
                   });
        });
    }

    bool needed(const ServerState& server, const WorldState& state, const FixpointRecord& record) const {
        if (!record.has_acker(server.alias) || !is_reported(books_, server.alias)) return false;
        const auto clean = std::ranges::count_if(record.ackers, [&](const RecordedServer& a) {
            const ServerState* s = state.server(a.alias);
            return s && s->alias != server.alias && alive(*s) && state.core.has(s->alias) &&
                   errant_on(*s, state).empty() && !on_data_error(*s);
        });
        return clean < record.k();
    }
};

}  // namespace

std::unique_ptr<Checker> make_i5_no_errant_transactions_of_our_making(const Books& books, WorldView& view) {
    return std::make_unique<I5>(books, view);
}

}  // namespace fixpoint::sim
