// Faults of the environment: links, servers' processes, managers, and the store's lock.
#include <algorithm>

#include "property_tests/real/shard/nemesis.hpp"
#include "real_adapters/mysql/blocking_session.hpp"

namespace fixpoint::real_shards {
namespace {

using sim::Fault;
using enum sim::FaultKind;

bool down(const Tablet& tablet) {
    return !tablet.up() && !tablet.starting();
}

void start(Tablet& tablet) {
    if (down(tablet)) tablet.start();
}

// ---- links

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> everybody(World& world) {
    std::vector<std::string> all{"clients"};
    for (const auto& t : world.tablets()) all.push_back(t->alias().to_string());
    for (const auto& m : world.managers()) all.push_back(m->name());
    return all;
}

Pairs pairs_of(World& world, const Fault& fault, bool both) {
    const auto expand = [&](const std::vector<std::string>& names, const std::vector<std::string>& but) {
        if (!names.empty() && std::ranges::find(names, "*") == names.end()) return names;
        std::vector<std::string> rest = everybody(world);
        std::erase_if(rest, [&](const std::string& n) { return std::ranges::find(but, n) != but.end(); });
        return rest;
    };
    const std::vector<std::string> from = expand(fault.from_set, fault.to_set);
    const std::vector<std::string> to = expand(fault.to_set, from);
    Pairs pairs;
    for (const std::string& a : from) {
        for (const std::string& b : to) {
            if (a == b) continue;
            pairs.emplace_back(a, b);
            if (both) pairs.emplace_back(b, a);
        }
    }
    std::ranges::sort(pairs);
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    return pairs;
}

std::uint64_t held(World& world, const Pairs& pairs) {
    std::uint64_t all = 0;
    for (const auto& [a, b] : pairs) all += world.proxy().held(a, b);
    return all;
}

// ---- servers

Delivery stop_of(Tablet& tablet, World& world, const Fault& fault) {
    Delivery plan;
    plan.possible = tablet.up() || (fault.kind != shutdown && tablet.starting());
    plan.apply = [&tablet, &world, kind = fault.kind] {
        if (kind == shutdown) {
            world.shutting_down(tablet.alias());
            return tablet.shut_down();
        }
        tablet.crash();
    };
    plan.observed = [&tablet] { return !tablet.up(); };
    plan.undo = [&tablet] { tablet.start(); };  // after a stop that is under way, however long it takes
    return plan;
}

Delivery restart_of(Nemesis& nemesis, Tablet& tablet, const Fault& fault) {
    Delivery plan;
    plan.possible = true;
    const std::uint64_t boot = tablet.boot();
    plan.apply = [&nemesis, &tablet, &fault] {
        nemesis.forget_kinds({crash, crash_before_durable, shutdown}, fault);
        nemesis.undo_kinds({restart_loop, pause}, fault);
        if (!down(tablet)) tablet.crash();
        contract::StartOptions once = tablet.options();
        if (fault.kind == restart_writable) {
            tablet.options().super_read_only = false;
            once.super_read_only = false;
        }
        if (fault.kind == restart_without_persisted) {
            once.super_read_only = false;
            once.persisted_globals_load = false;
        }
        nemesis.after(fault.amount, [&tablet, once] {
            if (down(tablet)) tablet.start(once);
        });
    };
    plan.observed = [&tablet, boot] { return tablet.boot() > boot; };
    return plan;
}

void turn(Nemesis& nemesis, Tablet& tablet, Duration every, const std::shared_ptr<bool>& going) {
    if (!*going) return;
    if (!down(tablet)) tablet.crash();
    start(tablet);
    nemesis.after(every, [&nemesis, &tablet, every, going] { turn(nemesis, tablet, every, going); });
}

Delivery loop_of(Nemesis& nemesis, Tablet& tablet, const Fault& fault) {
    const auto going = std::make_shared<bool>(true);
    Delivery plan;
    plan.possible = true;
    const std::uint64_t boot = tablet.boot();
    plan.apply = [&nemesis, &tablet, going, every = std::max<Duration>(fault.amount, 100ms)] {
        turn(nemesis, tablet, every, going);
    };
    plan.observed = [&tablet, boot] { return tablet.boot() > boot; };
    plan.undo = [&tablet, going] {
        *going = false;
        start(tablet);
    };
    return plan;
}

// The one start that throws away what was received, though the persisted settings forbid it (M45).
contract::StartOptions recovering(contract::StartOptions options) {
    options.persisted_globals_load = false;
    options.relay_log_recovery = true;
    options.super_read_only = true;
    options.skip_replica_start = true;
    return options;
}

// Killed, its relay log's files removed or torn, and started again.
Delivery relay_log_of(Nemesis& nemesis, Tablet& tablet, const Fault& fault) {
    Delivery plan;
    const sim::ServerState* seen = nemesis.world().now().server(tablet.alias());
    plan.possible = seen != nullptr && !seen->channels.empty();
    const std::uint64_t boot = tablet.boot();
    plan.apply = [&nemesis, &tablet, &fault] {
        nemesis.forget_kinds({crash, crash_before_durable, shutdown}, fault);
        nemesis.undo_kinds({restart_loop, pause}, fault);
        const sim::ServerState before = *nemesis.world().now().server(tablet.alias());
        if (!down(tablet)) tablet.crash();
        contract::StartOptions once = tablet.options();
        once.relay_logs_removed = fault.kind == relay_log_lost;
        once.relay_log_torn = fault.kind == torn_relay_log;
        if (fault.kind == relay_log_hole) tablet.start(recovering(once), true);
        if (fault.kind != torn_relay_log) {
            GtidSet gone;
            for (const sql::ReplicaRow& channel : before.channels) gone.add(channel.retrieved);
            gone.subtract(before.server.gtid_executed);
            nemesis.world().report(
                sim::RelayLogDiscarded{tablet.alias(), gone, before.writes_received.ids(), "", 0, false});
        }
        tablet.start(once);
    };
    plan.observed = [&tablet, boot] { return tablet.boot() > boot; };
    return plan;
}

Delivery pause_of(Nemesis& nemesis, Tablet& tablet, const Fault& fault) {
    Delivery plan;
    if (fault.kind == pause) {
        plan.possible = tablet.up() && !tablet.paused();
        plan.apply = [&tablet] { tablet.pause(); };
        plan.undo = [&tablet] {
            if (tablet.paused()) tablet.resume();
        };
    } else {
        plan.possible = tablet.paused();
        plan.apply = [&nemesis, &tablet, &fault] {
            nemesis.undo_kinds({pause}, fault);
            if (tablet.paused()) tablet.resume();
        };
    }
    return plan;
}

// LOCK TABLES in a session of somebody's: it lasts as long as the session. It is not to be had while a commit
// waits for acknowledgement, or behind an applier that somebody's lock holds up already.
Delivery block_of(Tablet& tablet) {
    Delivery plan;
    if (!tablet.up()) return plan;
    if (tablet.applier_blocked()) {
        plan.possible = true;
        plan.apply = [] {};
        return plan;
    }
    const auto session = std::make_shared<std::optional<real::BlockingSession>>();
    try {
        *session = tablet.server().root();
        contract::run_all(**session, {"SET SESSION lock_wait_timeout=1", "LOCK TABLES contract.`rows` READ"});
    } catch (const std::runtime_error&) {
        return plan;
    }
    plan.possible = true;
    plan.apply = [&tablet] { tablet.set_applier_blocked(true); };
    plan.undo = [&tablet, session] {
        session->reset();
        tablet.set_applier_blocked(false);
    };
    return plan;
}

}  // namespace

Delivery Nemesis::plan_network(const Fault& fault) {
    World& world = world_;
    Delivery plan;
    plan.possible = true;
    if (fault.kind == heal) {
        plan.apply = [this, &fault] { heal_network(fault); };
        return plan;
    }
    const Pairs pairs = pairs_of(world, fault, fault.kind != cut_one_way);
    const std::uint64_t before = held(world, pairs);
    plan.observed = [&world, pairs, before] { return held(world, pairs) > before; };
    // A clog holds packets and delivers them in order: for TCP that is a cut.
    const auto apply = [this, pairs, &fault](int sign) {
        for (const auto& [a, b] : pairs) {
            if (fault.kind == sim::FaultKind::delay)
                delay(a, b, sign * fault.amount);
            else
                cut(a, b, sign);
        }
    };
    plan.apply = [apply] { apply(1); };
    plan.undo = [apply] { apply(-1); };
    return plan;
}

Delivery Nemesis::plan_tablet(const Fault& fault) {
    World& world = world_;
    Tablet* found = fault.tablet ? world.tablet(*fault.tablet) : nullptr;
    if (found == nullptr) return {};
    Tablet& tablet = *found;
    switch (fault.kind) {
        case crash:
        case shutdown:
            return stop_of(tablet, world, fault);
        case restart:
        case restart_writable:
        case restart_without_persisted:
            return restart_of(*this, tablet, fault);
        case restart_loop:
            return loop_of(*this, tablet, fault);
        case relay_log_lost:
        case relay_log_hole:
        case torn_relay_log:
            return relay_log_of(*this, tablet, fault);
        case pause:
        case resume:
            return pause_of(*this, tablet, fault);
        case block_applier:
            return block_of(tablet);
        case unblock_applier: {
            Delivery plan;
            plan.possible = true;
            plan.apply = [this, &fault] { undo_kinds({block_applier}, fault); };
            return plan;
        }
        default:
            return {};
    }
}

Delivery Nemesis::plan_store(const Fault& fault) {
    if (fault.kind != lease_expires) return {};
    Store& store = world_.store();
    Delivery plan;
    const auto lock = store.now().shard_lock;
    plan.possible = lock && !lock->lease_expired && (fault.manager.empty() || lock->manager == fault.manager);
    plan.apply = [&store, &fault] { store.expire_lease(fault.manager); };
    return plan;
}

Delivery Nemesis::plan_manager(const Fault& fault, const std::string& concerned) {
    std::vector<Manager*> subjects;
    const std::string& wanted = fault.manager.empty() ? concerned : fault.manager;
    for (const auto& manager : world_.managers()) {
        if (wanted.empty() || manager->name() == wanted) subjects.push_back(manager.get());
    }
    const auto each = [subjects](void (Manager::*act)()) {
        return [subjects, act] {
            for (Manager* m : subjects) (m->*act)();
        };
    };
    const auto any = [&](bool (Manager::*is)() const, bool value) {
        return std::ranges::any_of(subjects, [&](const Manager* m) { return (m->*is)() == value; });
    };
    Delivery plan;
    switch (fault.kind) {
        case manager_crash:
            plan.possible = any(&Manager::alive, true);
            plan.apply = [this, subjects] {
                for (Manager* m : subjects) {
                    m->crash();
                    world_.report(sim::ManagerStopped{m->name()});
                }
            };
            plan.undo = each(&Manager::start);
            break;
        case manager_restart:
            plan.possible = !subjects.empty();
            plan.apply = [this, subjects] {
                for (Manager* m : subjects) {
                    m->crash();
                    world_.report(sim::ManagerStopped{m->name()});
                    m->start();
                }
            };
            break;
        case manager_pause:
            plan.possible = any(&Manager::paused, false) && any(&Manager::alive, true);
            plan.apply = each(&Manager::pause);
            plan.undo = each(&Manager::resume);
            break;
        case manager_resume:
            plan.possible = any(&Manager::paused, true);
            plan.apply = [this, &fault, resume = each(&Manager::resume)] {
                undo_kinds({manager_pause}, fault);
                resume();
            };
            break;
        default:
            break;
    }
    return plan;
}

}  // namespace fixpoint::real_shards
