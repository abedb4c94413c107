// The names of all problems (rows of engine/problem_table.cpp) and of all reasons to refuse. Words only.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace fixpoint {

enum class Problem {
    // priority 0: the whole shard
    shard_never_had_a_primary,
    shard_to_adopt,
    primary_record_lost,
    not_restart_safe,
    offline_mode_left_on,
    foreign_server_lock,
    reparented_by_others,
    shard_record_differs,
    dead_primary,
    primary_listens_no_more,
    dead_primary_and_all_replicas,
    primary_is_another_server,
    primary_behind,
    primary_semi_sync_weak,
    primary_is_read_only,
    primary_semi_sync_blocked,
    primary_stalled,
    wrong_primary,
    // priority 1
    stale_primary,
    replica_is_writable,
    primary_has_source,
    foreign_on_primary,
    // priority 2
    policy_not_in_force,
    acker_to_join,
    acker_to_leave,
    // priority 3
    journal_missing,
    tablet_record_differs,
    errant_transactions,
    past_purged,
    server_id_to_renew,
    replica_skips,
    applier_failed,
    replica_not_replicating,
    replica_wrong_source,
    receiver_stopped,
    applier_stopped,
    replica_misconfigured,
    acks_wrong,
    not_vouching,
    retired_may_be_cleared,
    // priority 4: reported, no recovery
    quarantined,
    settings_not_loaded,
    unreachable_primary,
    replica_dead,
    acker_gone,
    too_few_acknowledge,
    lagging,
    invalid_tablet,
    not_manageable,
    semi_sync_plugin_missing,
    not_durable,
    store_locked,
    no_failover_possible,
    privileged_clients,
};
std::string_view to_string(Problem problem);
std::expected<Problem, std::string> parse_problem(std::string_view text);

// The recoveries that rows name; `expect.recoveries` of a scenario lists these words.
enum class Recovery {
    none,
    initialize_shard,
    adopt_shard,
    recover_lost_record,
    make_restart_safe,
    leave_offline_mode,
    clear_foreign_lock,
    record_reparent_by_others,
    write_shard_record,
    emergency_reparent,
    planned_reparent,
    strengthen_semi_sync,
    open_primary,
    unblock_primary,
    close_stale_primary,
    make_read_only,
    ask_a_replica,
    detach_primary,
    adopt_foreign,
    change_policy,
    join_acker,
    leave_acker,
    write_journal,
    write_tablet_record,
    quarantine,
    renew_server_id,
    refetch_skipped,
    fix_applier,
    fix_replica,
    clear_retired,
};
std::string_view to_string(Recovery recovery);
std::expected<Recovery, std::string> parse_recovery(std::string_view text);

enum class Reason {
    none,
    revocation_impossible,  // the count cannot revoke P: too many of A are out of reach, or do not vouch
    demanded_missing,       // something demanded is on nobody in reach, or nobody can bring it together
    no_candidate,           // nobody is fit to be primary
    too_few_followers,      // fewer than k could follow any candidate
    unfenced_promotion_not_allowed,  // policy none, P cannot be closed, no waiver
    record_lost_tablet_missing,      // the record is lost, and a declared tablet does not answer
    nobody_has_everything,           // the record is lost, and no tablet has all transactions
    several_writable,                // first contact: more than one writable server
    dead_acker_blocks,               // a change of policy, or a leave, needs an acker that does not answer
    too_few_ackers,                  // a policy that cannot be met by those that are there
    forbidden,                       // by the goal, or Vitess's disable_emergency_reparent
    paused,
    candidate_unfit,  // of a wish: not in reach, wrong type, errant, not restart-safe …
    candidate_lagging,
    long_transaction,
    closing_timed_out,    // 1205 or a limit
    errant,               // the tablet has errant transactions
    purged,               // P has purged what the tablet lacks
    primary_unreachable,  // something needs an answer of P
    tablet_unreachable,
    not_caught_up,  // takes time: a later pass
    would_discard,  // a CHANGE would drop what nobody else provably has
    needs_restart,  // only a restart or a person can cure it
    problem_gone,   // under the locks the problem was not there any more
    somebody_elses_lock,
    newer_record,
    not_manageable,
    lock_lost,  // the shard lock, or a lock session that the operation rests on
    store_unavailable,
    answer_lost,
};
std::string_view to_string(Reason reason);
std::expected<Reason, std::string> parse_reason(std::string_view text);

}  // namespace fixpoint
