// Faults of one server: its process, its machine, its disk, its applier.
#include <memory>

#include "sim/faults/by_hand.hpp"
#include "sim/faults/nemesis.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using mysql::FakeMysql;
using enum FaultKind;

bool down(const FakeMysql& server) {
    return !server.up() && !server.starting();
}

void start_after(Nemesis& nemesis, FakeMysql& server, Duration takes, const mysql::StartOptions& options,
                 const mysql::StartOptions& later) {
    World& world = nemesis.world();
    std::uint64_t& due = nemesis.start_due(server.alias());
    world.scheduler().after(
        world.stage(), takes,
        [&server, &due, number = ++due, options, later] {
            if (due == number) by_hand::start(server, options, later);
        },
        EventKind::fault);
}

Delivery stop_of(FakeMysql& server, const Fault& fault) {
    Delivery plan;
    plan.possible = server.up() || (fault.kind != shutdown && server.starting());
    plan.apply = [&server, kind = fault.kind] {
        if (kind == shutdown) return server.shut_down();
        if (server.paused()) server.resume();
        if (kind == crash) return server.crash();
        server.lose_machine(1);
        server.tear_relay_log();
    };
    plan.observed = [&server] { return !server.listens(); };
    plan.lasts = [&server] { return down(server) || server.stopping(); };
    plan.undo = [&server] {
        if (down(server) || server.stopping()) server.start();
    };
    return plan;
}

Delivery restart_of(Nemesis& nemesis, FakeMysql& server, const Fault& fault) {
    mysql::StartOptions options = server.options();
    mysql::StartOptions later = options;
    if (fault.kind == restart_writable) options.super_read_only = later.super_read_only = false;
    if (fault.kind == restart_without_persisted) {
        options.super_read_only = false;
        options.persisted_globals_load = false;
    }
    Delivery plan;
    plan.possible = true;
    const std::uint64_t boot = server.boot();
    plan.apply = [&nemesis, &server, &fault, options, later] {
        nemesis.forget_kinds({crash, crash_before_durable, shutdown}, fault);
        nemesis.undo_kinds({restart_loop, pause}, fault);
        if (server.paused()) server.resume();
        if (!down(server)) server.crash();
        start_after(nemesis, server, fault.amount, options, later);
    };
    plan.observed = [&server, boot] { return server.boot() > boot; };
    return plan;
}

Delivery loop_of(World& world, FakeMysql& server, const Fault& fault) {
    const auto going = std::make_shared<bool>(true);
    const auto turn = std::make_shared<std::function<void()>>();
    const Duration every = std::max<Duration>(fault.amount, std::chrono::milliseconds(100));
    *turn = [&world, &server, every, going, weak = std::weak_ptr(turn)] {
        const auto again = weak.lock();
        if (!*going || !again) return;
        if (!down(server)) server.crash();
        server.start();
        world.scheduler().after(world.stage(), every, [again] { (*again)(); }, EventKind::fault);
    };
    Delivery plan;
    plan.possible = true;
    const std::uint64_t boot = server.boot();
    plan.apply = [turn] { (*turn)(); };
    plan.observed = [&server, boot] { return server.boot() > boot; };
    plan.leave = [going] { *going = false; };
    plan.undo = [&server, going, turn] {
        *going = false;
        if (down(server)) server.start();
    };
    return plan;
}

// Killed, its relay log spoilt, and started again.
Delivery relay_log_of(Nemesis& nemesis, FakeMysql& server, const Fault& fault) {
    Delivery plan;
    plan.possible = server.disk().channel.has_value();
    const std::uint64_t boot = server.boot();
    plan.apply = [&nemesis, &server, &fault, kind = fault.kind] {
        nemesis.forget_kinds({crash, crash_before_durable, shutdown}, fault);
        nemesis.undo_kinds({restart_loop, pause}, fault);
        if (server.paused()) server.resume();
        if (!down(server)) server.crash();
        if (kind == relay_log_lost) server.lose_relay_log();
        if (kind == relay_log_hole) server.make_relay_log_hole();
        if (kind == torn_relay_log) server.tear_relay_log();
        start_after(nemesis, server, Duration{}, server.options(), server.options());
    };
    plan.observed = [&server, boot] { return server.boot() > boot; };
    return plan;
}

Delivery pause_of(Nemesis& nemesis, FakeMysql& server, const Fault& fault) {
    Delivery plan;
    if (fault.kind == pause) {
        plan.possible = server.up() && !server.paused();
        plan.apply = [&server] { server.pause(); };
        plan.lasts = [&server] { return server.paused(); };
        plan.undo = [&server] {
            if (server.paused()) server.resume();
        };
    } else {
        plan.possible = server.paused();
        plan.apply = [&nemesis, &server, &fault] {
            nemesis.undo_kinds({pause}, fault);
            if (server.paused()) server.resume();
        };
    }
    return plan;
}

}  // namespace

Delivery Nemesis::plan_tablet(const Fault& fault) {
    World& world = world_;
    FakeMysql* found = fault.tablet ? world.server(*fault.tablet) : nullptr;
    if (found == nullptr) return {};
    FakeMysql& server = *found;
    Delivery plan;
    plan.possible = server.up();
    switch (fault.kind) {
        case crash:
        case crash_before_durable:
        case shutdown:
            return stop_of(server, fault);
        case restart:
        case restart_writable:
        case restart_without_persisted:
            return restart_of(*this, server, fault);
        case restart_loop:
            return loop_of(world, server, fault);
        case pause:
        case resume:
            return pause_of(*this, server, fault);
        case relay_log_lost:
        case relay_log_hole:
        case torn_relay_log:
            return relay_log_of(*this, server, fault);
        case too_many_connections:
            plan.apply = [&server] { server.fill_connections(true); };
            plan.undo = [&server] { server.fill_connections(false); };
            return plan;
        case wrong_password:
            plan.apply = [&server] { server.reject_passwords(true); };
            plan.undo = [&server] { server.reject_passwords(false); };
            return plan;
        case applier_error:
            plan.apply = [&server, number = fault.number] { server.fail_applier(number); };
            plan.observed = [&world, &server, number = fault.number] {
                return by_hand::applier_errno(world, server) == number;
            };
            return plan;
        case block_applier:
            plan.possible = true;
            plan.apply = [&server] { server.block_applier(true); };
            plan.undo = [&server] { server.block_applier(false); };
            return plan;
        case unblock_applier:
            plan.possible = true;
            plan.apply = [this, &server, &fault] {
                undo_kinds({block_applier}, fault);
                server.block_applier(false);
            };
            return plan;
        case delay_applier:
            plan.possible = true;
            plan.apply = [&server, amount = fault.amount] { server.set_apply_delay(amount); };
            plan.undo = [&world, &server] { server.set_apply_delay(by_hand::declared_delay(world, server)); };
            return plan;
        default:
            return {};
    }
}

}  // namespace fixpoint::sim
