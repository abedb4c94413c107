// The only time there is for the core: the simulator's virtual clock, or the machine's.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "fixpoint/model/time.hpp"

namespace fixpoint {

template <class T>
using awaitable = boost::asio::awaitable<T>;

class Clock {
  public:
    virtual ~Clock() = default;

    virtual Instant now() const = 0;

    // For `primary_term_start_time` and the history only.
    virtual WallTime wall_now() const = 0;

    // Returns at or after `deadline`. Throws boost::system::system_error(operation_aborted) when cancelled.
    virtual awaitable<void> sleep_until(Instant deadline) = 0;
};

}  // namespace fixpoint
