// What a contract test needs from a world of MySQL servers, whichever kind: the fake, driven in virtual time,
// and genuine servers. One test body runs on both, so the fake cannot drift from what it stands for. Server
// numbers count from 0. Whatever an arm cannot do is a test failure (it throws), never a silent skip. An arm
// is used from one thread; it refuses to interpret answers: that is the test's work.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/model/tablet.hpp"
#include "fixpoint/model/time.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint::contract {

// Who is logged in. manager: exactly the privileges of the operator's manual. client: may read and write
// tables, no more. privileged: a client with CONNECTION_ADMIN besides (read_only does not bind it,
// super_read_only does).
enum class Account { manager, client, privileged };

// How a server's process starts: its configuration file, before what was persisted on it.
struct StartOptions {
    bool skip_replica_start = true;
    bool super_read_only = true;  // and read_only
    bool relay_log_recovery = false;
    bool persisted_globals_load = true;
    bool semi_sync_plugins = true;
    bool semi_sync_source_enabled = false;
    bool semi_sync_replica_enabled = false;
    std::int64_t semi_sync_source_timeout_ms = 10'000;
    std::int64_t replica_net_timeout_s = 4;
    std::int64_t flush_log_at_trx_commit = 1;
    std::int64_t max_connections = 100;
    std::optional<std::int64_t> server_id;  // none: 101 + its number
    bool new_uuid = false;                  // auto.cnf is removed before the start
    bool relay_logs_removed = false;        // the relay log's files are removed before the start (M45)
    bool relay_log_torn = false;  // the newest relay log file loses its last 10 bytes before the start
};

// What clients do. Table contract.rows(id BIGINT PRIMARY KEY) exists on every server, in no binary log.

// A transaction of its own, or part of the one that Begin opened.
struct Insert {
    std::int64_t id = 0;
};
struct Delete {
    std::int64_t id = 0;
};
struct Begin {};
struct Commit {};
// All ids, in order.
struct ReadIds {};
// LOCK TABLES contract.rows READ: holds an applier.
struct LockTablesForRead {};
struct UnlockTables {};
// CREATE TABLE contract.<name>
struct CreateTable {
    std::string name;
};
// SELECT id FROM contract.<name>
struct SelectFrom {
    std::string name;
};
// FLUSH TABLES without LOCAL (as manager).
struct FlushTables {};
using Work = std::variant<Insert, Delete, Begin, Commit, ReadIds, LockTablesForRead, UnlockTables,
                          CreateTable, SelectFrom, FlushTables>;
using WorkResult = std::expected<std::vector<std::int64_t>, sql::Error>;

// What a client knows of something it asked for. unknown: the answer was lost.
enum class Outcome { pending, acknowledged, failed, unknown };

// A statement under way, or ended. Copies look at the same statement; the arm ends it, from whatever thread.
template <class Result>
class Pending {
  public:
    Pending() : state_(std::make_shared<State>()) {}

    bool done() const { return peek().has_value(); }

    // Call it only when done.
    Result result() const {
        std::optional<Result> result = peek();
        if (!result) throw std::logic_error("the statement has not ended yet");
        return *std::move(result);
    }

    Outcome outcome() const {
        const std::optional<Result> result = peek();
        if (!result) return Outcome::pending;
        if (*result) return Outcome::acknowledged;
        return result->error().is_maybe() ? Outcome::unknown : Outcome::failed;
    }

    // MySQL's number, 0 while pending and after a success.
    int error_number() const {
        const std::optional<Result> result = peek();
        return result && !*result ? result->error().number : 0;
    }

    void end(Result result) const {
        const std::scoped_lock lock(state_->mutex);
        state_->result.emplace(std::move(result));
    }

  private:
    struct State {
        std::mutex mutex;
        std::optional<Result> result;
    };

    std::optional<Result> peek() const {
        const std::scoped_lock lock(state_->mutex);
        return state_->result;
    }

    std::shared_ptr<State> state_;
};

using PendingAnswer = Pending<sql::Result>;
using PendingWork = Pending<WorkResult>;

// One login at one server. Statements of one session run in the order in which they were started.
class Session {
  public:
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session() = default;  // closes; what is under way may still take effect

    virtual std::uint64_t id() const = 0;  // CONNECTION_ID()
    virtual bool broken() const = 0;       // seen to be closed by the other side, while idle too
    virtual PendingAnswer start(sql::Statement statement) = 0;  // returns at once
    virtual PendingWork start(Work work) = 0;
};

class Arm {
  public:
    static constexpr Duration default_limit = std::chrono::seconds(30);

    Arm() = default;
    Arm(const Arm&) = delete;
    Arm& operator=(const Arm&) = delete;
    virtual ~Arm() = default;

    virtual std::string name() const = 0;  // "fake" or "real"

    // A new world: `count` servers (at most 3) that run with `options`, with nothing executed, no channel,
    // nothing persisted, the accounts and tables of this page, and no session of the world before.
    virtual void start_servers(int count, const StartOptions& options = {}) = 0;
    virtual MysqlAddress address(int server) = 0;

    virtual std::expected<std::unique_ptr<Session>, sql::Error> try_login(int server, Account account,
                                                                          Duration limit = default_limit) = 0;
    virtual std::expected<std::unique_ptr<Session>, sql::Error> try_login_with_wrong_password(int server) = 0;

    // Time, and waiting for a condition (which may run statements). False: it did not come true within the
    // limit.
    virtual Instant now() = 0;
    virtual void pass(Duration duration) = 0;
    bool eventually(const std::function<bool()>& condition, Duration limit = default_limit) {
        const Instant end = now() + limit;
        while (!condition()) {
            if (now() >= end) return false;
            pass(std::chrono::milliseconds(10));
        }
        return true;
    }

    // Life and death of a server's process. start() returns when it answers.
    virtual void kill(int server) = 0;             // kill -9
    virtual void begin_shut_down(int server) = 0;  // SIGTERM
    virtual void shut_down(int server) = 0;        // returns when the process has ended
    virtual void start(int server, const StartOptions& options = {}) = 0;
    virtual void pause(int server) = 0;   // SIGSTOP
    virtual void resume(int server) = 0;  // SIGCONT

    // What a person with all privileges does to one server, outside of every binary log or past every rule.
    virtual void insert_unlogged(int server, std::int64_t id) = 0;
    virtual void delete_unlogged(int server, std::int64_t id) = 0;
    virtual void execute_empty_transaction(int server,
                                           const Gtid& gtid) = 0;  // SET gtid_next=…; BEGIN; COMMIT
    virtual void purge_binary_logs(int server) = 0;  // all but a new, empty one: gtid_purged = gtid_executed
    virtual void reset_binary_logs(int server) = 0;  // RESET BINARY LOGS AND GTIDS
    virtual void set_source_delay(int server,
                                  Duration delay) = 0;  // STOP applier; CHANGE … SOURCE_DELAY; START applier

    // ---- fronts, the same for every arm

    std::unique_ptr<Session> login(int server, Account account = Account::manager) {
        auto session = try_login(server, account);
        if (!session)
            throw std::runtime_error("login failed: " + std::to_string(session.error().number) + " " +
                                     session.error().text);
        return *std::move(session);
    }

    // Waits for the end; throws when it does not come within the limit.
    template <class Result>
    Result wait(const Pending<Result>& pending, Duration limit = default_limit) {
        if (!eventually([&] { return pending.done(); }, limit))
            throw std::runtime_error("a statement did not end in time");
        return pending.result();
    }

    template <class S>
    std::expected<typename S::Answer, sql::Error> try_run(Session& session, S statement,
                                                          Duration limit = default_limit) {
        sql::Result result = wait(session.start(sql::Statement(std::move(statement))), limit);
        if (!result) return std::unexpected(std::move(result.error()));
        return std::get<typename S::Answer>(std::move(*result));
    }

    // Throws on an error: for statements whose success is not what the test is about.
    template <class S>
    typename S::Answer run(Session& session, S statement, Duration limit = default_limit) {
        const std::string text = sql::to_string(sql::Statement(statement));
        auto answer = try_run(session, std::move(statement), limit);
        if (!answer)
            throw std::runtime_error(text + ": " + std::to_string(answer.error().number) + " " +
                                     answer.error().text);
        return *std::move(answer);
    }

    WorkResult try_work(Session& session, Work work, Duration limit = default_limit) {
        return wait(session.start(std::move(work)), limit);
    }
    std::vector<std::int64_t> work(Session& session, Work work_to_do, Duration limit = default_limit) {
        WorkResult result = try_work(session, std::move(work_to_do), limit);
        if (!result)
            throw std::runtime_error("client: " + std::to_string(result.error().number) + " " +
                                     result.error().text);
        return *std::move(result);
    }
};

// The arms there are: each makes one world, made anew by start_servers. The real one keeps its processes
// between worlds and throws where the servers cannot be started.
std::unique_ptr<Arm> make_fake_arm();
std::unique_ptr<Arm> make_real_arm();

}  // namespace fixpoint::contract
