// See json_fields.hpp.
#include "engine/records/json_fields.hpp"

#include <limits>
#include <nlohmann/json.hpp>

namespace fixpoint {

using nlohmann::json;

TabletAlias read_alias(JsonReader& reader, const std::string& place, const std::string& text) {
    if (!reader.ok()) return {};
    const auto alias = TabletAlias::parse(text);
    if (alias) return *alias;
    reader.fail(place, alias.error());
    return {};
}

Uuid read_uuid(JsonReader& reader, JsonReader::Object& from, const char* key) {
    const std::string text = from.string(key);
    if (!reader.ok()) return {};
    const auto uuid = Uuid::parse(text);
    if (uuid) return *uuid;
    reader.fail(from.place_of(key), uuid.error());
    return {};
}

GtidSet read_set(JsonReader& reader, JsonReader::Object& from, const char* key) {
    if (!from.has(key)) return {};
    const std::string text = from.string(key);
    if (!reader.ok()) return {};
    auto set = GtidSet::parse(text);
    if (set) return std::move(*set);
    reader.fail(from.place_of(key), set.error());
    return {};
}

RecordedServer read_server(JsonReader& reader, JsonReader::Object& from) {
    RecordedServer server;
    server.alias = read_alias(reader, from.place_of("alias"), from.string("alias"));
    from.object("address", [&](JsonReader::Object& address) {
        server.address.host = address.string("host");
        server.address.port =
            static_cast<std::uint16_t>(address.integer("port", 0, std::numeric_limits<std::uint16_t>::max()));
    });
    server.uuid = read_uuid(reader, from, "uuid");
    server.server_id = from.integer("server_id", 0, std::numeric_limits<std::uint32_t>::max());
    return server;
}

json server_json(const RecordedServer& server) {
    return {{"alias", server.alias.to_string()},
            {"address", {{"host", server.address.host}, {"port", server.address.port}}},
            {"uuid", server.uuid.to_string()},
            {"server_id", server.server_id}};
}

}  // namespace fixpoint
