// Decoding through the core's own codecs; what the records mean is not known here.
#include "sim/world/topology.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "fixpoint/engine/record_codec.hpp"
#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {
namespace {

constexpr std::string_view tablets_prefix = "tablets/";

template <class T>
std::optional<T> decoded(const std::optional<StoreValue>& value, Decoded<T> (*decode)(std::string_view)) {
    if (!value) return std::nullopt;
    Decoded<T> record = decode(value->bytes);
    if (!record) return std::nullopt;
    return std::move(*record);
}

}  // namespace

Topology::Topology(FakeStore& store, ShardName shard, std::vector<std::string> cells)
    : store_(store),
      shard_(std::move(shard)),
      cells_(std::move(cells)),
      keyspace_path_(keyspace_path(shard_.keyspace)),
      shard_path_(shard_path(shard_)),
      fixpoint_path_(fixpoint_path(shard_)),
      goal_path_(goal_path(shard_)),
      lock_path_(shard_lock_path(shard_)) {}

void Topology::read_tablets(std::string_view cell, std::map<TabletAlias, Tablet>& into) const {
    for (const StoreListed& listed : store_.peek_list(cell, tablets_prefix)) {
        auto tablet = decode_tablet(listed.value.bytes);
        if (tablet) into[tablet->alias] = std::move(*tablet);
    }
}

StoreState Topology::read() const {
    StoreState state;
    state.keyspace = decoded(store_.peek("", keyspace_path_), decode_keyspace);
    state.shard = decoded(store_.peek("", shard_path_), decode_shard);
    state.fixpoint = fixpoint();
    state.goal = decoded(store_.peek("", goal_path_), decode_goal);
    for (const std::string& cell : cells_) read_tablets(cell, state.tablets);
    return state;
}

std::optional<FixpointRecord> Topology::fixpoint() const {
    return decoded(store_.peek("", fixpoint_path_), decode_fixpoint);
}

std::optional<StoreLock> Topology::lock() const {
    return store_.lock(lock_path_);
}

std::vector<TabletAlias> Topology::primaries_for_clients() {
    std::vector<std::pair<WallTime, TabletAlias>> claims;
    for (const std::string& cell : cells_) {
        auto& seen = seen_by_clients_[cell];
        if (!store_.is_down(cell, "clients")) {
            seen.clear();
            read_tablets(cell, seen);
        }
        for (const auto& [alias, tablet] : seen) {
            if (tablet.type == TabletType::primary)
                claims.emplace_back(tablet.primary_term_start_time, alias);
        }
    }
    if (!store_.is_down("", "clients")) {
        shard_seen_by_clients_ = decoded(store_.peek("", shard_path_), decode_shard);
    }
    if (const auto& shard = shard_seen_by_clients_; shard && shard->primary_alias) {
        claims.emplace_back(shard->primary_term_start_time, *shard->primary_alias);
    }
    std::ranges::sort(claims, std::greater<>());
    std::vector<TabletAlias> primaries;
    for (const auto& [time, alias] : claims) {
        if (std::ranges::find(primaries, alias) == primaries.end()) primaries.push_back(alias);
    }
    return primaries;
}

// ---- writing by hand

void Topology::put_cell_info() {
    for (const std::string& cell : cells_) {
        store_.edit("", cell_info_path(cell),
                    encode_cell_info({.server_address = "store:" + cell, .root = "/" + cell}));
    }
}
void Topology::put_keyspace(const KeyspaceRecord& record) {
    store_.edit("", keyspace_path_, encode_keyspace(record));
}
void Topology::put_shard(const ShardRecord& record) {
    store_.edit("", shard_path_, encode_shard(record));
}
void Topology::put_fixpoint(const FixpointRecord& record) {
    store_.edit("", fixpoint_path_, encode_fixpoint(record));
}
void Topology::put_goal(const Goal& goal) {
    store_.edit("", goal_path_, encode_goal(goal));
}
void Topology::put_tablet(const Tablet& tablet) {
    store_.edit(tablet.alias.cell, tablet_path(tablet.alias), encode_tablet(tablet));
}

namespace {
// False where nothing changed: then nothing is written.
template <class T>
bool changed(T& record, const std::function<void(T&)>& change) {
    const T before = record;
    change(record);
    return record != before;
}
}  // namespace

bool Topology::edit_keyspace(const std::function<void(KeyspaceRecord&)>& change) {
    auto record = decoded(store_.peek("", keyspace_path_), decode_keyspace);
    if (!record || !changed(*record, change)) return false;
    put_keyspace(*record);
    return true;
}

bool Topology::edit_shard(const std::function<void(ShardRecord&)>& change) {
    auto record = decoded(store_.peek("", shard_path_), decode_shard);
    if (!record || !changed(*record, change)) return false;
    put_shard(*record);
    return true;
}

bool Topology::edit_goal(const std::function<void(Goal&)>& change) {
    Goal goal = decoded(store_.peek("", goal_path_), decode_goal).value_or(Goal{});
    if (!changed(goal, change)) return false;
    put_goal(goal);
    return true;
}

bool Topology::edit_tablet(const TabletAlias& alias, const std::function<void(Tablet&)>& change) {
    auto record = decoded(store_.peek(alias.cell, tablet_path(alias)), decode_tablet);
    if (!record || !changed(*record, change)) return false;
    put_tablet(*record);
    return true;
}

bool Topology::delete_fixpoint() {
    return store_.erase("", fixpoint_path_);
}
bool Topology::delete_tablet(const TabletAlias& alias) {
    return store_.erase(alias.cell, tablet_path(alias));
}

void Topology::remember(const StoreChange& change) {
    if (change.path == fixpoint_path_ && change.before) fixpoint_history_.push_back(*change.before);
}

bool Topology::set_back_fixpoint(int versions) {
    if (versions < 1 || static_cast<std::size_t>(versions) > fixpoint_history_.size()) return false;
    const std::string older =
        fixpoint_history_[fixpoint_history_.size() - static_cast<std::size_t>(versions)];
    const auto now = store_.peek("", fixpoint_path_);
    if (now && now->bytes == older) return false;
    store_.edit("", fixpoint_path_, older);
    return true;
}

}  // namespace fixpoint::sim
