// The verbs that recoveries are written in: idempotent, bounded, fenced by the operation. Each looks only at
// what the operation's last look showed and sends only what is missing. None retries, none cleans up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/operation.hpp"

namespace fixpoint {

// ---- replication
awaitable<void> stop_receivers(Operation& op, std::vector<TabletAlias> aliases);
// They execute all that they received, for at most `limit`. What fails to is seen in the next look.
awaitable<void> apply_received(Operation& op, std::vector<TabletAlias> aliases, Duration limit);
// True: executed within `limit`. In slices of at most a second.
awaitable<bool> wait_until_executed(Operation& op, TabletAlias alias, GtidSet set, Duration limit);
// Leads t to follow P as declared, doing only what is missing (protocol 6, CHANGE; protocol 9, acks).
awaitable<Outcome> follow_primary(Operation& op, TabletAlias alias);
// What came of a receiver that was started: its row when it runs, has stopped or cannot connect, or as it is
// at `limit`. Nothing: its server does not answer.
awaitable<std::optional<sql::ReplicaRow>> settled_receiver(Operation& op, TabletAlias alias, Duration limit);
// What only `source` has is fetched by `alias`, both of them not writable, for at most `limit`.
awaitable<bool> fetch_from(Operation& op, TabletAlias alias, TabletAlias source, GtidSet wanted,
                           Duration limit);
// CHANGE with the channel options of protocol 7.
sql::ChangeSource change_to(const Operation& op, const MysqlAddress& source, bool receiver_options_only);
// Bounded (M54); with source-side semi-sync on it may wait for an acknowledgement, and the STOP with it
// (M36).
awaitable<void> stop_applier(Operation& op, TabletAlias alias);
// By the last look, over the lock: nothing comes any more, and all that came is executed. No CHANGE can drop
// anything that anybody counts on.
bool is_at_rest(const TabletLook& look);
// What it has, read now; none: it could not be asked.
struct HasNow {
    GtidSet executed;
    GtidSet has;  // executed or received
    GtidSet unexecuted() const { return has - executed; }
};
awaitable<std::optional<HasNow>> has_now(Operation& op, TabletAlias alias);
// P answered, and its log has all of it.
bool primary_has(const Operation& op, const GtidSet& set);
awaitable<void> switch_acks(Operation& op, TabletAlias alias, bool on);
// Source-side semi-sync off on a server that is not writable, before its applier starts or goes on (M36).
awaitable<void> source_side_off(Operation& op, TabletAlias alias);

// ---- the primary
// ON(k), in order, read back (protocol 1). k = 0: off where `none` is declared. Asks first what is set now.
awaitable<Outcome> set_semi_sync(Operation& op, TabletAlias alias, int k);
// protocol 10. Refuses where the record in force does not prove that it may serve.
awaitable<Outcome> open_for_writes(Operation& op);
// protocol 5, gracefully; ends with all receivers stopped, the candidate at log(P), and the look that shows
// it.
awaitable<Outcome> close_gracefully(Operation& op, TabletAlias candidate);
// protocol 5, one deposed or sick. Leaves it read-only, out of offline mode, with nobody told of what waited.
awaitable<Outcome> close_deposed(Operation& op, TabletAlias alias);
awaitable<Outcome> make_read_only(Operation& op, TabletAlias alias);
// P has a channel: what it received is applied, the channel reset (protocol 10).
awaitable<Outcome> detach_from_source(Operation& op, TabletAlias alias);

// ---- the record
// The commit point (protocol 4): `next` and Shard in one transaction.
awaitable<void> record_primary(Operation& op, FixpointRecord next);
// Looks, opens what was just recorded and lets the others follow it meanwhile. From here on only forward.
awaitable<Outcome> open_and_follow(Operation& op);
// The same by the look on which the record rests: over the same lock sessions, the manager's own record.
awaitable<Outcome> open_and_follow_at_once(Operation& op);
// The applier of one that is at rest may stop.
awaitable<void> stop_applier_at_rest(Operation& op, TabletAlias alias);
// The last look before a commit point: the whole of protocol 4 holds for `winner`, over the same sessions.
Outcome may_commit(const ShardFacts& facts, const TabletAlias& winner);

RecordedServer recorded_server(const TabletView& t);
// Shard naming `primary`, with a start time later than every one before.
ShardRecord shard_record_for(Operation& op, const TabletAlias& primary);
// executed by k (the greater of two) vouching ackers of those that stay: log(P) as of a look after the change
// (protocol 9).
awaitable<bool> barrier(Operation& op, int k, TabletAlias leaving);

}  // namespace fixpoint
