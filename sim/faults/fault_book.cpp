// The book of faults. Nothing here waits, and nothing is known of any world.
#include "sim/faults/fault_book.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {

FaultBook::FaultBook(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
        states_.push_back(std::make_unique<State>());
        states_.back()->fault = fault;
    }
}

FaultBook::~FaultBook() = default;

void FaultBook::start() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Fault& fault = states_[i]->fault;
        report(FaultHappened{fault, FaultStage::requested});
        if (fault.when.at) after(*fault.when.at + fault.when.plus, [this, i] { strike(i, ""); });
    }
}

Duration FaultBook::last_planned() const {
    Duration last{};
    for (const auto& s : states_) {
        if (s->fault.when.at)
            last = std::max(last, *s->fault.when.at + s->fault.when.plus + s->fault.for_time);
    }
    return last;
}

bool FaultBook::bound_to_events() const {
    return std::ranges::any_of(states_, [](const auto& s) { return !s->fault.when.at; });
}

void FaultBook::settle() {
    for (const auto& s : states_) look(*s);
}

// ---- triggers

void FaultBook::record_write(const std::string& manager, bool commit_point, bool before) {
    if (ceased_) return;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        State& state = *states_[i];
        const FaultTrigger& when = state.fault.when;
        const bool kind_fits = when.event == "record" || (when.event == "commit_point" && commit_point);
        if (state.triggered || !kind_fits || when.before != before) continue;
        if (!when.manager.empty() && when.manager != manager) continue;
        if (++state.seen < when.nth) continue;
        state.triggered = true;
        triggered(i, manager);
    }
}

void FaultBook::triggered(std::size_t index, const std::string& manager) {
    const Duration plus = states_[index]->fault.when.plus;
    if (plus == Duration{}) return strike(index, manager);
    after(plus, [this, index, manager] { strike(index, manager); });
}

// ---- delivery

void FaultBook::strike(std::size_t index, const std::string& manager) {
    State& state = *states_[index];
    if (ceased_ || state.active) return;
    state.triggered = true;
    if (fault_row(state.fault.kind).group == FaultGroup::statement) return arm(state);
    state.delivery = plan(state.fault, manager);
    if (!state.delivery.possible) {
        if (const std::optional<Duration> later = try_again_in(state.fault, ++state.tries))
            after(*later, [this, index, manager] { strike(index, manager); });
        return;
    }
    mark_delivered(state);
    state.active = static_cast<bool>(state.delivery.undo);
    state.delivery.apply();
    look(state);
    if (state.fault.for_time > Duration{} && state.active)
        state.cancel_end = after(state.fault.for_time, [this, &state] { undo(state); });
}

Delivery FaultBook::plan(const Fault& fault, const std::string& concerned) {
    switch (fault_row(fault.kind).group) {
        case FaultGroup::network:
            return plan_network(fault);
        case FaultGroup::tablet:
            return plan_tablet(fault);
        case FaultGroup::drift:
            return plan_drift(fault);
        case FaultGroup::declaration:
            return plan_declaration(fault);
        case FaultGroup::store:
            return plan_store(fault);
        case FaultGroup::manager:
            return plan_manager(fault, concerned);
        case FaultGroup::statement:
            break;  // armed, not planned
    }
    return {};
}

void FaultBook::mark_delivered(State& state) {
    if (std::exchange(state.delivered, true)) return;
    report(FaultHappened{state.fault, FaultStage::delivered});
}

void FaultBook::look(State& state) {
    if (!state.delivered || state.observed) return;
    if (state.delivery.observed && !state.delivery.observed()) return;
    state.observed = true;
    report(FaultHappened{state.fault, FaultStage::observed});
}

void FaultBook::end_without_undoing(State& state) {
    look(state);
    state.active = false;
    if (const Cancel cancel = std::exchange(state.cancel_end, {})) cancel();
}

void FaultBook::undo(State& state) {
    const bool active = state.active;
    end_without_undoing(state);
    if (active) state.delivery.undo();
}

namespace {

bool is_meant(const Fault& fault, const std::vector<FaultKind>& kinds, const Fault& by) {
    return std::ranges::find(kinds, fault.kind) != kinds.end() && (!by.tablet || fault.tablet == by.tablet) &&
           (by.manager.empty() || fault.manager == by.manager) && (by.cell.empty() || fault.cell == by.cell);
}

}  // namespace

void FaultBook::undo_kinds(const std::vector<FaultKind>& kinds, const Fault& by) {
    for (const auto& s : states_) {
        if (s->active && is_meant(s->fault, kinds, by)) undo(*s);
    }
}

void FaultBook::forget_kinds(const std::vector<FaultKind>& kinds, const Fault& by) {
    for (const auto& s : states_) {
        if (s->active && is_meant(s->fault, kinds, by)) end_without_undoing(*s);
    }
}

bool FaultBook::heal_network(const Fault& by) {
    bool healed = false;
    for (const auto& s : states_) {
        if (!s->active || !heals(by, s->fault)) continue;
        undo(*s);
        healed = true;
    }
    return healed;
}

// ---- the end of faults

namespace {

void remove_from(Core& core, const Fault& fault) {
    switch (fault_row(fault.kind).group) {
        case FaultGroup::network:
            for (const std::string& name : fault.from_set) {
                if (const auto alias = TabletAlias::parse(name)) std::erase(core.tablets, *alias);
                std::erase(core.managers, name);
                if (name == "store") core.global_store = false;
                if (name.starts_with("store:")) std::erase(core.cells_with_store, name.substr(6));
            }
            break;
        case FaultGroup::tablet:
            if (fault.tablet) std::erase(core.tablets, *fault.tablet);
            break;
        case FaultGroup::store:
            if (!fault.cell.empty()) {
                std::erase(core.cells_with_store, fault.cell);
            } else if (!fault.manager.empty()) {
                std::erase(core.managers, fault.manager);
            } else {
                core.global_store = false;
            }
            break;
        case FaultGroup::manager:
            std::erase(core.managers, fault.manager);
            break;
        default:
            break;
    }
}

}  // namespace

void FaultBook::cease_all(Core& core) {
    ceased_ = true;
    std::set<TabletAlias> stay_down;
    const auto struck = [](const State& s) { return s.active && is_environment(s.fault.kind); };
    for (const auto& s : states_) {
        s->armed = 0;
        if (!struck(*s) || !s->fault.permanent) continue;
        look(*s);
        if (const Cancel cancel = std::exchange(s->cancel_end, {})) cancel();
        if (s->delivery.lasts && !s->delivery.lasts()) {
            s->active = false;  // somebody has started it again since
            continue;
        }
        remove_from(core, s->fault);
        if (s->delivery.lasts && s->fault.tablet) stay_down.insert(*s->fault.tablet);
    }
    for (const auto& s : states_) {
        if (!struck(*s) || s->fault.permanent) continue;
        const bool would_start_it = s->delivery.lasts || s->delivery.leave;
        if (would_start_it && s->fault.tablet && stay_down.contains(*s->fault.tablet)) {
            end_without_undoing(*s);
            if (s->delivery.leave) s->delivery.leave();
        } else {
            undo(*s);
        }
    }
}

}  // namespace fixpoint::sim
