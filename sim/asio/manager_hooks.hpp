// What the simulated ports ask and tell the world about each statement of a manager: where faults strike, and
// where the judge hears of it. No Asio here.
#pragma once

#include <cstdint>
#include <string>

#include "fixpoint/ports/sql_statement.hpp"
#include "sim/fakes/wire/connection.hpp"

namespace fixpoint::sim {

struct SentStatement {
    const std::string& manager;
    mysql::FakeMysql& server;
    std::uint64_t connection = 0;
    std::int64_t lock_id = 0;  // the shard lock that the manager held
    const sql::Statement& statement;
};

class ManagerHooks {
  public:
    virtual ~ManagerHooks() = default;
    // Before it is sent; may kill or pause the manager.
    virtual StatementFate about_to_send(const SentStatement& sent) = 0;
    // Its answer has arrived; before the manager gets it.
    virtual Connection::Arrival answer_arrived(const SentStatement& sent) = 0;
};

}  // namespace fixpoint::sim
