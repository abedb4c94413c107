// Requests to the fake topology store and its replies, as plain values (no Asio: the port in sim/asio turns
// them into awaitables). One struct for all kinds of request, because they all travel, fail and get lost
// alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/time.hpp"

namespace fixpoint::sim {

enum class StoreStatus {
    ok,
    unreachable,  // nothing was written, for sure
    maybe,        // the answer was lost
    conflict,     // a version did not match
    lock_lost,    // the lock key is gone
    held,         // somebody else holds the lock
};

struct StoreValue {
    std::string bytes;
    std::int64_t version = 0;
};

struct StoreListed {
    std::string path;
    StoreValue value;
};

struct StorePut {
    std::string path;
    std::string bytes;
    std::int64_t expected = 0;  // 0: must not exist yet
};

enum class StoreRequestKind { get, list, transact, put, lock, renew, unlock, holder };

struct StoreRequest {
    StoreRequestKind kind = StoreRequestKind::get;
    std::string cell;            // "": the global store
    std::string path;            // a key, a prefix, or the lock's path (transact may leave it out)
    std::vector<StorePut> puts;  // transact, put
    std::int64_t lock_id = 0;    // transact, renew, unlock: the key that must be there
    std::int64_t held = 0;       // the lock that the manager held when it sent this (for the judge)
    std::string content;         // lock
    Duration lease{};            // lock, renew

    // What a lost answer leaves in doubt.
    bool writes() const {
        return kind == StoreRequestKind::transact || kind == StoreRequestKind::put ||
               kind == StoreRequestKind::lock || kind == StoreRequestKind::renew ||
               kind == StoreRequestKind::unlock;
    }
    bool writes_records() const {
        return kind == StoreRequestKind::transact || kind == StoreRequestKind::put;
    }
};

struct StoreHolder {
    std::int64_t id = 0;
    std::string content;
};

struct StoreReply {
    StoreStatus status = StoreStatus::ok;
    std::string text;
    std::optional<StoreValue> value;     // get
    std::vector<StoreListed> listed;     // list
    std::vector<std::int64_t> versions;  // transact, put
    std::int64_t lock_id = 0;            // lock
    std::optional<StoreHolder> holder;   // holder
};

}  // namespace fixpoint::sim
