// The forty-odd texts. Two of them are packets of several statements: Look (one round trip for all that a
// look needs) and CloseInOnePacket (no other session gets between its parts, nor does the death of this one).
#include "real_adapters/mysql/render.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fixpoint::real {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

// gtid_owned first: a commit that moves from it to gtid_executed meanwhile must be in one of them at least.
constexpr std::string_view server_variables =
    "SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged, @@GLOBAL.server_uuid, "
    "@@GLOBAL.server_id, @@GLOBAL.version, @@GLOBAL.gtid_mode, @@GLOBAL.log_replica_updates, "
    "@@GLOBAL.read_only, "
    "@@GLOBAL.super_read_only, @@GLOBAL.offline_mode, @@GLOBAL.replica_net_timeout, "
    "@@GLOBAL.rpl_stop_replica_timeout, @@GLOBAL.sync_binlog, @@GLOBAL.innodb_flush_log_at_trx_commit, "
    "@@GLOBAL.max_connections, @@GLOBAL.persisted_globals_load, @@GLOBAL.relay_log_recovery, "
    "@@GLOBAL.skip_replica_start";

// By SHOW, because a SELECT of a variable whose plugin is not there fails as a whole (1193).
constexpr std::string_view plugin_variables =
    "SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 'rpl\\_semi\\_sync\\_%' OR Variable_name = "
    "'group_replication_group_name'";
constexpr std::string_view status =
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Rpl\\_semi\\_sync\\_%' OR Variable_name = 'Uptime'";
constexpr std::string_view persisted =
    "SELECT variable_name, variable_value FROM performance_schema.persisted_variables";
// What SHOW REPLICA STATUS leaves out of a channel: a setting, and whether its coordinator reads while every
// worker waits for it (one that hangs in a read shows a time that grows). Last, for its table needs a
// privilege of its own.
constexpr std::string_view heartbeats =
    "SELECT channel_name, heartbeat, "
    "(SELECT SUM(state = 'Waiting for an event from Coordinator') = @@GLOBAL.replica_parallel_workers "
    "AND SUM(time < 2 AND state IN ('Reading event from the relay log', 'waiting for handler commit')) = 1 "
    "FROM information_schema.processlist WHERE user = 'system user') FROM mysql.slave_master_info";

// By user name only: the host part of an account is a pattern, that of a session an address.
constexpr std::string_view sessions =
    "SELECT p.id, p.user, p.command, p.state, p.time, t.trx_mysql_thread_id IS NOT NULL, g.name IS NOT NULL, "
    "COALESCE(p.info RLIKE '^[[:space:]]*SET[[:space:]].*read_only', 0) "
    "FROM information_schema.processlist p "
    "LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id "
    "LEFT JOIN (SELECT DISTINCT SUBSTRING_INDEX(SUBSTRING(grantee, 2), '\\'@\\'', 1) AS name "
    "FROM information_schema.user_privileges WHERE privilege_type IN ('SUPER', 'CONNECTION_ADMIN')) g "
    "ON g.name = p.user "
    "WHERE p.command <> 'Daemon' AND p.user NOT IN ('system user', 'event_scheduler') ORDER BY p.id";

constexpr std::string_view create_journal =
    "CREATE DATABASE IF NOT EXISTS fixpoint; "
    "CREATE TABLE IF NOT EXISTS fixpoint.journal ("
    "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, "
    "keyspace_name VARCHAR(255) NOT NULL, shard_name VARCHAR(255) NOT NULL, "
    "term BIGINT NOT NULL, revision BIGINT NOT NULL, alias VARCHAR(255) NOT NULL, server_uuid CHAR(36) NOT "
    "NULL, "
    "opened_at LONGTEXT NOT NULL, written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), "
    "KEY shard_term (keyspace_name, shard_name, term, revision)"
    ") ENGINE = InnoDB CHARACTER SET ascii COLLATE ascii_bin";

constexpr std::string_view close_in_one_packet =
    "FLUSH TABLES WITH READ LOCK; SET GLOBAL super_read_only = ON; UNLOCK TABLES";
constexpr std::string_view semi_sync_off_if_offline =
    "SET GLOBAL rpl_semi_sync_source_enabled = "
    "IF(@@GLOBAL.offline_mode, 0, @@GLOBAL.rpl_semi_sync_source_enabled)";

std::string lock_holders(const ShardName& shard) {
    return fmt::format("SELECT IS_USED_LOCK({}), IS_USED_LOCK({}), IS_USED_LOCK({})",
                       literal(sql::server_lock_name(shard)), literal(sql::helper_lock_name(shard)),
                       literal(sql::rebuild_lock_name(shard)));
}

std::string look(const ShardName& shard) {
    return fmt::format("{}; {}; SHOW REPLICA STATUS; {}; {}; {}; {}", server_variables, plugin_variables,
                       status, persisted, lock_holders(shard), heartbeats);
}

std::string read_journal(const ShardName& shard) {
    return fmt::format(
        "SELECT term, revision, alias, server_uuid, opened_at FROM (SELECT j.*, ROW_NUMBER() OVER (PARTITION "
        "BY "
        "server_uuid ORDER BY term DESC, revision DESC, id DESC) AS place FROM fixpoint.journal j "
        "WHERE keyspace_name = {} AND shard_name = {}) newest WHERE place = 1 ORDER BY term DESC, revision "
        "DESC",
        literal(shard.keyspace), literal(shard.shard));
}

std::string insert_journal_row(const sql::JournalRow& row) {
    return fmt::format(
        "INSERT INTO fixpoint.journal (keyspace_name, shard_name, term, revision, alias, server_uuid, "
        "opened_at) "
        "VALUES ({}, {}, {}, {}, {}, {}, {})",
        literal(row.shard.keyspace), literal(row.shard.shard), row.term, row.revision,
        literal(row.alias.to_string()), literal(row.uuid.to_string()), literal(row.opened_at.to_string()));
}

std::string value_text(sql::Variable variable, std::int64_t value) {
    using enum sql::Variable;
    switch (variable) {
        case rpl_semi_sync_source_timeout:
        case rpl_semi_sync_source_wait_for_replica_count:
        case replica_net_timeout:
        case rpl_stop_replica_timeout:
        case max_connections:
        case server_id:
            return fmt::format("{}", value);
        case rpl_semi_sync_source_wait_point:
            // By name: a persisted number is kept as a number, and reads differently afterwards.
            return value == 0 ? "'AFTER_SYNC'" : "'AFTER_COMMIT'";
        case read_only:
        case super_read_only:
        case offline_mode:
        case rpl_semi_sync_source_enabled:
        case rpl_semi_sync_source_wait_no_replica:
        case rpl_semi_sync_replica_enabled:
        case skip_replica_start:
        case relay_log_recovery:
            break;
    }
    return value != 0 ? "ON" : "OFF";
}

std::string assignment(std::string_view how, sql::Variable variable, std::int64_t value) {
    return fmt::format("SET {} {} = {}", how, sql::to_string(variable), value_text(variable, value));
}

std::string change_source(const sql::ChangeSource& change, const ReplicationCredentials& replication) {
    std::string text = fmt::format(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = {}, SOURCE_PORT = {}, SOURCE_USER = {}, SOURCE_PASSWORD "
        "= {}, "
        "SOURCE_SSL = {}, GET_SOURCE_PUBLIC_KEY = {}, SOURCE_HEARTBEAT_PERIOD = {}, SOURCE_CONNECT_RETRY = "
        "{}, "
        "SOURCE_RETRY_COUNT = {}",
        literal(change.source.host), change.source.port, literal(replication.user),
        literal(replication.password), replication.tls ? 1 : 0, replication.tls ? 0 : 1,
        seconds_text(change.heartbeat_period), change.connect_retry_s, change.retry_count);
    // Said in any case: what an earlier configuration demanded would stay.
    text += fmt::format(", SOURCE_SSL_CA = {}, SOURCE_SSL_VERIFY_SERVER_CERT = {}",
                        literal(replication.tls_ca), replication.tls_ca.empty() ? 0 : 1);
    if (!change.receiver_options_only) text += ", SOURCE_AUTO_POSITION = 1";
    return text;
}

// GET_LOCK counts whole seconds: a shorter patience is rounded up, none at all stays none.
std::int64_t whole_seconds(Duration duration) {
    if (duration <= Duration::zero()) return 0;
    return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

}  // namespace

std::string literal(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') result += '\\';
        result += c;
    }
    return result + "'";
}

std::string identifier(std::string_view name) {
    std::string result = "`";
    for (const char c : name) {
        if (c == '`') result += '`';
        result += c;
    }
    return result + "`";
}

std::string seconds_text(Duration duration) {
    const std::int64_t ms = std::max<std::int64_t>(to_ms(duration), 1);
    return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

std::string_view session_setup() {
    return "SET SESSION sql_mode = '', autocommit = 1, wait_timeout = 31536000";
}

std::string render(const sql::Statement& statement, const ReplicationCredentials& replication) {
    using S = std::string;
    return std::visit(
        Overloaded{
            [](const sql::Look& s) { return look(s.shard); },
            [](const sql::ReadGtids&) { return S("SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed"); },
            [](const sql::ReadReplica&) { return fmt::format("SHOW REPLICA STATUS; {}", heartbeats); },
            [](const sql::ReadJournal& s) { return read_journal(s.shard); },
            [](const sql::ReadSessions&) { return S(sessions); },
            [](const sql::ReadMissingPrivileges&) { return S("SHOW GRANTS"); },
            [](const sql::ReadLockHolders& s) { return lock_holders(s.shard); },
            [](const sql::WaitForExecuted& s) {
                return fmt::format("SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {})", literal(s.set.to_string()),
                                   seconds_text(s.timeout));
            },
            [](const sql::SetSessionLockWait& s) {
                return fmt::format("SET SESSION lock_wait_timeout = {}", s.seconds);
            },
            [](const sql::GetLock& s) {
                return fmt::format("SELECT GET_LOCK({}, {})", literal(s.name), whole_seconds(s.timeout));
            },
            [](const sql::ReleaseLock& s) { return fmt::format("SELECT RELEASE_LOCK({})", literal(s.name)); },
            [](const sql::Kill& s) { return fmt::format("KILL {}", s.id); },
            [](const sql::SetGlobal& s) { return assignment("GLOBAL", s.variable, s.value); },
            [](const sql::SetPersistOnly& s) { return assignment("PERSIST_ONLY", s.variable, s.value); },
            [](const sql::CloseInOnePacket&) { return S(close_in_one_packet); },
            [](const sql::SemiSyncSourceOffIfOffline&) { return S(semi_sync_off_if_offline); },
            [](const sql::StopReceiver&) { return S("STOP REPLICA IO_THREAD"); },
            [](const sql::StopApplier&) { return S("STOP REPLICA SQL_THREAD"); },
            [](const sql::StartReceiver&) { return S("START REPLICA IO_THREAD"); },
            [](const sql::StartApplier&) { return S("START REPLICA SQL_THREAD"); },
            [&](const sql::ChangeSource& s) { return change_source(s, replication); },
            [](const sql::ResetReplica& s) { return S(s.all ? "RESET REPLICA ALL" : "RESET REPLICA"); },
            [](const sql::CreateJournal&) { return S(create_journal); },
            [](const sql::InsertJournalRow& s) { return insert_journal_row(s.row); },
            [](const sql::Nudge& s) { return "DROP TABLE IF EXISTS fixpoint_nudge." + identifier(s.name); },
        },
        statement);
}

}  // namespace fixpoint::real
