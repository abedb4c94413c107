// What concerns one server whatever its role: its settings, its locks, and whether it is closed.
#include <algorithm>

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

awaitable<Outcome> lock_and_look(Operation& op, bool primary_too) {
    std::vector<TabletAlias> aliases{op.key().tablet};
    if (primary_too && op.view().primary() && op.record().primary.alias != op.key().tablet) {
        aliases.push_back(op.record().primary.alias);
    }
    co_await op.lock_servers(std::move(aliases));
    if (!op.locked(op.key().tablet))
        co_return refused(Reason::tablet_unreachable, op.key().tablet.to_string());
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    op.require_locked(op.key().tablet);
    co_return succeeded();
}

namespace {

// Acks that anything may have switched on: OFF, the receiver anew at once (until then it goes on
// acknowledging, M17), *then* OFF is persisted. The other way round a manager that dies in between leaves one
// that seems to vouch.
awaitable<void> end_doubtful_acks(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    const TabletLookPtr look = t->now;
    const bool on = look->server().semi_sync_replica_enabled || look->answer.semi_sync.replica_status;
    if (!on) co_return;
    co_await switch_acks(op, alias, false);
    if (canary(Canary::off_but_still_acknowledging) || !receiver_runs(*look)) co_return;
    co_await stop_receivers(op, {alias});
    co_await op.must(alias, sql::StartReceiver{});
}

// Whoever leads it next need not wait for a receiver that finds nobody, or whose source has less than it.
awaitable<bool> drop_executed_relay_log(Operation& op, TabletAlias alias) {
    const TabletLookPtr look = op.view().find(alias)->now;
    const bool ran = receiver_runs(*look);
    co_await stop_receivers(op, {alias});
    co_await stop_applier(op, alias);
    const std::optional<HasNow> now = co_await has_now(op, alias);
    const bool all = now && now->unexecuted().empty();
    if (all) {
        co_await op.must(alias, sql::ResetReplica{false});
        op.shard().relay_log_dropped(alias);
    }
    if (ran) {
        co_await op.must(alias, sql::StartReceiver{});
        co_await op.must(alias, sql::StartApplier{});
    }
    co_return all;
}

}  // namespace

awaitable<Outcome> make_restart_safe(Operation& op) {
    if (Outcome there = co_await lock_and_look(op, false); there.refused) co_return there;
    const TabletAlias alias = op.key().tablet;
    const TabletLookPtr look = op.view().find(alias)->now;
    const sql::ServerRow& server = look->server();
    if (server.stop_replica_timeout_s != Limits::stop_replica_timeout_s &&
        !canary(Canary::stop_timeout_only_persisted)) {
        co_await op.must(
            alias, sql::SetGlobal{sql::Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s});
    }
    std::optional<Setting> waits;  // for its receiver to have run
    for (const Setting& s : settings_to_persist(server, look->answer.persisted, op.limits())) {
        if (s.first == sql::Variable::relay_log_recovery && may_hold_phantoms(*op.view().find(alias))) {
            waits = s;
            continue;
        }
        if (s.first == sql::Variable::rpl_semi_sync_replica_enabled) {
            if (canary(Canary::persisted_before_switched))
                co_await op.must(alias, sql::SetPersistOnly{s.first, s.second});
            co_await end_doubtful_acks(op, alias);
        }
        co_await op.must(alias, sql::SetPersistOnly{s.first, s.second});
    }
    if (waits) {  // what came before may have restarted it
        co_await op.look();
        op.require_locked(alias);
        const TabletView& t = *op.view().find(alias);
        bool proven = !may_hold_phantoms(t);
        if (!proven && phantoms_may_be_dropped(op.view(), t))
            proven = co_await drop_executed_relay_log(op, alias);
        if (proven) co_await op.must(alias, sql::SetPersistOnly{waits->first, waits->second});
    }
    // It takes effect when a receiver starts: while none runs it costs nothing, and whoever is quarantined in
    // a moment has it already.
    if ((!look->channel() || look->channel()->receiver == sql::ThreadState::no) &&
        server.replica_net_timeout_s != whole_seconds(op.limits().replica_net_timeout) &&
        !canary(Canary::net_timeout_is_the_servers)) {
        co_await op.must(alias, sql::SetGlobal{sql::Variable::replica_net_timeout,
                                               whole_seconds(op.limits().replica_net_timeout)});
    }
    co_return succeeded();
}

awaitable<Outcome> leave_offline_mode(Operation& op) {
    if (op.key().tablet == op.record().primary.alias) co_return co_await open_primary(op);
    if (Outcome there = co_await lock_and_look(op, false); there.refused) co_return there;
    co_return co_await close_deposed(op, op.key().tablet);
}

// Under the shard lock nobody else may hold one: taking it as protocol 3 says ends the other's session.
awaitable<Outcome> clear_foreign_lock(Operation& op) {
    co_await op.lock_servers({op.key().tablet});
    if (!op.locked(op.key().tablet))
        co_return refused(Reason::somebody_elses_lock, op.key().tablet.to_string());
    co_return succeeded();
}

awaitable<Outcome> close_stale_primary(Operation& op) {
    if (Outcome there = co_await lock_and_look(op, false); there.refused) co_return there;
    if (canary(Canary::replica_releases_what_waits)) co_await source_side_off(op, op.key().tablet);
    co_return co_await close_deposed(op, op.key().tablet);
}

awaitable<Outcome> make_replica_read_only(Operation& op) {
    if (Outcome there = co_await lock_and_look(op, false); there.refused) co_return there;
    co_return co_await make_read_only(op, op.key().tablet);
}

}  // namespace fixpoint
