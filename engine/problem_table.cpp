// One row per problem, in the order of urgency; see problem_table.hpp. Where two rows of a tablet hold at
// once the upper one is tried first; one that backs off hides nobody.
#include "engine/problem_table.hpp"

#include <algorithm>
#include <array>

#include "engine/predicates.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "fixpoint/engine/canary.hpp"
#include "fixpoint/model/assert.hpp"

namespace fixpoint {

namespace {

using P = Problem;
using R = Recovery;

const std::array table{
    ProblemRow{P::shard_never_had_a_primary, 0, R::initialize_shard,
               "no record, no journal, no primary in Shard", rows::shard_never_had_a_primary,
               initialize_shard, true},
    ProblemRow{P::shard_to_adopt, 0, R::adopt_shard, "a shard that works and has no record in force yet",
               rows::shard_to_adopt, adopt_shard, true},
    ProblemRow{P::primary_record_lost, 0, R::recover_lost_record,
               "no record in force, or one that was set back", rows::primary_record_lost, recover_lost_record,
               true},
    ProblemRow{P::offline_mode_left_on, 0, R::leave_offline_mode,
               "a tablet is in offline mode and nobody is at work on it", rows::offline_mode_left_on,
               leave_offline_mode},
    ProblemRow{P::foreign_server_lock, 0, R::clear_foreign_lock,
               "a server or helper lock is held by somebody who does not hold the shard lock",
               rows::foreign_server_lock, clear_foreign_lock},
    ProblemRow{P::not_restart_safe, 0, R::make_restart_safe,
               "the persisted settings would let a restart open, follow or acknowledge",
               rows::not_restart_safe, make_restart_safe},
    ProblemRow{P::reparented_by_others, 0, R::record_reparent_by_others,
               "Shard names a later primary, made by somebody else", rows::reparented_by_others_row,
               record_reparent_by_others},
    ProblemRow{P::shard_record_differs, 0, R::write_shard_record,
               "Shard is empty, older than in force, or against the pin", rows::shard_record_differs,
               write_shard_record},
    ProblemRow{P::dead_primary, 0, R::emergency_reparent,
               "the primary does not answer, and every replica that does has lost it too", rows::dead_primary,
               emergency_reparent},
    ProblemRow{P::primary_listens_no_more, 0, R::ask_a_replica,
               "the primary's machine refuses connections while replicas hear it: is it going down?",
               rows::primary_listens_no_more, ask_a_replica},
    ProblemRow{P::dead_primary_and_all_replicas, 0, R::none, "nobody answers",
               rows::dead_primary_and_all_replicas, nullptr},
    ProblemRow{P::primary_is_another_server, 0, R::emergency_reparent,
               "the primary's server has another uuid than recorded", rows::primary_is_another_server,
               emergency_reparent},
    ProblemRow{P::primary_behind, 0, R::emergency_reparent,
               "the primary lacks what its term began with, or what others have", rows::primary_behind,
               emergency_reparent},
    ProblemRow{P::primary_semi_sync_weak, 0, R::strengthen_semi_sync,
               "the primary acknowledges with fewer than the policy in force needs",
               rows::primary_semi_sync_weak, strengthen_semi_sync},
    ProblemRow{P::primary_is_read_only, 0, R::open_primary, "the primary is read-only or in offline mode",
               rows::primary_is_read_only, open_primary},
    ProblemRow{P::primary_semi_sync_blocked, 0, R::unblock_primary,
               "commits wait for acknowledgements and none progresses", rows::primary_semi_sync_blocked,
               unblock_primary},
    ProblemRow{P::wrong_primary, 0, R::planned_reparent, "people want another primary than the one in force",
               rows::wrong_primary, planned_reparent},
    ProblemRow{P::stale_primary, 1, R::close_stale_primary,
               "another tablet is writable and does not follow the primary", rows::stale_primary,
               close_stale_primary},
    ProblemRow{P::replica_is_writable, 1, R::make_read_only, "a replica is writable",
               rows::replica_is_writable, make_replica_read_only},
    ProblemRow{P::primary_has_source, 1, R::detach_primary, "the primary replicates from somebody",
               rows::primary_has_source, detach_primary},
    ProblemRow{P::foreign_on_primary, 1, R::adopt_foreign,
               "the primary executed transactions of nobody's term", rows::foreign_on_primary_row,
               adopt_foreign},
    ProblemRow{P::policy_not_in_force, 2, R::change_policy,
               "the declared durability policy is not the one in force", rows::policy_not_in_force,
               change_policy},
    ProblemRow{P::acker_to_join, 2, R::join_acker, "a tablet that may acknowledge does not yet",
               rows::acker_to_join, join_acker},
    ProblemRow{P::acker_to_leave, 2, R::leave_acker, "a tablet that may not acknowledge still does",
               rows::acker_to_leave, leave_acker},
    ProblemRow{P::errant_transactions, 3, R::quarantine, "a tablet has transactions that the primary lacks",
               rows::errant_transactions, quarantine},
    ProblemRow{P::past_purged, 3, R::quarantine, "the primary has purged what a tablet lacks",
               rows::past_purged, quarantine},
    ProblemRow{P::server_id_to_renew, 3, R::renew_server_id,
               "a tablet would skip transactions that bear its own server_id", rows::server_id_to_renew_row,
               renew_server_id},
    ProblemRow{P::replica_skips, 3, R::refetch_skipped, "both threads run, and something is never executed",
               rows::replica_skips, refetch_skipped},
    ProblemRow{P::applier_failed, 3, R::fix_applier, "the applier stands on an error", rows::applier_failed,
               fix_applier},
    ProblemRow{P::replica_not_replicating, 3, R::fix_replica,
               "a standalone server that is declared a replica", rows::replica_not_replicating, fix_replica},
    ProblemRow{P::replica_wrong_source, 3, R::fix_replica, "a replica follows somebody else than the primary",
               rows::replica_wrong_source, fix_replica},
    ProblemRow{P::receiver_stopped, 3, R::fix_replica, "a receiver is stopped", rows::receiver_stopped,
               fix_replica},
    ProblemRow{P::applier_stopped, 3, R::fix_replica, "an applier is stopped without an error",
               rows::applier_stopped, fix_replica},
    ProblemRow{
        P::replica_misconfigured, 3, R::fix_replica,
        "heartbeat, retry, auto-position, time-out, or source-side semi-sync are not as they should be",
        rows::replica_misconfigured, fix_replica},
    ProblemRow{P::acks_wrong, 3, R::fix_replica,
               "acknowledgements are on where the record does not name the tablet, or not in effect as set",
               rows::acks_wrong, fix_replica},
    ProblemRow{P::not_vouching, 3, R::join_acker,
               "an acker in force has restarted since it was found complete", rows::not_vouching,
               qualify_acker},
    ProblemRow{P::journal_missing, 3, R::write_journal, "no journal row of the term and revision in force",
               rows::journal_missing, write_journal},
    ProblemRow{P::tablet_record_differs, 3, R::write_tablet_record,
               "a tablet record says something else than what is in force", rows::tablet_record_differs,
               write_tablet_record},
    ProblemRow{P::retired_may_be_cleared, 3, R::clear_retired, "retired transactions are nowhere any more",
               rows::retired_may_be_cleared, clear_retired},
    ProblemRow{P::quarantined, 4, R::none,
               "its data do not fit: set aside, or needed as it is; a person mends or rebuilds it",
               rows::quarantined, nullptr},
    ProblemRow{
        P::settings_not_loaded, 4, R::none,
        "started with persisted_globals_load=OFF: it is not restart-safe until it is restarted without",
        rows::settings_not_loaded, nullptr},
    ProblemRow{P::unreachable_primary, 4, R::none,
               "we cannot reach the primary, and nobody says that it is dead", rows::unreachable_primary,
               nullptr},
    ProblemRow{P::replica_dead, 4, R::none, "a replica does not answer", rows::replica_dead, nullptr},
    ProblemRow{P::acker_gone, 4, R::none,
               "an acker in force does not answer, or should leave and may not: it counts until then",
               rows::acker_gone, nullptr},
    ProblemRow{P::too_few_acknowledge, 4, R::none,
               "fewer tablets acknowledge than the policy in force needs: commits wait, or an undeclared "
               "server acknowledges them",
               rows::too_few_acknowledge, nullptr},
    ProblemRow{P::lagging, 4, R::none, "a replica lags", rows::lagging, nullptr},
    ProblemRow{P::invalid_tablet, 4, R::none, "two tablets have one server_id or one uuid",
               rows::invalid_tablet, nullptr},
    ProblemRow{P::not_manageable, 4, R::none, "a server that Fixpoint does not touch", rows::not_manageable,
               nullptr},
    ProblemRow{P::semi_sync_plugin_missing, 4, R::none,
               "a server without the semi-sync plugins can neither wait nor acknowledge",
               rows::semi_sync_plugin_missing, nullptr},
    ProblemRow{P::not_durable, 4, R::none, "sync_binlog or innodb_flush_log_at_trx_commit is not 1",
               rows::not_durable, nullptr},
};

bool applies(const View& view, const ProblemRow& row, bool in_force) {
    if (row.without_record || row.priority == 4) return true;  // what is only reported is always reported
    return view.fixpoint() != nullptr && in_force;
}

}  // namespace

std::span<const ProblemRow> problem_table() {
    return table;
}

const ProblemRow& row_of(Problem problem) {
    const auto it = std::find_if(table.begin(), table.end(),
                                 [&](const ProblemRow& row) { return row.problem == problem; });
    FIXPOINT_ASSERT(it != table.end(), "every problem has a row");
    return *it;
}

std::vector<ProblemKey> diagnose(const View& view) {
    std::vector<ProblemKey> found;
    if (!view.records.damage.empty()) return found;
    bool in_force =
        true;  // false: without a record, or with one that was set back, nothing else touches the shard
    for (const ProblemRow& row : table) {
        if (!applies(view, row, in_force)) continue;
        for (TabletAlias& alias : row.holds(view)) {
            if (row.without_record && !canary(Canary::acts_before_the_record)) in_force = false;
            found.push_back({row.problem, std::move(alias)});
        }
    }
    return found;
}

bool still_holds(const View& view, const ProblemKey& key) {
    const ProblemRow& row = row_of(key.problem);
    if (!row.without_record && !view.fixpoint()) return false;
    const std::vector<TabletAlias> tablets = row.holds(view);
    return std::find(tablets.begin(), tablets.end(), key.tablet) != tablets.end();
}

}  // namespace fixpoint
