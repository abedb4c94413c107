// Virtual time as a process's own clock shows it.
// Integer arithmetic only, so that every machine sees the same nanoseconds.
#include "sim/asio/clock.hpp"

#include <algorithm>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {

namespace {
constexpr std::int64_t million = 1'000'000;
__extension__ using Wide = __int128;
}  // namespace

SimClock::SimClock(SimProcess& process, WallTime wall_epoch, ClockSkew skew)
    : process_(process), wall_epoch_(wall_epoch), skew_(skew) {
    FIXPOINT_ASSERT(skew.drift_ppm > -million, "a clock that stands still");
}

Instant SimClock::now() const {
    const Duration elapsed = process_.scheduler().now().time_since_epoch();
    const auto drift = static_cast<std::int64_t>(Wide{elapsed.count()} * skew_.drift_ppm / million);
    return Instant(elapsed + Duration(drift) + skew_.offset);
}

WallTime SimClock::wall_now() const {
    const Duration shown = now().time_since_epoch() - skew_.offset + skew_.wall_offset;
    return WallTime{wall_epoch_.ns + shown.count()};
}

awaitable<void> SimClock::sleep_until(Instant deadline) {
    // Rounded up, that is enough: now() advances by more than left - 1 whole nanoseconds, so by left or more.
    const Wide pace = million + skew_.drift_ppm;
    const Instant start = process_.scheduler().now();
    const Wide left = std::max(Duration::zero(), deadline - now()).count();
    const Wide true_left =
        std::min((left * million + pace - 1) / pace, Wide{(Instant::max() - start).count()});
    co_await sim::sleep_until(process_, start + Duration(static_cast<std::int64_t>(true_left)));
}

}  // namespace fixpoint::sim
