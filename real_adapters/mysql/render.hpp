// Statement -> the text that a MySQL server gets. Pure: no connection, no clock, so every text can be tested
// as text. Secrets (the replication password) enter here and nowhere earlier; what this returns is never
// logged. It refuses nothing: whether a statement may be sent is the core's decision.
#pragma once

#include <string>
#include <string_view>

#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint::real {

// What a replica logs in to its source with. Configuration of the connector: it appears in no record.
struct ReplicationCredentials {
    std::string user;
    std::string password;
    bool tls = false;         // false: GET_SOURCE_PUBLIC_KEY=1, which caching_sha2_password needs without TLS
    std::string tls_ca = {};  // a file on the servers; "": the source's certificate is not verified
};

// One packet. Where it holds several statements the server answers with several results, in order.
std::string render(const sql::Statement& statement, const ReplicationCredentials& replication);

// What every new session is set to, so that the quoting below means the same on every server.
std::string_view session_setup();

std::string literal(std::string_view text);     // 'text', for session_setup()'s sql_mode
std::string identifier(std::string_view name);  // `name`
std::string seconds_text(Duration duration);  // "0.250"; never below a millisecond (0 would mean "for ever")

}  // namespace fixpoint::real
