// What reader and printer of scenarios must agree on: the keys of limits, and the words of Boot. Tables only.
#pragma once

#include <array>
#include <string_view>

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

struct LimitField {
    std::string_view key;
    Duration Limits::* member;
};

// Those that a shard's goal may change.
inline constexpr std::array<LimitField, 16> limit_fields{{
    {"replica_net_timeout_ms", &Limits::replica_net_timeout},
    {"heartbeat_period_ms", &Limits::heartbeat_period},
    {"lock_wait_timeout_of_closing_ms", &Limits::lock_wait_timeout_of_closing},
    {"connecting_ms", &Limits::connecting},
    {"statement_ms", &Limits::statement},
    {"lease_ms", &Limits::lease},
    {"candidate_lag_ms", &Limits::candidate_lag},
    {"lagging_ms", &Limits::lagging},
    {"stalled_ms", &Limits::stalled},
    {"long_transaction_ms", &Limits::long_transaction},
    {"poll_ms", &Limits::poll},
    {"poll_primary_silent_ms", &Limits::poll_primary_silent},
    {"backoff_greatest_ms", &Limits::backoff_greatest},
    {"catching_up_ms", &Limits::catching_up},
    {"applying_ms", &Limits::applying},
    {"caught_up_within_ms", &Limits::caught_up_within},
}};

inline constexpr std::array<std::string_view, 3> boot_words{"converged", "unmanaged", "blank"};
inline constexpr std::array<std::string_view, 4> verdict_words{"converged", "failed_justified", "unknown",
                                                               "violation"};

// Endpoints of the network that are no alias and no manager. "store:" is followed by a cell.
inline constexpr std::string_view endpoint_store = "store";
inline constexpr std::string_view endpoint_store_of_cell = "store:";
inline constexpr std::string_view endpoint_clients = "clients";
inline constexpr std::string_view endpoint_all = "*";

}  // namespace fixpoint::sim
