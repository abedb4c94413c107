// Conditions over the final state, the core and the books; nothing that any manager said.
#include "sim/checkers/who_could.hpp"

#include <algorithm>

namespace fixpoint::sim {

using In = const OracleInput&;

const FixpointRecord* record_of(In in) {
    return in.state.store.fixpoint ? &*in.state.store.fixpoint : nullptr;
}
int k_of(In in) {
    return record_of(in) ? record_of(in)->k() : 0;
}
bool in_core(In in, const TabletAlias& alias) {
    return in.state.core.has(alias) && !forgotten(in.state, alias);
}
bool cured_from_outside(const ServerState& s) {
    return s.manageable && s.server.persisted_globals_load;
}
bool cell_answers(In in, const TabletAlias& alias) {
    return std::ranges::find(in.state.core.cells_with_store, alias.cell) !=
           in.state.core.cells_with_store.end();
}
std::vector<const ServerState*> core_servers(In in) {
    std::vector<const ServerState*> servers;
    for (const ServerState& s : in.state.servers) {
        if (in_core(in, s.alias)) servers.push_back(&s);
    }
    return servers;
}

GtidSet usable(const ServerState& s) {
    return s.relay_log_readable && !on_data_error(s) ? has(s) : s.server.gtid_executed;
}

GtidSet demanded_by_the_record(In in) {
    GtidSet all = in.books.believed.opened_at;
    if (k_of(in) > 0) all.add(in.books.believed.high_water);
    return all;
}

namespace {

// What P wrote, as far as somebody of the core has it.
GtidSet seen_of_primary(In in, const FixpointRecord& record) {
    GtidSet seen;
    for (const ServerState* s : core_servers(in)) {
        if (s->alias != record.primary.alias) seen.add(has(*s).of_uuid(record.primary.uuid));
    }
    return seen;
}

// Set back by hand, and without a write that a client was told of: whoever opened it would have lost that,
// wherever it is.
bool lacks_what_was_acknowledged(In in, const ServerState& p) {
    return in.books.struck(FaultKind::restore_older_state, p.alias) &&
           std::ranges::any_of(in.books.writes, [&](const auto& entry) {
               const auto& [id, write] = entry;
               return write.counts() && write.by_hand.empty() && write.copies_lost.contains(p.alias) &&
                      !p.writes.has(id) && !p.writes_in_log.has(id);
           });
}

}  // namespace

bool primary_can_be_opened(In in) {
    const FixpointRecord* record = record_of(in);
    const ServerState* p = record ? in.state.server(record->primary.alias) : nullptr;
    return p && in_core(in, p->alias) && cured_from_outside(*p) &&
           p->server.server_uuid == record->primary.uuid &&
           p->server.gtid_executed.contains(demanded_by_the_record(in)) &&
           has(*p).contains(seen_of_primary(in, *record)) &&
           (record->k() == 0 || p->server.semi_sync_plugins) && !lacks_what_was_acknowledged(in, *p);
}

bool record_is_lost(In in) {
    const FixpointRecord* record = record_of(in);
    if (!record) return true;
    for (const ServerState* s : core_servers(in)) {
        for (const sql::JournalRow& row : s->journal) {
            if (!counts(row, in.state)) continue;
            if (row.term > record->term || (row.term == record->term && row.revision > record->revision))
                return true;
        }
    }
    return false;
}

std::vector<const ServerState*> others(In in) {
    std::vector<const ServerState*> servers = core_servers(in);
    const FixpointRecord* record = record_of(in);
    std::erase_if(servers, [&](const ServerState* s) {
        return record && s->alias == record->primary.alias && s->server.server_uuid == record->primary.uuid;
    });
    return servers;
}

const Tablet* tablet_of(In in, const TabletAlias& alias) {
    const auto it = in.state.store.tablets.find(alias);
    return it == in.state.store.tablets.end() ? nullptr : &it->second;
}

bool fit_to_be_primary(In in, const ServerState& s) {
    const Tablet* t = tablet_of(in, s.alias);
    if (!t || !cured_from_outside(s) || on_data_error(s)) return false;
    // Without a record the first one begins with what is declared.
    const bool first = !record_of(in) && in.state.store.keyspace;
    const int k = first ? in.state.store.keyspace->durability_policy.ackers_needed : k_of(in);
    if (k > 0 && !s.server.semi_sync_plugins) return false;
    const TabletType type = t->declared_type();
    if (type != TabletType::replica && type != TabletType::primary) return false;
    if (in.state.store.goal && in.state.store.goal->rule_of(s.alias) == PromotionRule::must_not) return false;
    // What bears its own uuid, wherever it is known from: it would use those numbers again.
    GtidSet own = in.books.believed.retired | in.books.believed.opened_at;
    for (const ServerState* other : core_servers(in)) own.add(has(*other));
    return (usable(s) | s.server.gtid_owned).contains(own.of_uuid(s.server.server_uuid));
}

bool has_no_connection_left(In in, const ServerState& s) {
    const Tablet* t = tablet_of(in, s.alias);
    return t && std::ranges::any_of(in.state.servers, [&](const ServerState& replica) {
               return std::ranges::any_of(replica.channels, [&](const sql::ReplicaRow& channel) {
                   return channel.source == t->mysql &&
                          channel.receiver_errno == sql::error_number::too_many_connections;
               });
           });
}

int followers_of(In in, const ServerState& candidate, const DurabilityPolicy& policy, bool known) {
    int count = 0;
    for (const ServerState* s : core_servers(in)) {
        if (known && !cell_answers(in, s->alias) && !record_of(in)->has_acker(s->alias)) continue;
        const Tablet* t = tablet_of(in, s->alias);
        if (forgotten(in.state, s->alias)) continue;
        if (s == &candidate || !t || !may_acknowledge(policy, candidate.alias, *t) || !cured_from_outside(*s))
            continue;
        // What it had received when it started it will never execute, and so it will never vouch.
        if (on_data_error(*s) && !s->server.semi_sync_replica_enabled) continue;
        const bool can_follow = has(*s).contains(candidate.server.gtid_purged) &&
                                usable(candidate).contains(has(*s).of_uuid(candidate.server.server_uuid));
        if (s->server.semi_sync_plugins && can_follow) ++count;
    }
    return count;
}

}  // namespace fixpoint::sim
