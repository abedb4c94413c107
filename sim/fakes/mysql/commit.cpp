// A write's way: read-only check, locks, execution, binary log, acknowledgements, engine, answer (M13). From
// the binary log on nothing can take it back: it waits in `commits_`, in order, and whatever ends the wait
// commits it (M14, M15).
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
