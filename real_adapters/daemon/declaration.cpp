// See declaration.hpp.
#include "real_adapters/daemon/declaration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

namespace {

std::expected<MysqlAddress, std::string> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    int port = 0;
    if (colon != std::string_view::npos) {
        const char* const end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data() + colon + 1, end, port);
        if (error != std::errc() || at != end) port = 0;
    }
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (port <= 0 || port > 65535 || host.empty())
        return std::unexpected(
            fmt::format("\"{}\" is no address; write host:port, as in 10.0.0.1:3306", text));
    return MysqlAddress{std::string(host), static_cast<std::uint16_t>(port)};
}

// replica, rdonly; or a promotion rule.
bool take_word(std::string_view word, ListedServer& server) {
    if (word == "replica" || word == "rdonly") {
        server.type = *parse_tablet_type(word);
        return true;
    }
    if (const auto rule = parse_promotion_rule(word)) {
        server.rule = *rule;
        return true;
    }
    return false;
}

ProposedRecord tablet_record(const ShardDeclaration& d, const ListedServer& server) {
    Tablet tablet;
    tablet.alias = server.alias;
    tablet.keyspace = d.shard.keyspace;
    tablet.shard = d.shard.shard;
    tablet.type = server.type;
    tablet.mysql = server.address;  // PRIMARY is derived from what is in force: the core writes it
    return {server.alias.cell, tablet_path(server.alias), encode_tablet(tablet), 0,
            fmt::format("tablet {} at {}, {}", server.alias.to_string(), server.address.to_string(),
                        to_string(tablet.type))};
}

ProposedRecord goal_record(const ShardDeclaration& d) {
    Goal goal;
    if (auto with_limits = decode_goal(fmt::format(R"({{"limits":{}}})", d.limits_json)))
        goal = *std::move(with_limits);
    for (const ListedServer& server : d.servers) {
        if (server.rule != PromotionRule::neutral) goal.promotion_rules[server.alias] = server.rule;
    }
    std::string words = "goal of " + d.shard.to_string();
    for (const auto& [alias, rule] : goal.promotion_rules)
        words += fmt::format(", {}: {}", alias.to_string(), to_string(rule));
    return {"", goal_path(d.shard), encode_goal(goal), 0, words};
}

ProposedRecord shard_record(const ShardDeclaration& d) {
    ShardRecord shard;
    shard.primary_alias = d.primary;
    if (d.primary) {
        shard.primary_term_start_time = d.now;
        shard.is_primary_serving = true;
    }
    return {"", shard_path(d.shard), encode_shard(shard), 0,
            "shard " + d.shard.to_string() +
                (d.primary ? ", primary " + d.primary->to_string() : std::string(", without a primary yet"))};
}

}  // namespace

std::expected<ListedServer, std::string> parse_listed_server(std::string_view text, const TabletAlias& next) {
    ListedServer server;
    server.alias = next;
    const std::size_t comma = text.find(',');
    std::string_view words = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    std::string_view rest = text.substr(0, comma);
    if (const std::size_t equals = rest.find('='); equals != std::string_view::npos) {
        const auto alias = TabletAlias::parse(rest.substr(0, equals));
        if (!alias) return std::unexpected(fmt::format("\"{}\": {}", text, alias.error()));
        server.alias = *alias;
        rest = rest.substr(equals + 1);
    }
    const auto address = parse_address(rest);
    if (!address) return std::unexpected(address.error());
    server.address = *address;
    while (!words.empty()) {
        const std::size_t end = words.find(',');
        const std::string_view word = words.substr(0, end);
        if (!take_word(word, server)) {
            const std::vector<std::string> known{"replica", "rdonly",     "must",    "prefer",
                                                 "neutral", "prefer_not", "must_not"};
            return std::unexpected(
                fmt::format("\"{}\": {} is not known{}", text, word, did_you_mean(word, known)));
        }
        words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
    }
    return server;
}

std::vector<ProposedRecord> records_of(const ShardDeclaration& d) {
    std::vector<ProposedRecord> records;
    std::set<std::string> cells;
    for (const ListedServer& server : d.servers) cells.insert(server.alias.cell);
    for (const std::string& cell : cells)
        records.push_back({"", cell_info_path(cell), encode_cell_info({}), 0, "cell " + cell});
    records.push_back({"", keyspace_path(d.shard.keyspace), encode_keyspace({.durability_policy = d.policy}),
                       0, fmt::format("keyspace {}, durability {}", d.shard.keyspace, d.policy.to_string())});
    for (const ListedServer& server : d.servers) records.push_back(tablet_record(d, server));
    records.push_back(goal_record(d));
    records.push_back(shard_record(d));
    return records;
}

namespace {

// Of a tablet that was removed from its shard.
bool is_nobodys(const topo::Listed& item) {
    if (!item.path.starts_with("tablets/")) return false;
    const auto tablet = decode_tablet(item.value.bytes);
    return tablet && tablet->keyspace.empty() && tablet->shard.empty();
}

}  // namespace

awaitable<std::vector<ProposedRecord>> in_place_of_nobodys(topo::Store& store,
                                                           std::vector<ProposedRecord> proposed,
                                                           Duration limit) {
    for (ProposedRecord& record : proposed) {
        if (record.cell.empty() || record.expected != 0) continue;
        const auto listed = co_await store.list_cell(record.cell, record.path, limit);
        if (!listed) continue;  // the writing will say so
        const auto it = std::ranges::find(*listed, record.path, &topo::Listed::path);
        if (it != listed->end() && is_nobodys(*it)) record.expected = it->value.version;
    }
    co_return proposed;
}

awaitable<std::expected<std::vector<ProposedRecord>, std::string>> without_existing(
    topo::Store& store, std::vector<ProposedRecord> proposed, Duration limit) {
    std::vector<ProposedRecord> left;
    auto global = co_await store.list("", limit);
    if (!global) co_return std::unexpected("the store does not answer: " + global.error().text);
    for (ProposedRecord& record : proposed) {
        std::vector<topo::Listed> there;
        if (record.cell.empty()) {
            there = *global;
        } else if (auto listed = co_await store.list_cell(record.cell, record.path, limit)) {
            there = *std::move(listed);
        }
        const auto it = std::ranges::find(there, record.path, &topo::Listed::path);
        if (it == there.end()) {
            left.push_back(std::move(record));
            continue;
        }
        if (is_nobodys(*it)) {
            record.expected = it->value.version;
            left.push_back(std::move(record));
            continue;
        }
        const bool shared = record.path.starts_with("cells/") || record.path.ends_with("/Keyspace");
        if (!shared && it->value.bytes != record.bytes)
            co_return std::unexpected(
                fmt::format("{} is declared already, and otherwise ({})", record.path, record.words));
    }
    co_return left;
}

awaitable<topo::Result<void>> write_records(topo::Store& store, std::vector<ProposedRecord> records,
                                            Duration limit) {
    for (ProposedRecord& record : records) {
        topo::Put put{record.path, std::move(record.bytes), record.expected};
        auto written = record.cell.empty() ? co_await store.put_declared(std::move(put), limit)
                                           : co_await store.put_cell(record.cell, std::move(put), limit);
        if (!written) {
            written.error().text = record.words + ": " + written.error().text;
            co_return std::unexpected(std::move(written.error()));
        }
    }
    co_return topo::Result<void>{};
}

}  // namespace fixpoint::real
