// A count that coroutines of one executor can wait for: requests to stop, events of a manager. It starts no
// thread and knows no process signal.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>

#include "fixpoint/ports/clock.hpp"

namespace fixpoint::real {

class Signal {
  public:
    explicit Signal(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    void raise();
    int count() const { return count_; }

    // Returns when raise() has been called more than `seen` times, or after `limit`.
    awaitable<void> wait(int seen, Duration limit);

  private:
    boost::asio::any_io_executor executor_;
    std::list<boost::asio::steady_timer> waiting_;
    int count_ = 0;
};

}  // namespace fixpoint::real
