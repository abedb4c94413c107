// One login at one server, as the server sees it: who it is, what it does, what it holds, and how a KILL ends
// it. Also the words of the client door. Plain data: what happens to a session is the server's business.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "fixpoint/model/time.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/state.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/mysql/transaction.hpp"

namespace fixpoint::sim::mysql {

// Unique over all starts of a server; its lower half is CONNECTION_ID(), which begins anew with each start.
using SessionId = std::uint64_t;
inline std::uint64_t connection_id(SessionId id) {
    return id & 0xffff'ffffU;
}

struct LoginRequest {
    std::string user;
    bool privileged =
        false;  // CONNECTION_ADMIN or SUPER: read_only does not bind it, offline_mode does not end it
    bool system_user = false;  // SYSTEM_USER: cannot be killed by one without (M37)
    bool wrong_password = false;
    std::string manager;  // a manager's name; "" : a client's session
};

// What clients do. `builds_on` is a row that a replica must have to apply it (an UPDATE); 0: none.
struct InsertRow {
    WriteId id = 0;
    WriteId builds_on = 0;
};
struct DeleteRow {
    WriteId id = 0;
};
struct BeginTransaction {};
struct CommitTransaction {};
struct RollbackTransaction {};
struct ReadIds {};
struct LockTablesForRead {};  // the clients' table: holds the applier (M10)
struct UnlockTables {};
struct CreateTable {
    std::string name;
};
struct SelectFrom {
    std::string name;
};  // a table made by CreateTable
struct FlushTables {};  // without LOCAL: written to the binary log on a super_read_only server too (M50)
using ClientWork =
    std::variant<InsertRow, DeleteRow, BeginTransaction, CommitTransaction, RollbackTransaction, ReadIds,
                 LockTablesForRead, UnlockTables, CreateTable, SelectFrom, FlushTables>;
using ClientResult = std::expected<WriteIds, sql::Error>;  // only ReadIds answers with ids

using StatementAnswer = std::move_only_function<void(sql::Result)>;
using ClientAnswer = std::move_only_function<void(ClientResult)>;

struct Request {
    std::variant<sql::Statement, ClientWork> what;
    std::int64_t lock_id = 0;  // the shard lock under which a manager sent it
    StatementAnswer answer_statement;
    ClientAnswer answer_client;
};

struct Session {
    SessionId id = 0;
    LoginRequest login;
    std::move_only_function<void()> on_ended;  // the server closed the connection
    std::deque<Request> queue;                 // sent, not begun
    Request current;                           // under way, if busy
    bool busy = false;
    const char* state = "";
    Instant since{};
    bool killed = false;
    bool told = false;  // its client has seen the connection close
    bool client_gone = false;
    std::int64_t last_lock_id = 0;
    std::int64_t lock_wait_timeout_s = 31'536'000;

    // How a KILL ends what it waits for; empty while it does not wait, or while nothing can end it.
    std::move_only_function<void()> interrupt;
    bool waits_for_acks = false;  // a KILL tells its client at once, and ends nothing (M14)
    TimerId timer;                // of the wait

    bool holds_statement_lock = false, holds_commit_lock = false;  // as a writer
    std::move_only_function<void()> after_commit;  // instead of the answer: the statement goes on
    bool extra = false;                            // the one login beyond max_connections (M57)
    bool in_transaction = false;
    std::vector<RowChange> changes;  // of the open transaction
    bool holds_read_lock = false;    // LOCK TABLES … READ
    bool holds_global_read_lock = false;
    WriteIds ids;  // answer of ReadIds
};

}  // namespace fixpoint::sim::mysql
