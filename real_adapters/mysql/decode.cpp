// One reader per shape of answer. Fields are found by the name of their column where the server names them
// (SHOW), by their place where our own text does (SELECT).
#include "real_adapters/mysql/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>

#include "real_adapters/mysql/privileges.hpp"

namespace fixpoint::real {

namespace {

// Thrown inside this file only: an answer that we do not understand becomes one error value.
struct NotUnderstood : std::runtime_error {
    using std::runtime_error::runtime_error;
};

const std::string& text_of(const Field& field, std::string_view what) {
    if (!field) throw NotUnderstood(fmt::format("{} is NULL", what));
    return *field;
}

std::int64_t number_of(const Field& field, std::string_view what) {
    const std::string& text = text_of(field, what);
    std::uint64_t wide = 0;
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    if (auto [rest, error] = std::from_chars(text.data(), end, value); error == std::errc() && rest == end)
        return value;
    // Some unsigned variables go beyond what we count with: the greatest number we have is as good as
    // infinite.
    if (auto [rest, error] = std::from_chars(text.data(), end, wide); error == std::errc() && rest == end) {
        return INT64_MAX;
    }
    throw NotUnderstood(fmt::format("{} is not a number: {}", what, text));
}

bool flag_of(const Field& field, std::string_view what) {
    const std::string& text = text_of(field, what);
    if (text == "1" || text == "ON" || text == "Yes") return true;
    if (text == "0" || text == "OFF" || text == "No") return false;
    throw NotUnderstood(fmt::format("{} is neither on nor off: {}", what, text));
}

GtidSet gtids_of(const Field& field, std::string_view what) {
    auto set = GtidSet::parse(text_of(field, what));
    if (!set) throw NotUnderstood(fmt::format("{}: {}", what, set.error()));
    return *std::move(set);
}

// `uuid:19#28:18#27`: each number with the thread that owns it; the threads are of no interest.
GtidSet owned_of(const Field& field) {
    std::string plain;
    bool skipping = false;
    for (const char c : text_of(field, "gtid_owned")) {
        if (c == '#') {
            skipping = true;
        } else if (c == ':' || c == ',') {
            skipping = false;
        }
        if (!skipping) plain += c;
    }
    return gtids_of(plain, "gtid_owned");
}

Uuid uuid_of(const Field& field, std::string_view what) {
    const std::string& text = text_of(field, what);
    if (text.empty()) return {};
    auto uuid = Uuid::parse(text);
    if (!uuid) throw NotUnderstood(fmt::format("{}: {}", what, uuid.error()));
    return *uuid;
}

sql::WaitPoint wait_point_of(const Field& field) {
    const std::string& text = text_of(field, "wait point");
    if (text == "AFTER_SYNC" || text == "0") return sql::WaitPoint::after_sync;
    if (text == "AFTER_COMMIT" || text == "1") return sql::WaitPoint::after_commit;
    throw NotUnderstood("wait point: " + text);
}

const Rows& result_at(const RawAnswer& answer, std::size_t place) {
    if (place >= answer.results.size()) throw NotUnderstood(fmt::format("result {} is missing", place));
    return answer.results[place];
}

const std::vector<Field>& only_row(const Rows& rows, std::size_t width) {
    if (rows.rows.size() != 1 || rows.rows[0].size() < width)
        throw NotUnderstood("not one row of the width asked for");
    return rows.rows[0];
}

// A row whose columns the server named.
class Named {
  public:
    Named(const Rows& rows, std::size_t row) : columns_(rows.columns), fields_(rows.rows[row]) {}

    const Field& operator[](std::string_view column) const {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (columns_[i] == column) return fields_[i];
        }
        throw NotUnderstood(fmt::format("there is no column {}", column));
    }
    const std::string& text(std::string_view column) const { return text_of((*this)[column], column); }
    std::int64_t number(std::string_view column) const { return number_of((*this)[column], column); }

  private:
    const std::vector<std::string>& columns_;
    const std::vector<Field>& fields_;
};

// Two columns, name and value, as SHOW VARIABLES and its kind give them.
std::map<std::string, Field, std::less<>> pairs_of(const Rows& rows) {
    std::map<std::string, Field, std::less<>> pairs;
    for (const auto& row : rows.rows) {
        if (row.size() != 2) throw NotUnderstood("not name and value");
        pairs.emplace(text_of(row[0], "name"), row[1]);
    }
    return pairs;
}

const Field& value_in(const std::map<std::string, Field, std::less<>>& pairs, std::string_view name) {
    const auto found = pairs.find(name);
    if (found == pairs.end()) throw NotUnderstood(fmt::format("{} is missing", name));
    return found->second;
}

// ---- the parts of a look

sql::ServerRow server_row(const Rows& rows) {
    const std::vector<Field>& f = only_row(rows, 19);
    sql::ServerRow server;
    server.gtid_owned = owned_of(f[0]);
    server.gtid_executed = gtids_of(f[1], "gtid_executed");
    server.gtid_purged = gtids_of(f[2], "gtid_purged");
    server.server_uuid = uuid_of(f[3], "server_uuid");
    server.server_id = number_of(f[4], "server_id");
    server.version = text_of(f[5], "version");
    server.gtid_mode_on = text_of(f[6], "gtid_mode") == "ON";
    server.log_replica_updates = flag_of(f[7], "log_replica_updates");
    server.read_only = flag_of(f[8], "read_only");
    server.super_read_only = flag_of(f[9], "super_read_only");
    server.offline_mode = flag_of(f[10], "offline_mode");
    server.replica_net_timeout_s = number_of(f[11], "replica_net_timeout");
    server.stop_replica_timeout_s = number_of(f[12], "rpl_stop_replica_timeout");
    server.sync_binlog = number_of(f[13], "sync_binlog");
    server.flush_log_at_trx_commit = number_of(f[14], "innodb_flush_log_at_trx_commit");
    server.max_connections = number_of(f[15], "max_connections");
    server.persisted_globals_load = flag_of(f[16], "persisted_globals_load");
    server.relay_log_recovery = flag_of(f[17], "relay_log_recovery");
    server.skip_replica_start = flag_of(f[18], "skip_replica_start");
    return server;
}

// Each side's variables come and go with its plugin; a server that lacks either cannot do its part in a
// shard.
void add_plugin_variables(sql::LookAnswer& look, const Rows& rows) {
    const auto pairs = pairs_of(rows);
    sql::ServerRow& server = look.server;
    server.semi_sync_plugins =
        pairs.contains("rpl_semi_sync_source_enabled") && pairs.contains("rpl_semi_sync_replica_enabled");
    if (server.semi_sync_plugins) {
        server.semi_sync_source_enabled =
            flag_of(value_in(pairs, "rpl_semi_sync_source_enabled"), "source_enabled");
        server.semi_sync_source_timeout_ms =
            number_of(value_in(pairs, "rpl_semi_sync_source_timeout"), "timeout");
        server.semi_sync_source_wait_no_replica =
            flag_of(value_in(pairs, "rpl_semi_sync_source_wait_no_replica"), "wait_no_replica");
        server.semi_sync_source_wait_for_replica_count = number_of(
            value_in(pairs, "rpl_semi_sync_source_wait_for_replica_count"), "wait_for_replica_count");
        server.semi_sync_source_wait_point =
            wait_point_of(value_in(pairs, "rpl_semi_sync_source_wait_point"));
        server.semi_sync_replica_enabled =
            flag_of(value_in(pairs, "rpl_semi_sync_replica_enabled"), "replica_enabled");
    }
    const auto group = pairs.find("group_replication_group_name");
    if (group != pairs.end() && group->second && !group->second->empty())
        look.group_replication = "configured";
}

void add_status(sql::LookAnswer& look, const Rows& rows) {
    const auto pairs = pairs_of(rows);
    look.server.uptime_s = number_of(value_in(pairs, "Uptime"), "Uptime");
    if (pairs.contains("Rpl_semi_sync_source_status")) {
        look.semi_sync.source_status =
            flag_of(value_in(pairs, "Rpl_semi_sync_source_status"), "source_status");
        look.semi_sync.source_clients = number_of(value_in(pairs, "Rpl_semi_sync_source_clients"), "clients");
        look.semi_sync.wait_sessions =
            number_of(value_in(pairs, "Rpl_semi_sync_source_wait_sessions"), "wait_sessions");
        look.semi_sync.yes_transactions = number_of(value_in(pairs, "Rpl_semi_sync_source_yes_tx"), "yes_tx");
        look.semi_sync.no_transactions = number_of(value_in(pairs, "Rpl_semi_sync_source_no_tx"), "no_tx");
    }
    if (pairs.contains("Rpl_semi_sync_replica_status")) {
        look.semi_sync.replica_status =
            flag_of(value_in(pairs, "Rpl_semi_sync_replica_status"), "replica_status");
    }
}

sql::ThreadState thread_state(const std::string& text) {
    if (text == "Yes") return sql::ThreadState::yes;
    if (text == "No") return sql::ThreadState::no;
    if (text == "Connecting") return sql::ThreadState::connecting;
    throw NotUnderstood("state of a receiver: " + text);
}

bool has_filters(const Named& row) {
    constexpr std::string_view columns[] = {"Replicate_Do_DB",         "Replicate_Ignore_DB",
                                            "Replicate_Do_Table",      "Replicate_Ignore_Table",
                                            "Replicate_Wild_Do_Table", "Replicate_Wild_Ignore_Table",
                                            "Replicate_Rewrite_DB",    "Replicate_Ignore_Server_Ids"};
    return std::ranges::any_of(columns, [&](std::string_view column) { return !row.text(column).empty(); });
}

// "Has read all relay log" is the coordinator's word alone: a worker may be held by a lock, or be busy with
// an ALTER TABLE for an hour, meanwhile. The positions tell: the executed one follows the workers, the other
// the receiver, and they meet where nothing is left to do, also behind transactions that were skipped.
bool is_idle(const Named& row) {
    return row.text("Replica_SQL_Running_State").starts_with("Replica has read all relay log") &&
           row.text("Relay_Source_Log_File") == row.text("Source_Log_File") &&
           row.text("Exec_Source_Log_Pos") == row.text("Read_Source_Log_Pos");
}

sql::ReplicaRow replica_row(const Named& row) {
    sql::ReplicaRow replica;
    replica.channel = row.text("Channel_Name");
    replica.source.host = row.text("Source_Host");
    replica.source.port = static_cast<std::uint16_t>(row.number("Source_Port"));
    replica.source_uuid = uuid_of(row["Source_UUID"], "Source_UUID");
    replica.receiver = thread_state(row.text("Replica_IO_Running"));
    replica.receiver_errno = static_cast<int>(row.number("Last_IO_Errno"));
    replica.receiver_error = row.text("Last_IO_Error");
    replica.applier_running = flag_of(row["Replica_SQL_Running"], "Replica_SQL_Running");
    replica.applier_errno = static_cast<int>(row.number("Last_SQL_Errno"));
    replica.applier_error = row.text("Last_SQL_Error");
    replica.retrieved = gtids_of(row["Retrieved_Gtid_Set"], "Retrieved_Gtid_Set");
    replica.auto_position = flag_of(row["Auto_Position"], "Auto_Position");
    replica.connect_retry_s = row.number("Connect_Retry");
    replica.retry_count = row.number("Source_Retry_Count");
    replica.delay = std::chrono::seconds(row.number("SQL_Delay"));
    replica.filters = has_filters(row);
    replica.applier_idle = is_idle(row);
    if (row["Seconds_Behind_Source"]) replica.seconds_behind = row.number("Seconds_Behind_Source");
    return replica;
}

std::vector<sql::ReplicaRow> replica_rows(const Rows& rows) {
    std::vector<sql::ReplicaRow> replicas;
    for (std::size_t i = 0; i < rows.rows.size(); ++i) replicas.push_back(replica_row(Named(rows, i)));
    return replicas;
}

void add_heartbeats(std::vector<sql::ReplicaRow>& channels, const Rows& rows) {
    for (const auto& row : rows.rows) {
        if (row.size() != 2) throw NotUnderstood("not channel and heartbeat");
        const double seconds = std::stod(text_of(row[1], "heartbeat"));
        for (sql::ReplicaRow& channel : channels) {
            if (channel.channel == text_of(row[0], "channel_name")) {
                channel.heartbeat_period = std::chrono::milliseconds(std::llround(seconds * 1000));
            }
        }
    }
}

std::int64_t variable_value(sql::Variable variable, const Field& field) {
    if (variable == sql::Variable::rpl_semi_sync_source_wait_point) {
        return wait_point_of(field) == sql::WaitPoint::after_sync ? 0 : 1;
    }
    const std::string& text = text_of(field, "a persisted variable");
    if (text == "ON") return 1;
    if (text == "OFF") return 0;
    return number_of(field, "a persisted variable");
}

sql::PersistedVariables persisted_variables(const Rows& rows) {
    sql::PersistedVariables persisted;
    const auto pairs = pairs_of(rows);
    for (int i = 0; i <= static_cast<int>(sql::Variable::relay_log_recovery); ++i) {
        const auto variable = static_cast<sql::Variable>(i);
        const auto found = pairs.find(sql::to_string(variable));
        if (found != pairs.end()) persisted.emplace(variable, variable_value(variable, found->second));
    }
    return persisted;
}

std::optional<std::uint64_t> holder(const Field& field) {
    if (!field) return {};
    return static_cast<std::uint64_t>(number_of(field, "the holder of a lock"));
}

sql::LockHolders lock_holders(const Rows& rows) {
    const std::vector<Field>& f = only_row(rows, 3);
    return {holder(f[0]), holder(f[1]), holder(f[2])};
}

// The heartbeats come last in their packet: where their table may not be read they stay unknown, and nothing
// else is.
bool is_only_heartbeats(const RawAnswer& answer, std::size_t results_before) {
    return answer.error && answer.error->kind == sql::ErrorKind::server &&
           answer.results.size() == results_before;
}

sql::LookAnswer look_answer(const RawAnswer& answer) {
    sql::LookAnswer look;
    look.server = server_row(result_at(answer, 0));
    add_plugin_variables(look, result_at(answer, 1));
    look.channels = replica_rows(result_at(answer, 2));
    add_status(look, result_at(answer, 3));
    look.persisted = persisted_variables(result_at(answer, 4));
    look.locks = lock_holders(result_at(answer, 5));
    if (!answer.error) add_heartbeats(look.channels, result_at(answer, 6));
    return look;
}

// ---- the other answers

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

std::vector<sql::ReplicaRow> replica_answer(const RawAnswer& answer) {
    std::vector<sql::ReplicaRow> channels = replica_rows(result_at(answer, 0));
    if (!answer.error) add_heartbeats(channels, result_at(answer, 1));
    return channels;
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

bool is_forgivable(const sql::Statement& statement, const RawAnswer& answer) {
    if (std::holds_alternative<sql::Look>(statement)) return is_only_heartbeats(answer, 6);
    if (std::holds_alternative<sql::ReadReplica>(statement)) return is_only_heartbeats(answer, 1);
    return false;
}

}  // namespace

sql::Result decode(const sql::Statement& statement, RawAnswer answer) {
    if (answer.error && !is_forgivable(statement, answer)) {
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
