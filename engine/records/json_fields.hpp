// The words of the model inside JSON records: aliases, uuids, GTID sets, servers. Shared by both JSON codecs.
// Each reader says where it failed; each writer is its exact inverse.
#pragma once

#include "engine/records/json_reader.hpp"
#include "fixpoint/model/records.hpp"

namespace fixpoint {

TabletAlias read_alias(JsonReader& reader, const std::string& place, const std::string& text);
Uuid read_uuid(JsonReader& reader, JsonReader::Object& from, const char* key);
GtidSet read_set(JsonReader& reader, JsonReader::Object& from, const char* key);  // absent: empty
RecordedServer read_server(JsonReader& reader, JsonReader::Object& from);
nlohmann::json server_json(const RecordedServer& server);

}  // namespace fixpoint
