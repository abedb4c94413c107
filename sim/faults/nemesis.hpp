// Applies a scenario's faults to the simulated shard at their triggers: a time, or an event of the run. One
// that finds nothing to strike counts as not delivered. When faults cease it heals the environment and says
// who is left. What becomes of each fault stands in its book (fault_book.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "sim/asio/manager_hooks.hpp"
#include "sim/faults/fault_book.hpp"

namespace fixpoint::sim {

class World;

class Nemesis final : public FaultBook {
  public:
    explicit Nemesis(World& world);

    // The end of the safety phase: environment faults that are not permanent are healed. Returns the core.
    Core cease();

    // What happens, as the triggers need it.
    StatementFate about_to_send(const SentStatement& sent);
    void answered(const SentStatement& sent);
    void notification(std::uint64_t number);
    bool wants_record_writes() const { return wants_record_writes_; }

    // ---- for the deliveries
    World& world() { return world_; }
    const std::set<std::uint64_t>& connections_to(const TabletAlias& tablet) const;
    // The number of the start of that server that is due: one that is ordered later takes its place.
    std::uint64_t& start_due(const TabletAlias& tablet) { return starts_due_[tablet]; }

  private:
    void report(const FaultHappened& happened) override;
    Cancel after(Duration time, std::function<void()> action) override;
    RecordsByHand& records() override;
    std::optional<Uuid> uuid_of_the_dead(const TabletAlias& tablet) override;
    // In deliver_*.cpp.
    Delivery plan_network(const Fault& fault) override;
    Delivery plan_tablet(const Fault& fault) override;
    Delivery plan_drift(const Fault& fault) override;
    Delivery plan_store(const Fault& fault) override;
    Delivery plan_manager(const Fault& fault, const std::string& concerned) override;
    void arm(State& state) override;
    bool matches(const FaultTrigger& trigger, const SentStatement& sent) const;

    World& world_;
    bool any_statement_trigger_ = false;
    bool wants_record_writes_ = false;
    bool any_notification_trigger_ = false;
    bool any_armed_ = false;
    std::map<TabletAlias, std::set<std::uint64_t>> connections_;
    std::map<TabletAlias, std::uint64_t> starts_due_;
};

}  // namespace fixpoint::sim
