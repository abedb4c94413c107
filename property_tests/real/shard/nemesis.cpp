// Triggers, counting, and the end of all faults. How each kind strikes is in deliver_*.cpp.
#include "property_tests/real/shard/nemesis.hpp"

#include <algorithm>
#include <utility>

#include "sim/faults/fault_table.hpp"

namespace fixpoint::real_shards {
namespace {

using sim::Fault;
using sim::FaultGroup;
using sim::FaultKind;
using sim::FaultStage;

constexpr Duration between_questions = 100ms;
constexpr int most_waits = 100;

bool is_meant(const Fault& fault, const std::vector<FaultKind>& kinds, const Fault& by) {
    return std::ranges::find(kinds, fault.kind) != kinds.end() && (!by.tablet || fault.tablet == by.tablet) &&
           (by.manager.empty() || fault.manager == by.manager) && (by.cell.empty() || fault.cell == by.cell);
}

}  // namespace

struct Nemesis::State {
    Fault fault;
    int seen = 0;  // events that its trigger matched
    bool triggered = false, delivered = false, observed = false, active = false;
    Delivery delivery;
    int waited = 0;          // for its subject's start
    std::uint64_t turn = 0;  // of its end: one that was undone meanwhile does not end another one
};

Nemesis::Nemesis(World& world) : world_(world) {
    for (const Fault& fault : world.scenario().faults) {
        states_.push_back(std::make_unique<State>());
        states_.back()->fault = fault;
    }
}

Nemesis::~Nemesis() = default;

void Nemesis::start() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Fault& fault = states_[i]->fault;
        world_.report(sim::FaultHappened{fault, FaultStage::requested});
        if (fault.when.at) after(*fault.when.at + fault.when.plus, [this, i] { strike(i, ""); });
    }
}

void Nemesis::after(Duration time, std::function<void()> action) {
    timers_.push_back({world_.clock().now() + time, ++timers_made_, std::move(action)});
}

void Nemesis::go_on() {
    const Instant now = world_.clock().now();
    std::vector<Timer> due;
    for (Timer& timer : timers_) {
        if (timer.at <= now) due.push_back(std::move(timer));
    }
    std::erase_if(timers_, [&](const Timer& timer) { return timer.at <= now; });
    std::ranges::sort(due, {}, [](const Timer& timer) { return std::pair(timer.at, timer.number); });
    for (const Timer& timer : due) timer.action();
    if (now - looked_at_ < between_questions) return;
    looked_at_ = now;
    settle();
}

void Nemesis::settle() {
    for (const auto& s : states_) look(*s);
}

Duration Nemesis::last_planned() const {
    Duration last{};
    for (const auto& s : states_) {
        if (s->fault.when.at)
            last = std::max(last, *s->fault.when.at + s->fault.when.plus + s->fault.for_time);
    }
    return last;
}

bool Nemesis::bound_to_events() const {
    return std::ranges::any_of(states_, [](const auto& s) { return !s->fault.when.at; });
}

// Records, as soon as they are seen to have been written.
void Nemesis::on(const sim::JudgeEvent& event) {
    const auto* written = std::get_if<sim::RecordWritten>(&event);
    if (ceased_ || written == nullptr || written->manager.empty() || written->before == written->after ||
        !written->after)
        return;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        State& state = *states_[i];
        const sim::FaultTrigger& when = state.fault.when;
        const bool fits =
            when.event == "record" || (when.event == "commit_point" && written->is_commit_point());
        if (state.triggered || !fits || when.before) continue;
        if (!when.manager.empty() && when.manager != written->manager) continue;
        if (++state.seen < when.nth) continue;
        state.triggered = true;
        after(when.plus, [this, i, manager = written->manager] { strike(i, manager); });
    }
}

// ---- delivery

void Nemesis::strike(std::size_t index, const std::string& manager) {
    State& state = *states_[index];
    if (ceased_ || state.active) return;
    state.triggered = true;
    const Fault& fault = state.fault;
    switch (fault_row(fault.kind).group) {
        case FaultGroup::network:
            state.delivery = plan_network(*this, fault);
            break;
        case FaultGroup::tablet:
            state.delivery = plan_tablet(*this, fault);
            break;
        case FaultGroup::drift:
            state.delivery = plan_drift(*this, fault);
            break;
        case FaultGroup::declaration:
            state.delivery = plan_declaration(*this, fault);
            break;
        case FaultGroup::store:
            state.delivery = plan_store(*this, fault);
            break;
        case FaultGroup::manager:
            state.delivery = plan_manager(*this, fault, manager);
            break;
        case FaultGroup::statement:
            return;
    }
    if (!state.delivery.possible) {
        // A real server takes its time to come up: what strikes it meanwhile waits for it.
        const Tablet* subject = fault.tablet ? world_.tablet(*fault.tablet) : nullptr;
        if (subject != nullptr && subject->starting() && ++state.waited < most_waits)
            after(between_questions, [this, index, manager] { strike(index, manager); });
        return;
    }
    if (!std::exchange(state.delivered, true))
        world_.report(sim::FaultHappened{fault, FaultStage::delivered});
    state.active = static_cast<bool>(state.delivery.undo);
    state.delivery.apply();
    if (fault.for_time > Duration{} && state.active) {
        after(fault.for_time, [this, &state, turn = ++state.turn] {
            if (state.turn == turn) undo(state);
        });
    }
}

void Nemesis::look(State& state) {
    if (!state.delivered || state.observed) return;
    if (state.delivery.observed && !state.delivery.observed()) return;
    state.observed = true;
    world_.report(sim::FaultHappened{state.fault, FaultStage::observed});
}

void Nemesis::undo(State& state) {
    look(state);
    if (!std::exchange(state.active, false)) return;
    ++state.turn;
    state.delivery.undo();
}

void Nemesis::undo_kinds(const std::vector<FaultKind>& kinds, const Fault& by) {
    for (const auto& s : states_) {
        if (s->active && is_meant(s->fault, kinds, by)) undo(*s);
    }
}

void Nemesis::forget_kinds(const std::vector<FaultKind>& kinds, const Fault& by) {
    for (const auto& s : states_) {
        if (!s->active || !is_meant(s->fault, kinds, by)) continue;
        look(*s);
        s->active = false;
        ++s->turn;
    }
}

// ---- links

void Nemesis::cut(const std::string& from, const std::string& to, int by) {
    LinkFaults& link = links_[{from, to}];
    link.cuts += by;
    world_.proxy().set(from, to, {link.cuts > 0, link.delay});
}

void Nemesis::delay(const std::string& from, const std::string& to, Duration by) {
    LinkFaults& link = links_[{from, to}];
    link.delay += by;
    world_.proxy().set(from, to, {link.cuts > 0, link.delay});
}

bool Nemesis::heal_network(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    const auto touches = [](const std::vector<std::string>& set, const Fault& fault) {
        return set.empty() || std::ranges::any_of(set, [&](const std::string& name) {
                   return std::ranges::find(fault.from_set, name) != fault.from_set.end() ||
                          std::ranges::find(fault.to_set, name) != fault.to_set.end();
               });
    };
    bool healed = false;
    for (const auto& s : states_) {
        if (!s->active || fault_row(s->fault.kind).group != FaultGroup::network) continue;
        if (!touches(from, s->fault) || !touches(to, s->fault)) continue;
        undo(*s);
        healed = true;
    }
    return healed;
}

// ---- the end of faults

void Nemesis::remove_from(sim::Core& core, const Fault& fault) const {
    switch (fault_row(fault.kind).group) {
        case FaultGroup::network:
            for (const std::string& name : fault.from_set) {
                if (const auto alias = TabletAlias::parse(name)) std::erase(core.tablets, *alias);
                std::erase(core.managers, name);
            }
            break;
        case FaultGroup::tablet:
            if (fault.tablet) std::erase(core.tablets, *fault.tablet);
            break;
        case FaultGroup::manager:
            std::erase(core.managers, fault.manager);
            break;
        default:
            break;
    }
}

sim::Core Nemesis::cease() {
    ceased_ = true;
    sim::Core core = world_.core();
    for (const auto& s : states_) {
        if (!s->active || !is_environment(s->fault.kind)) continue;
        if (s->fault.permanent) {
            look(*s);
            ++s->turn;
            remove_from(core, s->fault);
        } else {
            undo(*s);
        }
    }
    for (const auto& tablet : world_.tablets()) {
        if (!core.has(tablet->alias())) continue;
        if (tablet->paused()) tablet->resume();
        if (!tablet->up() && !tablet->starting()) tablet->start();
    }
    for (const auto& manager : world_.managers()) {
        if (std::ranges::find(core.managers, manager->name()) == core.managers.end()) continue;
        if (manager->paused()) manager->resume();
        if (!manager->alive()) manager->start();
    }
    return core;
}

}  // namespace fixpoint::real_shards
