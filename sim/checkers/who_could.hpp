// Who of the servers that stay could lead the shard or follow, at the end: what the oracle's rows ask.
#pragma once

#include <vector>

#include "sim/checkers/oracle.hpp"

namespace fixpoint::sim {

const FixpointRecord* record_of(const OracleInput& in);  // null: there is none
int k_of(const OracleInput& in);
const Tablet* tablet_of(const OracleInput& in, const TabletAlias& alias);

// One that a person has forgotten is not asked, whether or not it would answer.
bool in_core(const OracleInput& in, const TabletAlias& alias);
bool cell_answers(const OracleInput& in, const TabletAlias& alias);
bool cured_from_outside(const ServerState& server);

std::vector<const ServerState*> core_servers(const OracleInput& in);
// Of them, less the recorded primary: those that could follow a new one or be it.
std::vector<const ServerState*> others(const OracleInput& in);

// There is none, or a journal of the core has a later one.
bool record_is_lost(const OracleInput& in);

// What nobody will ever apply counts as on no disk.
GtidSet usable(const ServerState& server);
GtidSet demanded_by_the_record(const OracleInput& in);

// In reach, the recorded server, and it has lost nothing: it can be opened again.
bool primary_can_be_opened(const OracleInput& in);
bool fit_to_be_primary(const OracleInput& in, const ServerState& server);

// Its replicas are told so. Whoever has no session there gets none; who has, makes room (protocol 9).
bool has_no_connection_left(const OracleInput& in, const ServerState& server);

// How many could follow `candidate` and acknowledge under `policy`. `known` only: not those whose record
// nobody can read, and that no record in force names.
int followers_of(const OracleInput& in, const ServerState& candidate, const DurabilityPolicy& policy,
                 bool known = false);

}  // namespace fixpoint::sim
