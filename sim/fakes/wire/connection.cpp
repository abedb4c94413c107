// Packets of one session. What runs on the server's side knows the client only through channels and a weak
// pointer: either side may be gone when a packet arrives.
#include "sim/fakes/wire/connection.hpp"

#include <utility>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {

namespace {
sql::Error timed_out() {
    return {sql::ErrorKind::timed_out, 0, "no answer within the limit"};
}
sql::Error lost() {
    return {sql::ErrorKind::lost, sql::error_number::server_lost, "the connection was lost"};
}
sql::Error refused() {
    return {sql::ErrorKind::refused, sql::error_number::cannot_connect, "connection refused"};
}
}  // namespace

Connection::Connection(ClientSide side, mysql::FakeMysql* server) : side_(side), server_(server) {
    if (server_ == nullptr) return;
    to_server_ = std::make_shared<Channel>(Channel{side_.endpoint, server_->endpoint(), {}});
    from_server_ = std::make_shared<Channel>(Channel{server_->endpoint(), side_.endpoint, {}});
}

// The client's end as the server's machine comes to know it: the good-bye is sent again until it arrives, as
// the kernel does for a closed socket; it outlives the client. Given up after a while: the session stays
// then.
struct Connection::Farewell {
    Scheduler& scheduler;
    Network& network;
    Process& hosts;
    mysql::FakeMysql* server;
    std::shared_ptr<Channel> channel;
    mysql::SessionId session = 0;  // 0: not logged in yet
    bool arrived = false;
    int sent = 0;
    TimerId again{};

    static void say(const std::shared_ptr<Farewell>& farewell) {
        constexpr int most = 100;
        constexpr Duration retransmission = std::chrono::seconds(1);
        Farewell& f = *farewell;
        // A server that is down has no session; the login may still be on its way to the next start.
        if (f.arrived || ++f.sent > most || (!f.server->up() && f.session != 0)) return;
        if (f.server->up())
            f.network.send(*f.channel, f.server->process(), [farewell] { farewell->arrives(); });
        f.again = f.scheduler.after(f.hosts, retransmission, [farewell] { say(farewell); });
    }

    void arrives() {
        if (arrived) return;
        arrived = true;
        scheduler.cancel(again);
        if (session != 0) server->disconnect(session);
    }

    // The login succeeds on the server, which may have heard good-bye before.
    bool logged_in(mysql::SessionId id) {
        session = id;
        if (arrived) server->disconnect(id);
        return !arrived;
    }
};

Connection::~Connection() {
    if (pending_) side_.scheduler.cancel(pending_->limit);
    if (!farewell_ || ended_by_server_) return;
    Farewell::say(farewell_);
}

Connection::Pending& Connection::begin(Duration limit) {
    FIXPOINT_ASSERT(!pending_, "one call at a time per session");
    const std::uint64_t number = next_number_++;
    Pending& pending = pending_.emplace(number);
    pending.limit = side_.scheduler.after(side_.owner, limit, [this, number] { limit_passed(number); });
    return pending;
}

template <class F>
void Connection::to_server(F action) {
    side_.network.send(*to_server_, server_->process(), std::move(action));
}

// ---- login

void Connection::connect(mysql::LoginRequest login, Duration limit, Connected done) {
    Pending& pending = begin(limit);
    pending.connected = std::move(done);
    if (server_ == nullptr) {
        side_.scheduler.post(side_.owner, [weak = Weak(alive_), this, number = pending.number] {
            if (!weak.expired()) login_answered(number, std::unexpected(refused()));
        });
        return;
    }
    send_login(std::move(login), pending.number);
}

// The machine refuses for a server that is not up, and takes the connection for one that is stopped.
void Connection::send_login(mysql::LoginRequest login, std::uint64_t number) {
    farewell_ = std::make_shared<Farewell>(
        Farewell{side_.scheduler, side_.network, side_.servers.hosts, server_, to_server_});
    const auto answer = [&network = side_.network, &owner = side_.owner, back = from_server_,
                         weak = Weak(alive_), this, farewell = farewell_,
                         number](std::expected<mysql::SessionId, sql::Error> result) {
        if (result && !farewell->logged_in(*result)) return;
        network.send(*back, owner, [weak, this, number, result = std::move(result)] {
            if (!weak.expired()) login_answered(number, result);
        });
    };
    const auto ended = [&network = side_.network, &owner = side_.owner, back = from_server_,
                        weak = Weak(alive_), this] {
        network.send(*back, owner, [weak, this] {
            if (!weak.expired()) reset_by_server();
        });
    };
    side_.network.send(
        *to_server_, side_.servers.hosts,
        [&scheduler = side_.scheduler, server = server_, login = std::move(login), answer, ended] {
            if (!server->up()) return answer(std::unexpected(refused()));
            scheduler.post(server->process(),
                           [server, login, answer, ended] { server->connect(login, ended, answer); });
        });
}

void Connection::login_answered(std::uint64_t number, std::expected<mysql::SessionId, sql::Error> answer) {
    if (answer) session_ = *answer;
    if (!pending_ || pending_->number != number) return;  // too late: the destructor will say good-bye
    side_.scheduler.cancel(pending_->limit);
    const Connected done = std::move(pending_->connected);
    pending_.reset();
    if (!answer) {
        broken_ = true;
        farewell_.reset();
        done(std::unexpected(std::move(answer.error())));
        return;
    }
    done(id());
}

// ---- statements

template <class Done>
bool Connection::answered_as_broken(Done& done) {
    if (!broken_) return false;
    side_.scheduler.post(side_.owner, [weak = Weak(alive_), done = std::move(done)] {
        if (!weak.expired())
            done(std::unexpected(sql::Error{sql::ErrorKind::lost, sql::error_number::server_gone, ""}));
    });
    return true;
}

void Connection::execute(sql::Statement statement, std::int64_t lock_id, Duration limit,
                         const StatementFate& fate, OnArrival on_arrival, StatementDone done) {
    using Kind = StatementFate::Kind;
    if (answered_as_broken(done)) return;
    Pending& pending = begin(limit);
    pending.statement = std::move(done);
    pending.on_arrival = std::move(on_arrival);
    pending.answer_is_lost = fate.kind == Kind::answer_lost || fate.kind == Kind::late;
    if (fate.kind == Kind::request_lost) return;
    auto answer = [&network = side_.network, &owner = side_.owner, back = from_server_, weak = Weak(alive_),
                   this, number = pending.number](sql::Result result) mutable {
        network.send(*back, owner, [weak, this, number, result = std::move(result)]() mutable {
            if (!weak.expired()) answered<sql::Answer>(number, std::move(result));
        });
    };
    if (fate.kind == Kind::error) {
        to_server([answer, error = fate.error]() mutable {
            answer(std::unexpected(sql::Error{sql::ErrorKind::server, error, "injected"}));
        });
        return;
    }
    // A statement that is late holds up what is sent after it on the same session, the good-bye included.
    if (fate.kind == Kind::late) to_server_->last_delivery = side_.scheduler.now() + fate.late;
    const bool kill = fate.kind == Kind::session_killed;
    to_server([server = server_, session = session_, statement = std::move(statement), lock_id, answer,
               kill]() mutable {
        if (kill) server->kill_by_hand(mysql::connection_id(session));
        server->execute(session, std::move(statement), lock_id, std::move(answer));
    });
}

void Connection::work(const mysql::ClientWork& work, Duration limit, WorkDone done) {
    if (answered_as_broken(done)) return;
    Pending& pending = begin(limit);
    pending.work = std::move(done);
    auto answer = [&network = side_.network, &owner = side_.owner, back = from_server_, weak = Weak(alive_),
                   this, number = pending.number](mysql::ClientResult result) mutable {
        network.send(*back, owner, [weak, this, number, result = std::move(result)]() mutable {
            if (!weak.expired()) answered<WriteIds>(number, std::move(result));
        });
    };
    to_server([server = server_, session = session_, work, answer]() mutable {
        server->work(session, std::move(work), std::move(answer));
    });
}

template <class T>
void Connection::answered(std::uint64_t number, std::expected<T, sql::Error> result) {
    if (!pending_ || pending_->number != number || pending_->answer_is_lost) return;
    if (pending_->on_arrival) {
        const Arrival arrival = pending_->on_arrival();
        if (arrival == Arrival::lost) {
            pending_->answer_is_lost = true;
            return;
        }
        if (arrival == Arrival::session_breaks) return fail(lost());
    }
    if (!result && result.error().is_maybe()) return fail(result.error());
    side_.scheduler.cancel(pending_->limit);
    Pending done = std::move(*pending_);
    pending_.reset();
    if constexpr (std::is_same_v<T, sql::Answer>) {
        done.statement(std::move(result));
    } else {
        done.work(std::move(result));
    }
}

void Connection::limit_passed(std::uint64_t number) {
    if (pending_ && pending_->number == number) fail(timed_out());
}

void Connection::abandon() {
    if (!pending_) return;
    side_.scheduler.cancel(pending_->limit);
    pending_.reset();
    broken_ = true;
}

void Connection::reset_by_server() {
    ended_by_server_ = true;
    if (pending_) {
        fail(lost());
        return;
    }
    if (broken_) return;
    broken_ = true;
    if (on_broken_) {
        const auto callback = std::move(on_broken_);
        on_broken_ = nullptr;
        callback();
    }
}

// The call under way ends, and the connection with it. The callback may destroy the connection.
void Connection::fail(sql::Error error) {
    side_.scheduler.cancel(pending_->limit);
    Pending done = std::move(*pending_);
    pending_.reset();
    broken_ = true;
    if (done.connected) {
        done.connected(std::unexpected(std::move(error)));
    } else if (done.statement) {
        done.statement(std::unexpected(std::move(error)));
    } else {
        done.work(std::unexpected(std::move(error)));
    }
}

}  // namespace fixpoint::sim
