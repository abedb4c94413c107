// Delivers a scenario's faults to a real shard, and keeps the same book of them as the simulator's nemesis.
// What cannot be done for real is refused by name before anything is started; nothing is delivered "nearly".
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "property_tests/real/shard/world.hpp"
#include "sim/faults/fault_book.hpp"

namespace fixpoint::real_shards {

// Why this fault cannot be done on real servers; "": it can.
std::string not_for_real(const sim::Fault& fault);
// The same of a whole scenario: one line for each thing in it that cannot.
std::vector<std::string> not_for_real(const sim::Scenario& scenario);

std::string text_of(const sim::Fault& fault);  // crash zone1-100

using sim::Delivery;

class Nemesis final : public sim::FaultBook {
  public:
    explicit Nemesis(World& world);

    void go_on();  // whatever is due
    void on(const sim::JudgeEvent& event);
    // The end of the faults; returns who must converge. What it starts is still starting when it returns.
    sim::Core cease();

    // ---- for the deliveries
    World& world() { return world_; }
    Cancel after(Duration time, std::function<void()> action) override;
    void cut(const std::string& from, const std::string& to, int by);
    void delay(const std::string& from, const std::string& to, Duration by);

  private:
    struct LinkFaults {
        int cuts = 0;
        Duration delay{};
    };
    struct Timer {
        Instant at;
        std::uint64_t number = 0;
        std::function<void()> action;
    };
    void report(const sim::FaultHappened& happened) override;
    sim::RecordsByHand& records() override;
    std::optional<Uuid> uuid_of_the_dead(const TabletAlias& tablet) override;
    // In deliver_*.cpp.
    Delivery plan_network(const sim::Fault& fault) override;
    Delivery plan_tablet(const sim::Fault& fault) override;
    Delivery plan_drift(const sim::Fault& fault) override;
    Delivery plan_store(const sim::Fault& fault) override;
    Delivery plan_manager(const sim::Fault& fault, const std::string& concerned) override;
    std::optional<Duration> try_again_in(const sim::Fault& fault, int tries) override;

    World& world_;
    std::vector<std::pair<std::string, bool>> records_written_;  // by whom; a commit point?
    std::vector<Timer> timers_;
    std::uint64_t timers_made_ = 0;
    std::map<std::pair<std::string, std::string>, LinkFaults> links_;
    Instant looked_at_{};
};

}  // namespace fixpoint::real_shards
