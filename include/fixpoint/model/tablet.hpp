// A tablet: one MySQL server of a shard, as Vitess's topology records declare it.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "fixpoint/model/time.hpp"

namespace fixpoint {

// `zone1-100` for people; `zone1-0000000100` in topology paths (Vitess: topoproto.TabletAliasString).
struct TabletAlias {
    std::string cell;
    std::uint32_t uid = 0;

    auto operator<=>(const TabletAlias&) const = default;
    explicit operator bool() const { return !cell.empty(); }

    static std::expected<TabletAlias, std::string> parse(std::string_view text);
    std::string to_string() const;     // zone1-100
    std::string to_topology() const;   // zone1-0000000100
};

// Vitess's topodata.TabletType, by number.
enum class TabletType { unknown = 0, primary = 1, replica = 2, rdonly = 3, spare = 4, experimental = 5, backup = 6, restore = 7, drained = 8 };
std::string_view to_string(TabletType type);  // lower case
std::expected<TabletType, std::string> parse_tablet_type(std::string_view text);

struct MysqlAddress {
    std::string host;
    std::uint16_t port = 0;
    auto operator<=>(const MysqlAddress&) const = default;
    std::string to_string() const;
};

// The tag that a tablet drained by Fixpoint carries; its value is the type that it had.
inline constexpr std::string_view fixpoint_was_tag = "fixpoint_was";

struct Tablet {
    TabletAlias alias;
    std::string keyspace;
    std::string shard;
    TabletType type = TabletType::unknown;
    MysqlAddress mysql;
    std::map<std::string, std::string> tags;
    WallTime primary_term_start_time;
    std::string unknown_fields;  // protobuf fields that we do not model, kept byte for byte

    bool operator==(const Tablet&) const = default;

    // What people declared: the type, or for one that Fixpoint drained the type in its tag; PRIMARY counts as REPLICA.
    TabletType declared_type() const;
    bool drained_by_fixpoint() const { return type == TabletType::drained && tags.contains(std::string(fixpoint_was_tag)); }
};

struct ShardName {
    std::string keyspace;
    std::string shard;
    auto operator<=>(const ShardName&) const = default;
    std::string to_string() const;  // commerce/0
};

}  // namespace fixpoint
