// The accounts as statements, exactly as much as is needed; and what a replication account may not have.
// Passwords are placeholders: none is printed.
#pragma once

#include <string>
#include <vector>

#include "real_adapters/daemon/configuration.hpp"

namespace fixpoint::real {

inline constexpr std::string_view manager_placeholder = "{manager password}";
inline constexpr std::string_view replication_placeholder = "{replication password}";

struct GrantsOptions {
    std::string host = "%";  // from where both log in
    bool without_primary =
        false;  // servers that have no primary yet: run on each, nothing goes to the binary log
};
// One statement each, without the semicolon.
std::vector<std::string> grant_statements(const Configuration& configuration, const GrantsOptions& options);
std::string grants_text(const Configuration& configuration, const GrantsOptions& options);

// What is wrong with the replication account on a server, with its remedy; "": nothing. Logs in with it;
// blocks for no longer than `limit` and a moment.
std::string judge_replication_account(const MysqlAddress& address, const Configuration& configuration,
                                      std::chrono::nanoseconds limit);

}  // namespace fixpoint::real
