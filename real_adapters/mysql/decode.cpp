// One reader per shape of answer. Fields are found by the name of their column where the server names them
// (SHOW), by their place where our own text does (SELECT).
#include "real_adapters/mysql/decode.hpp"

#include <fmt/format.h>

#include <utility>

#include "real_adapters/mysql/answer_fields.hpp"
#include "real_adapters/mysql/decode_look.hpp"
#include "real_adapters/mysql/privileges.hpp"

namespace fixpoint::real {

namespace {

std::vector<sql::JournalRow> journal_rows(const Rows& rows, const ShardName& shard) {
    std::vector<sql::JournalRow> journal;
    for (const auto& f : rows.rows) {
        sql::JournalRow row;
        row.shard = shard;
        row.term = number_of(f.at(0), "term");
        row.revision = number_of(f.at(1), "revision");
        auto alias = TabletAlias::parse(text_of(f.at(2), "alias"));
        if (!alias) throw NotUnderstood("alias: " + alias.error());
        row.alias = *std::move(alias);
        row.uuid = uuid_of(f.at(3), "server_uuid");
        row.opened_at = gtids_of(f.at(4), "opened_at");
        journal.push_back(std::move(row));
    }
    return journal;
}

std::vector<sql::SessionRow> session_rows(const Rows& rows) {
    std::vector<sql::SessionRow> sessions;
    for (const auto& f : rows.rows) {
        sql::SessionRow row;
        row.id = static_cast<std::uint64_t>(number_of(f.at(0), "id"));
        row.user = f.at(1).value_or("");
        row.command = f.at(2).value_or("");
        row.state = f.at(3).value_or("");
        row.seconds = number_of(f.at(4), "time");
        row.dump_thread = row.command.starts_with("Binlog Dump");
        row.killed = row.command == "Killed";
        row.idle = row.command == "Sleep";
        row.in_transaction = flag_of(f.at(5), "in a transaction");
        row.privileged = flag_of(f.at(6), "privileged");
        row.closing = flag_of(f.at(7), "closing");
        sessions.push_back(std::move(row));
    }
    return sessions;
}

bool one_flag(const RawAnswer& answer, std::string_view what) {
    const Field& field = only_row(result_at(answer, 0), 1)[0];
    if (!field) throw NotUnderstood(fmt::format("{} ended in an error of its own", what));
    return *field == "1";
}

std::vector<std::string> grants_of(const Rows& rows) {
    std::vector<std::string> grants;
    for (const auto& row : rows.rows) grants.push_back(text_of(row.at(0), "a grant"));
    return grants;
}

sql::GtidsAnswer gtids_answer(const RawAnswer& answer) {
    const std::vector<Field>& f = only_row(result_at(answer, 0), 2);
    return {owned_of(f[0]), gtids_of(f[1], "gtid_executed")};
}

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

sql::Answer understood(const sql::Statement& statement, const RawAnswer& answer) {
    return std::visit(
        Overloaded{
            [&](const sql::Look&) -> sql::Answer { return look_answer(answer); },
            [&](const sql::ReadGtids&) -> sql::Answer { return gtids_answer(answer); },
            [&](const sql::ReadReplica&) -> sql::Answer { return replica_answer(answer); },
            [&](const sql::ReadJournal& s) -> sql::Answer {
                return journal_rows(result_at(answer, 0), s.shard);
            },
            [&](const sql::ReadSessions&) -> sql::Answer { return session_rows(result_at(answer, 0)); },
            [&](const sql::ReadMissingPrivileges&) -> sql::Answer {
                return missing_privileges(grants_of(result_at(answer, 0)));
            },
            [&](const sql::ReadLockHolders&) -> sql::Answer { return lock_holders(result_at(answer, 0)); },
            // 0: executed, 1: the time is up.
            [&](const sql::WaitForExecuted&) -> sql::Answer {
                return !one_flag(answer, "WAIT_FOR_EXECUTED_GTID_SET");
            },
            [&](const sql::GetLock&) -> sql::Answer { return one_flag(answer, "GET_LOCK"); },
            [](const auto&) -> sql::Answer { return sql::Nothing{}; },
        },
        statement);
}

}  // namespace

sql::Result decode(const sql::Statement& statement, RawAnswer answer) {
    if (answer.error && !lacks_only_heartbeats(statement, answer)) {
        const int number = answer.error->number;
        const bool no_journal =
            number == sql::error_number::table_unknown || number == sql::error_number::database_unknown;
        if (no_journal && std::holds_alternative<sql::ReadJournal>(statement))
            return std::vector<sql::JournalRow>{};
        return std::unexpected(*std::move(answer.error));
    }
    try {
        return understood(statement, answer);
    } catch (const std::exception& e) {
        const std::string text =
            fmt::format("{}: an answer that is not understood: {}", sql::name_of(statement), e.what());
        return std::unexpected(sql::Error{sql::ErrorKind::server, 0, text});
    }
}

sql::LookAnswer look_at_foreign_server(std::string version) {
    sql::LookAnswer look;
    look.server.version = std::move(version);
    look.server.gtid_mode_on = false;
    look.server.semi_sync_plugins = false;
    return look;
}

}  // namespace fixpoint::real
