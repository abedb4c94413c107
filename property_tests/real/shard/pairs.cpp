// See pairs.hpp.
#include "property_tests/real/shard/pairs.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace fixpoint::real_shards {

namespace {

// Drawn by whichever thread is free, kept until all before them are done.
class Pairs {
  public:
    explicit Pairs(const Drawn& next) : next_(next) {}

    std::optional<std::pair<std::size_t, Pair>> begin() {
        const std::scoped_lock lock(mutex_);
        if (all_drawn_) return std::nullopt;
        try {
            if (std::optional<sim::Run> simulated = next_()) {
                Pair pair;
                pair.simulated = std::move(*simulated);
                return std::pair(drawn_++, std::move(pair));
            }
        } catch (...) {
            thrown_ = std::current_exception();
        }
        all_drawn_ = true;
        changed_.notify_all();
        return std::nullopt;
    }

    void end(std::size_t number, Pair pair) {
        const std::scoped_lock lock(mutex_);
        done_.emplace(number, std::move(pair));
        changed_.notify_all();
    }

    // No further one is begun.
    void stop() {
        const std::scoped_lock lock(mutex_);
        all_drawn_ = true;
    }

    // Waits for it. None: there were not so many.
    std::optional<Pair> take(std::size_t number) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return done_.contains(number) || (all_drawn_ && number >= drawn_); });
        auto found = done_.extract(number);
        if (found) return std::move(found.mapped());
        if (thrown_) std::rethrow_exception(thrown_);
        return std::nullopt;
    }

  private:
    const Drawn& next_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t drawn_ = 0;
    bool all_drawn_ = false;
    std::exception_ptr thrown_;
    std::map<std::size_t, Pair> done_;
};

}  // namespace

Drawn each_of(const std::vector<sim::Scenario>& scenarios) {
    return [&scenarios, i = std::size_t{0}]() mutable -> std::optional<sim::Run> {
        if (i == scenarios.size()) return std::nullopt;
        return sim::simulate(scenarios[i++], {.timeline = true});
    };
}

void run_pairs(const Drawn& next, int jobs, const std::function<void(const Pair&)>& each,
               const std::function<sim::Run(const sim::Scenario&)>& for_real) {
    Pairs pairs(next);
    const auto work = [&] {
        while (auto begun = pairs.begin()) {
            auto& [number, pair] = *begun;
            try {
                pair.real = for_real(pair.simulated.scenario);
            } catch (const std::exception& error) {
                pair.failed = error.what();
            }
            pairs.end(number, std::move(pair));
        }
    };
    std::vector<std::jthread> threads;  // joined whatever is thrown
    for (int i = 0; i < std::max(1, jobs); ++i) threads.emplace_back(work);
    try {
        for (std::size_t i = 0; const std::optional<Pair> pair = pairs.take(i); ++i) each(*pair);
    } catch (...) {
        pairs.stop();
        throw;
    }
}

}  // namespace fixpoint::real_shards
