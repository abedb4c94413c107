// A scenario: an incident as data. The same value is read from a JSON file, made by the RapidCheck generator,
// and printed as a minimised counterexample. Format: scenarios/README.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/durability.hpp"
#include "fixpoint/model/limits.hpp"
#include "fixpoint/model/problem.hpp"
#include "fixpoint/model/tablet.hpp"
#include "fixpoint/model/time.hpp"

namespace fixpoint::sim {

// Every kind of fault, in the groups of the manual. One row each in sim/faults/fault_table.cpp (name, parameters,
// what it may cost, how it is delivered and observed). A drift by hand is a fault like the others.
enum class FaultKind {
    // network (between endpoints: a tablet alias, a manager's name, "store", "store:<cell>", "clients", or "*")
    cut_one_way, cut, heal, loss, delay, duplicate, clog,
    // one statement of a manager
    request_lost, answer_lost, late_effect, statement_error, session_killed,
    // tablet
    crash, crash_before_durable, shutdown, restart, restart_writable, restart_without_persisted, restart_loop, pause, resume,
    relay_log_lost, relay_log_hole, torn_relay_log, too_many_connections, wrong_password,
    applier_error, block_applier, unblock_applier, delay_applier,
    // drift by hand
    set_writable, set_super_read_only_off, set_read_only, set_offline_mode, stop_receiver, stop_applier, stop_replication, reset_replication, repoint,
    second_primary, errant_transaction, equal_server_id, restore_older_state, purge_binary_logs,
    semi_sync_source_off, semi_sync_source_on, semi_sync_replica_off, semi_sync_replica_on, semi_sync_timeout, wrong_heartbeat, unpersist_settings,
    primary_replicates_from, kill_session_by_hand, long_transaction, new_uuid, foreign_journal,
    // declarations by hand
    declare_primary, pin_primary, declare_policy, declare_type, delete_fixpoint_record, set_back_fixpoint_record, clear_shard_primary, delete_tablet_record,
    pause_shard, forget, allow_unfenced_promotion,
    // topology store
    store_unreachable, store_reachable, store_slow, store_answer_lost, store_write_late, store_conflict, watch_lost, lease_expires, cell_store_down, cell_store_up,
    // manager
    manager_crash, manager_restart, manager_pause, manager_resume, manager_clock_jump,
};

// Bound to a time, or to an event of the run (`when`).
struct FaultTrigger {
    std::optional<Duration> at;           // since the clients began to write
    // "statement": the n-th statement named `what` (or any, if empty) that `manager` sends to `tablet` (or any) within recovery `recovery`
    // "record": the n-th transaction that writes the Fixpoint record      "commit_point": the n-th commit point
    // "notification": the n-th notification of the run (watch event, statement answer, record write answer)
    std::string event;
    std::string manager, tablet, recovery, what;
    int nth = 1;
    bool before = true;                   // before it is sent, or after its answer was received
    Duration plus{};                      // and then this much later
    bool operator==(const FaultTrigger&) const = default;
};

struct Fault {
    FaultKind kind{};
    FaultTrigger when;
    std::optional<TabletAlias> tablet;        // the subject, where it is a tablet
    std::optional<TabletAlias> to;            // a second tablet (repoint, equal_server_id, declare_primary …)
    std::string manager;                      // the subject, where it is a manager ("" : every one)
    std::string cell;
    std::vector<std::string> from_set, to_set;  // endpoints, for the network kinds
    Duration for_time{};                      // 0: until something undoes it, or faults cease
    Duration amount{};                        // delay, jump, applier delay, time-out
    int permille = 0;                         // loss
    int number = 0;                           // MySQL error, count, statement ordinal
    std::string text;                         // policy, type …
    bool permanent = false;                   // environment faults only: stays when faults cease (what it hits is outside the core)
    bool operator==(const Fault&) const = default;
};

enum class Boot { converged, unmanaged, blank };

struct ScenarioTablet {
    TabletAlias alias;
    TabletType type = TabletType::replica;    // PRIMARY: the one in force at boot
    PromotionRule promotion_rule = PromotionRule::neutral;
    Duration apply_delay{};
    bool semi_sync_plugins = true;
    bool operator==(const ScenarioTablet&) const = default;
};

struct ScenarioManager {
    std::string name;
    std::string cell;
    bool operator==(const ScenarioManager&) const = default;
};

struct Workload {
    double writes_per_second = 2;
    Duration until{};             // 0: until the end; after it, one write a second still
    int clients = 1;
    bool operator==(const Workload&) const = default;
};

enum class Verdict { converged, failed_justified, unknown, violation };  // from best to worst
std::string_view to_string(Verdict verdict);

struct Expectation {
    Verdict verdict = Verdict::converged;
    std::optional<std::vector<Recovery>> recoveries;  // those that must have acted, and no other; nullopt: not judged (generated scenarios)
    std::optional<TabletAlias> primary;               // in force at the end
    std::optional<Reason> reason;                     // of failed_justified
    std::optional<Duration> writes_blocked_at_most;
    std::optional<int> commit_points_at_most;
    bool no_mutating_statement = false;
    bool operator==(const Expectation&) const = default;
};

struct Scenario {
    std::string name;
    std::string group;            // the folder
    std::string why;
    std::string file;             // where it was read from, for messages
    std::uint64_t seed = 1;
    ShardName shard{"commerce", "0"};
    DurabilityPolicy policy;      // declared and, with boot converged, in force
    std::vector<ScenarioTablet> tablets;
    std::vector<ScenarioManager> managers;
    Workload workload;
    Limits limits;                // of the goal
    std::optional<TabletAlias> pinned_primary;
    std::vector<Fault> faults;
    Boot boot = Boot::converged;
    Duration fault_phase{};       // 0: until the last fault plus 10 s
    Expectation expect;
    bool random_order = true;     // of events of one instant
    bool operator==(const Scenario&) const = default;
};

}  // namespace fixpoint::sim
