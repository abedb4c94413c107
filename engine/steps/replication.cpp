// Stopping, applying, following, fetching: everything that touches a replica's channel.
#include <algorithm>

#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

using sql::Variable;

awaitable<void> switch_acks(Operation& op, TabletAlias alias, bool on) {
    co_await op.must(alias, sql::SetGlobal{Variable::rpl_semi_sync_replica_enabled, on ? 1 : 0});
}

awaitable<void> source_side_off(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now || !t->now->server().semi_sync_plugins || !t->now->server().semi_sync_source_enabled)
        co_return;
    if (canary(Canary::replica_applies_with_source_on)) co_return;
    if (is_writable(*t->now) && !canary(Canary::replica_releases_what_waits)) co_return;
    co_await op.must(alias, sql::SetGlobal{Variable::rpl_semi_sync_source_enabled, 0});
}

namespace {

// A STOP hangs for a year by default, and a new value does not free one that hangs already (M54).
awaitable<void> bound_stops(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (canary(Canary::stop_timeout_only_persisted)) co_return;
    if (t && t->now && t->now->server().stop_replica_timeout_s == Limits::stop_replica_timeout_s) co_return;
    co_await op.must(alias,
                     sql::SetGlobal{Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s});
}

awaitable<void> stop_receiver(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now || !t->now->channel()) co_return;
    if (canary(Canary::retrying_receiver_counts_as_stopped) &&
        t->now->channel()->receiver == sql::ThreadState::connecting)
        co_return;
    co_await bound_stops(op, alias);
    const Duration limit =
        canary(Canary::stop_limit_is_the_statements) ? op.limits().look_without_locks : op.limits().stop();
    co_await op.must(alias, sql::StopReceiver{}, limit);
}

bool source_settings_are_right(const sql::ReplicaRow& c, const Limits& limits) {
    return c.auto_position && c.connect_retry_s == Limits::source_connect_retry_s &&
           c.retry_count == Limits::source_retry_count && c.heartbeat_period == limits.heartbeat_period;
}

}  // namespace

bool is_at_rest(const TabletLook& look) {
    const sql::ReplicaRow* c = look.channel();
    return c && c->receiver == sql::ThreadState::no && look.server().gtid_executed.contains(look.has);
}

awaitable<void> stop_applier(Operation& op, TabletAlias alias) {
    co_await bound_stops(op, alias);
    co_await source_side_off(op, alias);
    co_await op.must(alias, sql::StopApplier{}, op.limits().stop());
}

sql::ChangeSource change_to(const Operation& op, const MysqlAddress& source, bool receiver_options_only) {
    sql::ChangeSource change;
    change.source = source;
    change.heartbeat_period = op.limits().heartbeat_period;
    change.connect_retry_s = Limits::source_connect_retry_s;
    change.retry_count = Limits::source_retry_count;
    change.receiver_options_only = receiver_options_only;
    return change;
}

bool primary_has(const Operation& op, const GtidSet& set) {
    const TabletView* p = op.view().primary();
    return set.empty() || (p && p->now && p->now->log.contains(set));
}

awaitable<std::optional<HasNow>> has_now(Operation& op, TabletAlias alias) {
    auto gtids = co_await op.ask(alias, sql::ReadGtids{}, op.limits().statement);
    auto rows = co_await op.ask(alias, sql::ReadReplica{}, op.limits().statement);
    if (!gtids || !rows) co_return std::nullopt;
    HasNow now{gtids->executed, gtids->executed};
    for (const sql::ReplicaRow& row : *rows) now.has.add(row.retrieved);
    co_return now;
}

awaitable<void> stop_receivers(Operation& op, std::vector<TabletAlias> aliases) {
    co_await op.for_each(std::move(aliases),
                         [&op](TabletAlias alias) { return stop_receiver(op, std::move(alias)); });
}

awaitable<bool> wait_until_executed(Operation& op, TabletAlias alias, GtidSet set, Duration limit) {
    const Instant deadline = op.shard().now() + limit;
    for (;;) {
        const Duration left = deadline - op.shard().now();
        const Duration slice = std::clamp<Duration>(left, Duration::zero(), op.limits().wait_slice);
        auto executed =
            co_await op.ask(alias, sql::WaitForExecuted{set, slice}, slice + op.limits().statement);
        if (!executed) co_return false;
        if (*executed) co_return true;
        if (op.shard().now() >= deadline) co_return false;
    }
}

namespace {

awaitable<void> apply_on(Operation& op, TabletAlias alias, Duration limit) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now || !t->now->channel()) co_return;
    const TabletLookPtr look = t->now;
    if (look->server().gtid_executed.contains(look->has)) co_return;
    co_await source_side_off(op, alias);
    if (!look->channel()->applier_running) {
        if (look->channel()->applier_errno != 0) co_return;
        if (auto started = co_await op.change(alias, sql::StartApplier{}); !started) co_return;
    }
    co_await wait_until_executed(op, alias, look->has, limit);
}

}  // namespace

awaitable<void> apply_received(Operation& op, std::vector<TabletAlias> aliases, Duration limit) {
    co_await op.for_each(std::move(aliases),
                         [&op, limit](TabletAlias alias) { return apply_on(op, std::move(alias), limit); });
}

namespace {

// CHANGE may drop the relay log even where a look said that it would not: the applier may stop in between
// (M8).
awaitable<Outcome> change_source(Operation& op, TabletAlias alias, bool names_it) {
    const TabletView* t = op.view().find(alias);
    const bool has_channel = t->now->channel() != nullptr;
    const bool applier_runs = has_channel && t->now->channel()->applier_running;
    const bool auto_position = has_channel && t->now->channel()->auto_position;
    HasNow before{t->now->server().gtid_executed, t->now->has};
    if (!is_at_rest(*t->now)) {
        const std::optional<HasNow> now = co_await has_now(op, alias);
        if (!now) co_return refused(Reason::tablet_unreachable, alias.to_string());
        before = *now;
    }
    const GtidSet rest = before.unexecuted();
    const MysqlAddress source = op.record().primary.address;
    const bool primary_has_it = primary_has(op, rest);
    const bool drops_nothing = rest.empty() || (op.record().opened_at.contains(rest) && primary_has_it);
    if (!drops_nothing && !primary_has_it && !canary(Canary::repoint_discards_relay_log)) {
        // Nobody else provably has what it received: it is executed first, or kept.
        const bool comes_to_it = has_channel && t->now->channel()->applier_errno == 0;
        // Its applier would wait for acknowledgements of its own, for ever.
        if (comes_to_it) co_await source_side_off(op, alias);
        if (comes_to_it && !applier_runs) co_await op.must(alias, sql::StartApplier{});
        co_return refused(comes_to_it ? Reason::not_caught_up : Reason::would_discard,
                          "received and not executed, and on nobody else in reach: " + rest.to_string());
    }
    const bool acks_were_on = t->now->server().semi_sync_replica_enabled;
    const bool in_doubt = !drops_nothing || canary(Canary::change_always_switches_acks_off);
    if (in_doubt && acks_were_on && !canary(Canary::change_keeps_acks_on))
        co_await switch_acks(op, alias, false);
    const bool both_stopped = !applier_runs || !auto_position || canary(Canary::repoint_discards_relay_log);
    if (both_stopped && applier_runs) co_await stop_applier(op, alias);
    co_await op.must(alias, change_to(op, source, !both_stopped));
    if (both_stopped) op.shard().relay_log_dropped(alias);
    if (in_doubt && acks_were_on && names_it) {
        if (const std::optional<HasNow> after = co_await has_now(op, alias)) {
            const bool kept = after->has.contains(before.has) || canary(Canary::drops_relay_log_and_vouches);
            if (kept && !canary(Canary::change_keeps_acks_on)) co_await switch_acks(op, alias, true);
        }
    }
    co_return succeeded();
}

// What no applier can read any more is fetched again, where P has it; nobody counts on it until then.
awaitable<Outcome> forget_relay_log(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    auto gtids = co_await op.ask(alias, sql::ReadGtids{}, op.limits().statement);
    if (!gtids) co_return refused(Reason::tablet_unreachable, gtids.error().text);
    const GtidSet rest = t->now->has - gtids->executed;
    if (!primary_has(op, rest))
        co_return refused(Reason::would_discard, "nobody else in reach has " + rest.to_string());
    if (t->now->server().semi_sync_plugins) co_await switch_acks(op, alias, false);
    co_await op.must(alias, sql::ResetReplica{false});
    op.shard().relay_log_dropped(alias);
    co_return succeeded();
}

}  // namespace

awaitable<std::optional<sql::ReplicaRow>> settled_receiver(Operation& op, TabletAlias alias, Duration limit) {
    const Instant deadline = op.shard().now() + limit;
    for (;;) {
        auto rows = co_await op.ask(alias, sql::ReadReplica{}, op.limits().statement);
        if (!rows || rows->empty()) co_return std::nullopt;
        const sql::ReplicaRow& row = rows->front();
        const bool tries = row.receiver == sql::ThreadState::connecting && row.receiver_errno == 0;
        if (!tries || op.shard().now() >= deadline) co_return row;
        co_await op.shard().ports().clock.sleep_until(op.shard().now() + 20ms);
    }
}

awaitable<Outcome> follow_primary(Operation& op, TabletAlias alias) {
    op.require_locked(alias);
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now) co_return refused(Reason::tablet_unreachable);
    const TabletLookPtr look = t->now;
    if (is_writable(*look)) co_return refused(Reason::candidate_unfit, "it is writable");
    const sql::ServerRow& server = look->server();
    const sql::ReplicaRow* channel = look->channel();
    const bool names_it = op.record().has_acker(alias);
    const bool acks_on = server.semi_sync_plugins && server.semi_sync_replica_enabled;
    const bool acks_not_in_effect = channel && channel->receiver == sql::ThreadState::yes &&
                                    server.semi_sync_plugins &&
                                    look->answer.semi_sync.replica_status != acks_on;
    const bool right_source =
        follows(*look, op.record().primary.address) && source_settings_are_right(*channel, op.limits());
    const bool right_timeout =
        server.replica_net_timeout_s == whole_seconds(op.limits().replica_net_timeout) ||
        canary(Canary::net_timeout_is_the_servers);
    // A look from before the commit point is old: what a person switched on since would acknowledge unnamed.
    const bool acks_to_end = !names_it && (acks_on || (server.semi_sync_plugins && !right_source));
    const bool reset = channel && is_relay_log_error(channel->receiver_errno);
    if (!right_source || !right_timeout || acks_to_end || acks_not_in_effect) {
        if (!is_at_rest(*look)) co_await stop_receiver(op, alias);
        if (acks_to_end) co_await switch_acks(op, alias, false);
        if (!right_timeout) {
            co_await op.must(alias, sql::SetGlobal{Variable::replica_net_timeout,
                                                   whole_seconds(op.limits().replica_net_timeout)});
        }
        if (!right_source) {
            Outcome changed = co_await change_source(op, alias, names_it);
            if (changed.refused) {
                // As it was: what ran before runs again, and comes to `Connecting` where its source is dead.
                if (channel && receiver_runs(*look)) co_await op.change(alias, sql::StartReceiver{});
                co_return changed;
            }
        }
    }
    if (reset) co_await op.change(alias, sql::ResetReplica{false});
    co_await source_side_off(op, alias);
    auto receiving = co_await op.change(alias, sql::StartReceiver{});
    if (!receiving && is_relay_log_error(receiving.error().number)) {
        // Its relay log files are gone (M45): after a CHANGE only the START says so.
        if (Outcome reset_done = co_await forget_relay_log(op, alias); reset_done.refused)
            co_return reset_done;
        receiving = co_await op.change(alias, sql::StartReceiver{});
    }
    if (!receiving)
        co_return refused(Reason::tablet_unreachable, "START REPLICA IO_THREAD: " + receiving.error().text);
    const bool applier_stands =
        channel && !channel->applier_running && channel->applier_errno != 0 && right_source;
    if (!applier_stands) {
        if (auto started = co_await op.change(alias, sql::StartApplier{}); !started) {
            co_return refused(Reason::tablet_unreachable,
                              "START REPLICA SQL_THREAD: " + started.error().text);
        }
    }
    const TabletView* p = op.view().primary();
    const bool stood =
        channel && channel->receiver == sql::ThreadState::no && follows(*look, op.record().primary.address);
    if (!stood || (p && p->now)) co_return succeeded();
    // Of a P that does not answer us nobody knows whether it would refuse a replica (13114). Where P is dead
    // the receiver goes on trying, which is what was wanted.
    const auto row = co_await settled_receiver(op, alias, op.limits().statement / 2);
    if (row && row->receiver == sql::ThreadState::no)
        co_return refused(Reason::primary_unreachable, "its source refuses " + alias.to_string());
    co_return succeeded();
}

awaitable<bool> fetch_from(Operation& op, TabletAlias alias, TabletAlias source, GtidSet wanted,
                           Duration limit) {
    const TabletView* t = op.view().find(alias);
    const TabletView* s = op.view().find(source);
    if (!t || !t->now || !s || !op.locked(alias)) co_return false;
    if (!t->now->server().gtid_executed.contains(t->now->has))
        co_return false;  // a CHANGE may drop what it received
    co_await stop_receiver(op, alias);
    co_await source_side_off(op, alias);
    if (t->now->channel() && t->now->channel()->applier_running) co_await stop_applier(op, alias);
    // Of an acker they stay: a closed P has nobody to tell, and an OFF would never come on again if P died
    // now.
    const bool acks_on = t->now->server().semi_sync_plugins && t->now->server().semi_sync_replica_enabled;
    if ((acks_on && !op.record().has_acker(alias)) || canary(Canary::fetches_with_acks_off))
        co_await switch_acks(op, alias, false);
    co_await op.must(alias, change_to(op, s->tablet.mysql, false));
    op.shard().relay_log_dropped(alias);
    co_await op.must(alias, sql::StartReceiver{});
    co_await op.must(alias, sql::StartApplier{});
    const bool fetched = co_await wait_until_executed(op, alias, std::move(wanted), limit);
    co_await op.must(alias, sql::StopReceiver{}, op.limits().stop());
    co_return fetched;
}

awaitable<bool> barrier(Operation& op, int k, TabletAlias leaving) {
    const TabletAlias primary = op.record().primary.alias;
    if (k == 0) co_return true;
    auto at = co_await op.ask(primary, sql::ReadGtids{}, op.limits().statement);
    if (!at) co_return false;
    const GtidSet log = at->executed | at->owned;
    const Instant deadline = op.shard().now() + op.limits().wait_slice;
    for (;;) {
        int have = 0;
        for (const TabletView& t : op.view().tablets) {
            if (t.alias() == leaving || !op.locked(t.alias()) || !is_vouching(op.view(), t)) continue;
            const std::optional<HasNow> now = co_await has_now(op, t.alias());
            if (now && now->has.contains(log)) ++have;
        }
        if (have >= k || canary(Canary::leaves_without_barrier)) co_return true;
        if (op.shard().now() >= deadline) co_return false;
        co_await op.shard().ports().clock.sleep_until(op.shard().now() + 20ms);
    }
}

}  // namespace fixpoint
