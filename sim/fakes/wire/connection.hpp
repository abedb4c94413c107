// The client's end of one session to a fake server: login, statements, resets, and the limits that the client
// keeps. Requests and answers are packets of the simulated network, in order in each direction; a server that
// dies or kills the session resets it, and a cut lets both sides wait. Managers and writers use the same one.
// It refuses to be used again after an answer was lost: what is under way is a maybe for good.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim {

// Where a connection runs, and through what.
struct ClientSide {
    Scheduler& scheduler;
    Network& network;
    mysql::MysqlWorld& servers;
    Process& owner;
    Endpoint endpoint;
};

// What a fault does to one statement on its way.
struct StatementFate {
    enum class Kind { normal, request_lost, answer_lost, late, error, session_killed };
    Kind kind = Kind::normal;
    Duration late{};
    int error = 0;
};

class Connection {
  public:
    using Connected = std::function<void(std::expected<std::uint64_t, sql::Error>)>;
    using StatementDone = std::function<void(sql::Result)>;
    using WorkDone = std::function<void(mysql::ClientResult)>;
    // Asked when an answer has arrived, before it is handed over.
    enum class Arrival { handed_over, lost, session_breaks };
    using OnArrival = std::function<Arrival()>;

    // `server` nullptr: nobody has that address.
    Connection(ClientSide side, mysql::FakeMysql* server);
    ~Connection();  // tells the server, which may never hear of it
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void connect(mysql::LoginRequest login, Duration limit, Connected done);
    void execute(sql::Statement statement, std::int64_t lock_id, Duration limit, const StatementFate& fate,
                 OnArrival on_arrival, StatementDone done);
    void work(const mysql::ClientWork& work, Duration limit, WorkDone done);
    // The call under way is given up without an answer; the connection is broken then.
    void abandon();

    void on_broken(std::function<void()> callback) { on_broken_ = std::move(callback); }
    bool broken() const { return broken_; }
    bool busy() const { return pending_.has_value(); }
    std::uint64_t id() const { return mysql::connection_id(session_); }

  private:
    struct Pending {
        explicit Pending(std::uint64_t call) : number(call) {}
        std::uint64_t number;
        TimerId limit;
        Connected connected;
        StatementDone statement;
        WorkDone work;
        OnArrival on_arrival;
        bool answer_is_lost = false;
    };
    struct Alive {};
    struct Farewell;
    using Weak = std::weak_ptr<Alive>;

    Pending& begin(Duration limit);
    // Runs in the server's process when the packet arrives there, unless it is dead.
    template <class F>
    void to_server(F action);
    void send_login(mysql::LoginRequest login, std::uint64_t number);
    void login_answered(std::uint64_t number, std::expected<mysql::SessionId, sql::Error> answer);
    template <class T>
    void answered(std::uint64_t number, std::expected<T, sql::Error> result);
    // True: the session is no more, and that is the answer.
    template <class Done>
    bool answered_as_broken(Done& done);
    void limit_passed(std::uint64_t number);
    void reset_by_server();
    void fail(sql::Error error);

    ClientSide side_;
    mysql::FakeMysql* server_;
    std::shared_ptr<Channel> to_server_, from_server_;
    std::shared_ptr<Alive> alive_ = std::make_shared<Alive>();
    std::shared_ptr<Farewell> farewell_;  // since a login was sent
    mysql::SessionId session_ = 0;
    std::optional<Pending> pending_;
    std::uint64_t next_number_ = 1;
    bool broken_ = false;
    bool ended_by_server_ = false;
    std::function<void()> on_broken_;
};

}  // namespace fixpoint::sim
