// The commands of `fixpoint`, one coroutine each: what a person typed, as values, and an exit code. Each
// begins by looking, and refuses before it changes anything. What they share is in commands/common.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "real_adapters/daemon/declaration.hpp"
#include "real_adapters/daemon/site.hpp"

namespace fixpoint::real {

struct InitOptions {
    ShardName shard;
    std::vector<std::string> servers;  // as typed
    std::string cell = "zone1";        // of servers that are given without an alias
    std::optional<DurabilityPolicy> policy;
    bool yes = false;
    Duration wait = std::chrono::minutes(2);
};
awaitable<ExitCode> init(const Site& site, InitOptions options);

struct ShowOptions {
    std::vector<ShardName> shards;  // empty: those of the configuration
    bool all = false;
    bool json = false;
    Duration watch{};  // above zero: again and again
};
awaitable<ExitCode> plan(const Site& site, ShowOptions options);
awaitable<ExitCode> status(const Site& site, ShowOptions options);
awaitable<ExitCode> check(const Site& site, ShowOptions options);
awaitable<ExitCode> topology_show(const Site& site);

struct RunOptions {
    std::vector<ShardName> shards;  // empty: those of the configuration
    Duration grace = std::chrono::seconds(5);
};
awaitable<ExitCode> run(const Site& site, RunOptions options);

// ---- what people declare

struct DeclareOptions {
    ShardName shard;
    std::optional<DurabilityPolicy> policy;
    std::optional<TabletAlias> pin;
    bool no_pin = false;
    std::vector<std::pair<TabletAlias, TabletType>> types;
    std::vector<std::pair<TabletAlias, PromotionRule>> rules;
    std::vector<std::pair<std::string, std::int64_t>> limits;  // by name, with _ms
    std::optional<bool> kill_long_transactions, emergency_reparent;
    std::vector<std::string> add;  // servers, as `init` takes them
    std::vector<TabletAlias> remove;
    bool dry_run = false;
};
awaitable<ExitCode> declare(const Site& site, DeclareOptions options);

struct ForgetOptions {
    ShardName shard;
    TabletAlias tablet;
    bool undo = false;
    bool yes = false;
};
awaitable<ExitCode> forget(const Site& site, ForgetOptions options);

struct PauseOptions {
    ShardName shard;
    std::string why;
    Duration until{};  // from now on; zero: until `resume`
};
awaitable<ExitCode> pause(const Site& site, PauseOptions options);
awaitable<ExitCode> resume(const Site& site, ShardName shard);

struct AllowOptions {
    ShardName shard;
    std::string step;  // unfenced_promotion
    bool yes = false;
};
awaitable<ExitCode> allow(const Site& site, AllowOptions options);

struct ReparentOptions {
    ShardName shard;
    std::optional<TabletAlias> to;  // nobody: the best of those that are fit
    bool dry_run = false;
    Duration wait = std::chrono::minutes(1);
};
awaitable<ExitCode> reparent(const Site& site, ReparentOptions options);

struct HistoryOptions {
    std::vector<ShardName> shards;  // empty: all
    std::string operation;          // only this one
    bool steps = false;
    bool json = false;
    bool as_scenario = false;  // of one shard
    int last = 20;
};
awaitable<ExitCode> history(const Site& site, HistoryOptions options);

}  // namespace fixpoint::real
