// Makes states of the world by hand: a converged shard, of which a test spoils one thing.
// Why: the judge is tested against states that no code under test has made.
// It refuses to be clever: plain assignments, so that what "converged" means can be read here.
#pragma once

#include <string>
#include <vector>

#include "fixpoint/sim/scenario.hpp"
#include "fixpoint/sim/state.hpp"

namespace fixpoint::sim::testing {

inline TabletAlias alias_of(int n) {
    return {"zone" + std::to_string(n), static_cast<std::uint32_t>(n * 100)};
}
inline Uuid uuid_of(int n) {
    return {0xabcd0000ULL + static_cast<std::uint64_t>(n), 1};
}
inline MysqlAddress address_of(int n) {
    return {"db" + std::to_string(n), 3306};
}
inline GtidSet gtids(int n, std::int64_t first, std::int64_t last) {
    return GtidSet::interval(uuid_of(n), first, last);
}
inline RecordedServer recorded(int n) {
    return {alias_of(n), address_of(n), uuid_of(n), n};
}
inline DurabilityPolicy semi_sync(int k) {
    return {DurabilityName::semi_sync, k};
}

inline sql::PersistedVariables persisted_whole(const Limits& limits = {}) {
    using sql::Variable;
    return {{Variable::super_read_only, 1},
            {Variable::skip_replica_start, 1},
            {Variable::relay_log_recovery, 0},
            {Variable::rpl_semi_sync_replica_enabled, 0},
            {Variable::rpl_semi_sync_source_enabled, 1},
            {Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms},
            {Variable::rpl_semi_sync_source_wait_no_replica, 1},
            {Variable::rpl_semi_sync_source_wait_for_replica_count, 1},
            {Variable::rpl_semi_sync_source_wait_point, 0},
            {Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s},
            {Variable::replica_net_timeout, to_ms(limits.replica_net_timeout) / 1000}};
}

// Tablet 1 is primary, 2 … n are its replicas; each has executed the writes 1 … 10.
class StateBuilder {
  public:
    explicit StateBuilder(int tablets = 3, DurabilityPolicy policy = semi_sync(1)) {
        state.shard = {"commerce", "0"};
        state.store.keyspace = KeyspaceRecord{policy, false, ""};
        state.store.goal = Goal{};
        state.managers = {{"m1", true, false, true, 0}};
        state.core.managers = {"m1"};
        FixpointRecord record;
        record.term = 3;
        record.primary = recorded(1);
        record.opened_at = gtids(1, 1, 4);
        record.policy = policy;
        record.shard_time = {1000};
        for (int n = 2; n <= tablets && policy.ackers_needed > 0; ++n) record.ackers.push_back(recorded(n));
        state.store.fixpoint = record;
        ShardRecord shard;
        shard.primary_alias = alias_of(1);
        shard.primary_term_start_time = {1000};
        shard.is_primary_serving = true;
        state.store.shard = shard;
        for (int n = 1; n <= tablets; ++n) add(n);
    }

    ServerState& server(int n) { return state.servers.at(static_cast<std::size_t>(n - 1)); }
    sql::ServerRow& row(int n) { return server(n).server; }
    sql::ReplicaRow& channel(int n) { return server(n).channels.at(0); }
    FixpointRecord& record() { return *state.store.fixpoint; }
    Tablet& tablet(int n) { return state.store.tablets.at(alias_of(n)); }
    Goal& goal() { return *state.store.goal; }

    // Dead for good: not of the core any more.
    void kill(int n) {
        server(n).up = false;
        std::erase(state.core.tablets, alias_of(n));
    }
    // Its replicas notice.
    void kill_primary() {
        kill(1);
        for (std::size_t i = 1; i < state.servers.size(); ++i) {
            for (sql::ReplicaRow& r : state.servers[i].channels) {
                r.receiver = sql::ThreadState::connecting;
                r.receiver_errno = sql::error_number::cannot_connect;
            }
            state.servers[i].semi_sync.replica_status = false;
        }
    }

    WorldState state;

  private:
    void add(int n) {
        const FixpointRecord& record = *state.store.fixpoint;
        const bool is_primary = n == 1;
        ServerState s;
        s.alias = alias_of(n);
        s.up = true;
        s.boot = 1;
        s.persisted = persisted_whole();
        s.server.server_uuid = uuid_of(n);
        s.server.server_id = n;
        s.server.version = "9.7.4";
        s.server.gtid_executed = gtids(1, 1, 14);
        s.server.read_only = s.server.super_read_only = !is_primary;
        s.server.replica_net_timeout_s = 1;
        s.server.stop_replica_timeout_s = Limits::stop_replica_timeout_s;
        s.server.semi_sync_source_timeout_ms = Limits::semi_sync_timeout_ms;
        s.server.semi_sync_source_wait_for_replica_count = std::max(1, record.k());
        s.server.semi_sync_source_enabled = is_primary && record.k() > 0;
        for (WriteId w = 1; w <= 10; ++w) s.writes.insert(w);
        s.writes_in_log = s.writes;
        s.journal = {{state.shard, record.term, record.revision, record.primary.alias, record.primary.uuid,
                      record.opened_at}};
        if (!is_primary) {
            sql::ReplicaRow r;
            r.source = record.primary.address;
            r.source_uuid = record.primary.uuid;
            r.receiver = sql::ThreadState::yes;
            r.applier_running = true;
            r.retrieved = gtids(1, 5, 14);
            r.connect_retry_s = Limits::source_connect_retry_s;
            r.retry_count = Limits::source_retry_count;
            r.heartbeat_period = Limits{}.heartbeat_period;
            s.channels = {r};
            s.server.semi_sync_replica_enabled = s.semi_sync.replica_status = record.has_acker(s.alias);
        }
        state.servers.push_back(s);
        Tablet t;
        t.alias = s.alias;
        t.keyspace = "commerce";
        t.shard = "0";
        t.type = is_primary ? TabletType::primary : TabletType::replica;
        t.mysql = address_of(n);
        if (is_primary) t.primary_term_start_time = record.shard_time;
        state.store.tablets[s.alias] = t;
        state.core.tablets.push_back(s.alias);
        state.core.cells_with_store.push_back(s.alias.cell);
    }
};

}  // namespace fixpoint::sim::testing
