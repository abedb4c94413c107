// A topology store that says on the log what keeps a manager from writing: the core only tries again at its
// next pass, and would be silent about it. It passes on every call and every answer as they are.
#pragma once

#include <memory>
#include <string>

#include "fixpoint/ports/topology_store.hpp"
#include "real_adapters/daemon/event_log.hpp"

namespace fixpoint::real {

class ToldStore final : public topo::Store {
  public:
    ToldStore(std::unique_ptr<topo::Store> base, Log& log, ShardName shard)
        : base_(std::move(base)), log_(log), shard_(std::move(shard)) {}

    awaitable<topo::Result<std::optional<topo::Value>>> get(std::string path, Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list(std::string prefix, Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Version>>> transact(topo::LockKey lock,
                                                                 std::vector<topo::Put> puts,
                                                                 Duration limit) override;
    awaitable<topo::Result<topo::Version>> put_declared(topo::Put put, Duration limit) override;
    awaitable<topo::Result<topo::LockKey>> lock_shard(std::string path, std::string content, Duration lease,
                                                      Duration limit) override;
    awaitable<topo::Result<void>> renew(topo::LockKey lock, Duration lease, Duration limit) override;
    awaitable<topo::Result<void>> unlock(topo::LockKey lock, Duration limit) override;
    awaitable<topo::Result<std::optional<topo::LockHolder>>> lock_holder(std::string path,
                                                                         Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list_cell(std::string cell, std::string prefix,
                                                                 Duration limit) override;
    awaitable<topo::Result<topo::Version>> put_cell(std::string cell, topo::Put put, Duration limit) override;
    void on_change(std::function<void()> callback) override { base_->on_change(std::move(callback)); }

  private:
    // After each write: what is said once, until one succeeds again.
    template <class T>
    topo::Result<T> told(topo::Result<T> answer) {
        say(answer ? nullptr : &answer.error());
        return answer;
    }
    void say(const topo::Error* error);

    std::unique_ptr<topo::Store> base_;
    Log& log_;
    ShardName shard_;
    bool said_ = false;
};

}  // namespace fixpoint::real
