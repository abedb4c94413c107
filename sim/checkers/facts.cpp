// Facts that several judges read off a state: who may acknowledge, what a server has, what is errant on it.
// Why here: each is a few lines, written from the protocol and from nothing of the core.
// They refuse to look at anything but the state they are given.
#include <algorithm>

#include "sim/checkers/as_declared.hpp"

namespace fixpoint::sim {

bool may_acknowledge(const DurabilityPolicy& policy, const TabletAlias& primary, const Tablet& t) {
    if (policy.ackers_needed == 0 || t.alias == primary) return false;
    TabletType type = t.type;
    if (type == TabletType::drained) {
        const auto tag = t.tags.find(std::string(fixpoint_was_tag));
        if (tag == t.tags.end()) return false;
        type = tag->second == "rdonly"                                ? TabletType::rdonly
               : tag->second == "replica" || tag->second == "primary" ? TabletType::replica
                                                                      : TabletType::drained;
    }
    const bool rdonly_may = policy.name == DurabilityName::semi_sync_with_rdonly_ack ||
                            policy.name == DurabilityName::cross_cell_with_rdonly_ack;
    const bool other_cell_only = policy.name == DurabilityName::cross_cell ||
                                 policy.name == DurabilityName::cross_cell_with_rdonly_ack;
    const bool by_type = type == TabletType::primary || type == TabletType::replica ||
                         (type == TabletType::rdonly && rdonly_may);
    return by_type && (!other_cell_only || t.alias.cell != primary.cell);
}

GtidSet has(const ServerState& server) {
    GtidSet all = server.server.gtid_executed;
    for (const sql::ReplicaRow& channel : server.channels) all.add(channel.retrieved);
    return all;
}

bool alive(const ServerState& server) {
    return server.up && !server.paused && !server.starting;
}

bool writable(const ServerState& server) {
    return !server.server.super_read_only || server.closing_pending;
}

bool is_open(const ServerState& server) {
    return !server.server.read_only && !server.server.super_read_only && !server.server.offline_mode;
}

bool serves_clients(const ServerState& server) {
    return alive(server) && is_open(server);
}

bool configured_for(const ServerState& server, const FixpointRecord& record) {
    return server.channels.size() == 1 && server.channels[0].channel.empty() &&
           server.channels[0].source == record.primary.address;
}

GtidSet errant_on(const ServerState& server, const WorldState& state) {
    if (!state.store.fixpoint) return {};
    const FixpointRecord& record = *state.store.fixpoint;
    if (server.alias == record.primary.alias && server.server.server_uuid == record.primary.uuid) return {};
    GtidSet beyond = has(server);
    beyond.subtract(record.opened_at);
    beyond.subtract(record.adopted);
    beyond = beyond.without_uuid(record.primary.uuid);
    if (beyond.empty()) return beyond;
    // Of what stays out of reach the judge knows the name only.
    const ServerState* primary = state.server(record.primary.alias);
    if (primary && state.core.has(primary->alias) && primary->server.server_uuid == record.primary.uuid) {
        beyond.subtract(primary->server.gtid_executed);
    }
    return beyond;
}

bool on_data_error(const ServerState& server) {
    using namespace sql::error_number;
    for (const sql::ReplicaRow& channel : server.channels) {
        const int error = channel.applier_errno;
        if (error != 0 && error != relay_log_corrupt && error != relay_log_missing && error != relay_log_init)
            return true;
    }
    return false;
}

bool past_is_purged(const ServerState& server, const ServerState& primary) {
    return !has(server).contains(primary.server.gtid_purged);
}

bool is_undeclared(const WorldState& state, const TabletAlias& alias) {
    return !state.store.tablets.contains(alias) &&
           !(state.store.fixpoint && state.store.fixpoint->has_acker(alias));
}

bool forgotten(const WorldState& state, const TabletAlias& alias) {
    if (!state.store.goal) return false;
    const ServerState* server = state.server(alias);
    return std::ranges::any_of(state.store.goal->forgotten, [&](const ForgottenTablet& f) {
        return f.alias == alias && (!server || server->server.server_uuid == f.uuid);
    });
}

bool counts(const sql::JournalRow& row, const WorldState& state) {
    return row.shard == state.shard && state.server(row.alias);
}

std::int64_t net_timeout_s(const Limits& limits) {
    return std::max<std::int64_t>(1, (to_ms(limits.replica_net_timeout) + 999) / 1000);
}

bool restart_safe(const ServerState& server, const Limits& limits) {
    using sql::Variable;
    const auto persisted = [&](Variable variable) {
        const auto it = server.persisted.find(variable);
        return it == server.persisted.end() ? std::int64_t{-1} : it->second;
    };
    if (!server.server.persisted_globals_load) return false;
    if (persisted(Variable::super_read_only) != 1 || persisted(Variable::skip_replica_start) != 1 ||
        persisted(Variable::relay_log_recovery) != 0 ||
        persisted(Variable::rpl_stop_replica_timeout) != Limits::stop_replica_timeout_s ||
        persisted(Variable::replica_net_timeout) != net_timeout_s(limits)) {
        return false;
    }
    if (!server.server.semi_sync_plugins) return true;
    return persisted(Variable::rpl_semi_sync_replica_enabled) == 0 &&
           persisted(Variable::rpl_semi_sync_source_enabled) == 1 &&
           persisted(Variable::rpl_semi_sync_source_timeout) >= Limits::semi_sync_timeout_ms &&
           persisted(Variable::rpl_semi_sync_source_wait_no_replica) == 1 &&
           persisted(Variable::rpl_semi_sync_source_wait_for_replica_count) >= 1 &&
           persisted(Variable::rpl_semi_sync_source_wait_point) == 0;
}

Limits limits_of(const WorldState& state) {
    return state.store.goal ? state.store.goal->limits : Limits{};
}

}  // namespace fixpoint::sim
