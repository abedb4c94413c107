// The adapter without an event loop: for tests against real servers and for small tools. A call has no limit
// of its own; another thread may end it with break_off(). Used by one thread at a time otherwise.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "real_adapters/mysql/connection.hpp"
#include "real_adapters/mysql/exchange.hpp"

namespace fixpoint::real {

class BlockingSession {
  public:
    static std::expected<BlockingSession, sql::Error> connect(const MysqlAddress& address, const Login& login,
                                                              std::chrono::nanoseconds limit) {
        return wrap(Connection::open(address, login, limit));
    }
    static std::expected<BlockingSession, sql::Error> connect_local(const std::string& socket_path,
                                                                    const Login& login,
                                                                    std::chrono::nanoseconds limit) {
        return wrap(Connection::open_local(socket_path, login, limit));
    }

    sql::Result execute(const sql::Statement& statement, const ReplicationCredentials& replication = {}) {
        return exchange(*connection_, statement, replication);
    }
    RawAnswer query(std::string_view text) { return connection_->query(text); }
    void break_off() noexcept { connection_->break_off(); }
    std::uint64_t id() const { return connection_->id(); }
    bool seen_closed() const { return connection_->seen_closed(); }

  private:
    explicit BlockingSession(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    static std::expected<BlockingSession, sql::Error> wrap(
        std::expected<std::shared_ptr<Connection>, sql::Error> opened) {
        if (!opened) return std::unexpected(std::move(opened.error()));
        return BlockingSession(*std::move(opened));
    }

    std::shared_ptr<Connection> connection_;
};

}  // namespace fixpoint::real
