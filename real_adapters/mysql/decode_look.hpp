// What a server says of itself: the packet of a look, and its parts that are asked for alone.
#pragma once

#include <vector>

#include "fixpoint/ports/sql_statement.hpp"
#include "real_adapters/mysql/rows.hpp"

namespace fixpoint::real {

// They throw what answer_fields.hpp throws.
sql::LookAnswer look_answer(const RawAnswer& answer);
std::vector<sql::ReplicaRow> replica_answer(const RawAnswer& answer);
sql::LockHolders lock_holders(const Rows& rows);

// The heartbeats come last in their packet: where their table may not be read they stay unknown, and nothing
// else is.
bool lacks_only_heartbeats(const sql::Statement& statement, const RawAnswer& answer);

}  // namespace fixpoint::real
