// Planted weaknesses, by name: each is a rule of the protocol that is left out, so that the suite can prove
// that it would notice. They exist in the canary binary only (FIXPOINT_CANARIES); elsewhere `canary(…)` is a
// constant false and the planted branches are gone. No scenario, generator or checker may know one of these
// names.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint {

enum class Canary {
    cas_without_lock_key,
    lost_answer_is_failure,
    read_again_is_enough,
    verify_before_kill_missing,
    locks_only_on_changed_tablets,
    helpers_outlive_the_lock,
    receivers_not_stopped_in_planned,
    semi_sync_off_before_kill,
    offline_mode_off_first,
    closed_by_reading_the_variable,
    released_commits_are_demanded,
    elects_itself,
    acks_off_are_counted,
    restarted_acker_vouches,
    qualified_by_executed,
    phantom_is_received,
    drops_relay_log_and_vouches,
    mark_counts_crash_recovered,
    own_uuid_is_errant,
    leftovers_refuse,
    retired_for_ever,
    rebuilt_uuid_is_primary,
    drained_is_no_evidence,
    declared_policy_counts,
    leaves_without_barrier,
    leaves_acks_first,
    opens_on_shard_record,
    stops_then_refuses,
    lock_key_used_twice,
    any_lost_session_ends_it,
    repairs_wait_under_lock,
    nudge_writes_on_a_closed_server,
    killed_helper_is_not_awaited,
    nudge_needs_the_table,
    executed_before_owned,
    locks_without_patience,
    kills_until_none,
    journal_holds_a_lock,
    closed_though_not_restart_safe,
    demands_what_nobody_was_told,
    fetches_with_acks_off,
    durable_relay_vouches,
    change_keeps_acks_on,
    change_always_switches_acks_off,
    foreign_is_not_adopted,
    errant_uuid_not_retired,
    new_id_after_the_start,
    replica_applies_with_source_on,
    renews_without_change,
    renews_for_ever,
    stop_timeout_only_persisted,
    helper_lock_taken_late,
    net_timeout_is_the_servers,
    stop_limit_is_the_statements,
    errant_never_joins,
    old_uuid_stays_in_A,
    persisted_before_switched,
    waits_for_skipped_transactions,
    waits_for_one_that_goes_round,
    one_that_goes_round_vouches,
    semi_sync_waits_for_ackers,
    timeout_only_persisted,
    behind_but_closed_is_revoked,
    sibling_stays_acker,
    replica_releases_what_waits,
    off_but_still_acknowledging,
    barrier_counts_old_policy,
    errant_is_never_elected,
    primary_is_its_own_evidence,
    strict_is_wrong,
    leaves_without_others,
    opens_by_its_own_lock_only,
    half_way_strict_is_left,
    tightens_without_ackers,
    any_journal_counts,
    opens_without_waiting,
    opens_super_only,
    closing_by_hand_is_left,
    opens_below_the_mark,
    set_back_primary_is_believed,
    shutdown_is_waited_for,
    silence_forgets,
    lagging_never_joins,
    adopted_for_ever,
    journal_not_asked,
    opening_waits_for_a_stuck_closing,
    adopts_with_declared_policy,
    adopts_without_ackers_found,
    acts_before_the_record,
    closes_before_it_can_elect,
    repoint_discards_relay_log,
    promote_without_applying,
    fix_replica_on_stale_primary,
    lease_not_renewed,
    detached_repoint,
    retrying_receiver_counts_as_stopped,
    demotion_releases_waiting_commits,
    equal_terms_are_fine,
    refuses_everything,
    oracle_excuses_everything,
};

#ifdef FIXPOINT_CANARIES
bool canary(Canary which);              // is it planted?
void plant(std::vector<Canary> which);  // these and no other, for the whole process
std::string_view to_string(Canary which);
std::expected<Canary, std::string> parse_canary(std::string_view text);
const std::vector<Canary>& all_canaries();
#else
constexpr bool canary(Canary) {
    return false;
}
#endif

}  // namespace fixpoint
