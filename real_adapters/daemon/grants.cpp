// See grants.hpp. The list is what real_adapters/mysql/privileges.cpp looks for; the test takes each away in
// turn.
#include "real_adapters/daemon/grants.hpp"

#include <fmt/format.h>

#include "real_adapters/mysql/connection.hpp"

namespace fixpoint::real {

namespace {

std::string account(const std::string& user, const std::string& host) {
    return literal(user) + '@' + literal(host);
}

}  // namespace

std::vector<std::string> grant_statements(const Configuration& c, const GrantsOptions& options) {
    const std::string manager = account(c.manager.user, options.host);
    const std::string replication = account(c.replication.user, options.host);
    std::vector<std::string> statements;
    if (options.without_primary) {
        statements.emplace_back("SET SESSION sql_log_bin = 0");
        statements.emplace_back("SET GLOBAL super_read_only = OFF");
    }
    statements.push_back(
        fmt::format("CREATE USER IF NOT EXISTS {} IDENTIFIED BY '{}'", manager, manager_placeholder));
    statements.push_back(fmt::format("GRANT PROCESS, RELOAD, REPLICATION CLIENT ON *.* TO {}", manager));
    statements.push_back(
        fmt::format("GRANT SYSTEM_USER, CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN, "
                    "PERSIST_RO_VARIABLES_ADMIN, REPLICATION_SLAVE_ADMIN ON *.* TO {}",
                    manager));
    statements.push_back(fmt::format("GRANT SELECT, INSERT, CREATE ON `fixpoint`.* TO {}", manager));
    statements.push_back(fmt::format("GRANT DROP ON `fixpoint\\_nudge`.* TO {}", manager));
    statements.push_back(fmt::format("GRANT SELECT ON `mysql`.* TO {}", manager));
    statements.push_back(
        fmt::format("CREATE USER IF NOT EXISTS {} IDENTIFIED BY '{}'", replication, replication_placeholder));
    statements.push_back(fmt::format("GRANT REPLICATION SLAVE ON *.* TO {}", replication));
    if (options.without_primary) statements.emplace_back("SET GLOBAL super_read_only = @@GLOBAL.read_only");
    return statements;
}

std::string grants_text(const Configuration& configuration, const GrantsOptions& options) {
    std::string text =
        options.without_primary
            ? "-- On each server of a shard that has no primary yet; nothing goes to the binary log.\n"
            : "-- Once, on the primary; its replicas get it by replication.\n";
    text += fmt::format("-- Put the passwords in place of {} and {}: none is printed.\n", manager_placeholder,
                        replication_placeholder);
    for (const std::string& statement : grant_statements(configuration, options)) text += statement + ";\n";
    return text;
}

}  // namespace fixpoint::real
