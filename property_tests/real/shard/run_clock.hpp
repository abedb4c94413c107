// Time of one real run: nanoseconds since the clients began, as the judge counts them. Monotonic. Threads
// share it; it is set once, before they look.
#pragma once

#include <chrono>

#include "fixpoint/model/time.hpp"

namespace fixpoint::real_shards {

using namespace std::chrono_literals;

class RunClock {
  public:
    void begin() { began_ = std::chrono::steady_clock::now(); }
    Instant now() const {
        return Instant{} + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began_);
    }

  private:
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace fixpoint::real_shards
