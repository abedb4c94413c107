// Records as bytes: Vitess's own protobuf messages (Tablet, Shard, Keyspace) and Fixpoint's JSON (Fixpoint,
// Goal), and where they lie in a topology store. Encoding is deterministic; fields that we do not know
// survive it. Errors name the field or the place, for a person. Nothing here reads or writes a store.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "fixpoint/model/records.hpp"
#include "fixpoint/model/tablet.hpp"

namespace fixpoint {

template <class T>
using Decoded = std::expected<T, std::string>;

// ---- Vitess's messages, binary proto3. What is not modelled is kept in `unknown_fields` and written back.

Decoded<Tablet> decode_tablet(std::string_view bytes);
std::string encode_tablet(const Tablet& tablet);
Decoded<ShardRecord> decode_shard(std::string_view bytes);
std::string encode_shard(const ShardRecord& shard);
// An empty durability_policy is `none`, as in Vitess.
Decoded<KeyspaceRecord> decode_keyspace(std::string_view bytes);
std::string encode_keyspace(const KeyspaceRecord& keyspace);

// topodata.CellInfo: where a cell's own store is.
struct CellInfo {
    std::string server_address;
    std::string root;
    bool operator==(const CellInfo&) const = default;
};
Decoded<CellInfo> decode_cell_info(std::string_view bytes);
std::string encode_cell_info(const CellInfo& cell);

// ---- JSON. An unknown `format` is refused; a set that is absent is empty, anything else absent is a damaged
// record.

Decoded<FixpointRecord> decode_fixpoint(std::string_view json);
std::string encode_fixpoint(const FixpointRecord& record);

// Keys: pinned_primary, promotion_rules, limits (`<name>_ms`), rebuild_by_clone, kill_long_transactions,
// paused, forgotten, allowed. All may be absent; an unknown limit is an error, any other unknown key is kept.
Decoded<Goal> decode_goal(std::string_view json);
std::string encode_goal(const Goal& goal);

// ---- what a lock key holds, laid out as Vitess's topo.Lock does, for vtctld and people

struct LockContent {
    std::string action;
    std::string host_name;
    std::string user_name;
    std::string time;  // RFC 3339, for people
    bool operator==(const LockContent&) const = default;
};
std::string encode_lock_content(const LockContent& content);
Decoded<LockContent> decode_lock_content(std::string_view json);

// ---- paths, relative to the root of the global store (keyspace, shard, Fixpoint, Goal, lock, cell) or of a
// cell's (tablet)

std::string keyspace_path(std::string_view keyspace);  // keyspaces/<ks>/Keyspace
std::string shard_path(const ShardName& shard);        // keyspaces/<ks>/shards/<shard>/Shard
std::string fixpoint_path(const ShardName& shard);     // keyspaces/<ks>/shards/<shard>/Fixpoint
std::string goal_path(const ShardName& shard);         // keyspaces/<ks>/shards/<shard>/Goal
std::string shard_lock_path(const ShardName& shard);   // keyspaces/<ks>/shards/<shard>
std::string cell_info_path(std::string_view cell);     // cells/<cell>/CellInfo
std::string tablet_path(const TabletAlias& alias);     // tablets/<cell>-<uid, 10 digits>/Tablet

}  // namespace fixpoint
