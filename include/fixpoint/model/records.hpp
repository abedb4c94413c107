// What the topology store holds for a shard, decoded. People and other tools *declare* (Keyspace, Shard,
// Tablet, Goal); what is *in force* is in one record that Fixpoint alone writes. Codecs: engine/record_codec.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/durability.hpp"
#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/model/limits.hpp"
#include "fixpoint/model/tablet.hpp"

namespace fixpoint {

struct KeyspaceRecord {  // Vitess topodata.Keyspace
    DurabilityPolicy durability_policy;
    bool disable_emergency_reparent = false;  // vtorc_state
    std::string unknown_fields;
    bool operator==(const KeyspaceRecord&) const = default;
};

struct ShardRecord {  // Vitess topodata.Shard: the declared primary
    std::optional<TabletAlias> primary_alias;
    WallTime primary_term_start_time;  // 0: never set
    bool is_primary_serving = false;
    bool disable_emergency_reparent = false;
    std::string unknown_fields;
    bool operator==(const ShardRecord&) const = default;
};

struct ForgottenTablet {
    TabletAlias alias;
    Uuid uuid;
    std::string who;
    WallTime when;
    bool operator==(const ForgottenTablet&) const = default;
};

struct AllowedStep {  // one unsafe step and the term that it is meant for; spent with that term
    std::string step;  // "unfenced_promotion"
    std::int64_t term = 0;
    bool operator==(const AllowedStep&) const = default;
};

struct Goal {  // JSON, written by people only
    std::optional<TabletAlias> pinned_primary;
    std::map<TabletAlias, PromotionRule> promotion_rules;
    Limits limits;
    bool rebuild_by_clone = false;
    bool kill_long_transactions = false;
    bool paused = false;
    std::vector<ForgottenTablet> forgotten;
    std::vector<AllowedStep> allowed;
    std::string unknown_fields;  // JSON object text of keys that we do not know, kept
    bool operator==(const Goal&) const = default;

    PromotionRule rule_of(const TabletAlias& alias) const {
        const auto it = promotion_rules.find(alias);
        return it == promotion_rules.end() ? PromotionRule::neutral : it->second;
    }
};

// A server as Fixpoint's record remembers it: found even when its cell's store is down.
struct RecordedServer {
    TabletAlias alias;
    MysqlAddress address;
    Uuid uuid;
    std::int64_t server_id = 0;
    auto operator<=>(const RecordedServer&) const = default;
};

struct GivenServerId {
    Uuid uuid;
    std::int64_t server_id = 0;
    auto operator<=>(const GivenServerId&) const = default;
};

struct RetiredGtids {  // everything errant that was ever seen, with the tablets that it was seen on
    GtidSet gtids;
    std::vector<TabletAlias> seen_on;
    bool operator==(const RetiredGtids&) const = default;
};

// What is in force. JSON, written by Fixpoint alone.
struct FixpointRecord {
    static constexpr int current_format = 1;
    int format = current_format;
    std::int64_t term = 0;
    std::int64_t revision = 0;  // changes of policy and ackers within the term
    RecordedServer primary;     // P
    GtidSet opened_at;          // what P had executed when its term began
    DurabilityPolicy policy;    // in force
    std::vector<RecordedServer> ackers;  // A, in force
    GtidSet adopted;
    GtidSet high_water;
    std::vector<RecordedServer> past_primaries;
    std::vector<GivenServerId> server_ids_given;
    std::vector<RetiredGtids> retired;
    WallTime shard_time;        // the primary_term_start_time last written to Shard
    std::string operation;      // id of the writer, for the history
    std::string unknown_fields; // JSON object text of fields that we do not know, kept

    bool operator==(const FixpointRecord&) const = default;

    int k() const { return policy.ackers_needed; }
    bool has_acker(const TabletAlias& alias) const {
        for (const RecordedServer& a : ackers) {
            if (a.alias == alias) return true;
        }
        return false;
    }
    GtidSet retired_gtids() const {
        GtidSet all;
        for (const RetiredGtids& r : retired) all.add(r.gtids);
        return all;
    }
};

}  // namespace fixpoint
