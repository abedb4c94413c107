// The words of problems, recoveries, reasons and event kinds: what tables, histories, scenarios and reports
// write. A word is its enumerator's name, letter by letter, so that a report can be searched for in the
// sources. Words only: what a problem means and what cures it stands in engine/problem_table.cpp.
#include "fixpoint/model/problem.hpp"

#include "engine/model/names.hpp"
#include "fixpoint/ports/event_log.hpp"

namespace fixpoint {

namespace {

constexpr std::array<Name<Problem>, 54> problems{{
    {Problem::shard_never_had_a_primary, "shard_never_had_a_primary"},
    {Problem::shard_to_adopt, "shard_to_adopt"},
    {Problem::primary_record_lost, "primary_record_lost"},
    {Problem::not_restart_safe, "not_restart_safe"},
    {Problem::offline_mode_left_on, "offline_mode_left_on"},
    {Problem::foreign_server_lock, "foreign_server_lock"},
    {Problem::reparented_by_others, "reparented_by_others"},
    {Problem::shard_record_differs, "shard_record_differs"},
    {Problem::dead_primary, "dead_primary"},
    {Problem::primary_listens_no_more, "primary_listens_no_more"},
    {Problem::dead_primary_and_all_replicas, "dead_primary_and_all_replicas"},
    {Problem::primary_is_another_server, "primary_is_another_server"},
    {Problem::primary_behind, "primary_behind"},
    {Problem::primary_semi_sync_weak, "primary_semi_sync_weak"},
    {Problem::primary_is_read_only, "primary_is_read_only"},
    {Problem::primary_semi_sync_blocked, "primary_semi_sync_blocked"},
    {Problem::primary_stalled, "primary_stalled"},
    {Problem::wrong_primary, "wrong_primary"},
    {Problem::stale_primary, "stale_primary"},
    {Problem::replica_is_writable, "replica_is_writable"},
    {Problem::primary_has_source, "primary_has_source"},
    {Problem::foreign_on_primary, "foreign_on_primary"},
    {Problem::policy_not_in_force, "policy_not_in_force"},
    {Problem::acker_to_join, "acker_to_join"},
    {Problem::acker_to_leave, "acker_to_leave"},
    {Problem::journal_missing, "journal_missing"},
    {Problem::tablet_record_differs, "tablet_record_differs"},
    {Problem::errant_transactions, "errant_transactions"},
    {Problem::past_purged, "past_purged"},
    {Problem::server_id_to_renew, "server_id_to_renew"},
    {Problem::replica_skips, "replica_skips"},
    {Problem::applier_failed, "applier_failed"},
    {Problem::replica_not_replicating, "replica_not_replicating"},
    {Problem::replica_wrong_source, "replica_wrong_source"},
    {Problem::receiver_stopped, "receiver_stopped"},
    {Problem::applier_stopped, "applier_stopped"},
    {Problem::replica_misconfigured, "replica_misconfigured"},
    {Problem::acks_wrong, "acks_wrong"},
    {Problem::not_vouching, "not_vouching"},
    {Problem::retired_may_be_cleared, "retired_may_be_cleared"},
    {Problem::quarantined, "quarantined"},
    {Problem::settings_not_loaded, "settings_not_loaded"},
    {Problem::unreachable_primary, "unreachable_primary"},
    {Problem::replica_dead, "replica_dead"},
    {Problem::acker_gone, "acker_gone"},
    {Problem::too_few_acknowledge, "too_few_acknowledge"},
    {Problem::lagging, "lagging"},
    {Problem::invalid_tablet, "invalid_tablet"},
    {Problem::not_manageable, "not_manageable"},
    {Problem::semi_sync_plugin_missing, "semi_sync_plugin_missing"},
    {Problem::not_durable, "not_durable"},
    {Problem::store_locked, "store_locked"},
    {Problem::no_failover_possible, "no_failover_possible"},
    {Problem::privileged_clients, "privileged_clients"},
}};

constexpr std::array<Name<Recovery>, 30> recoveries{{
    {Recovery::none, "none"},
    {Recovery::initialize_shard, "initialize_shard"},
    {Recovery::adopt_shard, "adopt_shard"},
    {Recovery::recover_lost_record, "recover_lost_record"},
    {Recovery::make_restart_safe, "make_restart_safe"},
    {Recovery::leave_offline_mode, "leave_offline_mode"},
    {Recovery::clear_foreign_lock, "clear_foreign_lock"},
    {Recovery::record_reparent_by_others, "record_reparent_by_others"},
    {Recovery::write_shard_record, "write_shard_record"},
    {Recovery::emergency_reparent, "emergency_reparent"},
    {Recovery::planned_reparent, "planned_reparent"},
    {Recovery::strengthen_semi_sync, "strengthen_semi_sync"},
    {Recovery::open_primary, "open_primary"},
    {Recovery::unblock_primary, "unblock_primary"},
    {Recovery::close_stale_primary, "close_stale_primary"},
    {Recovery::make_read_only, "make_read_only"},
    {Recovery::ask_a_replica, "ask_a_replica"},
    {Recovery::detach_primary, "detach_primary"},
    {Recovery::adopt_foreign, "adopt_foreign"},
    {Recovery::change_policy, "change_policy"},
    {Recovery::join_acker, "join_acker"},
    {Recovery::leave_acker, "leave_acker"},
    {Recovery::write_journal, "write_journal"},
    {Recovery::write_tablet_record, "write_tablet_record"},
    {Recovery::quarantine, "quarantine"},
    {Recovery::renew_server_id, "renew_server_id"},
    {Recovery::refetch_skipped, "refetch_skipped"},
    {Recovery::fix_applier, "fix_applier"},
    {Recovery::fix_replica, "fix_replica"},
    {Recovery::clear_retired, "clear_retired"},
}};

constexpr std::array<Name<Reason>, 31> reasons{{
    {Reason::none, "none"},
    {Reason::revocation_impossible, "revocation_impossible"},
    {Reason::demanded_missing, "demanded_missing"},
    {Reason::no_candidate, "no_candidate"},
    {Reason::too_few_followers, "too_few_followers"},
    {Reason::unfenced_promotion_not_allowed, "unfenced_promotion_not_allowed"},
    {Reason::record_lost_tablet_missing, "record_lost_tablet_missing"},
    {Reason::nobody_has_everything, "nobody_has_everything"},
    {Reason::several_writable, "several_writable"},
    {Reason::dead_acker_blocks, "dead_acker_blocks"},
    {Reason::too_few_ackers, "too_few_ackers"},
    {Reason::forbidden, "forbidden"},
    {Reason::paused, "paused"},
    {Reason::candidate_unfit, "candidate_unfit"},
    {Reason::candidate_lagging, "candidate_lagging"},
    {Reason::long_transaction, "long_transaction"},
    {Reason::closing_timed_out, "closing_timed_out"},
    {Reason::errant, "errant"},
    {Reason::purged, "purged"},
    {Reason::primary_unreachable, "primary_unreachable"},
    {Reason::tablet_unreachable, "tablet_unreachable"},
    {Reason::not_caught_up, "not_caught_up"},
    {Reason::would_discard, "would_discard"},
    {Reason::needs_restart, "needs_restart"},
    {Reason::problem_gone, "problem_gone"},
    {Reason::somebody_elses_lock, "somebody_elses_lock"},
    {Reason::newer_record, "newer_record"},
    {Reason::not_manageable, "not_manageable"},
    {Reason::lock_lost, "lock_lost"},
    {Reason::store_unavailable, "store_unavailable"},
    {Reason::answer_lost, "answer_lost"},
}};

constexpr std::array<Name<EventKind>, 10> event_kinds{{
    {EventKind::looked, "looked"},
    {EventKind::recovery_began, "recovery_began"},
    {EventKind::step, "step"},
    {EventKind::recovery_succeeded, "recovery_succeeded"},
    {EventKind::recovery_refused, "recovery_refused"},
    {EventKind::recovery_failed, "recovery_failed"},
    {EventKind::commit_point, "commit_point"},
    {EventKind::reported, "reported"},
    {EventKind::lock_taken, "lock_taken"},
    {EventKind::lock_released, "lock_released"},
}};

}  // namespace

std::string_view to_string(Problem problem) {
    return word_of(problems, problem);
}
std::expected<Problem, std::string> parse_problem(std::string_view text) {
    return value_of(problems, text, "problem");
}

std::string_view to_string(Recovery recovery) {
    return word_of(recoveries, recovery);
}
std::expected<Recovery, std::string> parse_recovery(std::string_view text) {
    return value_of(recoveries, text, "recovery");
}

std::string_view to_string(Reason reason) {
    return word_of(reasons, reason);
}
std::expected<Reason, std::string> parse_reason(std::string_view text) {
    return value_of(reasons, text, "reason");
}

std::string_view to_string(EventKind kind) {
    return word_of(event_kinds, kind);
}

}  // namespace fixpoint
