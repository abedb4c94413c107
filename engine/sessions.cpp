// Opening, keeping and dropping sessions; and the one way in which the core does things side by side.
#include "engine/sessions.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace fixpoint {

namespace asio = boost::asio;

SqlSession* TabletSessions::alive(SessionRole role) const {
    SqlSession* session = get(role);
    return session && !session->broken() ? session : nullptr;
}

awaitable<std::expected<SqlSession*, sql::Error>> TabletSessions::ensure(SessionRole role, Duration limit) {
    if (SqlSession* session = alive(role)) co_return session;
    sessions_[index(role)].reset();
    auto opened = co_await connector_.connect(address_, limit);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    sessions_[index(role)] = std::move(*opened);
    SqlSession* session = get(role);
    session->on_broken(on_broken_);
    if (role == SessionRole::look) {
        ++look_connection_;
        privileges_known = false;
    }
    co_return session;
}

bool TabletSessions::is_mine(std::uint64_t connection_id) const {
    for (const auto& session : sessions_) {
        if (session && session->connection_id() == connection_id) return true;
    }
    return false;
}

awaitable<void> all(std::vector<awaitable<void>> tasks) {
    if (tasks.empty()) co_return;
    if (tasks.size() == 1) {
        awaitable<void> only = std::move(tasks.front());
        co_await std::move(only);
        co_return;
    }
    const auto executor = co_await asio::this_coro::executor;
    using Operation = decltype(asio::co_spawn(executor, std::declval<awaitable<void>>(), asio::deferred));
    std::vector<Operation> operations;
    operations.reserve(tasks.size());
    for (awaitable<void>& task : tasks) {
        operations.push_back(asio::co_spawn(executor, std::move(task), asio::deferred));
    }
    auto group = asio::experimental::make_parallel_group(std::move(operations));
    auto waiting = group.async_wait(asio::experimental::wait_for_all(), asio::deferred);
    auto [order, errors] = co_await std::move(waiting);
    for (const std::exception_ptr& error : errors) {
        if (error) std::rethrow_exception(error);
    }
}

}  // namespace fixpoint
