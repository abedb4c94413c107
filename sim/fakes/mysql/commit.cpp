// A write's way: read-only check, locks, execution, binary log, acknowledgements, engine, answer (M13). From
// the binary log on nothing can take it back: it waits in `commits_`, in order, and whatever ends the wait
// commits it (M14, M15). Here also lives what waits for a table that an uncommitted CREATE holds (M50).
#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

bool FakeMysql::may_write(const Session& session) const {
    if (var(Variable::super_read_only)) return false;
    return !var(Variable::read_only) || session.login.privileged;
}

// ---- clients

void FakeMysql::run_client_work(Session& session, const ClientWork& work) {
    const SessionId id = session.id;
    Transaction draft;
    draft.payload = Payload::rows;
    if (const auto* insert = std::get_if<InsertRow>(&work)) {
        draft.rows.push_back({insert->id, false, insert->builds_on});
        return run_write(id, std::move(draft));
    }
    if (const auto* remove = std::get_if<DeleteRow>(&work)) {
        draft.rows.push_back({remove->id, true, 0});
        return run_write(id, std::move(draft));
    }
    if (const auto* create = std::get_if<CreateTable>(&work)) {
        draft.payload = Payload::create_table;
        draft.table = create->name;
        return run_write(id, std::move(draft));
    }
    if (const auto* select = std::get_if<SelectFrom>(&work)) {
        return when_unlocked(
            id, [this, name = select->name] { return created_table_waits(name); },
            [this, id, name = select->name] {
                if (std::ranges::find(disk_.rows.tables, name) != disk_.rows.tables.end()) {
                    return finish(id, sql::Nothing{});
                }
                finish(id, std::unexpected(server_error(error_number::table_unknown)));
            },
            [this, id](int error) { finish(id, std::unexpected(server_error(error))); });
    }
    if (std::holds_alternative<FlushTables>(work)) {
        draft.payload = Payload::flush;
        return run_write(id, std::move(draft));
    }
    if (std::holds_alternative<CommitTransaction>(work)) {
        session.in_transaction = false;
        draft.rows = std::exchange(session.changes, {});
        if (draft.rows.empty()) return finish(id, sql::Nothing{});
        return commit_write(id, std::move(draft));
    }
    if (std::holds_alternative<BeginTransaction>(work)) session.in_transaction = true;
    if (std::holds_alternative<RollbackTransaction>(work)) {
        session.in_transaction = false;
        session.changes.clear();
    }
    if (std::holds_alternative<ReadIds>(work)) session.ids = disk_.rows.writes.ids();
    if (std::holds_alternative<LockTablesForRead>(work)) session.holds_read_lock = true;
    if (std::holds_alternative<UnlockTables>(work)) {
        session.holds_read_lock = false;
        applier_kick();
        table_lock_changed();
    }
    finish(id, sql::Nothing{});
}

// ---- locks

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

// ---- a write's way

void FakeMysql::run_write(SessionId id, Transaction draft) {
    Session& session = *find(id);
    for (const RowChange& change : draft.rows) {
        world_.report(WriteBegun{change.id, alias_, session.login.privileged});
    }
    // FLUSH is written even where read-only forbids everything else (M50).
    if (draft.payload != Payload::flush && !may_write(session)) {
        return finish(id, std::unexpected(server_error(error_number::option_prevents_statement)));
    }
    auto shared = std::make_shared<Transaction>(std::move(draft));
    with_lock(
        id, statements_lock_, false,
        [this, id, shared] {
            find(id)->holds_statement_lock = true;
            std::function<bool()> locked = [] { return false; };
            switch (shared->payload) {
                case Payload::journal_row:
                    locked = [this] { return journal_table_locked(); };
                    break;
                case Payload::create_database:
                case Payload::create_journal:
                    locked = [this] { return journal_schema_locked(); };
                    break;
                case Payload::rows:
                    locked = [this, id] { return rows_locked_for(id); };
                    break;
                case Payload::drop_nothing:
                case Payload::create_table:
                    locked = [this, shared] { return nudge_of_this_name_waits(shared->table); };
                    break;
                default:
                    break;
            }
            when_unlocked(
                id, std::move(locked), [this, id, shared] { execute_write(id, std::move(*shared)); },
                [this, id](int error) { end_write(id, error); });
        },
        [this, id](int error) { end_write(id, error); });
}

void FakeMysql::execute_write(SessionId id, Transaction draft) {
    after(draw(timing::execution), [this, id, draft = std::move(draft)]() mutable {
        Session& session = *find(id);
        if (session.killed) return end_write(id, error_number::query_interrupted);
        if (const int error = disk_.rows.conflict(draft); error != 0) {
            // An UPDATE or DELETE of a row that is not there changes nothing and writes nothing.
            return end_write(id, error == error_number::key_not_found ? 0 : error);
        }
        if (session.in_transaction && draft.payload == Payload::rows) {
            session.changes.push_back(draft.rows.front());
            return end_write(id, 0);
        }
        commit_write(id, std::move(draft));
    });
}

void FakeMysql::commit_write(SessionId id, Transaction draft) {
    auto shared = std::make_shared<Transaction>(std::move(draft));
    with_lock(
        id, commits_lock_, false,
        [this, id, shared] {
            Session& session = *find(id);
            session.holds_commit_lock = true;
            if (shared->payload != Payload::flush && !may_write(session)) {
                return end_write(id, error_number::option_prevents_statement);
            }
            make_durable(id, std::move(*shared));
        },
        [this, id](int error) { end_write(id, error); });
}

void FakeMysql::end_write(SessionId id, int error) {
    Session& session = *find(id);
    leave_statement(session);
    session.after_commit = nullptr;
    if (error == 0) return finish(id, sql::Nothing{});
    finish(id, std::unexpected(server_error(error)));
}

// The server's own rule: the first number that is neither executed nor owned, from `next_free_number_` on.
Gtid FakeMysql::next_gtid() const {
    Gtid gtid{Tsid{disk_.uuid, ""}, next_free_number_};
    for (const GtidSet::Entry& entry : disk_.executed.entries()) {
        if (entry.tsid != gtid.tsid) continue;
        for (const GtidInterval& interval : entry.intervals) {
            if (gtid.number >= interval.first && gtid.number <= interval.last)
                gtid.number = interval.last + 1;
        }
    }
    const auto owned_already = [&] {
        return std::ranges::any_of(commits_, [&](const Commit& c) { return c.transaction->gtid == gtid; });
    };
    while (owned_already() || disk_.executed.contains(gtid)) ++gtid.number;
    return gtid;
}

void FakeMysql::make_durable(SessionId id, Transaction draft) {
    const std::optional<CrashPoint> crash_here = std::exchange(crash_point_, std::nullopt);
    if (crash_here) world_.scheduler.post(world_.hosts, [this] { crash(); }, EventKind::fault);
    if (crash_here == CrashPoint::before_durable) return;  // and stays under way until the crash
    draft.gtid = next_gtid();
    next_free_number_ = draft.gtid.number + 1;
    draft.server_id = value(Variable::server_id);
    draft.made_at = now();
    const TransactionPtr transaction = world_.transactions.keep(std::move(draft));
    Session& session = *find(id);
    if (!session.login.manager.empty()) took_effect(session);
    session.waits_for_acks = true;
    if (crash_here) {
        commits_.push_back({disk_.binary_log.append(transaction), transaction, id});
        return;
    }
    append(transaction, id, false);
}

void FakeMysql::append(TransactionPtr transaction, SessionId session, bool applier) {
    commits_.push_back({disk_.binary_log.append(transaction), transaction, session, applier});
    touch();
    pump_all();
    run_commits();
}

bool FakeMysql::must_wait(const Commit& commit) const {
    return var(Variable::rpl_semi_sync_source_enabled) && semi_sync_status_ &&
           commit.position > acknowledged_;
}

void FakeMysql::run_commits() {
    if (std::exchange(running_commits_, true)) return;
    if (semi_sync_status_ && !var(Variable::rpl_semi_sync_source_wait_no_replica) &&
        semi_sync_clients() < value(Variable::rpl_semi_sync_source_wait_for_replica_count)) {
        semi_sync_status_ = false;
    }
    const bool after_commit = value(Variable::rpl_semi_sync_source_wait_point) != 0;
    std::vector<Commit> done;
    for (Commit& commit : commits_) {
        if (after_commit && !commit.visible) commit_in_engine(commit);
    }
    while (!commits_.empty()) {
        Commit& head = commits_.front();
        if (must_wait(head)) {
            if (std::exchange(head.waited, true)) break;
            head.waits_since = now();
            if (Session* session = find(head.session))
                session->state = "Waiting for semi-sync ACK from replica";
            const std::int64_t limit_ms = value(Variable::rpl_semi_sync_source_timeout);
            constexpr std::int64_t practically_infinite_ms = 1'000'000'000;
            if (limit_ms < practically_infinite_ms) {
                commit_timer_ = after(std::chrono::milliseconds(limit_ms), [this] {
                    semi_sync_status_ = false;  // degraded to asynchronous (M16)
                    run_commits();
                });
            }
            break;
        }
        world_.scheduler.cancel(commit_timer_);
        if (var(Variable::rpl_semi_sync_source_enabled)) {
            ++(semi_sync_status_ ? yes_transactions_ : no_transactions_);
        }
        if (!head.visible) commit_in_engine(head);
        done.push_back(head);
        commits_.pop_front();
    }
    running_commits_ = false;
    if (done.empty()) return;
    touch();
    for (const Commit& commit : done) complete(commit, false);
    table_lock_changed();
    executed_changed();
}

void FakeMysql::commit_in_engine(Commit& commit) {
    commit.visible = true;
    disk_.executed.add(commit.transaction->gtid);
    disk_.rows.apply(*commit.transaction);
    if (commit.applier) return;
    const Session* session = find(commit.session);
    const std::string manager = session == nullptr ? std::string() : session->login.manager;
    if (commit.transaction->rows.empty()) {
        world_.report(Committed{alias_, commit.transaction->gtid, 0, manager});
    }
    for (const RowChange& change : commit.transaction->rows) {
        world_.report(Committed{alias_, commit.transaction->gtid, change.id, manager});
    }
}

void FakeMysql::complete(const Commit& commit, bool by_shutdown) {
    if (commit.applier) return applied();
    Session* session = find(commit.session);
    if (session == nullptr) return;
    leave_statement(*session);
    session->waits_for_acks = false;
    if (session->after_commit && !session->killed) {
        auto go_on = std::exchange(session->after_commit, nullptr);
        return go_on();
    }
    if (!session->told) report_acknowledged(*session, *commit.transaction, by_shutdown);
    finish(session->id, sql::Nothing{});
}

void FakeMysql::report_acknowledged(const Session& session, const Transaction& transaction,
                                    bool by_shutdown) {
    for (const RowChange& change : transaction.rows) {
        if (change.remove) continue;
        world_.report(WriteAcknowledged{change.id, alias_, session.login.privileged, by_shutdown});
    }
}

// CREATE DATABASE IF NOT EXISTS and CREATE TABLE IF NOT EXISTS, each with a GTID of its own even where the
// thing is there.
void FakeMysql::run_create_journal(SessionId id) {
    find(id)->after_commit = [this, id] {
        Transaction table;
        table.payload = Payload::create_journal;
        run_write(id, std::move(table));
    };
    Transaction database;
    database.payload = Payload::create_database;
    run_write(id, std::move(database));
}

GtidSet FakeMysql::owned() const {
    GtidSet owned;
    for (const Commit& commit : commits_) {
        if (!commit.visible) owned.add(commit.transaction->gtid);
    }
    return owned;
}

bool FakeMysql::in_log(WriteId id) const {
    return has_write(id) || std::ranges::any_of(commits_, [&](const Commit& commit) {
               return std::ranges::any_of(commit.transaction->rows,
                                          [&](const RowChange& c) { return c.id == id && !c.remove; });
           });
}

}  // namespace fixpoint::sim::mysql
