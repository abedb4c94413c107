// Awaits the callbacks of connections. A call that is cancelled, or whose coroutine is destroyed, leaves a
// broken session behind: whether its statement took effect is unknown.
#include "sim/asio/sim_sql.hpp"

#include <utility>

#include "sim/asio/operation.hpp"
#include "sim/fakes/store/store_client.hpp"

namespace fixpoint::sim {
namespace {

// Gives the call under way up unless it was answered.
class CallGuard {
  public:
    explicit CallGuard(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    ~CallGuard() {
        if (connection_) connection_->abandon();
    }
    CallGuard(const CallGuard&) = delete;
    CallGuard& operator=(const CallGuard&) = delete;
    void answered() { connection_.reset(); }

  private:
    std::shared_ptr<Connection> connection_;
};

class SimSqlSession final : public SqlSession {
  public:
    SimSqlSession(SimProcess& process, std::shared_ptr<Connection> connection, mysql::FakeMysql& server,
                  ManagerHooks& hooks, std::string manager, const StoreClient& store)
        : process_(process),
          connection_(std::move(connection)),
          server_(server),
          hooks_(hooks),
          manager_(std::move(manager)),
          store_(store) {}

    awaitable<sql::Result> execute(sql::Statement statement, Duration limit) override {
        CallGuard guard(connection_);
        const auto starter = [this, &statement, limit](Completion<sql::Result> done) {
            send(statement, limit, done);
        };
        sql::Result result = co_await await_result<sql::Result>(process_, starter);
        guard.answered();
        co_return result;
    }

    bool broken() const override { return connection_->broken(); }
    std::uint64_t connection_id() const override { return connection_->id(); }
    void on_broken(std::function<void()> callback) override { connection_->on_broken(std::move(callback)); }

  private:
    // `statement` lives in the frame of execute(), as long as the call.
    void send(const sql::Statement& statement, Duration limit, const Completion<sql::Result>& done) {
        const std::int64_t lock_id = store_.held_lock();
        const SentStatement sent{manager_, server_, connection_->id(), lock_id, statement};
        const StatementFate fate = connection_->broken() ? StatementFate{} : hooks_.about_to_send(sent);
        if (!process_.alive()) return;
        connection_->execute(
            statement, lock_id, limit, fate,
            [this, lock_id, &statement] {
                return hooks_.answer_arrived({manager_, server_, connection_->id(), lock_id, statement});
            },
            [done](sql::Result result) { done.complete(std::move(result)); });
    }

    SimProcess& process_;
    std::shared_ptr<Connection> connection_;
    mysql::FakeMysql& server_;
    ManagerHooks& hooks_;
    std::string manager_;
    const StoreClient& store_;
};

}  // namespace

SimSqlConnector::SimSqlConnector(SimProcess& process, ClientSide side, ManagerHooks& hooks,
                                 std::string manager, const StoreClient& store)
    : process_(process), side_(side), hooks_(hooks), manager_(std::move(manager)), store_(store) {}

awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> SimSqlConnector::connect(
    MysqlAddress address, Duration limit) {
    using Connected = std::expected<std::uint64_t, sql::Error>;
    mysql::FakeMysql* server = side_.servers.find(address);
    auto connection = std::make_shared<Connection>(side_, server);
    CallGuard guard(connection);
    const auto starter = [this, &connection, limit](Completion<Connected> done) {
        mysql::LoginRequest login;
        login.user = "fixpoint";
        login.privileged = true;
        login.system_user = true;
        login.manager = manager_;
        connection->connect(std::move(login), limit,
                            [done](Connected result) { done.complete(std::move(result)); });
    };
    Connected connected = co_await await_result<Connected>(process_, starter);
    guard.answered();
    if (!connected) co_return std::unexpected(std::move(connected.error()));
    std::unique_ptr<SqlSession> session =
        std::make_unique<SimSqlSession>(process_, std::move(connection), *server, hooks_, manager_, store_);
    co_return session;
}

}  // namespace fixpoint::sim
