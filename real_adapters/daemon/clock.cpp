// See clock.hpp. Asio's timers count on CLOCK_MONOTONIC: after a suspension they end late, never early.
#include "real_adapters/daemon/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>

namespace fixpoint::real {

Instant MachineClock::now() const {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return Instant(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

WallTime MachineClock::wall_now() const {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}

awaitable<void> MachineClock::sleep_until(Instant deadline) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(std::max(deadline - now(), Duration::zero()));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

std::string to_rfc3339(WallTime time) {
    const std::time_t seconds = time.ns / 1'000'000'000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, time.ns / 1'000'000 % 1'000);
}

}  // namespace fixpoint::real
