// SQL statements as text for people (traces, plans, histories), which of them change a server, and the names
// of the user locks. The text that a server gets is rendered by the adapter; this one is for reading. No
// secret can be in it, because no statement of the seam holds one.
#include "fixpoint/ports/sql_statement.hpp"

#include "engine/model/names.hpp"
#include "fixpoint/model/limits.hpp"

namespace fixpoint::sql {

namespace {

constexpr std::array<Name<Variable>, 15> variables{{
    {Variable::read_only, "read_only"},
    {Variable::super_read_only, "super_read_only"},
    {Variable::offline_mode, "offline_mode"},
    {Variable::rpl_semi_sync_source_enabled, "rpl_semi_sync_source_enabled"},
    {Variable::rpl_semi_sync_source_timeout, "rpl_semi_sync_source_timeout"},
    {Variable::rpl_semi_sync_source_wait_no_replica, "rpl_semi_sync_source_wait_no_replica"},
    {Variable::rpl_semi_sync_source_wait_for_replica_count, "rpl_semi_sync_source_wait_for_replica_count"},
    {Variable::rpl_semi_sync_source_wait_point, "rpl_semi_sync_source_wait_point"},
    {Variable::rpl_semi_sync_replica_enabled, "rpl_semi_sync_replica_enabled"},
    {Variable::replica_net_timeout, "replica_net_timeout"},
    {Variable::rpl_stop_replica_timeout, "rpl_stop_replica_timeout"},
    {Variable::max_connections, "max_connections"},
    {Variable::server_id, "server_id"},
    {Variable::skip_replica_start, "skip_replica_start"},
    {Variable::relay_log_recovery, "relay_log_recovery"},
}};

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

std::string value_text(Variable variable, std::int64_t value) {
    switch (variable) {
        case Variable::rpl_semi_sync_source_timeout:
        case Variable::rpl_semi_sync_source_wait_for_replica_count:
        case Variable::replica_net_timeout:
        case Variable::rpl_stop_replica_timeout:
        case Variable::max_connections:
        case Variable::server_id:
            return std::to_string(value);
        case Variable::rpl_semi_sync_source_wait_point:
            return value == 0 ? "AFTER_SYNC" : "AFTER_COMMIT";
        default:
            return value != 0 ? "ON" : "OFF";
    }
}

std::string assignment(std::string_view how, Variable variable, std::int64_t value) {
    return std::string(how) + ' ' + std::string(to_string(variable)) + '=' + value_text(variable, value);
}

std::string change_text(const ChangeSource& change) {
    std::string text = "CHANGE REPLICATION SOURCE TO " + change.source.to_string() +
                       ", SOURCE_HEARTBEAT_PERIOD=" + std::to_string(to_ms(change.heartbeat_period)) + "ms" +
                       ", SOURCE_CONNECT_RETRY=" + std::to_string(change.connect_retry_s) +
                       ", SOURCE_RETRY_COUNT=" + std::to_string(change.retry_count);
    if (!change.receiver_options_only) text += ", SOURCE_AUTO_POSITION=1";
    return text;
}

std::string journal_text(const JournalRow& row) {
    return "INSERT INTO fixpoint.journal: " + row.shard.to_string() + " term " + std::to_string(row.term) +
           " revision " + std::to_string(row.revision) + " primary " + row.alias.to_string();
}

std::string lock_name(const ShardName& shard, std::string_view suffix) {
    constexpr std::size_t greatest = Limits::user_lock_name_length;
    constexpr std::size_t hash_digits = 16;
    std::string name = "fixpoint/" + shard.to_string() + std::string(suffix);
    if (name.size() <= greatest) return name;
    return name.substr(0, greatest - hash_digits - 1) + '#' + fnv1a_hex(name);
}

}  // namespace

std::string_view to_string(Variable variable) {
    return word_of(variables, variable);
}

std::string_view name_of(const Statement& statement) {
    constexpr std::array<std::string_view, std::variant_size_v<Statement>> names = {
        "Look",
        "ReadGtids",
        "ReadReplica",
        "ReadJournal",
        "ReadSessions",
        "ReadMissingPrivileges",
        "ReadLockHolders",
        "WaitForExecuted",
        "SetSessionLockWait",
        "GetLock",
        "ReleaseLock",
        "Kill",
        "SetGlobal",
        "SetPersistOnly",
        "CloseInOnePacket",
        "SemiSyncSourceOffIfOffline",
        "StopReceiver",
        "StopApplier",
        "StartReceiver",
        "StartApplier",
        "ChangeSource",
        "ResetReplica",
        "CreateJournal",
        "InsertJournalRow",
        "Nudge"};
    return names[statement.index()];
}

std::string to_string(const Statement& statement) {
    using S = std::string;
    return std::visit(
        Overloaded{
            [](const Look&) {
                return S("look (variables, replica status, semi-sync status, persisted variables, locks)");
            },
            [](const ReadGtids&) { return S("SELECT @@GLOBAL.gtid_owned, @@GLOBAL.gtid_executed"); },
            [](const ReadReplica&) { return S("SHOW REPLICA STATUS"); },
            [](const ReadJournal& s) { return "SELECT FROM fixpoint.journal for " + s.shard.to_string(); },
            [](const ReadSessions&) { return S("SELECT FROM information_schema.processlist"); },
            [](const ReadMissingPrivileges&) { return S("SHOW GRANTS"); },
            [](const ReadLockHolders& s) {
                return "SELECT IS_USED_LOCK('" + server_lock_name(s.shard) + "'), helper, rebuild";
            },
            [](const WaitForExecuted& s) {
                return "WAIT_FOR_EXECUTED_GTID_SET('" + s.set.to_string() + "', " +
                       std::to_string(to_ms(s.timeout)) + "ms)";
            },
            [](const SetSessionLockWait& s) {
                return "SET SESSION lock_wait_timeout=" + std::to_string(s.seconds);
            },
            [](const GetLock& s) {
                return "GET_LOCK('" + s.name + "', " + std::to_string(to_ms(s.timeout)) + "ms)";
            },
            [](const ReleaseLock& s) { return "RELEASE_LOCK('" + s.name + "')"; },
            [](const Kill& s) { return "KILL " + std::to_string(s.id); },
            [](const SetGlobal& s) { return assignment("SET GLOBAL", s.variable, s.value); },
            [](const SetPersistOnly& s) { return assignment("SET PERSIST_ONLY", s.variable, s.value); },
            [](const CloseInOnePacket&) {
                return S("FLUSH TABLES WITH READ LOCK; SET GLOBAL super_read_only=ON; UNLOCK TABLES");
            },
            [](const SemiSyncSourceOffIfOffline&) {
                return S("SET GLOBAL rpl_semi_sync_source_enabled=OFF if in offline mode");
            },
            [](const StopReceiver&) { return S("STOP REPLICA IO_THREAD"); },
            [](const StopApplier&) { return S("STOP REPLICA SQL_THREAD"); },
            [](const StartReceiver&) { return S("START REPLICA IO_THREAD"); },
            [](const StartApplier&) { return S("START REPLICA SQL_THREAD"); },
            [](const ChangeSource& s) { return change_text(s); },
            [](const ResetReplica& s) { return S(s.all ? "RESET REPLICA ALL" : "RESET REPLICA"); },
            [](const CreateJournal&) { return S("CREATE TABLE IF NOT EXISTS fixpoint.journal"); },
            [](const InsertJournalRow& s) { return journal_text(s.row); },
            [](const Nudge& s) { return "DROP TABLE IF EXISTS fixpoint_nudge." + s.name; },
        },
        statement);
}

bool is_mutating(const Statement& statement) {
    return std::visit(Overloaded{
                          [](const Look&) { return false; },
                          [](const ReadGtids&) { return false; },
                          [](const ReadReplica&) { return false; },
                          [](const ReadJournal&) { return false; },
                          [](const ReadSessions&) { return false; },
                          [](const ReadMissingPrivileges&) { return false; },
                          [](const ReadLockHolders&) { return false; },
                          [](const WaitForExecuted&) { return false; },
                          [](const SetSessionLockWait&) { return false; },
                          [](const GetLock&) { return false; },
                          [](const ReleaseLock&) { return false; },
                          [](const auto&) { return true; },
                      },
                      statement);
}

std::string server_lock_name(const ShardName& shard) {
    return lock_name(shard, "");
}
std::string helper_lock_name(const ShardName& shard) {
    return lock_name(shard, "/helper");
}
std::string rebuild_lock_name(const ShardName& shard) {
    return lock_name(shard, "/rebuild");
}

}  // namespace fixpoint::sql
