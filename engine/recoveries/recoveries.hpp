// The recoveries, one coroutine each: what a row of the problem table does about it. Each reads as a runbook:
// steps one after the other, no retry, no clean-up, no catch. `op.key().tablet` is the subject.
#pragma once

#include "engine/operation.hpp"

namespace fixpoint {

// first_contact.cpp (protocol 11)
awaitable<Outcome> initialize_shard(Operation& op);
awaitable<Outcome> adopt_shard(Operation& op);
awaitable<Outcome> recover_lost_record(Operation& op);
awaitable<Outcome> record_reparent_by_others(Operation& op);
awaitable<Outcome> write_shard_record(Operation& op);

// reparent.cpp
awaitable<Outcome> emergency_reparent(Operation& op);
awaitable<Outcome> planned_reparent(Operation& op);

// primary.cpp
awaitable<Outcome> open_primary(Operation& op);
awaitable<Outcome> strengthen_semi_sync(Operation& op);
awaitable<Outcome> unblock_primary(Operation& op);
awaitable<Outcome> ask_a_replica(Operation& op);
awaitable<Outcome> detach_primary(Operation& op);
awaitable<Outcome> adopt_foreign(Operation& op);

// servers.cpp
awaitable<Outcome> make_restart_safe(Operation& op);
awaitable<Outcome> leave_offline_mode(Operation& op);
awaitable<Outcome> clear_foreign_lock(Operation& op);
awaitable<Outcome> close_stale_primary(Operation& op);
awaitable<Outcome> make_replica_read_only(Operation& op);

// ackers.cpp (protocol 6, 9)
awaitable<Outcome> change_policy(Operation& op);
awaitable<Outcome> join_acker(Operation& op);
awaitable<Outcome> leave_acker(Operation& op);
awaitable<Outcome> qualify_acker(Operation& op);
awaitable<Outcome> write_journal(Operation& op);

// replicas.cpp
awaitable<Outcome> fix_replica(Operation& op);
awaitable<Outcome> renew_server_id(Operation& op);
awaitable<Outcome> refetch_skipped(Operation& op);
awaitable<Outcome> fix_applier(Operation& op);
awaitable<Outcome> quarantine(Operation& op);
awaitable<Outcome> clear_retired(Operation& op);
awaitable<Outcome> write_tablet_record(Operation& op);

// Shared by them: takes the server locks on the subject (and on P where asked), looks, and says whether the
// row still holds; refused(problem_gone) where it does not.
awaitable<Outcome> lock_and_look(Operation& op, bool primary_too);
awaitable<Outcome> lock_all_and_look(Operation& op);
// Out of A with the barrier (protocol 9); receiver stopped and acks off at its end.
awaitable<Outcome> take_out_of_ackers(Operation& op, TabletAlias alias);
// The refusal of an emergency: by what is in force it is one of two reasons.
Outcome not_revoked(const ShardFacts& facts, const Revocation& revoked);
// What can be known without touching anything (protocol 11): the reason to refuse at once, if there is one.
Outcome emergency_reparent_possible(const ShardFacts& facts);
Outcome planned_reparent_possible(const View& view);
Outcome first_contact_possible(const View& view, FirstContact kind);

}  // namespace fixpoint
