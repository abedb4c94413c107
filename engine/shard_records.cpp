// Reading the shard's records, and keeping what was written; see shard.hpp. Nothing here changes a store.
#include <algorithm>

#include "engine/shard.hpp"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

namespace {

template <class T>
std::string take(std::expected<T, std::string> decoded, T& into, const std::string& path) {
    if (!decoded) return path + ": " + decoded.error();
    into = std::move(*decoded);
    return {};
}

}  // namespace

std::string Shard::decode(const std::vector<topo::Listed>& listed, Records& records) {
    std::string damage;
    const auto note = [&](std::string error) {
        if (damage.empty()) damage = std::move(error);
    };
    records.keyspace.reset();
    records.fixpoint.reset();
    records.shard = {};
    records.shard_version = records.fixpoint_version = 0;
    records.goal = {};
    for (const topo::Listed& item : listed) {
        const std::string& bytes = item.value.bytes;
        if (item.path == keyspace_path(name().keyspace)) {
            KeyspaceRecord keyspace;
            note(take(decode_keyspace(bytes), keyspace, item.path));
            records.keyspace = keyspace;
        } else if (item.path == shard_path(name())) {
            note(take(decode_shard(bytes), records.shard, item.path));
            records.shard_version = item.value.version;
        } else if (item.path == fixpoint_path(name())) {
            FixpointRecord fixpoint;
            note(take(decode_fixpoint(bytes), fixpoint, item.path));
            records.fixpoint = std::move(fixpoint);
            records.fixpoint_version = item.value.version;
        } else if (item.path == goal_path(name())) {
            note(take(decode_goal(bytes), records.goal, item.path));
        }
    }
    return damage;
}

awaitable<bool> Shard::read_global_records() {
    const Duration limit = limits().statement;
    auto global = co_await ports_.store.list("keyspaces/" + name().keyspace + "/", limit);
    if (!global) {
        store_error_ = global.error().text;
        co_return false;
    }
    std::map<std::string, std::int64_t> versions;
    for (const topo::Listed& item : *global) versions[item.path] = item.value.version;
    if (versions != decoded_) {
        Records fresh = view_.records;
        fresh.damage = decode(*global, fresh);
        view_.records = std::move(fresh);
        decoded_ = std::move(versions);
    }
    store_error_.clear();
    rebuild_view();
    co_return true;
}

awaitable<void> Shard::read_cell(std::string cell) {
    Records& records = view_.records;
    auto listed = co_await ports_.store.list_cell(cell, "tablets/", limits().look_without_locks);
    if (!listed) {
        records.silent_cells.push_back(cell);  // its tablets are unknown, not gone: kept as last read
        co_return;
    }
    std::map<TabletAlias, Records::DeclaredTablet> found;
    for (const topo::Listed& item : *listed) {
        const auto known =
            std::find_if(records.tablets.begin(), records.tablets.end(), [&](const auto& entry) {
                return entry.second.version == item.value.version && tablet_path(entry.first) == item.path;
            });
        if (known != records.tablets.end()) {
            found.insert(*known);
            continue;
        }
        auto tablet = decode_tablet(item.value.bytes);
        if (!tablet) {
            records.damage = item.path + ": " + tablet.error();
            continue;
        }
        if (tablet->keyspace != name().keyspace || tablet->shard != name().shard) continue;
        found[tablet->alias] = {*tablet, item.value.version};
    }
    std::erase_if(records.tablets, [&](const auto& entry) { return entry.first.cell == cell; });
    records.tablets.merge(found);
}

awaitable<bool> Shard::read_records() {
    if (!co_await read_global_records()) co_return false;
    std::vector<std::string> cells = config_.cells;
    if (cells.empty()) {
        auto listed = co_await ports_.store.list("cells/", limits().statement);
        if (!listed) {
            store_error_ = listed.error().text;
            co_return false;
        }
        for (const topo::Listed& item : *listed) {
            const std::string rest = item.path.substr(std::string("cells/").size());
            cells.push_back(rest.substr(0, rest.find('/')));
        }
    }
    view_.records.silent_cells.clear();
    std::vector<awaitable<void>> reads;
    for (const std::string& cell : cells) reads.push_back(read_cell(cell));
    co_await all(std::move(reads));
    rebuild_view();
    // Between operations only: one under way keeps its sessions to a tablet that has just left the records.
    std::erase_if(known_, [&](const auto& entry) { return view_.find(entry.first) == nullptr; });
    co_return true;
}

void Shard::recorded(FixpointRecord record, std::int64_t version) {
    view_.records.fixpoint = std::move(record);
    view_.records.fixpoint_version = version;
    decoded_.clear();
    rebuild_view();
}

void Shard::shard_written(ShardRecord record, std::int64_t version) {
    view_.records.shard = std::move(record);
    view_.records.shard_version = version;
    decoded_.clear();
}

void Shard::tablet_written(const Tablet& tablet, std::int64_t version) {
    view_.records.tablets[tablet.alias] = {tablet, version};
    rebuild_view();
}

}  // namespace fixpoint
