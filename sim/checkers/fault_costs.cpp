// One row per kind; a kind without one does not compile, or costs what is not promised.
#include "sim/checkers/fault_costs.hpp"

namespace fixpoint::sim {

using enum FaultKind;

Cost cost_of(FaultKind kind) {
    switch (kind) {
        case cut_one_way:
        case cut:
        case loss:
        case clog:
        case crash:
        case crash_before_durable:  // as a clean stop: down until somebody starts it
        case shutdown:
        case restart_loop:
        case pause:
        case too_many_connections:
        case wrong_password:
        case primary_replicates_from:
        case purge_binary_logs:
            return Cost::gone;
        case restart:
        case restart_writable:
        case restart_without_persisted:
        case relay_log_lost:
        case relay_log_hole:
        case torn_relay_log:
        case reset_replication:
        case repoint:
        case semi_sync_replica_off:
        case semi_sync_replica_on:
        case new_uuid:
        case equal_server_id:  // it is restarted with it
        case unpersist_settings:
        case wrong_heartbeat:  // its cure may drop what was received and not applied
        case block_applier:
        case delay_applier:
            return Cost::unqualified;
        case restore_older_state:
        case applier_error:
        case set_writable:
        case second_primary:
        case errant_transaction:
            return Cost::unfit;
        case delete_fixpoint_record:
        case set_back_fixpoint_record:
            return Cost::record;
        case store_unreachable:
        case store_slow:
        case cell_store_down:
            return Cost::store;
        case manager_crash:
        case manager_pause:
            return Cost::manager;
        case pause_shard:
        case long_transaction:
            return Cost::beyond;
        case heal:
        case delay:
        case duplicate:
        case request_lost:
        case answer_lost:
        case late_effect:
        case statement_error:
        case session_killed:
        case resume:
        case unblock_applier:
        case set_super_read_only_off:
        case set_read_only:
        case set_offline_mode:
        case stop_receiver:
        case stop_applier:
        case stop_replication:
        case semi_sync_source_off:
        case semi_sync_source_on:
        case semi_sync_timeout:
        case kill_session_by_hand:
        case foreign_journal:
        case declare_primary:
        case pin_primary:
        case declare_policy:
        case declare_type:
        case clear_shard_primary:
        case delete_tablet_record:
        case forget:
        case allow_unfenced_promotion:
        case store_reachable:
        case store_answer_lost:
        case store_write_late:
        case store_conflict:
        case watch_lost:
        case lease_expires:
        case cell_store_up:
        case manager_restart:
        case manager_resume:
        case manager_clock_jump:
            return Cost::nothing;
    }
    return Cost::beyond;
}

bool takes_the_mark(FaultKind kind) {
    switch (kind) {
        case crash:
        case crash_before_durable:
        case shutdown:
        case restart:
        case restart_writable:
        case restart_without_persisted:
        case restart_loop:
        case relay_log_lost:
        case relay_log_hole:
        case torn_relay_log:
        case reset_replication:
        case repoint:
        case restore_older_state:
        case new_uuid:
        case equal_server_id:
        case semi_sync_replica_off:
        case unpersist_settings:
        case wrong_heartbeat:
        case primary_replicates_from:
        case second_primary:
            return true;
        default:
            return false;
    }
}

bool opens_by_hand(FaultKind kind) {
    return kind == set_writable || kind == second_primary || kind == errant_transaction ||
           kind == restart_writable || kind == restart_without_persisted;
}

bool may_lose_data(FaultKind kind) {
    return kind == crash || kind == crash_before_durable || kind == restore_older_state;
}

bool starts_again(FaultKind kind) {
    return kind == restart || kind == restart_writable || kind == restart_without_persisted ||
           kind == restart_loop || kind == relay_log_lost || kind == relay_log_hole ||
           kind == torn_relay_log || kind == new_uuid || kind == equal_server_id ||
           kind == restore_older_state;
}

}  // namespace fixpoint::sim
