// What `check` asks a server beyond the core's own look: whether its replication account is as it should be,
// and whether its channel is as the configuration would point it today. Each answers with what is wrong and
// the remedy, "" for nothing; each logs in once, changes nothing, and blocks for no longer than its limit and
// a moment.
#pragma once

#include <string>

#include "real_adapters/daemon/configuration.hpp"

namespace fixpoint::real {

// Logs in with the replication account.
std::string judge_replication_account(const MysqlAddress& address, const Configuration& configuration,
                                      std::chrono::nanoseconds limit);

// The core points a channel once and then leaves it: TLS and the authority are those of that time.
std::string judge_channel(const MysqlAddress& address, const Configuration& configuration,
                          std::chrono::nanoseconds limit);

}  // namespace fixpoint::real
