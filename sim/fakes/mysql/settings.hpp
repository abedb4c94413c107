// A server's variables: what the configuration file says, what was persisted, and what is in effect. Rules of
// single variables (a count of 0 becomes 1, M42; a server_id is cut to 32 bits, M55) are here; what setting
// one *does* (closing, switching semi-sync off) is not.
#pragma once

#include <array>
#include <cstdint>

#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint::sim::mysql {

inline constexpr std::size_t variable_count = static_cast<std::size_t>(sql::Variable::relay_log_recovery) + 1;

class Settings {
  public:
    Settings();
    std::int64_t get(sql::Variable variable) const { return values_[static_cast<std::size_t>(variable)]; }
    bool on(sql::Variable variable) const { return get(variable) != 0; }
    void set(sql::Variable variable, std::int64_t value) {
        values_[static_cast<std::size_t>(variable)] = clamped(variable, value);
    }
    static std::int64_t clamped(sql::Variable variable, std::int64_t value);
    static bool is_semi_sync(sql::Variable variable);
    static bool is_read_only_variable(sql::Variable variable);  // 1238 at run time; may be persisted

  private:
    std::array<std::int64_t, variable_count> values_{};
};

// How a process is started: its configuration file and command line.
struct StartOptions {
    bool skip_replica_start = true;
    bool super_read_only = true;  // and read_only
    bool relay_log_recovery = false;
    bool persisted_globals_load = true;
    bool semi_sync_plugins = true;
    bool semi_sync_source_enabled = false;
    bool semi_sync_replica_enabled = false;
    std::int64_t semi_sync_source_timeout_ms = 10'000;
    std::int64_t replica_net_timeout_s = 60;
    std::int64_t stop_replica_timeout_s = 31'536'000;
    std::int64_t flush_log_at_trx_commit = 1;
    std::int64_t sync_binlog = 1;
    std::int64_t max_connections = 151;
    std::int64_t server_id = 1;
    bool operator==(const StartOptions&) const = default;
};

// What is in effect after a start: defaults, then the configuration, then what was persisted (M22, M35).
Settings settings_at_start(const StartOptions& options, const sql::PersistedVariables& persisted);

}  // namespace fixpoint::sim::mysql
