// Where records lie, relative to the root of a store: Vitess's own paths, and Fixpoint's two records beside
// them. Paths only; which of them is in the global store and which in a cell's is the port's matter.
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

namespace {

std::string shard_folder(const ShardName& shard) {
    return "keyspaces/" + shard.keyspace + "/shards/" + shard.shard;
}

}  // namespace

std::string keyspace_path(std::string_view keyspace) {
    return "keyspaces/" + std::string(keyspace) + "/Keyspace";
}
std::string shard_path(const ShardName& shard) {
    return shard_folder(shard) + "/Shard";
}
std::string fixpoint_path(const ShardName& shard) {
    return shard_folder(shard) + "/Fixpoint";
}
std::string goal_path(const ShardName& shard) {
    return shard_folder(shard) + "/Goal";
}
std::string shard_lock_path(const ShardName& shard) {
    return shard_folder(shard);
}
std::string cell_info_path(std::string_view cell) {
    return "cells/" + std::string(cell) + "/CellInfo";
}
std::string tablet_path(const TabletAlias& alias) {
    return "tablets/" + alias.to_topology() + "/Tablet";
}

}  // namespace fixpoint
