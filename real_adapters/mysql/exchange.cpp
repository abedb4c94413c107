// The two things beyond rendering and decoding: no lock is left behind by a closing that was refused, and no
// password by an error text that quotes the statement.
#include "real_adapters/mysql/exchange.hpp"

#include "real_adapters/mysql/decode.hpp"

namespace fixpoint::real {

namespace {

constexpr int not_supported_yet = 1235;

sql::Result answer_for_foreign_server(const Connection& connection, const sql::Statement& statement) {
    if (std::holds_alternative<sql::Look>(statement))
        return look_at_foreign_server(connection.server_version());
    return std::unexpected(sql::Error{sql::ErrorKind::server, not_supported_yet, "MariaDB is not supported"});
}

void remove_secret(std::string& text, const std::string& secret) {
    if (secret.empty()) return;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
        text.replace(at, secret.size(), "***");
    }
}

}  // namespace

sql::Result exchange(Connection& connection, const sql::Statement& statement,
                     const ReplicationCredentials& replication) {
    if (connection.is_mariadb()) return answer_for_foreign_server(connection, statement);
    RawAnswer raw = connection.query(render(statement, replication));
    // The packet stops at its first error: after 1205 this session would hold every table's lock until it
    // ends.
    if (std::holds_alternative<sql::CloseInOnePacket>(statement) && raw.error &&
        raw.error->kind == sql::ErrorKind::server) {
        const RawAnswer unlocked = connection.query("UNLOCK TABLES");
        if (unlocked.error && unlocked.error->is_maybe()) raw.error = unlocked.error;
    }
    if (raw.error) remove_secret(raw.error->text, literal(replication.password));
    if (raw.error) remove_secret(raw.error->text, replication.password);
    return decode(statement, std::move(raw));
}

}  // namespace fixpoint::real
