// Texts of errors.
#include "sim/fakes/mysql/errors.hpp"

namespace fixpoint::sim::mysql {

namespace {
const char* text_of(int number) {
    using namespace error_number;
    switch (number) {
        case too_many_connections:
            return "Too many connections";
        case access_denied:
            return "Access denied";
        case table_unknown:
            return "Table doesn't exist";
        case database_unknown:
            return "Unknown database";
        case table_exists:
            return "Table already exists";
        case no_such_thread:
            return "Unknown thread id";
        case not_owner_of_thread:
            return "You are not owner of thread";
        case unknown_system_variable:
            return "Unknown system variable";
        case read_only_variable:
            return "Variable is a read only variable";
        case no_channel:
            return "Could not initialize the replication metadata structure";
        case lock_wait_timeout:
            return "Lock wait timeout exceeded; try restarting transaction";
        case missing_privilege:
            return "Access denied; you need the privilege for this operation";
        case option_prevents_statement:
            return "The MySQL server is running with the --super-read-only option so it cannot execute this "
                   "statement";
        case key_not_found:
            return "Can't find record";
        case duplicate_entry:
            return "Duplicate entry";
        case query_interrupted:
            return "Query execution was interrupted";
        case relay_log_init:
            return "Replica failed to initialize applier metadata structure from the repository";
        case server_shutdown:
            return "Server shutdown in progress";
        case stop_replica_timed_out:
            return "STOP REPLICA command execution is incomplete";
        case connection_metadata:
            return "Replica failed to initialize connection metadata structure";
        case receiver_must_stop:
            return "This operation cannot be performed with a running replication receiver";
        case replication_must_stop:
            return "This operation cannot be performed with running replication threads";
        case sql::error_number::offline_mode:
            return "The server is currently in offline mode";
        case user_lock_name_too_long:
            return "User-level lock name should not exceed 64 characters.";
        case server_gone:
            return "MySQL server has gone away";
        case server_lost:
            return "Lost connection to MySQL server during query";
        case cannot_connect:
            return "Can't connect to MySQL server (111)";
            return "not supported by the fake";
        default:
            return "error";
    }
}
}  // namespace

sql::Error server_error(int number) {
    return {sql::ErrorKind::server, number, text_of(number)};
}
sql::Error lost(int number) {
    return {sql::ErrorKind::lost, number, text_of(number)};
}
sql::Error refused(int number) {
    return {sql::ErrorKind::refused, number, text_of(number)};
}

}  // namespace fixpoint::sim::mysql
