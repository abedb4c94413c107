// The state hash: FNV-1a over what distinguishes two situations of a shard, and over nothing that merely
// grows.
#include "sim/checkers/livelock.hpp"

#include <algorithm>
#include <string_view>

#include "sim/checkers/as_declared.hpp"

namespace fixpoint::sim {
namespace {

class Hash {
  public:
    void add(std::uint64_t value) {
        for (int i = 0; i < 8; ++i) {
            value_ = (value_ ^ (value & 0xff)) * 0x100000001b3ULL;
            value >>= 8;
        }
    }
    void add(bool value) { add(static_cast<std::uint64_t>(value)); }
    void add(int value) { add(static_cast<std::uint64_t>(value)); }
    void add(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
    void add(std::string_view text) {
        for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
        add(static_cast<std::uint64_t>(text.size()));
    }
    void add(const TabletAlias& alias) {
        add(std::string_view(alias.cell));
        add(static_cast<std::uint64_t>(alias.uid));
    }
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

void add_server(Hash& h, const ServerState& s, const WorldState& state, const ServerState* primary) {
    h.add(s.alias);
    h.add(s.up), h.add(s.paused), h.add(s.starting), h.add(s.closing_pending), h.add(s.manageable);
    const sql::ServerRow& row = s.server;
    h.add(row.read_only), h.add(row.super_read_only), h.add(row.offline_mode);
    h.add(row.semi_sync_plugins), h.add(row.semi_sync_source_enabled),
        h.add(row.semi_sync_source_wait_no_replica);
    h.add(row.semi_sync_source_wait_for_replica_count), h.add(row.semi_sync_source_timeout_ms);
    h.add(row.semi_sync_replica_enabled), h.add(s.semi_sync.replica_status);
    h.add(row.replica_net_timeout_s), h.add(row.stop_replica_timeout_s);
    // Server ids and uuids: only who shares one.
    for (const ServerState& other : state.servers) {
        h.add(other.server.server_id == row.server_id);
        h.add(other.server.server_uuid == row.server_uuid);
    }
    for (const auto& [variable, value] : s.persisted) {
        h.add(static_cast<int>(variable));
        if (variable != sql::Variable::server_id) h.add(value);
    }
    for (const sql::ReplicaRow& r : s.channels) {
        h.add(std::string_view(r.channel)), h.add(std::string_view(r.source.host)),
            h.add(static_cast<int>(r.source.port));
        h.add(static_cast<int>(r.receiver)), h.add(r.receiver_errno), h.add(r.applier_running),
            h.add(r.applier_errno);
        h.add(r.auto_position), h.add(static_cast<std::int64_t>(r.heartbeat_period.count())),
            h.add(r.connect_retry_s), h.add(r.retry_count);
    }
    h.add(s.server_lock.has_value()), h.add(s.helper_lock.has_value()), h.add(s.rebuild_lock.has_value());
    if (primary) {
        h.add(has(s).contains(primary->server.gtid_executed));
        h.add(primary->server.log().contains(has(s)));
        h.add(row.gtid_executed.contains(has(s)));
    }
    h.add(errant_on(s, state).count());
}

}  // namespace

std::uint64_t state_hash(const WorldState& state) {
    Hash h;
    const StoreState& store = state.store;
    const FixpointRecord* record = store.fixpoint ? &*store.fixpoint : nullptr;
    const ServerState* primary = record ? state.server(record->primary.alias) : nullptr;
    h.add(record != nullptr);
    if (record) {
        h.add(record->primary.alias);
        h.add(primary && primary->server.server_uuid == record->primary.uuid);
        h.add(std::string_view(record->policy.to_string()));
        for (const RecordedServer& a : record->ackers) h.add(a.alias);
        h.add(static_cast<std::uint64_t>(record->retired.size()));
    }
    if (store.keyspace) h.add(std::string_view(store.keyspace->durability_policy.to_string()));
    if (store.shard && store.shard->primary_alias) h.add(*store.shard->primary_alias);
    if (store.goal && store.goal->pinned_primary) h.add(*store.goal->pinned_primary);
    h.add(store.shard_lock.has_value());
    for (const auto& [alias, t] : store.tablets) {
        h.add(alias);
        h.add(static_cast<int>(t.type));
    }
    for (const ServerState& s : state.servers) {
        add_server(h, s, state, primary);
        // The newest journal row, relative to the record.
        std::pair<std::int64_t, std::int64_t> newest{-1, -1};
        for (const sql::JournalRow& j : s.journal) newest = std::max(newest, {j.term, j.revision});
        if (record)
            h.add(newest.first - record->term),
                h.add(newest.first == record->term ? newest.second - record->revision : 0);
    }
    for (const ManagerState& m : state.managers) {
        h.add(std::string_view(m.name)), h.add(m.alive), h.add(m.paused), h.add(m.asleep), h.add(m.digest);
    }
    return h.value();
}

bool LivelockDetector::seen(std::uint64_t hash, std::uint64_t mutations) {
    const auto [it, first] = states_.try_emplace(hash, Seen{0, mutations});
    if (first || it->second.mutations == mutations) return false;
    it->second.mutations = mutations;
    return ++it->second.recurrences >= 3;
}

}  // namespace fixpoint::sim
