// What becomes of a scenario's faults: requested when the run begins, delivered when one could be applied,
// observed when its subject felt it, undone or left for good when faults cease. The same book is kept for the
// simulated shard and for a real one; what time is, and how each kind strikes, whoever keeps it knows. It
// refuses to heal a drift: that is the managers' work.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "sim/faults/records_by_hand.hpp"

namespace fixpoint::sim {

// How one fault is applied. `possible` false: there is nothing to apply it to.
struct Delivery {
    bool possible = false;
    std::function<void()> apply;
    std::function<bool()> observed;  // asked until it says yes; empty: by its delivery
    std::function<void()> undo;      // empty: nothing to undo
    std::function<bool()> lasts;     // something else may have ended it; empty: it lasts until it is undone
    std::function<void()> leave;     // it goes on by itself: ends that, and leaves its subject as it is
};

class FaultBook {
  public:
    explicit FaultBook(const std::vector<Fault>& faults);
    virtual ~FaultBook();
    FaultBook(const FaultBook&) = delete;
    FaultBook& operator=(const FaultBook&) = delete;

    void start();
    // When the last fault that is bound to a time will have ended, counted from start().
    Duration last_planned() const;
    bool bound_to_events() const;
    // Asks once more what was observed. Called before the verdict.
    void settle();
    // A record is about to be written (`before`), or was.
    void record_write(const std::string& manager, bool commit_point, bool before);

    // ---- for the deliveries
    // Heals the active network faults that this one heals. False: there was none.
    bool heal_network(const Fault& by);
    // Undoes what is active of these kinds on that tablet or manager.
    void undo_kinds(const std::vector<FaultKind>& kinds, const Fault& by);
    // They are over, and nothing is undone: what strikes next takes their place.
    void forget_kinds(const std::vector<FaultKind>& kinds, const Fault& by);

  protected:
    using Cancel = std::function<void()>;
    struct State {
        Fault fault;
        int seen = 0;   // events that its trigger matched
        int armed = 0;  // statements it will still strike
        int tries = 0;  // that found nothing to apply it to
        bool triggered = false, delivered = false, observed = false, active = false;
        Delivery delivery;
        Cancel cancel_end;  // of the end that is planned; empty: none
    };

    // ---- whoever keeps the book
    virtual void report(const FaultHappened& happened) = 0;
    virtual Cancel after(Duration time, std::function<void()> action) = 0;
    // How each group of the table strikes; declarations are the same everywhere.
    virtual RecordsByHand& records() = 0;
    // Of a server that is down: only what is gone is forgotten.
    virtual std::optional<Uuid> uuid_of_the_dead(const TabletAlias& tablet) = 0;
    virtual Delivery plan_network(const Fault& fault) = 0;
    virtual Delivery plan_tablet(const Fault& fault) = 0;
    virtual Delivery plan_drift(const Fault& fault) = 0;
    virtual Delivery plan_store(const Fault& fault) = 0;
    // `concerned`: the manager that the triggering event concerned ("" : none).
    virtual Delivery plan_manager(const Fault& fault, const std::string& concerned) = 0;
    // There is nothing to apply it to yet, for the `tries`th time: strikes again so much later, or (nullopt)
    // never.
    virtual std::optional<Duration> try_again_in(const Fault& /*fault*/, int /*tries*/) {
        return std::nullopt;
    }
    // A fault of statements that is bound to none: the next ones that match are struck. Not everybody can.
    virtual void arm(State& /*state*/) {}

    void triggered(std::size_t index, const std::string& manager);  // strikes now, or so much later
    void mark_delivered(State& state);
    void look(State& state);
    // Environment faults are undone; whom a permanent one holds leaves the core.
    void cease_all(Core& core);

    std::vector<std::unique_ptr<State>> states_;
    bool ceased_ = false;

  private:
    Delivery plan(const Fault& fault, const std::string& concerned);
    Delivery plan_declaration(const Fault& fault);
    std::function<bool()> edit_of(const Fault& fault);
    void strike(std::size_t index, const std::string& manager);
    void undo(State& state);
    void end_without_undoing(State& state);
};

}  // namespace fixpoint::sim
