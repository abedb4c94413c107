// What commands share: opening the store, the shards that are meant, running the core until something holds.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "real_adapters/daemon/commands.hpp"
#include "real_adapters/daemon/manager.hpp"

namespace fixpoint::real {

// How long a command waits for the store.
inline constexpr Duration store_limit = std::chrono::seconds(5);

// Null, with the complaint said, where it cannot be opened.
std::unique_ptr<topo::Store> open_store_or_complain(const Site& site, bool create = false);

// Those that were named, or those of the configuration; empty, with the complaint said, where there are none.
std::vector<ShardName> shards_or_complain(const Site& site, const std::vector<ShardName>& named);

enum class Driven { reached, not_in_time, stopped, died };

// Runs the core on a shard until `there` holds for longer than two looks, says what it does, and ends it.
awaitable<Driven> drive(const Site& site, Manager& manager, Duration wait,
                        std::function<bool(const Manager&)> there,
                        std::function<void(const Event&)> hear = {});

// Records of a shard as they are in the store, for commands that change what is declared.
struct DeclaredShard {
    ShardRecord shard;
    topo::Version shard_version = 0;  // 0: there is none
    Goal goal;
    topo::Version goal_version = 0;
    KeyspaceRecord keyspace;
    topo::Version keyspace_version = 0;
    std::optional<FixpointRecord> in_force;
};
// Where it cannot be read or is damaged: the text.
awaitable<std::expected<DeclaredShard, std::string>> read_declared(topo::Store& store, ShardName shard);

struct DeclaredTablet {
    Tablet tablet;
    topo::Version version = 0;
};
awaitable<std::expected<std::vector<DeclaredTablet>, std::string>> read_tablets(topo::Store& store,
                                                                                ShardName shard);

// read_declared, for a command that needs a shard which is declared: nothing and a code, with the complaint
// said.
struct DeclaredOrCode {
    std::optional<DeclaredShard> declared;
    ExitCode code = ExitCode::refused;
};
awaitable<DeclaredOrCode> read_declared_or_complain(const Site& site, topo::Store& store, ShardName shard);

// Writes what a person declared, notes it, and says how it ended.
awaitable<ExitCode> write_as_person(const Site& site, topo::Store& store, ShardName shard,
                                    std::string command, std::vector<ProposedRecord> records);

awaitable<std::vector<ProposedRecord>> without_existing_cells(topo::Store& store,
                                                              std::vector<ProposedRecord> records);

std::string one_line(const Event& event);  // "" where it is not worth one

}  // namespace fixpoint::real
