// The machine's time behind the core's port: CLOCK_BOOTTIME for instants (a lease runs on while the machine
// sleeps), the wall clock for records and the history only. It never decides anything by wall time.
#pragma once

#include <string>

#include "fixpoint/ports/clock.hpp"

namespace fixpoint::real {

class MachineClock final : public Clock {
  public:
    Instant now() const override;
    WallTime wall_now() const override;
    awaitable<void> sleep_until(Instant deadline) override;
};

std::string to_rfc3339(WallTime time);  // 2026-11-25T20:38:05.123Z

}  // namespace fixpoint::real
