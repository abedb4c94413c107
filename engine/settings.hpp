// Restart-safe settings and ON(k): which variables a server must have persisted, and which it must have at
// run time as a source (protocol 1 and 7). Pure.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "fixpoint/model/limits.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint {

using Setting = std::pair<sql::Variable, std::int64_t>;

std::int64_t whole_seconds(Duration d);  // rounded up, at least 1

// What differs from protocol 7 in the persisted settings, in the order in which it is set. A server without
// the semi-sync plugins is not asked for their settings.
std::vector<Setting> settings_to_persist(const sql::ServerRow& server,
                                         const sql::PersistedVariables& persisted, const Limits& limits);

// What of ON(k) is missing at run time, in this order: wait point, count, time-out, no replica, enabled last.
std::vector<Setting> semi_sync_to_set(const sql::ServerRow& server, int k);

bool semi_sync_is_on(const sql::ServerRow& server, int k);           // exactly ON(k)
bool semi_sync_is_weaker_than(const sql::ServerRow& server, int k);  // a commit may pass with fewer than k
bool semi_sync_is_stricter_than(const sql::ServerRow& server,
                                int k);  // ON with a count above k, or ON where k = 0

}  // namespace fixpoint
