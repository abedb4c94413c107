// The record of what is in force, as JSON. A field that is missing is a damaged record and is refused, save
// the sets (they begin empty); an unknown format is refused before anything else is read; unknown fields are
// kept. Nothing is repaired here: a record that does not make sense is an error for a person.
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/records/json_fields.hpp"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

namespace {

using nlohmann::json;
using Object = JsonReader::Object;

constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t greatest_server_id = std::numeric_limits<std::uint32_t>::max();

DurabilityPolicy read_policy(JsonReader& reader, Object& from) {
    DurabilityPolicy policy;
    from.object("policy", [&](Object& object) {
        const std::string name = object.string("name");
        const auto k = static_cast<int>(object.integer("k", 0, 65535));
        if (!reader.ok()) return;
        const auto parsed = DurabilityPolicy::parse(k > 1 ? name + ":" + std::to_string(k) : name);
        if (!parsed) return reader.fail(object.place_of("name"), parsed.error());
        if (parsed->ackers_needed != k) {
            return reader.fail(object.place_of("k"), std::to_string(k) + " does not fit the policy " + name);
        }
        policy = *parsed;
    });
    return policy;
}

json policy_json(const DurabilityPolicy& policy) {
    const DurabilityPolicy without_count{policy.name, policy.is_none() ? 0 : 1};
    return {{"name", without_count.to_string()}, {"k", policy.ackers_needed}};
}

std::vector<RecordedServer> read_servers(JsonReader& reader, Object& from, const char* key) {
    std::vector<RecordedServer> servers;
    from.objects(key, [&](Object& server) { servers.push_back(read_server(reader, server)); });
    return servers;
}

json servers_json(const std::vector<RecordedServer>& servers) {
    json list = json::array();
    for (const RecordedServer& server : servers) list.push_back(server_json(server));
    return list;
}

void read_given_and_retired(JsonReader& reader, Object& root, FixpointRecord& record) {
    root.objects("server_ids_given", [&](Object& given) {
        record.server_ids_given.push_back(
            {read_uuid(reader, given, "uuid"), given.integer("server_id", 1, greatest_server_id)});
    });
    root.objects("retired", [&](Object& retired) {
        RetiredGtids& r = record.retired.emplace_back();
        r.gtids = read_set(reader, retired, "gtids");
        retired.strings("seen_on", [&](const std::string& place, const std::string& alias) {
            r.seen_on.push_back(read_alias(reader, place, alias));
        });
    });
}

json given_json(const FixpointRecord& record) {
    json list = json::array();
    for (const GivenServerId& given : record.server_ids_given) {
        list.push_back({{"uuid", given.uuid.to_string()}, {"server_id", given.server_id}});
    }
    return list;
}

json retired_json(const FixpointRecord& record) {
    json list = json::array();
    for (const RetiredGtids& retired : record.retired) {
        json seen_on = json::array();
        for (const TabletAlias& alias : retired.seen_on) seen_on.push_back(alias.to_string());
        list.push_back({{"gtids", retired.gtids.to_string()}, {"seen_on", std::move(seen_on)}});
    }
    return list;
}

}  // namespace

Decoded<FixpointRecord> decode_fixpoint(std::string_view text) {
    JsonReader reader(text, "Fixpoint record");
    Object root = reader.root();
    FixpointRecord record;
    record.format = static_cast<int>(root.integer("format", 0, std::numeric_limits<int>::max()));
    if (reader.ok() && record.format != FixpointRecord::current_format) {
        reader.fail("format", std::to_string(record.format) + " is unknown (this program knows " +
                                  std::to_string(FixpointRecord::current_format) + ")");
    }
    record.term = root.integer("term", 1, greatest);
    record.revision = root.integer("revision", 0, greatest);
    root.object("primary", [&](Object& primary) { record.primary = read_server(reader, primary); });
    record.opened_at = read_set(reader, root, "opened_at");
    record.policy = read_policy(reader, root);
    record.ackers = read_servers(reader, root, "ackers");
    record.adopted = read_set(reader, root, "adopted");
    record.high_water = read_set(reader, root, "high_water");
    record.past_primaries = read_servers(reader, root, "past_primaries");
    read_given_and_retired(reader, root, record);
    record.shard_time.ns = root.integer("shard_time", 0, greatest);
    record.operation = root.string("operation");
    if (!reader.ok()) return std::unexpected(reader.error());
    record.unknown_fields = root.unknown();
    return record;
}

std::string encode_fixpoint(const FixpointRecord& record) {
    const json known = {
        {"format", record.format},
        {"term", record.term},
        {"revision", record.revision},
        {"primary", server_json(record.primary)},
        {"opened_at", record.opened_at.to_string()},
        {"policy", policy_json(record.policy)},
        {"ackers", servers_json(record.ackers)},
        {"adopted", record.adopted.to_string()},
        {"high_water", record.high_water.to_string()},
        {"past_primaries", servers_json(record.past_primaries)},
        {"server_ids_given", given_json(record)},
        {"retired", retired_json(record)},
        {"shard_time", record.shard_time.ns},
        {"operation", record.operation},
    };
    return dump_over(record.unknown_fields, known);
}

}  // namespace fixpoint
