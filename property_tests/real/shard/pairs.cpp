// See pairs.hpp.
#include "property_tests/real/shard/pairs.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace fixpoint::real_shards {
namespace {

sim::Run attempt(const sim::Scenario& scenario, std::string& failed) {
    try {
        return run_for_real(scenario);
    } catch (const std::exception& error) {
        failed = error.what();
        return {};
    }
}

}  // namespace

void run_pairs(const std::vector<sim::Scenario>& scenarios, int jobs,
               const std::function<void(const Pair&)>& each, const std::function<bool()>& enough) {
    std::mutex mutex;
    std::condition_variable ended;
    std::size_t next = 0, end = scenarios.size();
    std::vector<std::optional<Pair>> done(scenarios.size());
    const auto work = [&] {
        while (true) {
            std::size_t mine = 0;
            {
                const std::scoped_lock lock(mutex);
                if (enough && enough()) end = std::min(end, next);
                if (next >= end) return ended.notify_all();
                mine = next++;
            }
            Pair pair;
            pair.real = attempt(scenarios[mine], pair.failed);
            const std::scoped_lock lock(mutex);
            done[mine] = std::move(pair);
            ended.notify_all();
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < std::max(1, jobs); ++i) threads.emplace_back(work);
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
        const sim::Run simulated = sim::simulate(scenarios[i], {.timeline = true});
        std::unique_lock lock(mutex);
        ended.wait(lock, [&] { return done[i].has_value() || i >= end; });
        if (i >= end) break;
        Pair pair = *std::exchange(done[i], std::nullopt);
        lock.unlock();
        pair.simulated = simulated;
        each(pair);
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace fixpoint::real_shards
