// The predicates of the problem table, one per row: pure functions over a view. Each returns the tablets of
// which the row holds; a row of the whole shard returns one empty alias. A row holds only where something can
// be done now: what merely takes time is no row.
#pragma once

#include <vector>

#include "engine/view.hpp"

namespace fixpoint::rows {

using Tablets = std::vector<TabletAlias>;

// the whole shard
Tablets shard_never_had_a_primary(const View& v);
Tablets shard_to_adopt(const View& v);
Tablets primary_record_lost(const View& v);
Tablets not_restart_safe(const View& v);
Tablets offline_mode_left_on(const View& v);
Tablets foreign_server_lock(const View& v);
Tablets reparented_by_others_row(const View& v);
Tablets shard_record_differs(const View& v);
Tablets dead_primary(const View& v);
Tablets primary_listens_no_more(const View& v);
Tablets dead_primary_and_all_replicas(const View& v);
Tablets primary_is_another_server(const View& v);
Tablets primary_behind(const View& v);
Tablets primary_semi_sync_weak(const View& v);
Tablets primary_is_read_only(const View& v);
Tablets primary_semi_sync_blocked(const View& v);
Tablets wrong_primary(const View& v);

// primaries
Tablets stale_primary(const View& v);
Tablets replica_is_writable(const View& v);
Tablets primary_has_source(const View& v);
Tablets foreign_on_primary_row(const View& v);

// policy and ackers
Tablets policy_not_in_force(const View& v);
Tablets acker_to_join(const View& v);
Tablets acker_to_leave(const View& v);

// replicas and records
Tablets journal_missing(const View& v);
Tablets tablet_record_differs(const View& v);
Tablets errant_transactions(const View& v);
Tablets past_purged(const View& v);
Tablets server_id_to_renew_row(const View& v);
Tablets replica_skips(const View& v);
Tablets applier_failed(const View& v);
Tablets replica_not_replicating(const View& v);
Tablets replica_wrong_source(const View& v);
Tablets receiver_stopped(const View& v);
Tablets applier_stopped(const View& v);
Tablets replica_misconfigured(const View& v);
Tablets acks_wrong(const View& v);
Tablets not_vouching(const View& v);
Tablets retired_may_be_cleared(const View& v);

// reported only
Tablets quarantined(const View& v);
Tablets settings_not_loaded(const View& v);
Tablets unreachable_primary(const View& v);
Tablets replica_dead(const View& v);
Tablets acker_gone(const View& v);
Tablets too_few_acknowledge(const View& v);
Tablets lagging(const View& v);
Tablets invalid_tablet(const View& v);
Tablets not_manageable(const View& v);
Tablets semi_sync_plugin_missing(const View& v);
Tablets not_durable(const View& v);

}  // namespace fixpoint::rows
