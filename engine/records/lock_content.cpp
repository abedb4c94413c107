// What a shard lock's key holds: Vitess's topo.Lock, so that vtctld shows who holds it and people can read
// it. Nothing is ever decided by it: who holds a lock is the store's word.
#include <nlohmann/json.hpp>

#include "engine/records/json_reader.hpp"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

std::string encode_lock_content(const LockContent& content) {
    // In Vitess's order and with its indentation (json.MarshalIndent(l, "", "  ")).
    const nlohmann::ordered_json json = {{"Action", content.action},
                                         {"HostName", content.host_name},
                                         {"UserName", content.user_name},
                                         {"Time", content.time},
                                         {"Options", nlohmann::ordered_json::object()},
                                         {"Status", "Running"}};
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Decoded<LockContent> decode_lock_content(std::string_view text) {
    JsonReader reader(text, "lock");
    JsonReader::Object root = reader.root();
    LockContent content{root.string("Action"), root.string("HostName"), root.string("UserName"),
                        root.string("Time")};
    if (!reader.ok()) return std::unexpected(reader.error());
    return content;
}

}  // namespace fixpoint
