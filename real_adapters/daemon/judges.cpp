// See judges.hpp. Only privileges, files and switches are repeated, never the name of an account or a
// database.
#include "real_adapters/daemon/judges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "real_adapters/mysql/connection.hpp"

namespace fixpoint::real {

namespace {

std::string judge_grants(const Rows& grants) {
    bool may_replicate = false;
    std::string too_much;
    for (const auto& row : grants.rows) {
        const std::string grant = row.at(0).value_or("");
        const std::string list = grant.substr(0, grant.find(" ON "));
        const bool everything = grant.starts_with("GRANT ALL PRIVILEGES ON *.*");
        may_replicate = may_replicate || everything || list.find("REPLICATION SLAVE") != std::string::npos;
        for (const char* privilege : {"CONNECTION_ADMIN", "SUPER"}) {
            if (everything || list.find(privilege) != std::string::npos) too_much = privilege;
        }
    }
    if (!may_replicate)
        return "the replication account lacks REPLICATION SLAVE ON *.*; GRANT it (`fixpoint grants`)";
    if (too_much.empty()) return {};
    return fmt::format(
        "the replication account has {}, with which a replica gets past the fence of a closed primary; "
        "REVOKE it",
        too_much);
}

RawAnswer ask(Connection& connection, const char* query, std::chrono::nanoseconds limit) {
    auto work = std::async(std::launch::async, [&] { return connection.query(query); });
    if (work.wait_for(limit) != std::future_status::ready) connection.break_off();
    return work.get();
}

std::string field(const Rows& rows, const char* column) {
    const auto at = std::ranges::find(rows.columns, column) - rows.columns.begin();
    const std::vector<Field>& row = rows.rows.front();
    return static_cast<std::size_t>(at) < row.size() ? row[static_cast<std::size_t>(at)].value_or("") : "";
}

}  // namespace

std::string judge_replication_account(const MysqlAddress& address, const Configuration& c,
                                      std::chrono::nanoseconds limit) {
    Login login = c.manager;
    login.user = c.replication.user;
    login.password = c.replication.password;
    if (c.replication.tls) login.tls = Tls::required;
    const auto connection = Connection::open(address, login, limit);
    if (!connection)
        return fmt::format(
            "the replication account cannot log in: {} {}; create it (`fixpoint grants`){}",
            connection.error().number, connection.error().text,
            c.replication.tls ? ", or set replication.tls to false where servers offer no TLS" : "");
    const RawAnswer answer = ask(**connection, "SHOW GRANTS", limit);
    if (answer.error) return "the replication account cannot read its grants: " + answer.error->text;
    return judge_grants(answer.results.at(0));
}

std::string judge_channel(const MysqlAddress& address, const Configuration& c,
                          std::chrono::nanoseconds limit) {
    const auto connection = Connection::open(address, c.manager, limit);
    if (!connection) return {};  // whether the manager gets in is the core's look
    const RawAnswer answer = ask(**connection, "SHOW REPLICA STATUS", limit);
    if (answer.error || answer.results.empty() || answer.results.front().rows.size() != 1) return {};
    const Rows& channel = answer.results.front();
    const bool tls = field(channel, "Source_SSL_Allowed") == "Yes";
    const std::string ca = field(channel, "Source_SSL_CA_File");
    constexpr const char* remedy =
        "a channel keeps what it was pointed with; `fixpoint reparent` points every replica anew";
    if (tls != c.replication.tls)
        return fmt::format("its channel uses {}, the configuration says replication.tls = {}: {}",
                           tls ? "TLS" : "no TLS", c.replication.tls, remedy);
    if (tls && ca != c.replication.tls_ca)
        return fmt::format(
            "its channel verifies its source by {}, the configuration says replication.tls_ca = {}: {}",
            ca.empty() ? "no authority" : ca, c.replication.tls_ca.empty() ? "none" : c.replication.tls_ca,
            remedy);
    return {};
}

}  // namespace fixpoint::real
