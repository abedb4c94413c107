// One statement of the seam on one connection, blocking: rendered, sent, read, decoded. What both faces (the
// port's sessions and the blocking one) share. A server that is not MySQL is reported and gets no statement
// at all.
#pragma once

#include "fixpoint/ports/sql_statement.hpp"
#include "real_adapters/mysql/connection.hpp"
#include "real_adapters/mysql/render.hpp"

namespace fixpoint::real {

sql::Result exchange(Connection& connection, const sql::Statement& statement,
                     const ReplicationCredentials& replication);

}  // namespace fixpoint::real
