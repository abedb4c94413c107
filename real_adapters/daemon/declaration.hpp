// What people declare, as records: made from a command line, compared with what the store has, written one by
// one on their versions. The shard's own record comes last, so that half a declaration is no shard yet. Only
// values and the store; no server is asked here.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/records.hpp"
#include "fixpoint/ports/topology_store.hpp"

namespace fixpoint::real {

struct ProposedRecord {
    std::string cell;  // "": the global store
    std::string path;
    std::string bytes;
    topo::Version expected = 0;  // 0: it must not exist yet
    std::string words;           // for people: tablet zone1-100 at 10.0.0.1:3306, replica
};

// One server of `init`'s list.
struct ListedServer {
    TabletAlias alias;
    MysqlAddress address;
    TabletType type = TabletType::replica;
    PromotionRule rule = PromotionRule::neutral;
    bool operator==(const ListedServer&) const = default;
};

// zone1-100=10.0.0.1:3306, with ,rdonly or ,must_not … behind it; 10.0.0.1:3306 alone gets `next` as its
// alias.
std::expected<ListedServer, std::string> parse_listed_server(std::string_view text, const TabletAlias& next);

struct ShardDeclaration {
    ShardName shard;
    DurabilityPolicy policy;
    std::vector<ListedServer> servers;
    std::optional<TabletAlias> primary;  // who serves already; nobody: the core chooses
    std::string limits_json = "{}";
    WallTime now;
};

// In the order in which they are written: cells, keyspace, tablets, goal, shard.
std::vector<ProposedRecord> records_of(const ShardDeclaration& declaration);

// Leaves out what is there already as proposed; the text of the first record that is there and differs. A
// keyspace and a cell may be there, whatever they say: other shards are of them.
awaitable<std::expected<std::vector<ProposedRecord>, std::string>> without_existing(
    topo::Store& store, std::vector<ProposedRecord> proposed, Duration limit);

// New records of tablets go where a removed one has left its place.
awaitable<std::vector<ProposedRecord>> in_place_of_nobodys(topo::Store& store,
                                                           std::vector<ProposedRecord> proposed,
                                                           Duration limit);

// One by one; the first that fails ends it.
awaitable<topo::Result<void>> write_records(topo::Store& store, std::vector<ProposedRecord> records,
                                            Duration limit);

}  // namespace fixpoint::real
