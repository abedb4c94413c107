// Faults of the topology stores, and of managers.
#include <algorithm>

#include "sim/faults/nemesis.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using enum FaultKind;

Delivery outage(FakeStore& store, const std::string& cell, const std::string& manager) {
    Delivery plan;
    plan.possible = store.has_cell(cell) && !store.is_down(cell, manager);
    plan.apply = [&store, cell, manager] { store.set_down(cell, manager, true); };
    plan.observed = [&store, before = store.struck().down] { return store.struck().down > before; };
    plan.undo = [&store, cell, manager] { store.set_up(cell, manager); };
    return plan;
}

}  // namespace

Delivery Nemesis::plan_store(const Fault& fault) {
    World& world = world_;
    FakeStore& store = world.store();
    const int count = std::max(1, fault.number);
    Delivery plan;
    plan.possible = true;
    switch (fault.kind) {
        case store_unreachable:
            return outage(store, "", fault.manager);
        case cell_store_down:
            return outage(store, fault.cell, "");
        case store_reachable:
        case cell_store_up: {
            const bool cells = fault.kind == cell_store_up;
            plan.possible = store.has_cell(fault.cell) && store.is_down(fault.cell, fault.manager);
            plan.apply = [this, &store, &fault, cells] {
                undo_kinds({cells ? cell_store_down : store_unreachable}, fault);
                store.set_up(fault.cell, fault.manager);
            };
            return plan;
        }
        case store_slow:
            plan.apply = [&store, manager = fault.manager, extra = fault.amount] {
                store.set_slow("", manager, extra);
            };
            plan.observed = [&store, before = store.struck().slow] { return store.struck().slow > before; };
            plan.undo = [&store, manager = fault.manager] { store.set_fast("", manager); };
            return plan;
        case store_answer_lost:
            plan.apply = [&store, manager = fault.manager, count] {
                for (int i = 0; i < count; ++i) store.lose_next_answer(manager);
            };
            plan.observed = [&store, before = store.struck().answer_lost] {
                return store.struck().answer_lost > before;
            };
            return plan;
        case store_write_late:
            plan.apply = [&store, manager = fault.manager, late = fault.amount] {
                store.delay_next_write(manager, late);
            };
            plan.observed = [&store, before = store.struck().late] { return store.struck().late > before; };
            return plan;
        case store_conflict:
            plan.apply = [&store, manager = fault.manager, count] {
                for (int i = 0; i < count; ++i) store.conflict_next(manager);
            };
            plan.observed = [&store, before = store.struck().conflict] {
                return store.struck().conflict > before;
            };
            return plan;
        case watch_lost:
            plan.apply = [&store, manager = fault.manager, count] {
                store.next_watch_event(manager, FakeStore::WatchFault::lost, {}, count);
            };
            plan.observed = [&store, before = store.struck().watch] { return store.struck().watch > before; };
            return plan;
        case lease_expires: {
            const auto lock = world.topology().lock();
            plan.possible = lock && (fault.manager.empty() || lock->manager == fault.manager);
            if (plan.possible) plan.apply = [&store, path = lock->path] { store.expire_lease(path); };
            return plan;
        }
        default:
            return {};
    }
}

Delivery Nemesis::plan_manager(const Fault& fault, const std::string& concerned) {
    World& world = world_;
    std::vector<ManagerProcess*> subjects;
    for (const auto& manager : world.managers()) {
        const std::string& wanted = fault.manager.empty() ? concerned : fault.manager;
        if (wanted.empty() || manager->name() == wanted) subjects.push_back(manager.get());
    }
    const auto any = [subjects](bool (ManagerProcess::*is)() const, bool value) {
        return std::any_of(subjects.begin(), subjects.end(),
                           [&](const ManagerProcess* m) { return (m->*is)() == value; });
    };
    const auto each = [subjects](void (ManagerProcess::*act)()) {
        return [subjects, act] {
            for (ManagerProcess* m : subjects) (m->*act)();
        };
    };
    Delivery plan;
    switch (fault.kind) {
        case manager_crash:
            plan.possible = any(&ManagerProcess::alive, true);
            plan.apply = each(&ManagerProcess::crash);
            plan.undo = each(&ManagerProcess::start);
            break;
        case manager_restart:
            plan.possible = !subjects.empty();
            plan.apply = [&world, crash = each(&ManagerProcess::crash),
                          start = each(&ManagerProcess::start)] {
                crash();
                // One that has just killed itself is gone only when its action has returned.
                world.scheduler().post(world.stage(), start, EventKind::fault);
            };
            break;
        case manager_pause:
            plan.possible = any(&ManagerProcess::paused, false) && any(&ManagerProcess::alive, true);
            plan.apply = each(&ManagerProcess::pause);
            plan.undo = each(&ManagerProcess::resume);
            break;
        case manager_resume:
            plan.possible = any(&ManagerProcess::paused, true);
            plan.apply = [this, &fault, resume = each(&ManagerProcess::resume)] {
                undo_kinds({manager_pause}, fault);
                resume();
            };
            break;
        case manager_clock_jump:
            plan.possible = any(&ManagerProcess::alive, true);
            plan.apply = [subjects, by = fault.amount] {
                for (ManagerProcess* m : subjects) m->jump_clock(by);
            };
            break;
        default:
            break;
    }
    return plan;
}

}  // namespace fixpoint::sim
