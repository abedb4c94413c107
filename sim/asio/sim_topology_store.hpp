// The topology store's port on the fake store: awaits a StoreClient's callbacks and translates words.
#pragma once

#include <string>
#include <vector>

#include "fixpoint/ports/topology_store.hpp"
#include "sim/asio/executor.hpp"
#include "sim/fakes/store/store_client.hpp"

namespace fixpoint::sim {

class SimTopologyStore final : public topo::Store {
  public:
    // `clock`: the manager's own, which leases are counted on.
    SimTopologyStore(SimProcess& process, StoreClient& client, const Clock& clock);

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
    void on_change(std::function<void()> callback) override;

  private:
    awaitable<StoreReply> call(StoreRequest request, Duration limit);
    awaitable<topo::Result<std::vector<topo::Listed>>> list_in(std::string cell, std::string prefix,
                                                               Duration limit);
    awaitable<topo::Result<topo::Version>> put_in(std::string cell, topo::Put put, Duration limit);

    SimProcess& process_;
    StoreClient& client_;
    const Clock& clock_;
};

}  // namespace fixpoint::sim
