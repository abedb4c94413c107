// Is a shard as declared? A state, judged at any moment, clause by clause, from what servers and stores would
// answer. Why: convergence, "left alone" and justified failures all rest on this one list.
// It refuses to know how the core decides: no predicate of the core is used here, and nothing of a manager's
// memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/model/durability.hpp"
#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/sim/state.hpp"

namespace fixpoint::sim {

enum class ClauseName {
    one_primary_named,        // Shard and Fixpoint name one primary, the same, and the one that the goal pins
    primary_uuid,             // its server has the recorded uuid
    primary_serves,           // up, both read-only flags off, no offline mode, no closing pending, no channel
    primary_semi_sync,        // ON(k) whole; with `none` source-side semi-sync off
    primary_foreign,          // all that P executed is its own, of `opened_at`, or recorded as adopted
    policy_in_force,          // the declared one
    acker_missing,            // a tablet that may acknowledge is not in A
    acker_extra,              // one in A may not
    tablet_answers,           // up, not paused, manageable, its record readable
    tablet_read_only,         // both flags on, no closing pending, no offline mode
    tablet_receives,          // one channel, from P, both threads running
    tablet_acks,              // acknowledgements exactly as A says, in effect
    tablet_channel,           // heartbeat, retry, auto-position as the protocol has them
    tablet_source_semi_sync,  // off
    tablet_server_id,         // none that would be renewed
    tablet_errant,            // nothing that P lacks
    tablet_skips,             // nothing that P has is passed over
    tablet_plugins,           // the semi-sync plugins, where the policy needs ackers
    settings_at_run_time,     // replica_net_timeout, rpl_stop_replica_timeout
    settings_persisted,
    tablet_record,     // type and time say what is in force
    retired_kept,      // `retired` names nothing that could be cleared
    journal,           // P's journal has the (term, revision)
    lock_of_the_dead,  // no lock, of the store or a server, whose holder is dead
};
std::string_view to_string(ClauseName name);

struct Clause {  // one that does not hold
    ClauseName name{};
    TabletAlias tablet;  // none: the shard's
    std::string text;    // what was found, for a person
    bool operator==(const Clause&) const = default;
};
std::string to_string(const Clause& clause);

// Every clause that does not hold, in the order of the enumeration within a tablet, shard-wide ones first.
// Empty: as declared. Tablets outside of the core are not judged, save for their records, their places in A,
// and P itself.
std::vector<Clause> as_declared(const WorldState& state);

// ---- facts that several judges read off a state

// t may acknowledge `primary`'s commits under `policy`, by its declared type and cell.
bool may_acknowledge(const DurabilityPolicy& policy, const TabletAlias& primary, const Tablet& t);
GtidSet has(const ServerState& server);          // executed, and received whole
bool alive(const ServerState& server);           // would answer: up, not paused, not starting
bool writable(const ServerState& server);        // to anybody: super_read_only is not true
bool is_open(const ServerState& server);         // both flags off, no offline mode; perhaps paused
bool serves_clients(const ServerState& server);  // alive and open
bool configured_for(const ServerState& server,
                    const FixpointRecord& record);  // one default channel, P's address
// Executed or received, and attributable to nobody that the record knows.
GtidSet errant_on(const ServerState& server, const WorldState& state);
// The applier stands on an error that only a person can mend (1062, 1032, 1049 …): not a torn or lost relay
// log.
bool on_data_error(const ServerState& server);
// P has purged something that the server lacks.
bool past_is_purged(const ServerState& server, const ServerState& primary);
// Of this shard and of a server of it; another one was restored from elsewhere.
bool counts(const sql::JournalRow& row, const WorldState& state);
std::int64_t net_timeout_s(const Limits& limits);  // MySQL takes whole seconds: rounded up, at least 1
// Of this shard no more: people deleted its record, and nothing in force names it as an acker.
bool is_undeclared(const WorldState& state, const TabletAlias& alias);
bool forgotten(const WorldState& state,
               const TabletAlias& alias);  // a person said that this very server is gone
bool restart_safe(const ServerState& server, const Limits& limits);
Limits limits_of(const WorldState& state);

}  // namespace fixpoint::sim
