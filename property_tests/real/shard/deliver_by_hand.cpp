// What people do to servers and records by hand. Nothing here is ever undone by the harness.
#include <fmt/format.h>

#include <algorithm>

#include "property_tests/real/shard/nemesis.hpp"
#include "real_adapters/mysql/blocking_session.hpp"

namespace fixpoint::real_shards {
namespace {

using sim::Fault;
using sim::ServerState;
using enum sim::FaultKind;

const ServerState& seen(World& world, const Tablet& tablet) {
    return *world.now().server(tablet.alias());
}

bool receiver_runs(const ServerState& s) {
    return !s.channels.empty() && s.channels.front().receiver != sql::ThreadState::no;
}
bool applier_runs(const ServerState& s) {
    return !s.channels.empty() && s.channels.front().applier_running;
}

// Statements; observed when what is seen says so.
Delivery statements(World& world, Tablet& tablet, std::vector<std::string> list,
                    std::function<bool(const ServerState&)> has_it) {
    Delivery plan;
    plan.possible = tablet.up() && !tablet.paused() && !has_it(seen(world, tablet));
    plan.apply = [&tablet, list = std::move(list)] { tablet.by_hand(list); };
    plan.observed = [&world, &tablet, has_it] { return has_it(seen(world, tablet)); };
    return plan;
}

std::vector<std::string> with_receiver_restarted(const ServerState& state, std::vector<std::string> list) {
    if (!receiver_runs(state)) return list;
    list.insert(list.begin(), "STOP REPLICA IO_THREAD");
    list.emplace_back("START REPLICA IO_THREAD");
    return list;
}

Delivery variable_drift(World& world, Tablet& tablet, const Fault& fault) {
    const auto set = [&](const std::string& what, std::function<bool(const sql::ServerRow&)> is) {
        return statements(world, tablet, {"SET GLOBAL " + what},
                          [is = std::move(is)](const ServerState& s) { return is(s.server); });
    };
    switch (fault.kind) {
        case set_writable:
            return set("read_only = OFF", [](const auto& r) { return !r.read_only; });
        case set_super_read_only_off:
            return set("super_read_only = OFF", [](const auto& r) { return !r.super_read_only; });
        case set_read_only:
            return set("super_read_only = ON", [](const auto& r) { return r.super_read_only; });
        case set_offline_mode:
            return set("offline_mode = ON", [](const auto& r) { return r.offline_mode; });
        case semi_sync_source_off:
            return set("rpl_semi_sync_source_enabled = OFF",
                       [](const auto& r) { return !r.semi_sync_source_enabled; });
        case semi_sync_source_on:
            return set("rpl_semi_sync_source_enabled = ON",
                       [](const auto& r) { return r.semi_sync_source_enabled; });
        case semi_sync_timeout:
            return set(
                fmt::format("rpl_semi_sync_source_timeout = {}", to_ms(fault.amount)),
                [ms = to_ms(fault.amount)](const auto& r) { return r.semi_sync_source_timeout_ms == ms; });
        default:
            break;
    }
    const bool on = fault.kind == semi_sync_replica_on;
    return statements(world, tablet,
                      with_receiver_restarted(
                          seen(world, tablet),
                          {fmt::format("SET GLOBAL rpl_semi_sync_replica_enabled = {}", on ? "ON" : "OFF")}),
                      [on](const ServerState& s) { return s.server.semi_sync_replica_enabled == on; });
}

Delivery thread_drift(World& world, Tablet& tablet, const Fault& fault) {
    const bool receiver = fault.kind != stop_applier, applier = fault.kind != stop_receiver;
    std::vector<std::string> list;
    if (receiver) list.emplace_back("STOP REPLICA IO_THREAD");
    if (applier) list.emplace_back("STOP REPLICA SQL_THREAD");
    return statements(world, tablet, list, [receiver, applier](const ServerState& s) {
        return !(receiver && receiver_runs(s)) && !(applier && applier_runs(s));
    });
}

Delivery repoint_of(World& world, Tablet& tablet, const Fault& fault) {
    const Tablet* source = fault.to ? world.tablet(*fault.to) : nullptr;
    if (source == nullptr || source == &tablet) return {};
    const ServerState& state = seen(world, tablet);
    sql::ChangeSource change;
    change.source = source->address();
    change.heartbeat_period = state.channels.empty() ? world.scenario().limits.heartbeat_period
                                                     : state.channels.front().heartbeat_period;
    return statements(world, tablet,
                      {"STOP REPLICA", real::render(change, world.replication()), "START REPLICA"},
                      [address = source->address()](const ServerState& s) {
                          return !s.channels.empty() && s.channels.front().source == address;
                      });
}

std::vector<std::string> inserts(World& world, int count) {
    std::vector<std::string> list;
    for (int i = 0; i < count; ++i)
        list.push_back(
            fmt::format("INSERT INTO contract.`rows` VALUES ({})", world.clients().next_write_id()));
    return list;
}

Delivery second_primary_of(World& world, Tablet& tablet, const Fault& fault) {
    std::vector<std::string> list{"STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL read_only = OFF"};
    for (std::string& insert : inserts(world, fault.number)) list.push_back(std::move(insert));
    Delivery plan = statements(
        world, tablet, list, [](const ServerState& s) { return s.channels.empty() && !s.server.read_only; });
    plan.possible = tablet.up() && !tablet.paused();
    return plan;
}

// Whoever may do that opens the server for an instant.
Delivery errant_of(World& world, Tablet& tablet, const Fault& fault) {
    const ServerState& state = seen(world, tablet);
    std::string packet;
    if (state.server.super_read_only) packet += "SET GLOBAL super_read_only = OFF; ";
    for (const std::string& insert : inserts(world, std::max(1, fault.number))) packet += insert + "; ";
    if (state.server.super_read_only) packet += "SET GLOBAL super_read_only = ON; ";
    Delivery plan =
        statements(world, tablet, {packet}, [before = state.server.gtid_executed](const ServerState& s) {
            return s.server.gtid_executed != before;
        });
    plan.possible = tablet.up() && !tablet.paused();
    return plan;
}

// Killed, something changed, started again.
Delivery while_down(Tablet& tablet, std::function<void(contract::StartOptions& once)> change) {
    Delivery plan;
    plan.possible = true;
    const std::uint64_t boot = tablet.boot();
    plan.apply = [&tablet, change = std::move(change)] {
        tablet.crash();
        contract::StartOptions once = tablet.options();
        change(once);
        tablet.start(once);
    };
    plan.observed = [&tablet, boot] { return tablet.boot() > boot; };
    return plan;
}

Delivery server_id_of(World& world, Tablet& tablet, const Fault& fault) {
    const Tablet* other = fault.to ? world.tablet(*fault.to) : nullptr;
    if (other == nullptr) return {};
    Delivery plan = while_down(tablet, [&tablet, id = seen(world, *other).server.server_id](auto& once) {
        tablet.options().server_id = id;
        once.server_id = id;
    });
    plan.apply = [&tablet, apply = plan.apply] {
        if (tablet.up() && !tablet.paused()) tablet.server().as_root({"RESET PERSIST IF EXISTS server_id"});
        apply();
    };
    return plan;
}

Delivery purge_of(Tablet& tablet, World& world) {
    Delivery plan;
    plan.possible = tablet.up() && !tablet.paused();
    plan.apply = [&tablet] {
        tablet.by_hand([&tablet] {
            real::BlockingSession root = tablet.server().root();
            contract::run_all(root, {"FLUSH BINARY LOGS"});
            const real::RawAnswer last = root.query("SHOW BINARY LOG STATUS");
            if (last.error || last.results.at(0).rows.empty()) return;
            contract::run_all(
                root, {"PURGE BINARY LOGS TO " + real::literal(last.results[0].rows[0].at(0).value_or(""))});
        });
    };
    plan.observed = [&world, &tablet] { return !seen(world, tablet).server.gtid_purged.empty(); };
    return plan;
}

Delivery heartbeat_of(World& world, Tablet& tablet, const Fault& fault) {
    const ServerState& state = seen(world, tablet);
    const auto has_it = [period = fault.amount](const ServerState& s) {
        return !s.channels.empty() && s.channels.front().heartbeat_period == period;
    };
    Delivery plan =
        statements(world, tablet,
                   with_receiver_restarted(
                       state, {fmt::format("CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD = {}",
                                           real::seconds_text(fault.amount))}),
                   has_it);
    plan.possible = plan.possible && !state.channels.empty();
    return plan;
}

Delivery kill_sessions(Tablet& tablet) {
    Delivery plan;
    plan.possible = tablet.up() && !tablet.paused();
    const auto killed = std::make_shared<std::atomic<int>>(0);
    plan.apply = [&tablet, killed] {
        tablet.by_hand([&tablet, killed] {
            real::BlockingSession root = tablet.server().root();
            const real::RawAnswer sessions =
                root.query("SELECT id FROM information_schema.processlist WHERE user = 'manager'");
            if (sessions.error) return;
            for (const auto& row : sessions.results.at(0).rows) {
                if (!root.query("KILL " + row.at(0).value_or("0")).error) ++*killed;
            }
        });
    };
    plan.observed = [killed] { return *killed > 0; };
    return plan;
}

}  // namespace

Delivery Nemesis::plan_drift(const Fault& fault) {
    World& world = world_;
    Tablet* found = fault.tablet ? world.tablet(*fault.tablet) : nullptr;
    if (found == nullptr) return {};
    Tablet& tablet = *found;
    switch (fault.kind) {
        case stop_receiver:
        case stop_applier:
        case stop_replication:
            return thread_drift(world, tablet, fault);
        case reset_replication:
            return statements(world, tablet, {"STOP REPLICA", "RESET REPLICA ALL"},
                              [](const ServerState& s) { return s.channels.empty(); });
        case repoint:
        case primary_replicates_from:
            return repoint_of(world, tablet, fault);
        case second_primary:
            return second_primary_of(world, tablet, fault);
        case errant_transaction:
            return errant_of(world, tablet, fault);
        case equal_server_id:
            return server_id_of(world, tablet, fault);
        case new_uuid:
            return while_down(tablet, [](contract::StartOptions& once) { once.new_uuid = true; });
        case purge_binary_logs:
            return purge_of(tablet, world);
        case wrong_heartbeat:
            return heartbeat_of(world, tablet, fault);
        case unpersist_settings:
            return statements(world, tablet, {"RESET PERSIST"},
                              [](const ServerState& s) { return s.persisted.empty(); });
        case kill_session_by_hand:
            return kill_sessions(tablet);
        case long_transaction: {
            Delivery plan;
            plan.possible = tablet.up();
            plan.apply = [&world, alias = tablet.alias(), lasts = fault.for_time] {
                world.clients().hold_transaction(alias, lasts);
            };
            return plan;
        }
        default:
            return variable_drift(world, tablet, fault);
    }
}

}  // namespace fixpoint::real_shards
