// Applies a scenario's faults at their triggers: a time, or an event of the run. Each fault is requested when
// the run begins, delivered when it could be applied, and observed when its subject felt it; one that finds
// nothing to strike counts as not delivered. When faults cease it heals the environment and says who is left.
// It refuses to heal a drift: that is the managers' work.
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

namespace fixpoint::sim {

class World;
struct StoreRequest;

// How one fault is applied. `possible` false: there is nothing to apply it to.
struct Delivery {
    bool possible = false;
    std::function<void()> apply;
    std::function<bool()> observed;  // asked until it says yes; empty: by its delivery
    std::function<void()> undo;      // empty: nothing to undo
    std::function<bool()> lasts;     // something else may have ended it; empty: it lasts until it is undone
    std::function<void()> leave;     // it goes on by itself: ends that, and leaves its subject as it is
};

class Nemesis {
  public:
    explicit Nemesis(World& world);
    ~Nemesis();
    Nemesis(const Nemesis&) = delete;
    Nemesis& operator=(const Nemesis&) = delete;

    void start();
    // When the last fault that is bound to a time will have ended, counted from start().
    Duration last_planned() const;
    bool bound_to_events() const;
    // The end of the safety phase: environment faults that are not permanent are healed. Returns the core.
    Core cease();
    // Asks once more what was observed. Called before the verdict.
    void settle();

    // What happens, as the triggers need it.
    StatementFate about_to_send(const SentStatement& sent);
    void answered(const SentStatement& sent);
    void notification(std::uint64_t number);
    void record_write(const std::string& manager, bool commit_point, bool before);
    void on(const JudgeEvent& /*event*/) {}
    bool wants_record_writes() const { return wants_record_writes_; }

    // ---- for the deliveries
    World& world() { return world_; }
    // Statement faults that are bound to no statement: the next ones that match are struck.
    void arm(std::size_t fault, int count);
    // Heals active network faults between the two sets (both empty: all). False: there was none.
    bool heal_network(const std::vector<std::string>& from, const std::vector<std::string>& to);
    // Undoes what is active of these kinds on that tablet or manager.
    void undo_kinds(const std::vector<FaultKind>& kinds, const Fault& by);
    // They are over, and nothing is undone: what strikes next takes their place.
    void forget_kinds(const std::vector<FaultKind>& kinds, const Fault& by);
    const std::set<std::uint64_t>& connections_to(const TabletAlias& tablet) const;

  private:
    struct State;  // of one fault
    bool matches(const FaultTrigger& trigger, const SentStatement& sent) const;
    void triggered(std::size_t index, const std::string& manager);
    void strike(std::size_t index, const std::string& manager);
    void mark_delivered(State& state);
    void look(State& state);
    void undo(State& state);
    void remove_from(Core& core, const Fault& fault) const;

    World& world_;
    std::vector<std::unique_ptr<State>> states_;
    bool ceased_ = false;
    bool any_statement_trigger_ = false;
    bool wants_record_writes_ = false;
    bool any_notification_trigger_ = false;
    bool any_armed_ = false;
    std::map<TabletAlias, std::set<std::uint64_t>> connections_;
    std::map<std::string, std::pair<int, int>>
        record_writes_;  // (records, commit points) so far, by trigger key
};

// One for each group of the fault table; `manager` is the one that the event concerned ("" : none).
Delivery plan_network(Nemesis& nemesis, const Fault& fault);
Delivery plan_tablet(Nemesis& nemesis, const Fault& fault);
Delivery plan_drift(Nemesis& nemesis, const Fault& fault);
Delivery plan_declaration(Nemesis& nemesis, const Fault& fault);
Delivery plan_store(Nemesis& nemesis, const Fault& fault);
Delivery plan_manager(Nemesis& nemesis, const Fault& fault, const std::string& manager);

}  // namespace fixpoint::sim
