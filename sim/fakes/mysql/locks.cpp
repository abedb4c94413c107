// What a statement waits for before it may write: the global read lock (M20), and tables that somebody locked
// or that an uncommitted CREATE holds (M50). Waits end by the grant, by lock_wait_timeout (1205), or by a
// KILL.
#include <algorithm>
#include <utility>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

void FakeMysql::with_lock(SessionId id, GlobalReadLock& lock, bool closer, Continuation taken,
                          Refused refused) {
    struct Wait {
        bool over = false;
        Continuation taken;
        Refused refused;
    };
    auto wait = std::make_shared<Wait>();
    wait->taken = std::move(taken);
    wait->refused = std::move(refused);
    // Goes on in an event of its own: whoever releases is in the middle of something else.
    auto granted = [this, id, wait] {
        world_.scheduler.post(process_, [this, id, wait] {
            if (std::exchange(wait->over, true)) return;
            wait_over(*find(id));
            wait->taken();
        });
    };
    const GlobalReadLock::Ticket ticket =
        closer ? lock.take_as_closer(std::move(granted)) : lock.take_as_writer(std::move(granted));
    if (ticket == 0) return wait->taken();
    auto give_up = [this, id, wait, ticket, closer, &lock](int error) {
        if (std::exchange(wait->over, true)) return;
        if (!lock.cancel(ticket)) closer ? lock.release_closer() : lock.release_writer();
        wait_over(*find(id));
        wait->refused(error);
    };
    Session& session = *find(id);
    wait_in(session, "Waiting for global read lock", [give_up] { give_up(error_number::query_interrupted); });
    session.timer = after(std::chrono::seconds(session.lock_wait_timeout_s),
                          [give_up] { give_up(error_number::lock_wait_timeout); });
}

void FakeMysql::leave_statement(Session& session) {
    if (std::exchange(session.holds_commit_lock, false)) commits_lock_.release_writer();
    if (std::exchange(session.holds_statement_lock, false)) statements_lock_.release_writer();
}

void FakeMysql::when_unlocked(SessionId id, std::function<bool()> locked, Continuation then,
                              Refused refused) {
    if (!locked()) return then();
    table_waiters_.push_back({id, std::move(locked), std::move(then)});
    auto shared = std::make_shared<Refused>(std::move(refused));
    auto give_up = [this, id, shared](int error) {
        std::erase_if(table_waiters_, [&](const TableWaiter& waiter) { return waiter.session == id; });
        wait_over(*find(id));
        (*shared)(error);
    };
    Session& session = *find(id);
    wait_in(session, "Waiting for table metadata lock",
            [give_up] { give_up(error_number::query_interrupted); });
    session.timer = after(std::chrono::seconds(session.lock_wait_timeout_s),
                          [give_up] { give_up(error_number::lock_wait_timeout); });
}

void FakeMysql::table_lock_changed() {
    for (bool again = true; again;) {
        again = false;
        for (auto it = table_waiters_.begin(); it != table_waiters_.end(); ++it) {
            if (it->locked()) continue;
            TableWaiter waiter = std::move(*it);
            table_waiters_.erase(it);
            wait_over(*find(waiter.session));
            waiter.then();
            again = true;
            break;
        }
    }
}

// A CREATE TABLE that waits locks its table; it and a CREATE DATABASE lock the schema.
bool FakeMysql::journal_table_locked() const {
    return std::ranges::any_of(commits_, [](const Commit& commit) {
        return commit.transaction->payload == Payload::create_journal;
    });
}

bool FakeMysql::journal_schema_locked() const {
    return journal_table_locked() || std::ranges::any_of(commits_, [](const Commit& commit) {
               return commit.transaction->payload == Payload::create_database;
           });
}

// LOCK TABLES … READ of another session keeps a client's INSERT out.
bool FakeMysql::rows_locked_for(SessionId id) const {
    return applier_blocked_ || std::ranges::any_of(sessions_, [&](const auto& session) {
               return session->holds_read_lock && session->id != id;
           });
}

bool FakeMysql::created_table_waits(const std::string& name) const {
    return std::ranges::any_of(commits_, [&](const Commit& commit) {
        return commit.transaction->payload == Payload::create_table && commit.transaction->table == name;
    });
}

bool FakeMysql::nudge_of_this_name_waits(const std::string& name) const {
    return std::ranges::any_of(commits_, [&](const Commit& commit) {
        const Payload payload = commit.transaction->payload;
        return (payload == Payload::drop_nothing || payload == Payload::create_table) &&
               commit.transaction->table == name;
    });
}

}  // namespace fixpoint::sim::mysql
