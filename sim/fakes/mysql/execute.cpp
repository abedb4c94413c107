// Every statement of the seam: what it needs, what it does, what it answers; the waits and locks of a
// session; KILL. What a statement reads is in look.cpp, replication's and settings' statements have files of
// their own.
#include <algorithm>
#include <utility>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/model/assert.hpp"
#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

namespace {
// What the operator's manual grants to a manager's account.
constexpr std::string_view managers_privileges[] = {
    "PROCESS ON *.*",
    "RELOAD ON *.*",
    "REPLICATION CLIENT ON *.*",
    "SYSTEM_USER ON *.*",
    "CONNECTION_ADMIN ON *.*",
    "SYSTEM_VARIABLES_ADMIN ON *.*",
    "PERSIST_RO_VARIABLES_ADMIN ON *.*",
    "REPLICATION_SLAVE_ADMIN ON *.*",
    "SELECT ON fixpoint.*",
    "INSERT ON fixpoint.*",
    "CREATE ON fixpoint.*",
    "DROP ON fixpoint_nudge.*",
};

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
}  // namespace

// A manager's account has all but what a fault took away; a client's none, but CONNECTION_ADMIN where
// privileged; root everything.
bool FakeMysql::misses(const Session& session, std::string_view privilege) const {
    if (session.login.user == "root") return false;
    if (session.login.manager.empty()) return !(session.login.privileged && privilege == "CONNECTION_ADMIN");
    return std::ranges::any_of(peculiarities_.missing_privileges,
                               [&](const std::string& missing) { return missing.starts_with(privilege); });
}

std::vector<std::string> FakeMysql::missing_privileges(const Session& session) const {
    std::vector<std::string> missing;
    for (const std::string_view granted : managers_privileges) {
        if (misses(session, granted.substr(0, granted.find(" ON ")))) missing.emplace_back(granted);
    }
    return missing;
}

void FakeMysql::took_effect(const Session& session, const Session* killed) {
    if (world_.observer == nullptr || session.login.manager.empty()) return;
    const auto* sent = std::get_if<sql::Statement>(&session.current.what);
    if (sent == nullptr) return;
    const sql::Statement& statement = *sent;
    StatementTookEffect event;
    event.manager = session.login.manager;
    event.tablet = alias_;
    event.session = connection_id(session.id);
    event.lock_id = session.current.lock_id;
    event.mutating = sql::is_mutating(statement);
    if (std::holds_alternative<sql::Kill>(statement)) {
        event.mutating = killed != nullptr && killed->login.manager != session.login.manager;
    }
    if (killed != nullptr && !killed->login.manager.empty()) {
        event.kills_manager_session = true;
        event.killed_manager = killed->login.manager;
        event.killed_lock_id = killed->last_lock_id;
    }
    event.statement = statement;
    world_.report(std::move(event));
}

// What a manager reads while it holds the shard lock is what it rests on (I4); the rest nobody asks about.
void FakeMysql::observed(const Session& session) {
    if (session.current.lock_id != 0) took_effect(session);
}

void FakeMysql::execute_statement(Session& session, const sql::Statement& statement) {
    const SessionId id = session.id;
    std::visit(
        Overloaded{
            [&](const sql::Look& s) {
                // SHOW REPLICA STATUS is part of it.
                if (misses(session, "REPLICATION CLIENT"))
                    return finish(id, std::unexpected(server_error(error_number::missing_privilege)));
                run_look(id, s.shard);
            },
            [&](const sql::ReadGtids&) {
                when_globals_free([this, id] {
                    auto answer = std::make_shared<sql::GtidsAnswer>();
                    constexpr Canary wrong_order = Canary::executed_before_owned;
                    if (!canary(wrong_order)) answer->owned = owned();
                    if (canary(wrong_order)) answer->executed = disk_.executed;
                    after(draw(timing::between_values), [this, id, answer] {
                        if (canary(wrong_order)) answer->owned = owned();
                        if (!canary(wrong_order)) answer->executed = disk_.executed;
                        observed(*find(id));
                        finish(id, std::move(*answer));
                    });
                });
            },
            [&](const sql::ReadReplica&) {
                if (misses(session, "REPLICATION CLIENT"))
                    return finish(id, std::unexpected(server_error(error_number::missing_privilege)));
                observed(session);
                finish(id, replica_rows());
            },
            [&](const sql::ReadJournal& s) { run_read_journal(session, s.shard); },
            [&](const sql::ReadSessions&) {
                // The manager's question joins innodb_trx, so it fails where the list would be short (M56).
                if (misses(session, "PROCESS")) {
                    return finish(id, std::unexpected(server_error(error_number::missing_privilege)));
                }
                finish(id, session_rows());
            },
            [&](const sql::ReadMissingPrivileges&) { finish(id, missing_privileges(session)); },
            [&](const sql::ReadLockHolders& s) { finish(id, lock_holders(s.shard)); },
            [&](const sql::WaitForExecuted& s) { run_wait_for_executed(session, s); },
            [&](const sql::SetSessionLockWait& s) {
                session.lock_wait_timeout_s = s.seconds;
                finish(id, sql::Nothing{});
            },
            [&](const sql::GetLock& s) { run_get_lock(session, s); },
            [&](const sql::ReleaseLock& s) {
                user_locks_.release(s.name, id);
                touch();
                finish(id, sql::Nothing{});
            },
            [&](const sql::Kill& s) { run_kill(session, s.id); },
            [&](const sql::SetGlobal& s) {
                when_globals_free([this, id, s] { run_set_global(*find(id), s.variable, s.value); });
            },
            [&](const sql::SetPersistOnly& s) {
                if (misses(session, "PERSIST_RO_VARIABLES_ADMIN") ||
                    misses(session, "SYSTEM_VARIABLES_ADMIN")) {
                    return finish(id, std::unexpected(server_error(error_number::missing_privilege)));
                }
                if (Settings::is_semi_sync(s.variable) && !running_.semi_sync_plugins) {
                    return finish(id, std::unexpected(server_error(error_number::unknown_system_variable)));
                }
                took_effect(session);
                persist_by_hand(s.variable, Settings::clamped(s.variable, s.value));
                finish(id, sql::Nothing{});
            },
            [&](const sql::CloseInOnePacket&) { run_close_in_one_packet(id); },
            [&](const sql::SemiSyncSourceOffIfOffline&) {
                when_globals_free([this, id] {
                    const std::int64_t now_on = value(Variable::rpl_semi_sync_source_enabled);
                    run_set_global(*find(id), Variable::rpl_semi_sync_source_enabled,
                                   var(Variable::offline_mode) ? 0 : now_on);
                });
            },
            [&](const sql::StopReceiver&) {
                run_replication_statement(id, [this, id] { stop_receiver(id); });
            },
            [&](const sql::StopApplier&) { run_replication_statement(id, [this, id] { stop_applier(id); }); },
            [&](const sql::StartReceiver&) {
                run_replication_statement(id, [this, id] { start_thread(id, true); });
            },
            [&](const sql::StartApplier&) {
                run_replication_statement(id, [this, id] { start_thread(id, false); });
            },
            [&](const sql::ChangeSource& s) {
                run_replication_statement(id, [this, id, s] { change_source(id, s); });
            },
            [&](const sql::ResetReplica& s) {
                run_replication_statement(id, [this, id, all = s.all] { reset_replica(id, all); });
            },
            [&](const sql::CreateJournal&) { run_create_journal(id); },
            [&](const sql::InsertJournalRow& s) {
                Transaction draft;
                draft.payload = Payload::journal_row;
                draft.journal = s.row;
                run_write(id, std::move(draft));
            },
            [&](const sql::Nudge& s) {
                Transaction draft;
                draft.payload =
                    canary(Canary::nudge_writes_on_a_closed_server) ? Payload::flush : Payload::drop_nothing;
                draft.table = s.name;
                run_write(id, std::move(draft));
            },
        },
        statement);
}

// ---- waits and locks

void FakeMysql::run_wait_for_executed(Session& session, const sql::WaitForExecuted& statement) {
    const SessionId id = session.id;
    if (disk_.executed.contains(statement.set)) return finish(id, true);
    if (statement.timeout <= Duration::zero()) return finish(id, false);
    executed_waiters_.push_back({id, statement.set});
    const auto leave = [this, id] {
        std::erase_if(executed_waiters_, [&](const ExecutedWaiter& waiter) { return waiter.session == id; });
    };
    wait_in(session, "Waiting for GTID to be committed", [this, id, leave] {
        leave();
        refuse_interrupted(id);
    });
    session.timer = after(statement.timeout, [this, id, leave] {
        leave();
        finish(id, false);
    });
}

void FakeMysql::executed_changed() {
    if (executed_waiters_.empty()) return;
    std::vector<SessionId> satisfied;
    std::erase_if(executed_waiters_, [&](const ExecutedWaiter& waiter) {
        if (!disk_.executed.contains(waiter.set)) return false;
        satisfied.push_back(waiter.session);
        return true;
    });
    for (const SessionId id : satisfied) finish(id, true);
}

void FakeMysql::run_get_lock(Session& session, const sql::GetLock& statement) {
    const SessionId id = session.id;
    if (statement.name.size() > UserLocks::longest_name) {
        return finish(id, std::unexpected(server_error(error_number::user_lock_name_too_long)));
    }
    const auto taken = [this, id, name = statement.name] {
        touch();
        const Session& holder = *find(id);
        if (!holder.login.manager.empty() && name == sql::server_lock_name(world_.shard)) {
            world_.report(
                ServerLockTaken{holder.login.manager, alias_, connection_id(id), holder.current.lock_id});
        }
        finish(id, true);
    };
    if (user_locks_.take(statement.name, id)) return taken();
    if (statement.timeout <= Duration::zero()) return finish(id, false);
    // Whoever released it is in the middle of something; the lock is the waiter's from then on all the same.
    user_locks_.wait(statement.name, id, [this, id, taken] {
        wait_over(*find(id));
        world_.scheduler.post(process_, [taken] { taken(); });
    });
    wait_in(session, "User lock", [this, id] {
        user_locks_.stop_waiting(id);
        refuse_interrupted(id);
    });
    session.timer = after(statement.timeout, [this, id] {
        user_locks_.stop_waiting(id);
        finish(id, false);
    });
}

void FakeMysql::run_kill(Session& session, std::uint64_t connection) {
    const SessionId id = session.id;
    for (const auto& dump : dumps_) {
        if (connection_id(dump->session) != connection) continue;
        took_effect(session);
        end_dump(dump->connection, true);
        return finish(id, sql::Nothing{});
    }
    Session* target = find_connection(connection);
    if (target == nullptr) return finish(id, std::unexpected(server_error(error_number::no_such_thread)));
    const bool foreign = target->login.user != session.login.user;
    if (foreign &&
        ((target->login.system_user && !session.login.system_user) || misses(session, "CONNECTION_ADMIN"))) {
        return finish(id, std::unexpected(server_error(error_number::not_owner_of_thread)));
    }
    took_effect(session, target);
    kill_session(*target);
    finish(id, sql::Nothing{});
}

}  // namespace fixpoint::sim::mysql
