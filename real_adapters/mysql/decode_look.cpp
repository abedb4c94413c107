// See decode_look.hpp. Columns of SHOW are found by their names, those of our own SELECTs by their places.
#include "real_adapters/mysql/decode_look.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "real_adapters/mysql/answer_fields.hpp"

namespace fixpoint::real {

namespace {

// Results of the packet that come before the heartbeats.
constexpr std::size_t before_heartbeats_of_look = 6, before_heartbeats_of_replica = 1;

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

bool has_filters(const NamedRow& row) {
    constexpr std::string_view columns[] = {"Replicate_Do_DB",         "Replicate_Ignore_DB",
                                            "Replicate_Do_Table",      "Replicate_Ignore_Table",
                                            "Replicate_Wild_Do_Table", "Replicate_Wild_Ignore_Table",
                                            "Replicate_Rewrite_DB",    "Replicate_Ignore_Server_Ids"};
    return std::ranges::any_of(columns, [&](std::string_view column) { return !row.text(column).empty(); });
}

// "Has read all relay log" is the coordinator's word alone: a worker may be held by a lock, or be busy with
// an ALTER TABLE for an hour, meanwhile. The positions tell: the executed one follows the workers, the other
// the receiver, and they meet where nothing is left to do, also behind transactions that were skipped.
bool is_idle(const NamedRow& row) {
    return row.text("Replica_SQL_Running_State").starts_with("Replica has read all relay log") &&
           row.text("Relay_Source_Log_File") == row.text("Source_Log_File") &&
           row.text("Exec_Source_Log_Pos") == row.text("Read_Source_Log_Pos");
}

sql::ReplicaRow replica_row(const NamedRow& row) {
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
    for (std::size_t i = 0; i < rows.rows.size(); ++i) replicas.push_back(replica_row(NamedRow(rows, i)));
    return replicas;
}

void add_heartbeats(std::vector<sql::ReplicaRow>& channels, const Rows& rows) {
    for (const auto& row : rows.rows) {
        if (row.size() != 3) throw NotUnderstood("not channel, heartbeat and what its threads do");
        const double seconds = std::stod(text_of(row[1], "heartbeat"));
        for (sql::ReplicaRow& channel : channels) {
            if (channel.channel == text_of(row[0], "channel_name")) {
                channel.heartbeat_period = std::chrono::milliseconds(std::llround(seconds * 1000));
                channel.applier_only_reads = channel.applier_running && row[2] == "1";
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

}  // namespace

sql::LockHolders lock_holders(const Rows& rows) {
    const std::vector<Field>& f = only_row(rows, 3);
    return {holder(f[0]), holder(f[1]), holder(f[2])};
}

sql::LookAnswer look_answer(const RawAnswer& answer) {
    sql::LookAnswer look;
    look.server = server_row(result_at(answer, 0));
    add_plugin_variables(look, result_at(answer, 1));
    look.channels = replica_rows(result_at(answer, 2));
    add_status(look, result_at(answer, 3));
    look.persisted = persisted_variables(result_at(answer, 4));
    look.locks = lock_holders(result_at(answer, 5));
    if (!answer.error) add_heartbeats(look.channels, result_at(answer, before_heartbeats_of_look));
    return look;
}

std::vector<sql::ReplicaRow> replica_answer(const RawAnswer& answer) {
    std::vector<sql::ReplicaRow> channels = replica_rows(result_at(answer, 0));
    if (!answer.error) add_heartbeats(channels, result_at(answer, before_heartbeats_of_replica));
    return channels;
}

bool lacks_only_heartbeats(const sql::Statement& statement, const RawAnswer& answer) {
    if (!answer.error || answer.error->kind != sql::ErrorKind::server) return false;
    if (std::holds_alternative<sql::Look>(statement))
        return answer.results.size() == before_heartbeats_of_look;
    return std::holds_alternative<sql::ReadReplica>(statement) &&
           answer.results.size() == before_heartbeats_of_replica;
}

}  // namespace fixpoint::real
