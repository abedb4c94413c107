// See signal.hpp: each who waits has a timer, and raising cancels them all.
#include "real_adapters/daemon/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace fixpoint::real {

void Signal::raise() {
    ++count_;
    for (boost::asio::steady_timer& timer : waiting_) timer.cancel();
}

awaitable<void> Signal::wait(int seen, Duration limit) {
    if (count_ > seen) co_return;
    const auto timer = waiting_.emplace(waiting_.end(), executor_);
    timer->expires_after(std::clamp<Duration>(limit, Duration::zero(), std::chrono::hours(24 * 365)));
    co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    waiting_.erase(timer);
}

}  // namespace fixpoint::real
