// Defaults of MySQL 9.7, and the order in which a start reads its sources.
#include "sim/fakes/mysql/settings.hpp"

#include <algorithm>

namespace fixpoint::sim::mysql {

using sql::Variable;

Settings::Settings() {
    set(Variable::rpl_semi_sync_source_timeout, 10'000);
    set(Variable::rpl_semi_sync_source_wait_no_replica, 1);
    set(Variable::rpl_semi_sync_source_wait_for_replica_count, 1);
    set(Variable::replica_net_timeout, 60);
    set(Variable::rpl_stop_replica_timeout, 31'536'000);
    set(Variable::max_connections, 151);
    set(Variable::server_id, 1);
}

std::int64_t Settings::clamped(Variable variable, std::int64_t value) {
    switch (variable) {
        case Variable::rpl_semi_sync_source_wait_for_replica_count:
            return std::clamp<std::int64_t>(value, 1, 65'535);
        case Variable::rpl_semi_sync_source_timeout:
            return std::max<std::int64_t>(value, 0);
        case Variable::server_id:
            return std::clamp<std::int64_t>(value, 0, 4'294'967'295);
        case Variable::replica_net_timeout:
            return std::clamp<std::int64_t>(value, 1, 31'536'000);
        case Variable::rpl_stop_replica_timeout:
            return std::clamp<std::int64_t>(value, 2, 31'536'000);
        case Variable::max_connections:
            return std::clamp<std::int64_t>(value, 1, 100'000);
        default:
            return value;
    }
}

bool Settings::is_semi_sync(Variable variable) {
    switch (variable) {
        case Variable::rpl_semi_sync_source_enabled:
        case Variable::rpl_semi_sync_source_timeout:
        case Variable::rpl_semi_sync_source_wait_no_replica:
        case Variable::rpl_semi_sync_source_wait_for_replica_count:
        case Variable::rpl_semi_sync_source_wait_point:
        case Variable::rpl_semi_sync_replica_enabled:
            return true;
        default:
            return false;
    }
}

bool Settings::is_read_only_variable(Variable variable) {
    return variable == Variable::skip_replica_start || variable == Variable::relay_log_recovery;
}

Settings settings_at_start(const StartOptions& options, const sql::PersistedVariables& persisted) {
    Settings settings;
    settings.set(Variable::skip_replica_start, options.skip_replica_start);
    settings.set(Variable::super_read_only, options.super_read_only);
    settings.set(Variable::read_only, options.super_read_only);
    settings.set(Variable::relay_log_recovery, options.relay_log_recovery);
    settings.set(Variable::rpl_semi_sync_source_enabled, options.semi_sync_source_enabled);
    settings.set(Variable::rpl_semi_sync_replica_enabled, options.semi_sync_replica_enabled);
    settings.set(Variable::rpl_semi_sync_source_timeout, options.semi_sync_source_timeout_ms);
    settings.set(Variable::replica_net_timeout, options.replica_net_timeout_s);
    settings.set(Variable::rpl_stop_replica_timeout, options.stop_replica_timeout_s);
    settings.set(Variable::max_connections, options.max_connections);
    settings.set(Variable::server_id, options.server_id);
    if (options.persisted_globals_load) {
        for (const auto& [variable, value] : persisted) settings.set(variable, value);
    }
    if (settings.on(Variable::super_read_only)) settings.set(Variable::read_only, 1);
    if (!options.semi_sync_plugins) {
        settings.set(Variable::rpl_semi_sync_source_enabled, 0);
        settings.set(Variable::rpl_semi_sync_replica_enabled, 0);
    }
    return settings;
}

}  // namespace fixpoint::sim::mysql
