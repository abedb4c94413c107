// What clients ask for: rows, transactions held open, tables, locks by hand. Each becomes a draft that goes
// a write's way (commit.cpp), or changes the session only.
#include <algorithm>
#include <utility>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

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

}  // namespace fixpoint::sim::mysql
