// What people do to servers by hand. Nothing here is ever undone by the simulator.
#include <algorithm>
#include <memory>

#include "sim/faults/by_hand.hpp"
#include "sim/faults/nemesis.hpp"
#include "sim/world/boot.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using mysql::FakeMysql;
using sql::Variable;
using enum FaultKind;

// A variable is set; observed when it has that value.
Delivery set_variable(FakeMysql& server, Variable variable, std::int64_t value,
                      std::function<bool()> has_it) {
    Delivery plan;
    plan.possible = server.up() && !has_it();
    plan.apply = [&server, variable, value] { server.set_by_hand(variable, value); };
    plan.observed = std::move(has_it);
    return plan;
}

// It may hang behind commits that wait, and reads ON meanwhile (M20). Observed by who typed it, too: it may
// be opened again at once.
Delivery closing_by_hand(World& world, FakeMysql& server) {
    const auto is_closed = std::make_shared<bool>(false);
    const auto has_it = [&world, &server] {
        const ServerState state = by_hand::look(world, server);
        return state.server.super_read_only || state.closing_pending;
    };
    Delivery plan;
    plan.possible = server.up() && !has_it();
    plan.apply = [&server, is_closed] { server.close_by_hand([is_closed] { *is_closed = true; }); };
    plan.observed = [is_closed, has_it] { return *is_closed || has_it(); };
    return plan;
}

Delivery variable_drift(World& world, FakeMysql& server, const Fault& fault) {
    const auto row = [&world, &server] { return by_hand::look(world, server).server; };
    switch (fault.kind) {
        case set_writable:
            return set_variable(server, Variable::read_only, 0, [row] { return !row().read_only; });
        case set_super_read_only_off:
            return set_variable(server, Variable::super_read_only, 0,
                                [row] { return !row().super_read_only; });
        case set_read_only:
            return closing_by_hand(world, server);
        case set_offline_mode:
            return set_variable(server, Variable::offline_mode, 1, [row] { return row().offline_mode; });
        case semi_sync_source_off:
            return set_variable(server, Variable::rpl_semi_sync_source_enabled, 0,
                                [row] { return !row().semi_sync_source_enabled; });
        case semi_sync_source_on:
            return set_variable(server, Variable::rpl_semi_sync_source_enabled, 1,
                                [row] { return row().semi_sync_source_enabled; });
        case semi_sync_timeout:
            return set_variable(
                server, Variable::rpl_semi_sync_source_timeout, to_ms(fault.amount),
                [row, ms = to_ms(fault.amount)] { return row().semi_sync_source_timeout_ms == ms; });
        default:
            break;
    }
    const bool on = fault.kind == semi_sync_replica_on;
    Delivery plan = set_variable(server, Variable::rpl_semi_sync_replica_enabled, on,
                                 [row, on] { return row().semi_sync_replica_enabled == on; });
    plan.apply = [&world, &server, &fault, set = plan.apply] {
        set();
        by_hand::restart_receiver(world, server, fault);
    };
    return plan;
}

Delivery thread_drift(World& world, FakeMysql& server, const Fault& fault) {
    const bool receiver = fault.kind != stop_applier;
    const bool applier = fault.kind != stop_receiver;
    Delivery plan;
    const auto stopped = [&world, &server, receiver, applier] {
        return !(receiver && by_hand::receiver_runs(world, server)) &&
               !(applier && by_hand::applier_runs(world, server));
    };
    plan.possible = server.up() && !stopped();
    plan.apply = [&server, receiver, applier] {
        if (receiver) server.stop_receiver_by_hand();
        if (applier) server.stop_applier_by_hand();
    };
    plan.observed = stopped;
    return plan;
}

Delivery reset_of(World& world, FakeMysql& server, const Fault& fault) {
    Delivery plan;
    plan.possible = server.up() && server.disk().channel.has_value();
    plan.observed = [&server] { return !server.disk().channel; };
    plan.apply = [&world, &server, &fault, done = plan.observed] {
        by_hand::until(world, [&server] { server.reset_replica_by_hand(true); }, done, &fault);
    };
    return plan;
}

Delivery repoint_of(World& world, FakeMysql& server, const Fault& fault) {
    Delivery plan;
    if (!fault.to || world.server(*fault.to) == nullptr || *fault.to == server.alias()) return plan;
    const MysqlAddress source = address_of(*fault.to);
    plan.observed = [&server, source] {
        return server.disk().channel && server.disk().channel->source == source;
    };
    plan.possible = server.up() && !plan.observed();
    plan.apply = [&world, &server, &fault, source, done = plan.observed] {
        by_hand::until(world, [&server, source] { server.repoint_by_hand(source); }, done, &fault);
    };
    return plan;
}

void write_by_hand(World& world, FakeMysql& server, int count) {
    for (int i = 0; i < count; ++i) server.write_errant(world.writers().next_write_id());
}

// Restored from elsewhere: it is in no binary log, so no replica gets it.
Delivery foreign_journal_of(World& world, FakeMysql& server) {
    Delivery plan;
    plan.possible = server.up();
    plan.apply = [&world, &server] {
        const auto record = world.topology().fixpoint();
        sql::JournalRow row;
        row.shard = world.scenario().shard;
        row.term = (record ? record->term : 0) + 100;
        row.alias = TabletAlias{"elsewhere", 1};
        row.uuid = world.mysql_world().make_uuid();
        server.restore_journal(row);
    };
    return plan;
}

Delivery second_primary_of(World& world, FakeMysql& server, const Fault& fault) {
    const auto apart = [&server] { return !server.disk().channel; };
    Delivery plan;
    plan.possible = server.up();
    plan.observed = [&world, &server, apart] {
        return apart() && !by_hand::look(world, server).server.read_only;
    };
    plan.apply = [&world, &server, &fault, count = fault.number, apart] {
        const auto written = std::make_shared<bool>(false);
        by_hand::until(
            world,
            [&world, &server, count, apart, written] {
                if (!apart()) server.reset_replica_by_hand(true);
                if (!apart()) return;
                server.set_by_hand(Variable::read_only, 0);
                write_by_hand(world, server, count);
                *written = true;
            },
            [written] { return *written; }, &fault);
    };
    return plan;
}

Delivery errant_of(World& world, FakeMysql& server, const Fault& fault) {
    Delivery plan;
    plan.possible = server.up();
    const GtidSet before = server.executed();
    plan.apply = [&world, &server, count = std::max(1, fault.number)] {
        write_by_hand(world, server, count);
    };
    plan.observed = [&server, before] { return server.executed() != before; };
    return plan;
}

// Stopped, something on its disk or in its file changed, started again.
Delivery while_down(FakeMysql& server, std::function<void()> change) {
    Delivery plan;
    plan.possible = true;
    const std::uint64_t boot = server.boot();
    plan.apply = [&server, change = std::move(change)] {
        if (server.paused()) server.resume();
        if (server.up() || server.starting()) server.crash();
        change();
        server.start();
    };
    plan.observed = [&server, boot] { return server.boot() > boot; };
    return plan;
}

void take_back(FakeMysql& server, int transactions) {
    mysql::DurableState older = server.backup();
    const auto end = older.binary_log.end();
    const auto first = older.binary_log.first();
    const auto count =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(std::max(0, transactions)), end - first);
    for (auto position = end; position-- > end - count;) {
        const mysql::TransactionPtr gone = older.binary_log.at(position);
        older.executed.subtract(GtidSet::single(gone->gtid));
        older.rows.take_back(*gone);
    }
    older.binary_log.truncate(end - count);
    older.relay_log = {};
    server.restore(std::move(older));
}

Delivery heartbeat_of(World& world, FakeMysql& server, const Fault& fault) {
    Delivery plan;
    plan.possible =
        server.up() && server.disk().channel && server.disk().channel->heartbeat_period != fault.amount;
    plan.apply = [&world, &server, &fault, period = fault.amount] {
        server.disk().channel->heartbeat_period = period;
        by_hand::restart_receiver(world, server, fault);
    };
    plan.observed = [&server, period = fault.amount] {
        return server.disk().channel && server.disk().channel->heartbeat_period == period;
    };
    return plan;
}

Delivery unpersist(FakeMysql& server) {
    Delivery plan;
    plan.possible = server.up() && !server.disk().persisted.empty();
    plan.apply = [&server] {
        const sql::PersistedVariables persisted = server.disk().persisted;
        for (const auto& [variable, value] : persisted) server.persist_by_hand(variable, std::nullopt);
    };
    plan.observed = [&server] { return server.disk().persisted.empty(); };
    return plan;
}

Delivery kill_sessions(Nemesis& nemesis, FakeMysql& server) {
    Delivery plan;
    const auto killed = std::make_shared<int>(0);
    plan.possible = server.up();
    plan.apply = [&nemesis, &server, killed] {
        const std::set<std::uint64_t> connections = nemesis.connections_to(server.alias());
        for (const std::uint64_t connection : connections) {
            if (!server.manager_of(connection).empty() && server.kill_by_hand(connection)) ++*killed;
        }
    };
    plan.observed = [killed] { return *killed > 0; };
    return plan;
}

}  // namespace

Delivery Nemesis::plan_drift(const Fault& fault) {
    World& world = world_;
    FakeMysql* found = fault.tablet ? world.server(*fault.tablet) : nullptr;
    if (found == nullptr) return {};
    FakeMysql& server = *found;
    switch (fault.kind) {
        case stop_receiver:
        case stop_applier:
        case stop_replication:
            return thread_drift(world, server, fault);
        case reset_replication:
            return reset_of(world, server, fault);
        case repoint:
        case primary_replicates_from:
            return repoint_of(world, server, fault);
        case second_primary:
            return second_primary_of(world, server, fault);
        case errant_transaction:
            return errant_of(world, server, fault);
        case equal_server_id: {
            const FakeMysql* other = fault.to ? world.server(*fault.to) : nullptr;
            if (other == nullptr) return {};
            return while_down(server, [&server, id = by_hand::look(world, *other).server.server_id] {
                mysql::StartOptions options = server.options();
                options.server_id = id;
                server.set_options(options);
                server.persist_by_hand(Variable::server_id, std::nullopt);
            });
        }
        case restore_older_state:
            return while_down(server, [&server, count = fault.number] { take_back(server, count); });
        case new_uuid:
            return while_down(server, [&server] { server.make_new_uuid(); });
        case purge_binary_logs: {
            Delivery plan;
            plan.possible = server.up();
            plan.apply = [&server] { server.purge_binary_logs(); };
            plan.observed = [&server] { return !server.disk().purged.empty(); };
            return plan;
        }
        case wrong_heartbeat:
            return heartbeat_of(world, server, fault);
        case unpersist_settings:
            return unpersist(server);
        case kill_session_by_hand:
            return kill_sessions(*this, server);
        case foreign_journal:
            return foreign_journal_of(world, server);
        case long_transaction: {
            Delivery plan;
            plan.possible = server.up();
            plan.apply = [&world, &server, lasts = fault.for_time] {
                world.writers().hold_transaction(server.alias(), lasts);
            };
            return plan;
        }
        default:
            return variable_drift(world, server, fault);
    }
}

}  // namespace fixpoint::sim
