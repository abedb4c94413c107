// The triggers that only a simulated run has, and the end of all faults. How each kind strikes is in
// deliver_*.cpp.
#include "sim/faults/nemesis.hpp"

#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {

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

Nemesis::Nemesis(World& world) : FaultBook(world.scenario().faults), world_(world) {
    for (const auto& state : states_) {
        const std::string& event = state->fault.when.event;
        any_statement_trigger_ = any_statement_trigger_ || event == "statement";
        wants_record_writes_ = wants_record_writes_ || event == "record" || event == "commit_point";
        any_notification_trigger_ = any_notification_trigger_ || event == "notification";
    }
}

void Nemesis::report(const FaultHappened& happened) {
    world_.report(happened);
}

FaultBook::Cancel Nemesis::after(Duration time, std::function<void()> action) {
    const TimerId timer = world_.scheduler().after(world_.stage(), time, std::move(action), EventKind::fault);
    return [this, timer] { world_.scheduler().cancel(timer); };
}

RecordsByHand& Nemesis::records() {
    return world_.topology();
}

std::optional<Uuid> Nemesis::uuid_of_the_dead(const TabletAlias& tablet) {
    const mysql::FakeMysql* server = world_.server(tablet);
    if (server == nullptr || server->up()) return std::nullopt;
    return server->backup().uuid;
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

// ---- delivery

void Nemesis::arm(State& state) {
    state.armed = state.fault.kind == FaultKind::statement_error ? 1 : std::max(1, state.fault.number);
    any_armed_ = true;
}

const std::set<std::uint64_t>& Nemesis::connections_to(const TabletAlias& tablet) const {
    static const std::set<std::uint64_t> none;
    const auto it = connections_.find(tablet);
    return it == connections_.end() ? none : it->second;
}

// ---- the end of faults

Core Nemesis::cease() {
    Core core = world_.core();
    cease_all(core);
    world_.store().disarm();
    for (const auto& server : world_.servers()) {
        if (!core.has(server->alias())) continue;
        if (server->paused()) server->resume();
        if ((!server->up() && !server->starting()) || server->stopping()) server->start();
    }
    for (const std::string& name : core.managers) {
        ManagerProcess* manager = world_.manager(name);
        if (manager->paused()) manager->resume();
        if (!manager->alive()) manager->start();
    }
    return core;
}

}  // namespace fixpoint::sim
