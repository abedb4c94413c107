// Sessions to MySQL servers. One statement at a time per session; every call is bounded.
// A session on which an answer was lost (kind lost or timed_out) is broken and never used again.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <utility>

#include "fixpoint/ports/clock.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint {

class SqlSession {
  public:
    // Closes the session (without waiting for the server). What was under way may still take effect.
    virtual ~SqlSession() = default;

    // Never throws for what MySQL or the network does; throws system_error(operation_aborted) when cancelled.
    virtual awaitable<sql::Result> execute(sql::Statement statement, Duration limit) = 0;

    // True after a lost or timed-out answer, and as soon as the connection is seen to be closed.
    virtual bool broken() const = 0;

    virtual std::uint64_t connection_id() const = 0;

    // Called at most once, when the connection is seen to break while idle. A hint to look at once, never evidence.
    virtual void on_broken(std::function<void()> callback) = 0;
};

class SqlConnector {
  public:
    virtual ~SqlConnector() = default;
    virtual awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> connect(MysqlAddress address, Duration limit) = 0;
};

// Typed front of execute: `co_await run(session, sql::StopReceiver{}, limit)` gives expected<StopReceiver::Answer, Error>.
template <class S>
awaitable<std::expected<typename S::Answer, sql::Error>> run(SqlSession& session, S statement, Duration limit) {
    sql::Statement typed = std::move(statement);
    sql::Result result = co_await session.execute(std::move(typed), limit);
    if (!result) co_return std::unexpected(std::move(result.error()));
    co_return std::get<typename S::Answer>(std::move(*result));
}

}  // namespace fixpoint
