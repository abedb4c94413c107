// One process's SQLite store with an event loop of its own, and a directory that goes away with the test.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "real_adapters/sqlite/sqlite_store.hpp"

namespace fixpoint::store_contract {

using namespace std::chrono_literals;

class Directory {
  public:
    Directory();
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::filesystem::path file() const { return path_ / "topology.db"; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// CLOCK_BOOTTIME, as a manager's clock.
class BootClock final : public Clock {
  public:
    explicit BootClock(std::function<Duration()> now) : now_(std::move(now)) {}
    Instant now() const override { return Instant(now_()); }
    WallTime wall_now() const override { return {}; }
    awaitable<void> sleep_until(Instant) override;

  private:
    std::function<Duration()> now_;
};

Duration boot_now();

class Solo {
  public:
    Solo(const std::filesystem::path& file, real::SqliteOptions options);

    real::SqliteStore& store() { return *store_; }
    void end_store() { store_.reset(); }
    const Clock& clock() const { return clock_; }
    boost::asio::io_context& loop() { return loop_; }

    // Runs the loop until the call has ended, and throws what it threw.
    template <class T>
    T await(awaitable<T> call) {
        std::optional<T> result;
        std::exception_ptr failed;
        bool ended = false;
        boost::asio::co_spawn(loop_, std::move(call), [&](std::exception_ptr error, T value) {
            failed = error;
            if (!error) result.emplace(std::move(value));
            ended = true;
        });
        run_while([&] { return !ended; });
        if (failed) std::rethrow_exception(failed);
        return std::move(result).value();
    }
    void run_while(const std::function<bool()>& holds);
    bool run_until(const std::function<bool()>& holds, Duration limit = 10s);

    // The usual calls, with a success that is not in question.
    topo::Version put(const std::string& path, const std::string& bytes, topo::Version expected);
    topo::LockKey lock(const std::string& path, Duration lease);

  private:
    boost::asio::io_context loop_;
    BootClock clock_;
    std::unique_ptr<real::SqliteStore> store_;
};

inline real::SqliteOptions creating() {
    real::SqliteOptions options;
    options.create = true;
    return options;
}

}  // namespace fixpoint::store_contract
