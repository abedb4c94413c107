// Measures the scheduler alone, and round trips of coroutines over the network.
// Best of three: the machine's other work can only slow a run down.
#include <algorithm>
#include <chrono>
#include <functional>

#include "sim/asio/executor.hpp"
#include "sim/asio/operation.hpp"
#include "sim/bench/bench.hpp"
#include "sim/core/network.hpp"

namespace fixpoint::sim {

namespace {

double seconds_taken(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double best_rate(double count, const std::function<void()>& work) {
    double best = 0;
    for (int i = 0; i < 3; ++i) best = std::max(best, count / seconds_taken(work));
    return best;
}

// 64 processes, each with a timer that sets itself again.
struct Ticker {
    Scheduler* scheduler;
    Process* process;
    Duration period;
    void operator()() const { scheduler->after(*process, period, *this); }
};

void run_timers(std::uint64_t events) {
    Chooser chooser(1);
    Scheduler scheduler(chooser);
    for (int i = 0; i < 64; ++i) {
        Process& process = scheduler.add_process("p");
        const Ticker ticker{&scheduler, &process, std::chrono::microseconds(1000 + 7 * i)};
        scheduler.post(process, ticker);
    }
    while (scheduler.counters().events < events) scheduler.step();
}

struct RoundTrips {
    Chooser chooser{1};
    Scheduler scheduler{chooser};
    Network network{scheduler};
    SimProcess client{scheduler, scheduler.add_process("client")};
    Process& server = scheduler.add_process("server");
    Channel there{network.endpoint("client"), network.endpoint("server")};
    Channel back{there.to, there.from};

    asio::awaitable<void> loop(int times) {
        for (int i = 0; i < times; ++i) {
            TimerId limit;
            auto starter = [this, &limit](const Completion<int>& completion) {
                limit = scheduler.after(client.process(), std::chrono::seconds(1),
                                        [completion] { completion.fail(asio::error::timed_out); });
                network.send(there, server, [this, completion] {
                    network.send(back, client.process(), [completion] { completion.complete(1); });
                });
            };
            co_await await_result<int>(client, starter);
            scheduler.cancel(limit);
        }
    }
};

void run_round_trips(int times) {
    RoundTrips world;
    const RecyclingScope recycling;
    spawn(world.client, world.loop(times), [](const std::exception_ptr&) {});
    while (world.scheduler.step()) {
    }
}

}  // namespace

double bare_scheduler_events_per_second() {
    constexpr std::uint64_t events = 2'000'000;
    return best_rate(static_cast<double>(events), [] { run_timers(events); });
}

double round_trips_per_second() {
    constexpr int times = 300'000;
    return best_rate(times, [] { run_round_trips(times); });
}

}  // namespace fixpoint::sim
