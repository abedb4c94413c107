// A topology store in memory, for commands that run without servers. It keeps versions as a real one does; a
// test may make its answers fail. Locks are given to whoever asks first.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/ports/topology_store.hpp"

namespace fixpoint::real {

class MemoryStore final : public topo::Store {
  public:
    std::map<std::string, std::map<std::string, topo::Value>> cells;  // "": the global store
    std::optional<topo::ErrorKind> writes_end_in;                     // what a write is answered with

    template <class T>
    static topo::Result<T> failure(topo::ErrorKind kind) {
        return std::unexpected(topo::Error{kind, "made by the test"});
    }
    topo::Result<topo::Version> put(const std::string& cell, topo::Put put) {
        if (writes_end_in) return failure<topo::Version>(*writes_end_in);
        topo::Value& value = cells[cell][put.path];
        if (value.version != put.expected) return failure<topo::Version>(topo::ErrorKind::conflict);
        value = {std::move(put.bytes), ++last_version_};
        return value.version;
    }
    std::vector<topo::Listed> listed(const std::string& cell, const std::string& prefix) const {
        std::vector<topo::Listed> found;
        if (const auto it = cells.find(cell); it != cells.end()) {
            for (const auto& [path, value] : it->second) {
                if (path.starts_with(prefix)) found.push_back({path, value});
            }
        }
        return found;
    }

    awaitable<topo::Result<std::optional<topo::Value>>> get(std::string path, Duration /*limit*/) override {
        const auto found = listed("", path);
        co_return found.empty() ? std::nullopt : std::optional(found.front().value);
    }
    awaitable<topo::Result<std::vector<topo::Listed>>> list(std::string prefix, Duration /*limit*/) override {
        co_return listed("", prefix);
    }
    awaitable<topo::Result<std::vector<topo::Version>>> transact(topo::LockKey /*lock*/,
                                                                 std::vector<topo::Put> /*puts*/,
                                                                 Duration /*limit*/) override {
        co_return failure<std::vector<topo::Version>>(topo::ErrorKind::unreachable);
    }
    awaitable<topo::Result<topo::Version>> put_declared(topo::Put what, Duration /*limit*/) override {
        co_return put("", std::move(what));
    }
    awaitable<topo::Result<topo::LockKey>> lock_shard(std::string /*path*/, std::string /*content*/,
                                                      Duration /*lease*/, Duration /*limit*/) override {
        co_return failure<topo::LockKey>(topo::ErrorKind::held);
    }
    awaitable<topo::Result<void>> renew(topo::LockKey /*lock*/, Duration /*lease*/,
                                        Duration /*limit*/) override {
        co_return failure<void>(topo::ErrorKind::lock_lost);
    }
    awaitable<topo::Result<void>> unlock(topo::LockKey /*lock*/, Duration /*limit*/) override {
        co_return topo::Result<void>{};
    }
    awaitable<topo::Result<std::optional<topo::LockHolder>>> lock_holder(std::string /*path*/,
                                                                         Duration /*limit*/) override {
        co_return std::optional<topo::LockHolder>();
    }
    awaitable<topo::Result<std::vector<topo::Listed>>> list_cell(std::string cell, std::string prefix,
                                                                 Duration /*limit*/) override {
        co_return listed(cell, prefix);
    }
    awaitable<topo::Result<topo::Version>> put_cell(std::string cell, topo::Put what,
                                                    Duration /*limit*/) override {
        co_return put(cell, std::move(what));
    }
    void on_change(std::function<void()> /*callback*/) override {}

  private:
    topo::Version last_version_ = 0;
};

// Runs one coroutine on a context of its own.
template <class T>
T run_to_end(awaitable<T> work) {
    boost::asio::io_context context(1);
    std::optional<T> result;
    boost::asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& error, T value) {
        if (error) std::rethrow_exception(error);
        result = std::move(value);
    });
    context.run();
    return *std::move(result);
}

}  // namespace fixpoint::real
