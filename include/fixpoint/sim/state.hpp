// What servers and stores would answer, at one moment of a simulated run: externalised state, the only
// thing that the judge reads. No pointer into a fake, no memory of a manager.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/records.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/write_set.hpp"

namespace fixpoint::sim {

struct LockSession {  // a session that holds one of the shard's user locks on a server
    std::uint64_t session = 0;
    std::string manager;     // whose session it is ("" : nobody's that we know)
    bool manager_alive = false;
};

struct ServerState {
    TabletAlias alias;
    bool up = false;      // the process runs and takes connections (a paused one is up)
    bool paused = false;
    bool starting = false;
    sql::ServerRow server;             // variables as they are; super_read_only only when it is *true*, not when it is pending
    bool closing_pending = false;      // a super_read_only=ON waits
    std::vector<sql::ReplicaRow> channels;
    sql::SemiSyncStatusRow semi_sync;
    sql::PersistedVariables persisted;
    std::vector<sql::JournalRow> journal;  // executed rows of all shards, any order
    std::optional<LockSession> server_lock, helper_lock, rebuild_lock;
    WriteSet writes;                   // executed (committed in the engine)
    WriteSet writes_in_log;            // in the binary log, executed or not
    WriteSet writes_received;          // in the relay log, whole, not executed
    bool relay_log_readable = true;    // false: nothing of writes_received will ever be applied (M44, torn, lost)
    bool manageable = true;            // false: unmanageable by the goal's rules (channels, filters, MariaDB …)
    bool applier_blocked = false;      // by a fault
    std::uint64_t boot = 0;            // counts the starts of the process
};

struct LockState {
    std::int64_t id = 0;
    std::string manager;
    bool manager_alive = false;
    bool lease_expired = false;
};

struct StoreState {
    std::optional<KeyspaceRecord> keyspace;
    std::optional<ShardRecord> shard;
    std::optional<FixpointRecord> fixpoint;
    std::optional<Goal> goal;
    std::map<TabletAlias, Tablet> tablets;
    std::optional<LockState> shard_lock;
};

struct ManagerState {
    std::string name;
    bool alive = false;
    bool paused = false;
    bool asleep = false;       // between two passes
    std::uint64_t digest = 0;  // of back-offs, boot marks and last looks (livelock detection only)
};

// Who stays part of the shard when faults have ceased; whatever is outside stays broken for good.
struct Core {
    std::vector<TabletAlias> tablets;
    std::vector<std::string> managers;
    std::vector<std::string> cells_with_store;  // cells whose store works
    bool global_store = true;
    bool has(const TabletAlias& alias) const {
        for (const TabletAlias& t : tablets) {
            if (t == alias) return true;
        }
        return false;
    }
};

struct WorldState {
    Instant at;
    ShardName shard;
    std::vector<ServerState> servers;  // in the order of the scenario
    StoreState store;
    std::vector<ManagerState> managers;
    Core core;

    const ServerState* server(const TabletAlias& alias) const {
        for (const ServerState& s : servers) {
            if (s.alias == alias) return &s;
        }
        return nullptr;
    }
};

}  // namespace fixpoint::sim
