// The sessions that stand ready on one tablet: look, lock and helper (protocol 3). One on which an answer was
// lost is never used again; it is opened anew when it is next needed, save the lock session in mid-operation.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fixpoint/ports/sql_session.hpp"

namespace fixpoint {

enum class SessionRole { look, lock, helper };

class TabletSessions {
  public:
    TabletSessions(SqlConnector& connector, MysqlAddress address, std::function<void()> on_broken)
        : connector_(connector), address_(std::move(address)), on_broken_(std::move(on_broken)) {}

    const MysqlAddress& address() const { return address_; }
    SqlSession* get(SessionRole role) const { return sessions_[index(role)].get(); }  // null: none, or broken
    SqlSession* alive(SessionRole role) const;
    void drop(SessionRole role) { sessions_[index(role)].reset(); }
    void drop_all() { sessions_ = {}; }

    // Opens it where it is not there. The error is the login's.
    awaitable<std::expected<SqlSession*, sql::Error>> ensure(SessionRole role, Duration limit);

    std::uint64_t look_connection() const { return look_connection_; }  // counts the look sessions opened
    bool is_mine(std::uint64_t connection_id) const;

    std::vector<std::string> missing_privileges;
    bool privileges_known = false;

  private:
    static std::size_t index(SessionRole role) { return static_cast<std::size_t>(role); }

    SqlConnector& connector_;
    MysqlAddress address_;
    std::function<void()> on_broken_;
    std::array<std::unique_ptr<SqlSession>, 3> sessions_;
    std::uint64_t look_connection_ = 0;
};

// Runs all at once and waits for all; an exception of one is thrown after the others have ended.
awaitable<void> all(std::vector<awaitable<void>> tasks);

}  // namespace fixpoint
