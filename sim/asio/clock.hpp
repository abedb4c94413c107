// The core's clock in a simulated process: virtual time, seen through this process's own clock, which may
// stand apart from the scheduler's (offset), run fast or slow (drift), and whose wall time may jump.
// It refuses to let its monotonic time jump: that only a machine's wall clock does.
#pragma once

#include "fixpoint/ports/clock.hpp"
#include "sim/asio/operation.hpp"

namespace fixpoint::sim {

struct ClockSkew {
    Duration offset{};           // of now(), against the scheduler's; >= 0
    std::int64_t drift_ppm = 0;  // parts per million that it runs fast (> 0) or slow (< 0); > -1'000'000
    Duration wall_offset{};      // of wall_now()
};

class SimClock final : public Clock {
  public:
    // `wall_epoch`: the wall time when the scheduler's clock stands at Instant{}.
    SimClock(SimProcess& process, WallTime wall_epoch, ClockSkew skew = {});

    Instant now() const override;
    WallTime wall_now() const override;
    awaitable<void> sleep_until(Instant deadline) override;

    // The fault: from now on wall_now() is that much later (or earlier).
    void jump_wall(Duration by) { skew_.wall_offset += by; }

  private:
    SimProcess& process_;
    WallTime wall_epoch_;
    ClockSkew skew_;
};

}  // namespace fixpoint::sim
