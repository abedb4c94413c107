// Triggers, counting, and the end of all faults. How each kind strikes is in deliver_*.cpp.
#include "sim/faults/nemesis.hpp"

#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {

struct Nemesis::State {
    Fault fault;
    int seen = 0;   // events that its trigger matched
    int armed = 0;  // statements it will still strike
    bool triggered = false, delivered = false, observed = false, active = false;
    Delivery delivery;
    TimerId end;
};

namespace {

bool is_statement_fault(FaultKind kind) {
    return fault_row(kind).group == FaultGroup::statement;
}

StatementFate fate_of(const Fault& fault) {
    StatementFate fate;
    switch (fault.kind) {
        case FaultKind::request_lost:
            fate.kind = StatementFate::Kind::request_lost;
            break;
        case FaultKind::answer_lost:
            fate.kind = StatementFate::Kind::answer_lost;
            break;
        case FaultKind::late_effect:
            fate.kind = StatementFate::Kind::late;
            break;
        case FaultKind::statement_error:
            fate.kind = StatementFate::Kind::error;
            break;
        case FaultKind::session_killed:
            fate.kind = StatementFate::Kind::session_killed;
            break;
        default:
            break;
    }
    fate.late = fault.amount;
    fate.error = fault.number;
    return fate;
}

}  // namespace

Nemesis::Nemesis(World& world) : world_(world) {
    for (const Fault& fault : world.scenario().faults) {
        auto state = std::make_unique<State>();
        state->fault = fault;
        const std::string& event = fault.when.event;
        any_statement_trigger_ = any_statement_trigger_ || event == "statement";
        wants_record_writes_ = wants_record_writes_ || event == "record" || event == "commit_point";
        any_notification_trigger_ = any_notification_trigger_ || event == "notification";
        states_.push_back(std::move(state));
    }
}

Nemesis::~Nemesis() = default;

void Nemesis::start() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Fault& fault = states_[i]->fault;
        world_.report(FaultHappened{fault, FaultStage::requested});
        if (!fault.when.at) continue;
        world_.scheduler().after(
            world_.stage(), *fault.when.at + fault.when.plus, [this, i] { strike(i, ""); }, EventKind::fault);
    }
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
    return std::any_of(states_.begin(), states_.end(), [](const auto& s) { return !s->fault.when.at; });
}

// ---- triggers

bool Nemesis::matches(const FaultTrigger& trigger, const SentStatement& sent) const {
    if (trigger.event != "statement") return false;
    if (!trigger.manager.empty() && trigger.manager != sent.manager) return false;
    if (!trigger.tablet.empty() && trigger.tablet != sent.server.alias().to_string()) return false;
    if (!trigger.what.empty() && trigger.what != sql::name_of(sent.statement)) return false;
    if (trigger.recovery.empty()) return true;
    const ManagerProcess* manager = world_.manager(sent.manager);
    return manager != nullptr && to_string(manager->recovery()) == trigger.recovery;
}

StatementFate Nemesis::about_to_send(const SentStatement& sent) {
    connections_[sent.server.alias()].insert(sent.connection);
    StatementFate fate;
    if (ceased_ || (!any_statement_trigger_ && !any_armed_)) return fate;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        State& state = *states_[i];
        const Fault& fault = state.fault;
        if (state.armed > 0) {
            const bool tablet_fits = !fault.tablet || *fault.tablet == sent.server.alias();
            const bool manager_fits = fault.manager.empty() || fault.manager == sent.manager;
            if (fate.kind == StatementFate::Kind::normal && tablet_fits && manager_fits) {
                --state.armed;
                mark_delivered(state);
                fate = fate_of(fault);
                look(state);
            }
            continue;
        }
        if (state.triggered || !fault.when.before || !matches(fault.when, sent)) continue;
        if (++state.seen < fault.when.nth) continue;
        state.triggered = true;
        if (is_statement_fault(fault.kind)) {
            mark_delivered(state);
            fate = fate_of(fault);
            look(state);
        } else {
            triggered(i, sent.manager);
        }
    }
    return fate;
}

void Nemesis::answered(const SentStatement& sent) {
    if (ceased_ || !any_statement_trigger_) return;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        State& state = *states_[i];
        if (state.triggered || state.fault.when.before || !matches(state.fault.when, sent)) continue;
        if (++state.seen < state.fault.when.nth) continue;
        state.triggered = true;
        triggered(i, sent.manager);
    }
}

void Nemesis::notification(std::uint64_t number) {
    if (ceased_ || !any_notification_trigger_) return;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const FaultTrigger& when = states_[i]->fault.when;
        if (states_[i]->triggered || when.event != "notification") continue;
        if (number < static_cast<std::uint64_t>(when.nth)) continue;
        states_[i]->triggered = true;
        triggered(i, "");
    }
}

void Nemesis::record_write(const std::string& manager, bool commit_point, bool before) {
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

void Nemesis::triggered(std::size_t index, const std::string& manager) {
    const Duration plus = states_[index]->fault.when.plus;
    if (plus == Duration{}) return strike(index, manager);
    world_.scheduler().after(
        world_.stage(), plus, [this, index, manager] { strike(index, manager); }, EventKind::fault);
}

// ---- delivery

void Nemesis::arm(std::size_t fault, int count) {
    states_[fault]->armed = count;
    any_armed_ = true;
}

void Nemesis::strike(std::size_t index, const std::string& manager) {
    State& state = *states_[index];
    if (ceased_ || state.active) return;
    state.triggered = true;
    const Fault& fault = state.fault;
    switch (fault_row(fault.kind).group) {
        case FaultGroup::statement:
            return arm(index, std::max(1, fault.kind == FaultKind::statement_error ? 1 : fault.number));
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
    }
    if (!state.delivery.possible) return;
    mark_delivered(state);
    state.active = static_cast<bool>(state.delivery.undo);
    state.delivery.apply();
    look(state);
    if (fault.for_time > Duration{} && state.active) {
        state.end = world_.scheduler().after(
            world_.stage(), fault.for_time, [this, &state] { undo(state); }, EventKind::fault);
    }
}

void Nemesis::mark_delivered(State& state) {
    if (state.delivered) return;
    state.delivered = true;
    world_.report(FaultHappened{state.fault, FaultStage::delivered});
}

void Nemesis::look(State& state) {
    if (!state.delivered || state.observed) return;
    if (state.delivery.observed && !state.delivery.observed()) return;
    state.observed = true;
    world_.report(FaultHappened{state.fault, FaultStage::observed});
}

void Nemesis::undo(State& state) {
    look(state);
    if (!state.active) return;
    state.active = false;
    world_.scheduler().cancel(state.end);
    state.delivery.undo();
}

namespace {

bool is_meant(const Fault& fault, const std::vector<FaultKind>& kinds, const Fault& by) {
    return std::find(kinds.begin(), kinds.end(), fault.kind) != kinds.end() &&
           (!by.tablet || fault.tablet == by.tablet) && (by.manager.empty() || fault.manager == by.manager) &&
           (by.cell.empty() || fault.cell == by.cell);
}

}  // namespace

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
        world_.scheduler().cancel(s->end);
    }
}

bool Nemesis::heal_network(const std::vector<std::string>& from, const std::vector<std::string>& to) {
    const auto touches = [](const std::vector<std::string>& set, const Fault& fault) {
        const auto has = [&](const std::vector<std::string>& names) {
            return std::any_of(set.begin(), set.end(), [&](const std::string& name) {
                return std::find(names.begin(), names.end(), name) != names.end();
            });
        };
        return set.empty() || has(fault.from_set) || has(fault.to_set);
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

const std::set<std::uint64_t>& Nemesis::connections_to(const TabletAlias& tablet) const {
    static const std::set<std::uint64_t> none;
    const auto it = connections_.find(tablet);
    return it == connections_.end() ? none : it->second;
}

// ---- the end of faults

void Nemesis::remove_from(Core& core, const Fault& fault) const {
    const auto without_tablet = [&](const TabletAlias& alias) { std::erase(core.tablets, alias); };
    switch (fault_row(fault.kind).group) {
        case FaultGroup::network:
            for (const std::string& name : fault.from_set) {
                if (const auto alias = TabletAlias::parse(name)) without_tablet(*alias);
                std::erase(core.managers, name);
                if (name == "store") core.global_store = false;
                if (name.starts_with("store:")) std::erase(core.cells_with_store, name.substr(6));
            }
            break;
        case FaultGroup::tablet:
            if (fault.tablet) without_tablet(*fault.tablet);
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

Core Nemesis::cease() {
    ceased_ = true;
    Core core = world_.core();
    std::set<TabletAlias> stay_down;
    for (const auto& s : states_) {
        s->armed = 0;
        if (!s->active || !is_environment(s->fault.kind) || !s->fault.permanent) continue;
        look(*s);
        world_.scheduler().cancel(s->end);
        if (s->delivery.lasts && !s->delivery.lasts()) {
            s->active = false;  // somebody has started it again since
            continue;
        }
        remove_from(core, s->fault);
        if (s->delivery.lasts && s->fault.tablet) stay_down.insert(*s->fault.tablet);
    }
    for (const auto& s : states_) {
        if (!s->active || !is_environment(s->fault.kind) || s->fault.permanent) continue;
        const bool would_start_it = s->delivery.lasts || s->delivery.leave;
        if (would_start_it && s->fault.tablet && stay_down.contains(*s->fault.tablet)) {
            look(*s);
            world_.scheduler().cancel(s->end);
            if (s->delivery.leave) s->delivery.leave();
            s->active = false;
        } else {
            undo(*s);
        }
    }
    world_.store().disarm();
    for (const auto& server : world_.servers()) {
        if (!core.has(server->alias())) continue;
        if (server->paused()) server->resume();
        if (!server->up() && !server->starting()) server->start();
    }
    for (const std::string& name : core.managers) {
        ManagerProcess* manager = world_.manager(name);
        if (manager->paused()) manager->resume();
        if (!manager->alive()) manager->start();
    }
    return core;
}

void Nemesis::settle() {
    for (const auto& s : states_) look(*s);
}

}  // namespace fixpoint::sim
