// Vitess's topology records as values. `unknown_fields` of a value is the message with everything that we
// model taken out, nested leftovers included; encoding begins with it, so whatever others have written is
// still there afterwards. Never invents a field: an address that Vitess derives from older fields is derived,
// and left where it was.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>

#if __has_include(<google/protobuf/stubs/logging.h>)
#include <google/protobuf/stubs/logging.h>
#define FIXPOINT_QUIET_PROTOBUF const google::protobuf::LogSilencer quiet
#else
#define FIXPOINT_QUIET_PROTOBUF static_cast<void>(0)
#endif

#include "engine/records/proto/topodata.pb.h"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr std::int64_t greatest_seconds = std::numeric_limits<std::int64_t>::max() / ns_per_second - 1;

// Fields in the order of their numbers, maps sorted by key: equal values, equal bytes.
std::string serialize(const google::protobuf::MessageLite& message) {
    std::string bytes;
    {
        google::protobuf::io::StringOutputStream stream(&bytes);
        google::protobuf::io::CodedOutputStream coded(&stream);
        coded.SetSerializationDeterministic(true);
        message.SerializeToCodedStream(&coded);
    }
    return bytes;
}

template <class Message>
Decoded<Message> parse(std::string_view bytes, const char* what) {
    FIXPOINT_QUIET_PROTOBUF;  // damaged bytes are an error to the caller, not a line on somebody's terminal
    Message message;
    if (!message.ParseFromString(std::string(bytes))) {
        return std::unexpected(std::string(what) + ": the " + std::to_string(bytes.size()) +
                               " bytes are no such protobuf message");
    }
    return message;
}

// An alias without a cell is none, as in Vitess.
TabletAlias alias_of(const topodata::TabletAlias& alias) {
    return alias.cell().empty() ? TabletAlias{} : TabletAlias{alias.cell(), alias.uid()};
}

void set_alias(topodata::TabletAlias& to, const TabletAlias& alias) {
    to.set_cell(alias.cell);
    to.set_uid(alias.uid);
}

Decoded<WallTime> time_of(const topodata::Time& time, const char* what) {
    const std::int64_t seconds = time.seconds();
    if (seconds < 0 || seconds > greatest_seconds || time.nanoseconds() < 0 ||
        time.nanoseconds() >= ns_per_second) {
        return std::unexpected(std::string(what) + ": " + std::to_string(seconds) + " s " +
                               std::to_string(time.nanoseconds()) + " ns is no time since 1970");
    }
    return WallTime{seconds * ns_per_second + time.nanoseconds()};
}

void set_time(topodata::Time& to, WallTime time) {
    to.set_seconds(time.ns / ns_per_second);
    to.set_nanoseconds(static_cast<std::int32_t>(time.ns % ns_per_second));
}

// Takes a submessage out where nothing unknown is left in it.
template <class Message>
bool is_bare(const Message& message) {
    return message.ByteSizeLong() == 0;
}

// Older records have no mysql_hostname and no mysql_port: Vitess reads hostname and port_map["mysql"]
// instead.
std::string host_of(const topodata::Tablet& tablet) {
    return tablet.mysql_hostname().empty() ? tablet.hostname() : tablet.mysql_hostname();
}
std::int32_t port_of(const topodata::Tablet& tablet) {
    if (tablet.mysql_port() != 0) return tablet.mysql_port();
    const auto it = tablet.port_map().find("mysql");
    return it == tablet.port_map().end() ? 0 : it->second;
}

bool is_known_type(int number) {
    return topodata::TabletType_IsValid(number);
}

void take_out(topodata::Tablet& rest) {
    rest.mutable_alias()->clear_cell();
    rest.mutable_alias()->clear_uid();
    if (is_bare(rest.alias())) rest.clear_alias();
    rest.clear_keyspace();
    rest.clear_shard();
    if (is_known_type(rest.type())) rest.clear_type();
    rest.clear_tags();
    rest.clear_primary_term_start_time();
    // The address stays: where it comes from older fields, it goes back there by not being touched.
}

}  // namespace

Decoded<Tablet> decode_tablet(std::string_view bytes) {
    auto message = parse<topodata::Tablet>(bytes, "Tablet");
    if (!message) return std::unexpected(message.error());
    Tablet tablet;
    tablet.alias = alias_of(message->alias());
    if (!tablet.alias) return std::unexpected("Tablet: alias: it has no cell");
    tablet.keyspace = message->keyspace();
    tablet.shard = message->shard();
    if (is_known_type(message->type())) tablet.type = static_cast<TabletType>(message->type());
    const std::int32_t port = port_of(*message);
    if (port < 0 || port > std::numeric_limits<std::uint16_t>::max()) {
        return std::unexpected("Tablet " + tablet.alias.to_string() +
                               ": mysql_port: " + std::to_string(port) + " is no port");
    }
    tablet.mysql = {host_of(*message), static_cast<std::uint16_t>(port)};
    for (const auto& [key, value] : message->tags()) tablet.tags[key] = value;
    const auto time = time_of(message->primary_term_start_time(), "Tablet: primary_term_start_time");
    if (!time) return std::unexpected(time.error());
    tablet.primary_term_start_time = *time;
    take_out(*message);
    tablet.unknown_fields = serialize(*message);
    return tablet;
}

std::string encode_tablet(const Tablet& tablet) {
    topodata::Tablet message;
    message.ParseFromString(tablet.unknown_fields);  // our own bytes, or empty
    set_alias(*message.mutable_alias(), tablet.alias);
    message.set_keyspace(tablet.keyspace);
    message.set_shard(tablet.shard);
    if (tablet.type != TabletType::unknown || is_known_type(message.type())) {
        message.set_type(static_cast<topodata::TabletType>(tablet.type));
    }
    for (const auto& [key, value] : tablet.tags) (*message.mutable_tags())[key] = value;
    if (host_of(message) != tablet.mysql.host) message.set_mysql_hostname(tablet.mysql.host);
    if (port_of(message) != tablet.mysql.port) message.set_mysql_port(tablet.mysql.port);
    if (tablet.primary_term_start_time.ns != 0) {
        set_time(*message.mutable_primary_term_start_time(), tablet.primary_term_start_time);
    }
    return serialize(message);
}

Decoded<ShardRecord> decode_shard(std::string_view bytes) {
    auto message = parse<topodata::Shard>(bytes, "Shard");
    if (!message) return std::unexpected(message.error());
    ShardRecord shard;
    if (const TabletAlias alias = alias_of(message->primary_alias())) shard.primary_alias = alias;
    const auto time = time_of(message->primary_term_start_time(), "Shard: primary_term_start_time");
    if (!time) return std::unexpected(time.error());
    shard.primary_term_start_time = *time;
    shard.is_primary_serving = message->is_primary_serving();
    shard.disable_emergency_reparent = message->vtorc_state().disable_emergency_reparent();

    message->mutable_primary_alias()->clear_cell();
    message->mutable_primary_alias()->clear_uid();
    if (is_bare(message->primary_alias())) message->clear_primary_alias();
    message->clear_primary_term_start_time();
    message->clear_is_primary_serving();
    message->mutable_vtorc_state()->clear_disable_emergency_reparent();
    if (is_bare(message->vtorc_state())) message->clear_vtorc_state();
    shard.unknown_fields = serialize(*message);
    return shard;
}

std::string encode_shard(const ShardRecord& shard) {
    topodata::Shard message;
    message.ParseFromString(shard.unknown_fields);
    if (shard.primary_alias) set_alias(*message.mutable_primary_alias(), *shard.primary_alias);
    if (shard.primary_term_start_time.ns != 0) {
        set_time(*message.mutable_primary_term_start_time(), shard.primary_term_start_time);
    }
    message.set_is_primary_serving(shard.is_primary_serving);
    if (shard.disable_emergency_reparent) message.mutable_vtorc_state()->set_disable_emergency_reparent(true);
    return serialize(message);
}

Decoded<KeyspaceRecord> decode_keyspace(std::string_view bytes) {
    auto message = parse<topodata::Keyspace>(bytes, "Keyspace");
    if (!message) return std::unexpected(message.error());
    KeyspaceRecord keyspace;
    if (!message->durability_policy().empty()) {
        const auto policy = DurabilityPolicy::parse(message->durability_policy());
        if (!policy) return std::unexpected("Keyspace: durability_policy: " + policy.error());
        keyspace.durability_policy = *policy;
    }
    keyspace.disable_emergency_reparent = message->vtorc_state().disable_emergency_reparent();

    message->clear_durability_policy();
    message->mutable_vtorc_state()->clear_disable_emergency_reparent();
    if (is_bare(message->vtorc_state())) message->clear_vtorc_state();
    keyspace.unknown_fields = serialize(*message);
    return keyspace;
}

std::string encode_keyspace(const KeyspaceRecord& keyspace) {
    topodata::Keyspace message;
    message.ParseFromString(keyspace.unknown_fields);
    message.set_durability_policy(keyspace.durability_policy.to_string());
    if (keyspace.disable_emergency_reparent)
        message.mutable_vtorc_state()->set_disable_emergency_reparent(true);
    return serialize(message);
}

Decoded<CellInfo> decode_cell_info(std::string_view bytes) {
    const auto message = parse<topodata::CellInfo>(bytes, "CellInfo");
    if (!message) return std::unexpected(message.error());
    return CellInfo{message->server_address(), message->root()};
}

std::string encode_cell_info(const CellInfo& cell) {
    topodata::CellInfo message;
    message.set_server_address(cell.server_address);
    message.set_root(cell.root);
    return serialize(message);
}

}  // namespace fixpoint
