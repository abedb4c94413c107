// Time as the core knows it: a monotonic instant and durations, both in nanoseconds. The epoch of an
// Instant means nothing; only differences do. Wall-clock time exists in one place only, the
// `primary_term_start_time` that Vitess's readers expect, and is a plain count of nanoseconds there.
#pragma once

#include <chrono>
#include <cstdint>

namespace fixpoint {

using Duration = std::chrono::nanoseconds;

struct MonotonicTime {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<MonotonicTime, duration>;
    static constexpr bool is_steady = true;
};

using Instant = MonotonicTime::time_point;

constexpr std::int64_t to_ms(Duration d) { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }
constexpr std::int64_t to_ms(Instant t) { return to_ms(t.time_since_epoch()); }

// Nanoseconds since 1970, for records only. Never used to decide anything.
struct WallTime {
    std::int64_t ns = 0;
    auto operator<=>(const WallTime&) const = default;
};

}  // namespace fixpoint
