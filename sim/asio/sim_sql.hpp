// The SQL port on fake servers: SqlConnector and SqlSession over simulated connections. It adds nothing to
// what a connection does but awaiting it, and asks the world for the fate of each statement.
#pragma once

#include <memory>
#include <string>

#include "fixpoint/ports/sql_session.hpp"
#include "sim/asio/executor.hpp"
#include "sim/asio/manager_hooks.hpp"

namespace fixpoint::sim {

class StoreClient;

class SimSqlConnector final : public SqlConnector {
  public:
    // `store` knows which shard lock the manager holds.
    SimSqlConnector(SimProcess& process, ClientSide side, ManagerHooks& hooks, std::string manager,
                    const StoreClient& store);

    awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> connect(MysqlAddress address,
                                                                              Duration limit) override;

  private:
    SimProcess& process_;
    ClientSide side_;
    ManagerHooks& hooks_;
    std::string manager_;
    const StoreClient& store_;
};

}  // namespace fixpoint::sim
