// Logging in, the queue of each session's statements, waiting, and dying: KILL, a client that goes away, a
// server that closes the connection. What a statement does is elsewhere; here is only when it may begin and
// who is told of its end.
#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

// ---- finding

Session* FakeMysql::find(SessionId id) {
    for (const auto& session : sessions_) {
        if (session->id == id) return session.get();
    }
    return nullptr;
}

const Session* FakeMysql::find(SessionId id) const {
    return const_cast<FakeMysql*>(this)->find(id);
}

Session* FakeMysql::find_connection(std::uint64_t connection) {
    for (const auto& session : sessions_) {
        if (connection_id(session->id) == connection) return session.get();
    }
    return nullptr;
}

const std::string& FakeMysql::manager_of(std::uint64_t connection) const {
    static const std::string nobody;
    const Session* session = const_cast<FakeMysql*>(this)->find_connection(connection);
    return session == nullptr ? nobody : session->login.manager;
}

std::size_t FakeMysql::connections() const {
    const auto dumping =
        std::ranges::count_if(dumps_, [&](const auto& dump) { return !has_noticed_the_end_of(*dump); });
    return sessions_.size() + static_cast<std::size_t>(dumping);
}

// ---- logging in

void FakeMysql::when_globals_free(Continuation action) {
    if (now() >= globals_busy_until_) return action();
    world_.scheduler.at(process_, globals_busy_until_, [this, action = std::move(action)]() mutable {
        when_globals_free(std::move(action));
    });
}

void FakeMysql::connect(LoginRequest request, std::move_only_function<void()> on_ended, LoginAnswer answer) {
    if (!listens()) return answer(std::unexpected(refused(error_number::cannot_connect)));
    auto go_on = [this, switches = offline_switches_, request = std::move(request),
                  on_ended = std::move(on_ended), answer = std::move(answer)]() mutable {
        when_globals_free([this, switches, request = std::move(request), on_ended = std::move(on_ended),
                           answer = std::move(answer)]() mutable {
            // M33: whoever is in the middle of a login when offline_mode is switched on is killed.
            if (switches != offline_switches_) return answer(std::unexpected(lost()));
            login(std::move(request), std::move(on_ended), std::move(answer));
        });
    };
    after(draw(timing::login), std::move(go_on));
}

void FakeMysql::login(LoginRequest request, std::move_only_function<void()> on_ended, LoginAnswer answer) {
    const auto limit = static_cast<std::size_t>(value(sql::Variable::max_connections));
    const auto extra = static_cast<std::size_t>(
        std::ranges::count_if(sessions_, [](const auto& session) { return session->extra; }));
    const std::size_t present = connections_full_ ? limit + extra : connections();
    const bool full = present >= limit;
    if (full && (!request.privileged || present > limit)) {
        return answer(std::unexpected(refused(error_number::too_many_connections)));
    }
    if (request.wrong_password || (passwords_rejected_ && !request.manager.empty())) {
        return answer(std::unexpected(refused(error_number::access_denied)));
    }
    if (var(sql::Variable::offline_mode) && !request.privileged) {
        return answer(std::unexpected(refused(sql::error_number::offline_mode)));
    }
    answer(add_session(std::move(request), std::move(on_ended), full));
}

SessionId FakeMysql::add_session(LoginRequest login, std::move_only_function<void()> on_ended, bool extra) {
    auto session = std::make_unique<Session>();
    session->id = (boot_ << 32U) | next_session_++;
    session->login = std::move(login);
    session->on_ended = std::move(on_ended);
    session->since = now();
    session->extra = extra;
    const SessionId id = session->id;
    sessions_.push_back(std::move(session));
    touch();
    return id;
}

// ---- statements in their order

void FakeMysql::execute(SessionId id, sql::Statement statement, std::int64_t lock_id,
                        StatementAnswer answer) {
    Session* session = find(id);
    if (session == nullptr || session->told) return answer(std::unexpected(lost(error_number::server_gone)));
    take_in(*session, {std::move(statement), lock_id, std::move(answer), nullptr});
}

void FakeMysql::work(SessionId id, ClientWork work, ClientAnswer answer) {
    Session* session = find(id);
    if (session == nullptr || session->told) return answer(std::unexpected(lost(error_number::server_gone)));
    take_in(*session, {std::move(work), 0, nullptr, std::move(answer)});
}

void FakeMysql::take_in(Session& session, Request request) {
    if (session.busy) {
        session.queue.push_back(std::move(request));
    } else {
        begin(session, std::move(request));
    }
}

void FakeMysql::begin(Session& session, Request request) {
    session.current = std::move(request);
    session.busy = true;
    session.state = "executing";
    session.since = now();
    after(draw(timing::statement), [this, id = session.id] { dispatch(id); });
}

void FakeMysql::dispatch(SessionId id) {
    Session& session = *find(id);
    if (session.killed) return finish(id, sql::Nothing{});
    if (stopping_) {  // M58
        finish(id, std::unexpected(server_error(error_number::server_shutdown)));
        if (Session* told = find(id)) kill_session(*told);
        return;
    }
    session.last_lock_id = session.current.lock_id;
    if (const auto* statement = std::get_if<sql::Statement>(&session.current.what)) {
        execute_statement(session, *statement);
    } else {
        run_client_work(session, std::get<ClientWork>(session.current.what));
    }
}

void FakeMysql::finish(SessionId id, sql::Result result) {
    Session* session = find(id);
    FIXPOINT_ASSERT(session != nullptr && session->busy, "a statement under way");
    wait_over(*session);
    Request request = std::move(session->current);
    session->current = {};
    session->busy = false;
    session->waits_for_acks = false;
    session->state = "";
    session->since = now();
    if (session->killed) return remove(id);
    if (!session->client_gone) {
        if (request.answer_statement) {
            request.answer_statement(std::move(result));
        } else if (request.answer_client) {
            WriteIds ids = std::exchange(session->ids, {});
            if (result) {
                request.answer_client(std::move(ids));
            } else {
                request.answer_client(std::unexpected(std::move(result.error())));
            }
        }
    }
    session = find(id);  // the answer may have closed it
    if (session == nullptr || session->busy) return;
    if (!session->queue.empty()) {
        Request next = std::move(session->queue.front());
        session->queue.pop_front();
        begin(*session, std::move(next));
    } else if (session->client_gone) {
        remove(id);
    }
}

// ---- waiting

void FakeMysql::wait_in(Session& session, const char* state, Continuation interrupt) {
    session.state = state;
    session.interrupt = std::move(interrupt);
    touch();
}

void FakeMysql::wait_over(Session& session) {
    session.interrupt = nullptr;
    world_.scheduler.cancel(session.timer);
    session.timer = {};
    session.state = "executing";
}

// ---- the end of a session

void FakeMysql::disconnect(SessionId id) {
    Session* session = find(id);
    if (session == nullptr) return;
    session->client_gone = true;
    session->told = true;
    session->on_ended = nullptr;
    if (!session->busy && session->queue.empty()) remove(id);
}

void FakeMysql::tell_ended(Session& session) {
    if (std::exchange(session.told, true)) return;
    if (auto on_ended = std::exchange(session.on_ended, nullptr)) on_ended();
}

void FakeMysql::remove(SessionId id) {
    const auto it = std::ranges::find(sessions_, id, [](const auto& session) { return session->id; });
    if (it == sessions_.end()) return;
    const std::unique_ptr<Session> session = std::move(*it);
    sessions_.erase(it);
    touch();
    leave_statement(*session);
    if (std::exchange(session->holds_global_read_lock, false)) release_global_read_lock();
    user_locks_.release_all(id);
    if (session->holds_read_lock) {
        applier_kick();
        table_lock_changed();
    }
    tell_ended(*session);
}

// Whoever kills shuts the socket itself: nothing reaches that client any more, however long the session takes
// to die (M14, M53).
void FakeMysql::kill_session(Session& session) {
    if (std::exchange(session.killed, true)) return;
    touch();
    tell_ended(session);
    const bool at_once = !session.busy || session.waits_for_acks;
    after(draw(at_once ? timing::death_of_idle : timing::death_in_statement),
          [this, id = session.id] { end_killed(id); });
}

void FakeMysql::end_killed(SessionId id) {
    Session* session = find(id);
    if (session == nullptr) return;
    if (!session->busy) return remove(id);
    if (auto interrupt = std::exchange(session->interrupt, nullptr)) interrupt();
}

void FakeMysql::refuse_interrupted(SessionId id) {
    finish(id, std::unexpected(server_error(error_number::query_interrupted)));
}

bool FakeMysql::kill_by_hand(std::uint64_t connection) {
    Session* session = find_connection(connection);
    if (session == nullptr) return false;
    kill_session(*session);
    return true;
}

}  // namespace fixpoint::sim::mysql
