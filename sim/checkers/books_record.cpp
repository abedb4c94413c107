// The part of the books that the record has: what was in force when, and how far the servers bore it out.
// What a person edits into it is not in force, unless nobody in reach can know better.
#include <algorithm>
#include <functional>
#include <utility>

#include "sim/checkers/books.hpp"

namespace fixpoint::sim {
namespace {

// What at least `count` of the servers have.
GtidSet had_by(const std::vector<GtidSet>& sets, std::size_t count) {
    GtidSet all;
    std::function<void(std::size_t, std::size_t, const GtidSet&)> choose =
        [&](std::size_t from, std::size_t left, const GtidSet& common) {
            if (left == 0) return all.add(common);
            for (std::size_t i = from; i + left <= sets.size(); ++i) {
                choose(i + 1, left - 1, left == count ? sets[i] : common & sets[i]);
            }
        };
    if (count > 0) choose(0, count, {});
    return all;
}

bool unfenced(const RecordWritten& e, const WorldState& state) {
    if (!state.store.goal || !e.before || e.before->k() > 0) return false;
    return std::ranges::any_of(state.store.goal->allowed, [&](const AllowedStep& a) {
        return a.step == "unfenced_promotion" && (a.term == e.before->term || a.term == e.after->term);
    });
}

}  // namespace

void Books::begin_term(Instant at, const FixpointRecord& record, bool unfenced) {
    terms.push_back({at, record.term, record.primary, unfenced});
}

void Books::believe(const FixpointRecord& after, const WorldState& state) {
    const ServerState* primary = state.server(after.primary.alias);
    const bool new_term = !in_force || in_force->term != after.term;
    if (new_term) believed.opened_at = primary ? after.opened_at & primary->server.gtid_executed : GtidSet{};
    std::vector<GtidSet> sets;
    for (const ServerState& server : state.servers) sets.push_back(has(server));
    GtidSet provable = had_by(sets, static_cast<std::size_t>(after.k()) + 1);
    provable.add(believed.high_water);
    believed.high_water = after.k() > 0 ? after.high_water & provable : GtidSet{};

    GtidSet errant;
    for (const ServerState& server : state.servers) {
        errant.add(errant_on(server, state));
        const auto t = state.store.tablets.find(server.alias);
        // The rebuild rule: numbers of a quarantined server's own uuid, whether or not anybody still has
        // them.
        if (t != state.store.tablets.end() && t->second.drained_by_fixpoint()) {
            errant.add(after.retired_gtids().of_uuid(server.server.server_uuid));
        }
    }
    errant.add(believed.retired);
    believed.retired = after.retired_gtids() & errant;

    std::vector<TabletAlias> ackers;
    for (const RecordedServer& a : after.ackers) {
        const bool before = std::ranges::find(believed.ackers, a.alias) != believed.ackers.end();
        const ServerState* server = state.server(a.alias);
        const bool acks = server && alive(*server) && server->server.semi_sync_replica_enabled;
        // One that does not answer stays: it may follow already.
        if (acks || (before && (!new_term || !server || !alive(*server)))) ackers.push_back(a.alias);
    }
    believed.ackers = std::move(ackers);
}

void Books::written(Instant at, const RecordWritten& e, WorldView& view) {
    if (e.manager.empty()) return edited_by_hand(at, e, view);
    acted(e.manager);
    if (!e.after) return;
    const WorldState& state = view.now();
    const bool changed = !in_force || *in_force != *e.after;
    if (changed) believe(*e.after, state);
    if (e.is_commit_point()) {
        ++commit_points;
        begin_term(at, *e.after, unfenced(e, state));
        if (terms.back().unfenced) {
            for (auto& [id, write] : writes) write.by_hand = "the goal allowed an unfenced promotion";
        }
        no_longer_weak(e.after->primary.alias);
    }
    if (changed) in_force = std::make_shared<const FixpointRecord>(*e.after);
}

// A record set back so little that nobody in reach can know: what was told since is nobody's fault, and
// what it says is in force again.
void Books::edited_by_hand(Instant at, const RecordWritten& e, WorldView& view) {
    if (!in_force) return;
    // Who acknowledges by the record that is gone goes on until a step comes to its receiver.
    for (const RecordedServer& acker : in_force->ackers) {
        if (!e.after || !e.after->has_acker(acker.alias)) acks_by_hand[acker.alias].unnamed = at;
    }
    const auto place = [](const auto& r) { return std::pair(r.term, r.revision); };
    const std::pair<std::int64_t, std::int64_t> left =
        e.after ? place(*e.after) : std::pair<std::int64_t, std::int64_t>{-1, 0};
    if (left >= place(*in_force)) return;
    const WorldState& state = view.now();
    for (const ServerState& server : state.servers) {
        if (!alive(server)) continue;
        for (const sql::JournalRow& row : server.journal) {
            if (counts(row, state) && place(row) > left) return;
        }
    }
    for (auto& [id, write] : writes) write.by_hand = "the record was set back, and no journal says so";
    if (!e.after) return;
    if (e.is_commit_point()) {
        // Who was primary by the record that is gone serves until somebody closes it.
        if (e.after->primary != in_force->primary)
            weakened[in_force->primary.alias] = "the record was set back, and no journal says so";
        no_longer_weak(e.after->primary.alias);
        begin_term(at, *e.after, false);
    }
    believe(*e.after, state);
    in_force = std::make_shared<const FixpointRecord>(*e.after);
}

}  // namespace fixpoint::sim
