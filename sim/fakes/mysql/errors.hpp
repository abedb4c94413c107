// MySQL's errors as values, with texts that begin as the server's do. Numbers that the seam names come from
// there; the others are here.
#pragma once

#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint::sim::mysql {

namespace error_number {
using namespace sql::error_number;
inline constexpr int table_exists = 1050;
inline constexpr int server_shutdown = 1053;
inline constexpr int not_owner_of_thread = 1095;
inline constexpr int read_only_variable = 1238;
inline constexpr int query_interrupted = 1317;
inline constexpr int receiver_must_stop = 3021;
inline constexpr int replication_must_stop = 3081;
inline constexpr int connection_metadata = 1871;
}  // namespace error_number

sql::Error server_error(int number);
sql::Error lost(int number = error_number::server_lost);
sql::Error refused(int number);

}  // namespace fixpoint::sim::mysql
