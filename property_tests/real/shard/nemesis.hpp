// Delivers a scenario's faults to a real shard, by the same rules as the simulator's nemesis: requested when
// the run begins, delivered when it could be applied, observed when its subject felt it; environment faults
// end when faults cease, drift never does. What cannot be done for real is refused by name before anything is
// started; nothing is delivered "nearly".
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "property_tests/real/shard/world.hpp"

namespace fixpoint::real_shards {

// Why this fault cannot be done on real servers; "": it can.
std::string not_for_real(const sim::Fault& fault);
// The same of a whole scenario: one line for each thing in it that cannot.
std::vector<std::string> not_for_real(const sim::Scenario& scenario);

std::string text_of(const sim::Fault& fault);  // crash zone1-100

struct Delivery {
    bool possible = false;  // false: there is nothing to apply it to
    std::function<void()> apply;
    std::function<bool()> observed;  // asked until it says yes; empty: by its delivery
    std::function<void()> undo;      // empty: nothing to undo
};

class Nemesis {
  public:
    explicit Nemesis(World& world);
    ~Nemesis();
    Nemesis(const Nemesis&) = delete;
    Nemesis& operator=(const Nemesis&) = delete;

    void start();
    void go_on();  // whatever is due
    void on(const sim::JudgeEvent& event);
    Duration last_planned() const;
    bool bound_to_events() const;
    // The end of the faults; returns who must converge. What it starts is still starting when it returns.
    sim::Core cease();
    void settle();  // asks once more what was observed

    // ---- for the deliveries
    World& world() { return world_; }
    void after(Duration time, std::function<void()> action);
    void cut(const std::string& from, const std::string& to, int by);
    void delay(const std::string& from, const std::string& to, Duration by);
    bool heal_network(const std::vector<std::string>& from, const std::vector<std::string>& to);
    void undo_kinds(const std::vector<sim::FaultKind>& kinds, const sim::Fault& by);
    void forget_kinds(const std::vector<sim::FaultKind>& kinds, const sim::Fault& by);

  private:
    struct State;
    struct LinkFaults {
        int cuts = 0;
        Duration delay{};
    };
    void strike(std::size_t index, const std::string& manager);
    void look(State& state);
    void undo(State& state);
    void remove_from(sim::Core& core, const sim::Fault& fault) const;

    World& world_;
    std::vector<std::unique_ptr<State>> states_;
    struct Timer {
        Instant at;
        std::uint64_t number = 0;
        std::function<void()> action;
    };
    std::vector<Timer> timers_;
    std::uint64_t timers_made_ = 0;
    std::map<std::pair<std::string, std::string>, LinkFaults> links_;
    Instant looked_at_{};
    bool ceased_ = false;
};

// One for each group of the fault table.
Delivery plan_network(Nemesis& nemesis, const sim::Fault& fault);
Delivery plan_tablet(Nemesis& nemesis, const sim::Fault& fault);
Delivery plan_drift(Nemesis& nemesis, const sim::Fault& fault);
Delivery plan_declaration(Nemesis& nemesis, const sim::Fault& fault);
Delivery plan_store(Nemesis& nemesis, const sim::Fault& fault);
Delivery plan_manager(Nemesis& nemesis, const sim::Fault& fault, const std::string& manager);

}  // namespace fixpoint::real_shards
