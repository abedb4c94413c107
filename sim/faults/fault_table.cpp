// The rows. Words are MySQL's and Vitess's own; a meaning is one sentence that a person who plans an incident
// can act on. A row is added here, delivered in the nemesis, and nowhere else.
#include "sim/faults/fault_table.hpp"

#include <array>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {
namespace {

using enum FaultKind;
using F = FaultField;

constexpr FaultParameter the_tablet{F::tablet, "tablet", true};
constexpr FaultParameter maybe_tablet{F::tablet, "tablet"};
constexpr FaultParameter maybe_manager{F::manager, "manager"};
constexpr FaultParameter lasts{F::for_time, "for_ms"};
constexpr FaultParameter from{F::from_set, "from", true};
constexpr FaultParameter to{F::to_set, "to"};
constexpr FaultParameter the_cell{F::cell, "cell", true};

std::vector<FaultRow> make_table() {
    using enum FaultGroup;
    return {
        // ---- network. Endpoints: an alias, a manager's name, "store", "store:<cell>", "clients", "*" (all
        // others)
        {cut_one_way,
         "cut_one_way",
         network,
         {from, to, lasts},
         "Nothing from the ones reaches the others any more; sessions stay open and silent."},
        {cut,
         "cut",
         network,
         {from, to, lasts},
         "The same in both directions. Without `to`: from everybody else."},
        {heal,
         "heal",
         network,
         {{F::from_set, "from"}, to},
         "Undoes cuts, losses, delays and clogs between the two; without both: all."},
        {loss,
         "loss",
         network,
         {from, to, {F::permille, "permille", true}, lasts},
         "So many of 1000 packets are lost."},
        {delay,
         "delay",
         network,
         {from, to, {F::amount, "delay_ms", true}, lasts},
         "Each packet takes so much longer."},
        {duplicate,
         "duplicate",
         network,
         {from, to, {F::permille, "permille", true}, lasts},
         "So many of 1000 packets arrive twice."},
        {clog,
         "clog",
         network,
         {from, to, lasts},
         "Packets are held, and all delivered, in order, when the fault ends."},
        // ---- one statement of a manager: the one that `when` names, or the next one
        {request_lost,
         "request_lost",
         statement,
         {maybe_tablet, maybe_manager, {F::number, "count"}},
         "A statement never reaches its server, and its session is silent from then on."},
        {answer_lost,
         "answer_lost",
         statement,
         {maybe_tablet, maybe_manager, {F::number, "count"}},
         "A statement takes effect and its answer is lost."},
        {late_effect,
         "late_effect",
         statement,
         {maybe_tablet, maybe_manager, {F::amount, "late_ms", true}},
         "A statement takes effect so much later, long after its caller has given up."},
        {statement_error,
         "statement_error",
         statement,
         {maybe_tablet, maybe_manager, {F::number, "error", true}},
         "A statement does nothing and is answered with this MySQL error."},
        {session_killed,
         "session_killed",
         statement,
         {maybe_tablet, maybe_manager},
         "A manager's sessions on a tablet are killed while it works."},
        // ---- tablet
        {crash, "crash", tablet, {the_tablet}, "kill -9 of mysqld: what is in its binary log survives."},
        {crash_before_durable,
         "crash_before_durable",
         tablet,
         {the_tablet},
         "The machine loses power: what was not synced is gone, with sync_binlog=1 only a torn relay log."},
        {shutdown, "shutdown", tablet, {the_tablet}, "A clean stop: waiting clients are told OK (M32)."},
        {restart,
         "restart",
         tablet,
         {the_tablet, {F::amount, "takes_ms"}},
         "mysqld is started, with its persisted settings; one that runs is killed first."},
        {restart_writable,
         "restart_writable",
         tablet,
         {the_tablet, {F::amount, "takes_ms"}},
         "Started by a configuration file that says read_only=OFF (persisted settings beat it, M35)."},
        {restart_without_persisted,
         "restart_without_persisted",
         tablet,
         {the_tablet, {F::amount, "takes_ms"}},
         "Started writable with --persisted-globals-load=OFF."},
        {restart_loop,
         "restart_loop",
         tablet,
         {the_tablet, {F::amount, "every_ms", true}, lasts},
         "Killed and started anew every so often."},
        {pause, "pause", tablet, {the_tablet, lasts}, "SIGSTOP: connections stay open and silent (M25)."},
        {resume, "resume", tablet, {the_tablet}, "SIGCONT: what had queued runs."},
        {relay_log_lost,
         "relay_log_lost",
         tablet,
         {the_tablet},
         "Killed and started with relay_log_recovery=1, or without its relay log files: what was received "
         "and not "
         "applied is gone."},
        {relay_log_hole,
         "relay_log_hole",
         tablet,
         {the_tablet},
         "The same twice, the second time with 0: what is gone counts as received (M44)."},
        {torn_relay_log,
         "torn_relay_log",
         tablet,
         {the_tablet},
         "Power loss tears the last received transaction: the applier stops there with 13121."},
        {too_many_connections, "too_many_connections", tablet, {the_tablet, lasts}, "New sessions get 1040."},
        {wrong_password,
         "wrong_password",
         tablet,
         {the_tablet, lasts},
         "New sessions of the managers and new receivers get 1045."},
        {applier_error,
         "applier_error",
         tablet,
         {the_tablet, {F::number, "error", true}},
         "The next transaction that is applied fails with 1062 or 1032: the applier stops."},
        {block_applier,
         "block_applier",
         tablet,
         {the_tablet, lasts},
         "LOCK TABLES by somebody: the applier waits, the receiver goes on and acknowledges (M10)."},
        {unblock_applier, "unblock_applier", tablet, {the_tablet}, "The lock is released."},
        {delay_applier,
         "delay_applier",
         tablet,
         {the_tablet, {F::amount, "delay_ms", true}, lasts},
         "Its applier stays so long behind what it has received."},
        // ---- drift by hand
        {set_writable,
         "set_writable",
         drift,
         {the_tablet},
         "SET GLOBAL read_only=OFF, which sets both flags off."},
        {set_super_read_only_off,
         "set_super_read_only_off",
         drift,
         {the_tablet},
         "SET GLOBAL super_read_only=OFF: privileged clients can write."},
        {set_read_only, "set_read_only", drift, {the_tablet}, "SET GLOBAL super_read_only=ON."},
        {set_offline_mode, "set_offline_mode", drift, {the_tablet}, "SET GLOBAL offline_mode=ON."},
        {stop_receiver, "stop_receiver", drift, {the_tablet}, "STOP REPLICA IO_THREAD."},
        {stop_applier, "stop_applier", drift, {the_tablet}, "STOP REPLICA SQL_THREAD."},
        {stop_replication, "stop_replication", drift, {the_tablet}, "STOP REPLICA."},
        {reset_replication,
         "reset_replication",
         drift,
         {the_tablet},
         "STOP REPLICA; RESET REPLICA ALL: a standalone server."},
        {repoint,
         "repoint",
         drift,
         {the_tablet, {F::to_tablet, "to", true}},
         "CHANGE REPLICATION SOURCE to that tablet, and started."},
        {second_primary,
         "second_primary",
         drift,
         {the_tablet, {F::number, "writes"}},
         "Its replication is reset and it is made writable; some writes of its own (default none)."},
        {errant_transaction,
         "errant_transaction",
         drift,
         {the_tablet, {F::number, "count"}},
         "A privileged session writes on it although it is no primary (default 1)."},
        {equal_server_id,
         "equal_server_id",
         drift,
         {the_tablet, {F::to_tablet, "to", true}},
         "It gets the server_id of the other one, and is restarted."},
        {restore_older_state,
         "restore_older_state",
         drift,
         {the_tablet, {F::number, "transactions", true}},
         "Its data become those of a backup, so many transactions older, under the same server_uuid; "
         "restarted."},
        {purge_binary_logs,
         "purge_binary_logs",
         drift,
         {the_tablet},
         "PURGE BINARY LOGS: nothing older can be fetched from it."},
        {semi_sync_source_off,
         "semi_sync_source_off",
         drift,
         {the_tablet},
         "rpl_semi_sync_source_enabled=OFF."},
        {semi_sync_source_on, "semi_sync_source_on", drift, {the_tablet}, "rpl_semi_sync_source_enabled=ON."},
        {semi_sync_replica_off,
         "semi_sync_replica_off",
         drift,
         {the_tablet},
         "rpl_semi_sync_replica_enabled=OFF, receiver restarted."},
        {semi_sync_replica_on,
         "semi_sync_replica_on",
         drift,
         {the_tablet},
         "rpl_semi_sync_replica_enabled=ON, receiver restarted."},
        {semi_sync_timeout,
         "semi_sync_timeout",
         drift,
         {the_tablet, {F::amount, "timeout_ms", true}},
         "rpl_semi_sync_source_timeout: after it the primary acknowledges alone (M16)."},
        {wrong_heartbeat,
         "wrong_heartbeat",
         drift,
         {the_tablet, {F::amount, "heartbeat_ms", true}},
         "SOURCE_HEARTBEAT_PERIOD of a replica is changed."},
        {unpersist_settings, "unpersist_settings", drift, {the_tablet}, "RESET PERSIST."},
        {primary_replicates_from,
         "primary_replicates_from",
         drift,
         {the_tablet, {F::to_tablet, "to", true}},
         "The primary gets a channel from one of its replicas, and it is started: a ring."},
        {kill_session_by_hand,
         "kill_session_by_hand",
         drift,
         {the_tablet},
         "Somebody kills all sessions of the managers on this tablet."},
        {long_transaction,
         "long_transaction",
         drift,
         {the_tablet, lasts},
         "A client holds a transaction open."},
        {new_uuid,
         "new_uuid",
         drift,
         {the_tablet},
         "auto.cnf is removed and the server restarted: another server_uuid."},
        {foreign_journal,
         "foreign_journal",
         drift,
         {the_tablet},
         "Its journal has a row of a later term and of a server that was never here: restored from "
         "elsewhere."},
        // ---- declarations by hand
        {declare_primary,
         "declare_primary",
         declaration,
         {the_tablet},
         "Somebody writes another primary into the shard record."},
        {pin_primary, "pin_primary", declaration, {the_tablet}, "The goal pins this primary."},
        {declare_policy,
         "declare_policy",
         declaration,
         {{F::text, "policy", true}},
         "The keyspace declares another durability policy."},
        {declare_type,
         "declare_type",
         declaration,
         {the_tablet, {F::text, "type", true}},
         "The tablet's record declares another type."},
        {delete_fixpoint_record, "delete_fixpoint_record", declaration, {}, "Fixpoint's record is deleted."},
        {set_back_fixpoint_record,
         "set_back_fixpoint_record",
         declaration,
         {{F::number, "versions"}},
         "Fixpoint's record is set back to an earlier version of itself (default 1)."},
        {clear_shard_primary,
         "clear_shard_primary",
         declaration,
         {},
         "The shard record's primary is emptied."},
        {delete_tablet_record,
         "delete_tablet_record",
         declaration,
         {the_tablet},
         "The tablet's record is deleted."},
        {pause_shard, "pause_shard", declaration, {lasts}, "The goal says paused."},
        {forget, "forget", declaration, {the_tablet}, "A person's word that this server is gone for good."},
        {allow_unfenced_promotion,
         "allow_unfenced_promotion",
         declaration,
         {},
         "The goal allows one promotion without revocation."},
        // ---- topology store; without `manager`: for all
        {store_unreachable,
         "store_unreachable",
         store,
         {maybe_manager, lasts},
         "The global store does not answer."},
        {store_reachable, "store_reachable", store, {maybe_manager}, "It answers again."},
        {store_slow,
         "store_slow",
         store,
         {maybe_manager, {F::amount, "delay_ms", true}, lasts},
         "Each answer takes so much longer."},
        {store_answer_lost,
         "store_answer_lost",
         store,
         {maybe_manager, {F::number, "count"}},
         "The next write takes effect, and its answer is lost."},
        {store_write_late,
         "store_write_late",
         store,
         {maybe_manager, {F::amount, "late_ms", true}},
         "The next write reaches the store so much later, and nobody is told whether it took effect."},
        {store_conflict,
         "store_conflict",
         store,
         {maybe_manager, {F::number, "count"}},
         "Before the next write somebody rewrites the record: its version does not fit."},
        {watch_lost,
         "watch_lost",
         store,
         {maybe_manager, {F::number, "count"}},
         "The next watch event is lost."},
        {lease_expires,
         "lease_expires",
         store,
         {maybe_manager},
         "The shard lock's lease ends under its holder."},
        {cell_store_down,
         "cell_store_down",
         store,
         {the_cell, lasts},
         "The cell's own store does not answer."},
        {cell_store_up, "cell_store_up", store, {the_cell}, "It answers again."},
        // ---- manager; without `manager`: the one that the event concerns, or all
        {manager_crash,
         "manager_crash",
         manager,
         {maybe_manager, lasts},
         "kill -9; with for_ms started again after it, without memory."},
        {manager_restart,
         "manager_restart",
         manager,
         {maybe_manager},
         "Started, without memory; one that runs is killed first."},
        {manager_pause,
         "manager_pause",
         manager,
         {maybe_manager, lasts},
         "SIGSTOP: its lease runs out while it sleeps."},
        {manager_resume, "manager_resume", manager, {maybe_manager}, "SIGCONT."},
        {manager_clock_jump,
         "manager_clock_jump",
         manager,
         {maybe_manager, {F::amount, "jump_ms", true}},
         "Its clock jumps forward."},
    };
}

const std::vector<FaultRow>& table() {
    static const std::vector<FaultRow> rows = make_table();
    return rows;
}

}  // namespace

std::string_view to_string(FaultGroup group) {
    static constexpr std::array<std::string_view, 7> words{"network",     "statement", "tablet", "drift",
                                                           "declaration", "store",     "manager"};
    return words[static_cast<std::size_t>(group)];
}

std::span<const FaultRow> fault_table() {
    return table();
}

const FaultRow& fault_row(FaultKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    FIXPOINT_ASSERT(index < table().size() && table()[index].kind == kind,
                    "the fault table has a row for each kind, in order");
    return table()[index];
}

std::string_view to_string(FaultKind kind) {
    return fault_row(kind).name;
}

std::optional<FaultKind> parse_fault_kind(std::string_view name) {
    for (const FaultRow& row : table()) {
        if (row.name == name) return row.kind;
    }
    return std::nullopt;
}

bool is_environment(FaultKind kind) {
    switch (fault_row(kind).group) {
        case FaultGroup::network:
        case FaultGroup::statement:
        case FaultGroup::store:
        case FaultGroup::manager:
            return true;
        case FaultGroup::drift:
        case FaultGroup::declaration:
            return false;
        case FaultGroup::tablet:
            break;
    }
    switch (kind) {
        case relay_log_lost:
        case relay_log_hole:
        case torn_relay_log:
        case applier_error:
        case restart_without_persisted:
            return false;  // their traces stay
        default:
            return true;
    }
}

std::string fault_table_markdown() {
    std::string text;
    std::optional<FaultGroup> group;
    for (const FaultRow& row : table()) {
        if (row.group != group) {
            if (group) text += "\n";
            text += "**" + std::string(to_string(row.group)) +
                    "**\n\n| fault | parameters | what it does |\n|---|---|---|\n";
        }
        group = row.group;
        std::string keys;
        for (const FaultParameter& parameter : row.parameters) {
            if (!keys.empty()) keys += ", ";
            keys += "`" + std::string(parameter.key) + "`" + (parameter.needed ? "" : "?");
        }
        text += "| `" + std::string(row.name) + "` | " + keys + " | " + std::string(row.meaning) + " |\n";
    }
    return text;
}

}  // namespace fixpoint::sim
