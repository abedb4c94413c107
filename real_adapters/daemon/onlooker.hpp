// Ports that can only look, for whoever shows what would be done: a store with proposed records laid over it
// that refuses every write and every lock, and sessions that refuse every statement that changes a server.
// The core itself looks through them, so that what is shown is what it would see.
#pragma once

#include <map>

#include "fixpoint/ports/sql_session.hpp"
#include "real_adapters/daemon/declaration.hpp"
#include "real_adapters/daemon/store_decorator.hpp"

namespace fixpoint::real {

class OnlookerStore final : public StoreDecorator {
  public:
    // Without a base there is no store yet: it holds what is proposed.
    explicit OnlookerStore(topo::Store* base, std::vector<ProposedRecord> proposed = {});

    awaitable<topo::Result<std::optional<topo::Value>>> get(std::string path, Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list(std::string prefix, Duration limit) override;
    awaitable<topo::Result<std::optional<topo::LockHolder>>> lock_holder(std::string path,
                                                                         Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list_cell(std::string cell, std::string prefix,
                                                                 Duration limit) override;
    void on_change(std::function<void()> callback) override;

  private:
    std::optional<topo::Error> refusal() const override;
    bool proposes_cell(const std::string& cell) const;

    std::map<std::string, std::map<std::string, std::string>> proposed_;  // by cell ("": global), by path
};

class OnlookerConnector final : public SqlConnector {
  public:
    explicit OnlookerConnector(SqlConnector& base) : base_(base) {}
    awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> connect(MysqlAddress address,
                                                                              Duration limit) override;

  private:
    SqlConnector& base_;
};

}  // namespace fixpoint::real
