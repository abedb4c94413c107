// The topology store: what SQLite, etcd, ZooKeeper and Consul have in common. A *global* store with one
// conditional transaction and a lock bound to a lease, and one store per *cell* for tablet records.
// Records are bytes here; their codecs are above (engine/record_codec.hpp). All reads are linearizable.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixpoint/ports/clock.hpp"

namespace fixpoint::topo {

enum class ErrorKind {
    unreachable,  // nothing was written, for sure (refused at once, or never sent)
    maybe,        // the answer was lost: it may have been written, or may yet be
    conflict,     // a version did not match: nothing was written
    lock_lost,    // my lock key is gone: nothing was written
    held,         // lock_shard: somebody else holds it (text: the holder's content)
};

struct Error {
    ErrorKind kind = ErrorKind::unreachable;
    std::string text;
};

using Version = std::int64_t;  // 0: the key does not exist

struct Value {
    std::string bytes;
    Version version = 0;
};

struct Listed {
    std::string path;
    Value value;
};

struct Put {
    std::string path;
    std::string bytes;
    Version expected = 0;  // 0: must not exist yet
};

// One acquisition of a shard's lock: a key of its own, never used twice, bound to a lease.
struct LockKey {
    std::string path;
    std::int64_t id = 0;     // unique for ever; a greater one is newer
    Instant taken_at;        // before the request was sent: the lease is counted from here
    bool operator==(const LockKey& other) const { return path == other.path && id == other.id; }
};

struct LockHolder {
    std::int64_t id = 0;
    std::string content;
};

template <class T>
using Result = std::expected<T, Error>;

class Store {
  public:
    virtual ~Store() = default;

    // ---- the global store
    virtual awaitable<Result<std::optional<Value>>> get(std::string path, Duration limit) = 0;
    virtual awaitable<Result<std::vector<Listed>>> list(std::string prefix, Duration limit) = 0;
    // All puts or none: conditional on every expected version *and* on my lock key being there still.
    // Returns the new versions, in the order of the puts.
    virtual awaitable<Result<std::vector<Version>>> transact(LockKey lock, std::vector<Put> puts, Duration limit) = 0;
    // People's commands only (declare, forget, pause, allow): conditional on the version alone.
    virtual awaitable<Result<Version>> put_declared(Put put, Duration limit) = 0;

    // ---- the shard lock (global store). Does not queue: `held` where somebody else holds it.
    virtual awaitable<Result<LockKey>> lock_shard(std::string path, std::string content, Duration lease, Duration limit) = 0;
    virtual awaitable<Result<void>> renew(LockKey lock, Duration lease, Duration limit) = 0;
    virtual awaitable<Result<void>> unlock(LockKey lock, Duration limit) = 0;
    virtual awaitable<Result<std::optional<LockHolder>>> lock_holder(std::string path, Duration limit) = 0;

    // ---- the stores of the cells
    virtual awaitable<Result<std::vector<Listed>>> list_cell(std::string cell, std::string prefix, Duration limit) = 0;
    virtual awaitable<Result<Version>> put_cell(std::string cell, Put put, Duration limit) = 0;

    // Called for each change that the store notifies us of (a hint to look, may be lost, late or doubled).
    virtual void on_change(std::function<void()> callback) = 0;
};

}  // namespace fixpoint::topo
