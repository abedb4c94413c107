// The port's sessions over real connections: blocking calls run in a bounded pool of threads, their results
// are posted to the executor, each call completes within its limit whatever the server does. This header
// needs Asio; everything below it does not.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "fixpoint/ports/sql_session.hpp"
#include "real_adapters/mysql/connection.hpp"
#include "real_adapters/mysql/render.hpp"

namespace fixpoint::real {

class MysqlCalls;

struct MysqlOptions {
    Login login;
    ReplicationCredentials replication;
    std::size_t threads = 64;  // the greatest number of calls under way at once; more wait their turn
};

// The executor runs one handler at a time (one thread's io_context, or a strand). The connector outlives its
// sessions and is destroyed before the executor's context: it waits then for the calls under way, which it
// breaks off; one that is connecting ends within its limit.
class MysqlConnector final : public SqlConnector {
  public:
    MysqlConnector(boost::asio::any_io_executor executor, MysqlOptions options);
    ~MysqlConnector() override;

    awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> connect(MysqlAddress address,
                                                                              Duration limit) override;

  private:
    std::shared_ptr<MysqlCalls> calls_;
};

}  // namespace fixpoint::real
