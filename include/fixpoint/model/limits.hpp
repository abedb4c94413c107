// Every default and every limit of the protocol, with its unit, in one place. Those marked * may be
// changed by a shard's goal (engine/records/goal_codec.cpp names them the same way with `_ms`).
#pragma once

#include <cstdint>

#include "fixpoint/model/time.hpp"

namespace fixpoint {

using namespace std::chrono_literals;

struct Limits {
    Duration replica_net_timeout = 1s;           // * a receiver notices a silent source after this
    Duration heartbeat_period = 250ms;           // * SOURCE_HEARTBEAT_PERIOD
    Duration lock_wait_timeout_of_closing = 3s;  // *
    Duration connecting = 1s;                    // * opening one session
    Duration statement = 2s;                     // * one statement, where nothing else is said
    Duration lease = 10s;                        // * the shard lock's; renewed at a third
    Duration candidate_lag = 10s;                // * a planned reparent's candidate
    Duration lagging = 30s;                      // * reported
    Duration stalled = 10s;                      // * the window of primary_stalled, and of one that goes round
    Duration long_transaction = 5s;              // * waited for before a planned reparent
    Duration poll = 1s;                          // * between passes
    Duration poll_primary_silent = 250ms;        // * while P does not answer
    Duration backoff_first = 1s;                 // doubled at each failure …
    Duration backoff_greatest = 60s;             // * … up to this
    Duration catching_up = 30s;                  // * before a planned reparent
    Duration applying = 30s;                     // * before an election
    Duration caught_up_within = 50ms;            // * of a snapshot, beyond the round trips

    Duration look_without_locks = 500ms;  // how long such a look waits for a tablet
    Duration nudge_after = 1s;            // of commits that wait and do not progress
    Duration wait_slice = 1s;             // catching up and applying are waited for in slices of this
    Duration journal_lock_wait = 1s;      // lock_wait_timeout of the look session

    static constexpr std::int64_t source_connect_retry_s = 1;
    static constexpr std::int64_t source_retry_count = 100000;
    static constexpr std::int64_t semi_sync_timeout_ms =
        1'000'000'000'000'000'000;                             // 10^18: practically infinite
    static constexpr std::int64_t stop_replica_timeout_s = 2;  // the smallest MySQL takes
    static constexpr Duration ask_forgotten_every = 10s;  // whether another server is in its place
    static constexpr std::int64_t connections_made_room =
        64;  // more than clients open within a second's retry
    static constexpr std::size_t user_lock_name_length = 64;  // M41

    // The limit of a STOP: 2 s more than the greater of rpl_stop_replica_timeout and replica_net_timeout
    // (M54).
    Duration stop() const {
        const Duration stop_timeout = std::chrono::seconds(stop_replica_timeout_s);
        return 2s + (replica_net_timeout > stop_timeout ? replica_net_timeout : stop_timeout);
    }

    bool operator==(const Limits&) const = default;
};

}  // namespace fixpoint
