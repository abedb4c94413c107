// The seam to a MySQL server: one typed statement, one round trip, one typed answer or one error.
// The real adapter renders a statement for the server and decodes the rows; the fake interprets it.
// Everything that a network or a server can do to us happens between two such statements.
// Wording: MySQL 8.4. Sources of the semantics: engine/INVARIANTS.md and property_tests/contract.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/model/tablet.hpp"
#include "fixpoint/model/time.hpp"

namespace fixpoint::sql {

// ---- errors

enum class ErrorKind {
    server,  // MySQL answered with an error number: the statement did not take effect (unless the number says
             // otherwise)
    refused,  // no session could be opened, and the server said so at once (2002, 2003; or a server error at
              // login)
    lost,  // the session broke (2006, 2013): what was under way may or may not have taken effect, or may yet
    timed_out,  // our own limit passed: likewise "maybe"; the session is broken from then on
};

struct Error {
    ErrorKind kind = ErrorKind::server;
    int number = 0;  // MySQL's; for timed_out 0
    std::string text;
    bool operator==(const Error&) const = default;
    bool is_maybe() const { return kind == ErrorKind::lost || kind == ErrorKind::timed_out; }
};

namespace error_number {
inline constexpr int too_many_connections = 1040;
inline constexpr int access_denied = 1045;
inline constexpr int table_unknown = 1146;
inline constexpr int database_unknown = 1049;
inline constexpr int no_such_thread = 1094;
inline constexpr int unknown_system_variable = 1193;
inline constexpr int no_channel = 1200;
inline constexpr int lock_wait_timeout = 1205;
inline constexpr int missing_privilege = 1227;
inline constexpr int option_prevents_statement = 1290;  // --read-only, --super-read-only
inline constexpr int key_not_found = 1032;
inline constexpr int duplicate_entry = 1062;
inline constexpr int stop_replica_timed_out = 1875;
inline constexpr int relay_log_init = 1872;
inline constexpr int offline_mode = 3032;
inline constexpr int auto_position_with_applier = 3081;
inline constexpr int user_lock_name_too_long = 4163;
inline constexpr int receiver_purged = 13114;  // with 1236 in the text
inline constexpr int receiver_equal_server_ids = 13117;
inline constexpr int relay_log_corrupt = 13121;
inline constexpr int relay_log_missing = 13124;
inline constexpr int cannot_connect = 2003;
inline constexpr int server_gone = 2006;
inline constexpr int server_lost = 2013;
}  // namespace error_number

// ---- rows

enum class WaitPoint { after_sync, after_commit };

// Global variables, read by one SELECT, `gtid_owned` first (M51: the other way round a commit that moves
// from one set to the other meanwhile is in neither).
struct ServerRow {
    GtidSet gtid_owned;  // commits that wait for acknowledgement (M31)
    GtidSet gtid_executed;
    GtidSet gtid_purged;
    Uuid server_uuid;
    std::int64_t server_id = 0;
    std::string version;  // 9.7.4; MariaDB's contains "MariaDB"
    bool gtid_mode_on = true;
    bool log_replica_updates = true;
    bool read_only = false;
    bool super_read_only = false;
    bool offline_mode = false;
    bool semi_sync_plugins = true;  // false: every semi-sync variable below is without meaning (M49)
    bool semi_sync_source_enabled = false;
    std::int64_t semi_sync_source_timeout_ms = 10'000;
    bool semi_sync_source_wait_no_replica = true;
    std::int64_t semi_sync_source_wait_for_replica_count = 1;
    WaitPoint semi_sync_source_wait_point = WaitPoint::after_sync;
    bool semi_sync_replica_enabled = false;
    std::int64_t replica_net_timeout_s = 60;
    std::int64_t stop_replica_timeout_s = 31536000;
    std::int64_t sync_binlog = 1;
    std::int64_t flush_log_at_trx_commit = 1;
    std::int64_t max_connections = 151;
    bool persisted_globals_load = true;
    bool relay_log_recovery = false;  // as this process started
    bool skip_replica_start = true;   // as this process started
    std::int64_t uptime_s = 0;        // SHOW GLOBAL STATUS 'Uptime', whole seconds
    bool operator==(const ServerRow&) const = default;

    GtidSet log() const { return gtid_executed | gtid_owned; }  // everything in its binary log
};

enum class ThreadState { no, connecting, yes };

// One row of SHOW REPLICA STATUS.
struct ReplicaRow {
    std::string channel;  // "" is the default channel
    MysqlAddress source;
    Uuid source_uuid;  // of the source it was last connected to
    ThreadState receiver = ThreadState::no;
    int receiver_errno = 0;
    std::string receiver_error;
    bool applier_running = false;
    int applier_errno = 0;
    std::string applier_error;
    GtidSet retrieved;  // Retrieved_Gtid_Set: whole in the relay log
    bool auto_position = true;
    std::int64_t connect_retry_s = 60;
    std::int64_t retry_count = 86400;
    Duration heartbeat_period{};
    Duration delay{};          // SOURCE_DELAY
    bool filters = false;      // any replication filter
    bool applier_idle = true;  // Replica_SQL_Running_State: has read all relay log
    // Its coordinator reads, and every worker waits for it: for a moment, or going round for ever (M45).
    bool applier_only_reads = false;
    std::optional<std::int64_t> seconds_behind;
    bool operator==(const ReplicaRow&) const = default;
};

// SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%'.
struct SemiSyncStatusRow {
    bool source_status = false;       // Rpl_semi_sync_source_status: ON and not degraded
    std::int64_t source_clients = 0;  // over-counts (M16)
    std::int64_t wait_sessions = 0;
    std::int64_t yes_transactions = 0;
    std::int64_t no_transactions = 0;
    bool replica_status = false;  // Rpl_semi_sync_replica_status: acknowledgements are in effect (M17)
    bool operator==(const SemiSyncStatusRow&) const = default;
};

// Variables that SetGlobal and SetPersistOnly may name. Values are integers: booleans 0/1, wait point 0 =
// AFTER_SYNC.
enum class Variable {
    read_only,
    super_read_only,
    offline_mode,
    rpl_semi_sync_source_enabled,
    rpl_semi_sync_source_timeout,
    rpl_semi_sync_source_wait_no_replica,
    rpl_semi_sync_source_wait_for_replica_count,
    rpl_semi_sync_source_wait_point,
    rpl_semi_sync_replica_enabled,
    replica_net_timeout,
    rpl_stop_replica_timeout,
    max_connections,
    server_id,
    skip_replica_start,
    relay_log_recovery,
};
std::string_view to_string(Variable variable);  // MySQL's own name

// performance_schema.persisted_variables, those of Variable only.
using PersistedVariables = std::map<Variable, std::int64_t>;

// IS_USED_LOCK: the connection that holds each of the shard's three user locks on this server.
struct LockHolders {
    std::optional<std::uint64_t> server;   // fixpoint/<ks>/<shard>
    std::optional<std::uint64_t> helper;   // fixpoint/<ks>/<shard>/helper
    std::optional<std::uint64_t> rebuild;  // fixpoint/<ks>/<shard>/rebuild
    bool operator==(const LockHolders&) const = default;
};

struct JournalRow {  // of table fixpoint.journal
    ShardName shard;
    std::int64_t term = 0;
    std::int64_t revision = 0;
    TabletAlias alias;
    Uuid uuid;  // of the primary of that term
    GtidSet opened_at;
    bool operator==(const JournalRow&) const = default;
};

// information_schema.processlist without Daemon and system user.
struct SessionRow {
    std::uint64_t id = 0;
    std::string user;
    std::string command;  // Query, Sleep, Killed, Binlog Dump GTID, …
    std::string state;
    bool dump_thread = false;
    bool killed = false;
    bool idle = false;        // command Sleep
    bool privileged = false;  // SUPER or CONNECTION_ADMIN, where it could be read
    bool in_transaction = false;
    bool closing = false;  // what it runs is a SET of read_only or super_read_only
    std::int64_t seconds = 0;
    bool operator==(const SessionRow&) const = default;
};

// ---- statements that read

// One packet of several SELECTs and SHOWs: variables, SHOW REPLICA STATUS, semi-sync status, persisted
// variables, user locks, in this order. No snapshot: other sessions' work may run between any two of them.
struct LookAnswer {
    ServerRow server;
    std::vector<ReplicaRow> channels;
    SemiSyncStatusRow semi_sync;
    PersistedVariables persisted;
    LockHolders locks;
    std::string group_replication;  // member state, "" if none
    bool operator==(const LookAnswer&) const = default;
};
struct Look {
    ShardName shard;
    using Answer = LookAnswer;
};
struct GtidsAnswer {
    GtidSet owned;
    GtidSet executed;
    bool operator==(const GtidsAnswer&) const = default;
};
struct ReadGtids {
    using Answer = GtidsAnswer;
};  // owned first, then executed, one statement
struct ReadReplica {
    using Answer = std::vector<ReplicaRow>;
};  // SHOW REPLICA STATUS
struct ReadJournal {
    ShardName shard;
    using Answer = std::vector<JournalRow>;
};  // newest (term, revision) of each uuid for this shard, newest first; no table: empty
struct ReadSessions {
    using Answer = std::vector<SessionRow>;
};
struct ReadMissingPrivileges {
    using Answer = std::vector<std::string>;
};  // by SHOW GRANTS; empty: all there
struct ReadLockHolders {
    ShardName shard;
    using Answer = LockHolders;
};
struct WaitForExecuted {
    GtidSet set;
    Duration timeout{};
    using Answer = bool;
};  // WAIT_FOR_EXECUTED_GTID_SET: true = executed

// ---- statements on the session itself

struct Nothing {
    bool operator==(const Nothing&) const = default;
};
struct SetSessionLockWait {
    std::int64_t seconds = 1;
    using Answer = Nothing;
};  // SET SESSION lock_wait_timeout
struct GetLock {
    std::string name;
    Duration timeout{};
    using Answer = bool;
};  // true = taken
struct ReleaseLock {
    std::string name;
    using Answer = Nothing;
};
struct Kill {
    std::uint64_t id = 0;
    using Answer = Nothing;
};  // 1094: gone already

// ---- statements that change a server

struct SetGlobal {
    Variable variable{};
    std::int64_t value = 0;
    using Answer = Nothing;
};
struct SetPersistOnly {
    Variable variable{};
    std::int64_t value = 0;
    using Answer = Nothing;
};
// FLUSH TABLES WITH READ LOCK; SET GLOBAL super_read_only=ON; UNLOCK TABLES, in one packet (M20a).
struct CloseInOnePacket {
    using Answer = Nothing;
};
// SET GLOBAL rpl_semi_sync_source_enabled = IF(@@GLOBAL.offline_mode, 0,
// @@GLOBAL.rpl_semi_sync_source_enabled)
struct SemiSyncSourceOffIfOffline {
    using Answer = Nothing;
};
struct StopReceiver {
    using Answer = Nothing;
};
struct StopApplier {
    using Answer = Nothing;
};
struct StartReceiver {
    using Answer = Nothing;
};
struct StartApplier {
    using Answer = Nothing;
};
// CHANGE REPLICATION SOURCE TO. With the applier running `receiver_options_only` must be set (no
// SOURCE_AUTO_POSITION, else 3081) and the relay log stays; with both threads stopped the relay log is
// deleted (M8).
struct ChangeSource {
    MysqlAddress source;
    Duration heartbeat_period{};
    std::int64_t connect_retry_s = 1;
    std::int64_t retry_count = 100000;
    bool receiver_options_only = false;
    using Answer = Nothing;
};
struct ResetReplica {
    bool all = false;
    using Answer = Nothing;
};
struct CreateJournal {
    using Answer = Nothing;
};  // CREATE DATABASE / TABLE IF NOT EXISTS fixpoint.journal
struct InsertJournalRow {
    JournalRow row;
    using Answer = Nothing;
};
struct Nudge {
    std::string name;
    using Answer = Nothing;
};  // DROP TABLE IF EXISTS fixpoint_nudge.<name>

using Statement = std::variant<Look, ReadGtids, ReadReplica, ReadJournal, ReadSessions, ReadMissingPrivileges,
                               ReadLockHolders, WaitForExecuted, SetSessionLockWait, GetLock, ReleaseLock,
                               Kill, SetGlobal, SetPersistOnly, CloseInOnePacket, SemiSyncSourceOffIfOffline,
                               StopReceiver, StopApplier, StartReceiver, StartApplier, ChangeSource,
                               ResetReplica, CreateJournal, InsertJournalRow, Nudge>;
using Answer =
    std::variant<Nothing, bool, LookAnswer, GtidsAnswer, std::vector<ReplicaRow>, std::vector<JournalRow>,
                 std::vector<SessionRow>, std::vector<std::string>, LockHolders>;
using Result = std::expected<Answer, Error>;

std::string_view name_of(const Statement& statement);  // "StopReceiver"
std::string to_string(
    const Statement& statement);  // for people: SET GLOBAL super_read_only=ON. No secrets in it.
// Everything but SELECT, SHOW, SET SESSION and the user locks. A Kill counts as mutating here; the caller who
// knows its target does not count one of a session of Fixpoint's own (I10).
bool is_mutating(const Statement& statement);

// The names of the three user locks; longer ones than 64 characters are cut and end in a hash of the whole
// (M41).
std::string server_lock_name(const ShardName& shard);
std::string helper_lock_name(const ShardName& shard);
std::string rebuild_lock_name(const ShardName& shard);

}  // namespace fixpoint::sql
