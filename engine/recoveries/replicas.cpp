// Repairs of one replica. None waits under a lock: it begins what takes long, and later passes look at it.
#include <algorithm>

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

namespace {

// What only this one has received is executed, unless something before it was passed over: what builds upon
// that would fail for ever.
bool may_be_applied(const TabletLook& look, const GtidSet& rest) {
    const sql::ReplicaRow* c = look.channel();
    return c && !c->applier_running && c->applier_errno == 0 &&
           std::ranges::all_of(rest.entries(), [&](const GtidSet::Entry& e) {
               const GtidSet of_it = look.has.of_uuid(e.tsid.uuid);
               return std::ranges::all_of(of_it.entries(), [&](const GtidSet::Entry& had) {
                   return had.tsid != e.tsid || had.intervals.size() == 1;
               });
           });
}

// Both threads stopped, the relay log dropped: only what P has is in it, acks OFF unless nothing is
// unexecuted and A names it.
awaitable<Outcome> drop_relay_log(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    const bool has_channel = t->now->channel() != nullptr;
    if (has_channel) co_await stop_receivers(op, {alias});
    const std::optional<HasNow> now = co_await has_now(op, alias);
    if (!now) co_return refused(Reason::tablet_unreachable, alias.to_string());
    const GtidSet rest = now->unexecuted();
    if (!primary_has(op, rest)) {
        if (has_channel && receiver_runs(*t->now)) co_await op.change(alias, sql::StartReceiver{});
        if (may_be_applied(*t->now, rest)) {
            co_await source_side_off(op, alias);
            co_await op.must(alias, sql::StartApplier{});
            co_return refused(Reason::not_caught_up,
                              "received and not executed, and on nobody else in reach: " + rest.to_string());
        }
        co_return refused(Reason::would_discard, "nobody else in reach has " + rest.to_string());
    }
    const bool vouched = rest.empty() || canary(Canary::drops_relay_log_and_vouches);
    if (t->now->server().semi_sync_plugins && !(vouched && op.record().has_acker(alias))) {
        co_await switch_acks(op, alias, false);
    }
    if (has_channel) co_await stop_applier(op, alias);
    co_await op.must(alias, change_to(op, op.record().primary.address, false));
    op.shard().relay_log_dropped(alias);
    co_return succeeded();
}

awaitable<Outcome> start_both(Operation& op, TabletAlias alias) {
    co_await source_side_off(op, alias);
    // That may take a second (M15), in which a person may have switched them on.
    const TabletView* t = op.view().find(alias);
    if (t && t->now && t->now->server().semi_sync_plugins && !op.record().has_acker(alias))
        co_await switch_acks(op, alias, false);
    co_await op.must(alias, sql::StartReceiver{});
    co_await op.must(alias, sql::StartApplier{});
    co_return succeeded();
}

}  // namespace

awaitable<Outcome> fix_replica(Operation& op) {
    if (canary(Canary::fix_replica_on_stale_primary)) {
        co_await op.lock_servers({op.key().tablet});
        op.require_locked(op.key().tablet);
        co_return co_await follow_primary(op, op.key().tablet);
    }
    if (Outcome there = co_await lock_and_look(op, false); there.refused) co_return there;
    if (awaits_renewal(op.view(), *op.view().find(op.key().tablet))) {
        co_await source_side_off(op, op.key().tablet);
        co_return succeeded();
    }
    Outcome followed = co_await follow_primary(op, op.key().tablet);
    const TabletView* p = op.view().primary();
    if (canary(Canary::repairs_wait_under_lock) && !followed.refused && p && p->now)
        co_await wait_until_executed(op, op.key().tablet, p->now->log, op.limits().catching_up);
    co_return followed;
}

// What bears a tablet's own server_id does not reach it by replication (M40, M55): a new one that no log
// bears. Always acks OFF → both threads stopped → CHANGE → new id → start.
awaitable<Outcome> renew_server_id(Operation& op) {
    const TabletAlias alias = op.key().tablet;
    if (Outcome there = co_await lock_and_look(op, true); there.refused) co_return there;
    const TabletLookPtr look = op.view().find(alias)->now;
    if (is_writable(*look)) co_return refused(Reason::candidate_unfit, "it is writable");
    const ShardFacts facts = op.facts();
    const std::int64_t id = fresh_server_id(facts);
    FixpointRecord next = op.record();
    std::erase_if(next.server_ids_given,
                  [&](const GivenServerId& g) { return g.uuid == look->server().server_uuid; });
    next.server_ids_given.push_back({look->server().server_uuid, id});
    co_await op.write_record(std::move(next));
    if (canary(Canary::renews_without_change)) {
        co_await stop_receivers(op, {alias});
    } else if (Outcome dropped = co_await drop_relay_log(op, alias); dropped.refused) {
        co_return dropped;
    }
    if (canary(Canary::new_id_after_the_start)) co_await start_both(op, alias);
    co_await op.must(alias, sql::SetGlobal{sql::Variable::server_id, id});
    co_await op.must(alias, sql::SetPersistOnly{sql::Variable::server_id, id});
    co_return co_await start_both(op, alias);
}

awaitable<Outcome> refetch_skipped(Operation& op) {
    const TabletAlias alias = op.key().tablet;
    if (Outcome there = co_await lock_and_look(op, true); there.refused) co_return there;
    const TabletView* t = op.view().find(alias);
    const TabletView* p = op.view().primary();
    if (!p || !p->now) co_return refused(Reason::primary_unreachable);
    const GtidSet lacking = p->now->log - t->now->server().gtid_executed;
    const bool round = goes_round(op.view(), *t);
    if (round) {
        op.report("the applier of " + alias.to_string() + " goes round in the index of its relay log");
    } else {
        op.report(alias.to_string() + " skips what its primary has: " + lacking.to_string());
        if (!t->now->has.intersects(lacking)) co_return co_await renew_server_id(op);
    }
    if (Outcome dropped = co_await drop_relay_log(op, alias); dropped.refused) co_return dropped;
    co_return co_await start_both(op, alias);
}

// A torn tail, or a relay log that is gone: fetched again, where P has it. A data error is for a person.
awaitable<Outcome> fix_applier(Operation& op) {
    const TabletAlias alias = op.key().tablet;
    if (Outcome there = co_await lock_and_look(op, true); there.refused) co_return there;
    const TabletView* t = op.view().find(alias);
    if (!t->now->channel()) co_return refused(Reason::problem_gone);
    if (!is_relay_log_error(t->now->channel()->applier_errno) &&
        !is_relay_log_error(t->now->channel()->receiver_errno)) {
        co_return co_await quarantine(op);
    }
    co_await stop_receivers(op, {alias});
    const std::optional<HasNow> now = co_await has_now(op, alias);
    if (!now) co_return refused(Reason::tablet_unreachable, alias.to_string());
    if (const GtidSet rest = now->unexecuted(); !primary_has(op, rest))
        co_return refused(Reason::would_discard, "nobody else in reach has " + rest.to_string());
    if (t->now->server().semi_sync_plugins) co_await switch_acks(op, alias, false);
    co_await op.must(alias, sql::StopApplier{}, op.limits().stop());
    co_await op.must(alias, sql::ResetReplica{false});
    op.shard().relay_log_dropped(alias);
    co_return co_await start_both(op, alias);
}

// ---- quarantine (protocol 8)

namespace {

awaitable<void> record_retired(Operation& op, TabletAlias alias, GtidSet errant) {
    if (errant.empty()) co_return;
    FixpointRecord next = op.record();
    next.retired = retired_with(std::move(next.retired), errant, alias);
    if (next.retired == op.record().retired || canary(Canary::errant_uuid_not_retired)) co_return;
    co_await op.write_record(std::move(next));
}

}  // namespace

// Recorded in `retired` first; then out of A, its receiver stopped, its record DRAINED with the tag of what
// it was.
awaitable<Outcome> quarantine(Operation& op) {
    const TabletAlias alias = op.key().tablet;
    std::vector<TabletAlias> aliases{alias, op.record().primary.alias};
    for (const RecordedServer& a : op.record().ackers) {
        const TabletView* t = op.view().find(a.alias);
        if (t && t->answered() && op.record().has_acker(alias)) aliases.push_back(a.alias);
    }
    std::sort(aliases.begin(), aliases.end());
    aliases.erase(std::unique(aliases.begin(), aliases.end()), aliases.end());
    co_await op.lock_servers(std::move(aliases));
    if (!op.locked(alias)) co_return refused(Reason::tablet_unreachable, alias.to_string());
    co_await op.look();
    co_await op.look_at_primary();  // executed(P) of a later look than the tablet's
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    const TabletView* t = op.view().find(alias);
    std::string why;
    must_be_quarantined(op.view(), *t, &why);
    co_await record_retired(op, alias, errant_on(op.view(), *t));
    t = op.view().find(alias);
    if (is_needed_though_errant(op.view(), *t)) {
        op.report(alias.to_string() + " stays although it has " + why + ": too few others can acknowledge");
        co_return succeeded();
    }
    if (op.record().has_acker(alias)) {
        if (Outcome out = co_await take_out_of_ackers(op, alias); out.refused) co_return out;
        if (!op.view().find(alias)) {  // only A still named it
            op.report(alias.to_string() + " is quarantined, and nobody declares it any more: " + why);
            co_return succeeded();
        }
    }
    const bool received = receiver_runs(*op.view().find(alias)->now);
    co_await stop_receivers(op, {alias});
    if (received) {
        // What came in between the look and the stop is errant as well.
        co_await op.look();
        op.require_locked(alias);
        co_await record_retired(op, alias, errant_on(op.view(), *op.view().find(alias)));
    }
    t = op.view().find(alias);
    if (t->now->server().semi_sync_plugins && t->now->server().semi_sync_replica_enabled)
        co_await switch_acks(op, alias, false);
    co_await source_side_off(op, alias);
    op.report(alias.to_string() + " is quarantined: " + why);
    if (cell_is_silent(op.view(), alias))
        co_return refused(Reason::store_unavailable,
                          "the tablet record of " + alias.to_string() + " cannot be written");
    if (t->declared && t->tablet.type != TabletType::drained) {
        Tablet drained = t->tablet;
        drained.tags[std::string(fixpoint_was_tag)] = std::string(to_string(drained.declared_type()));
        drained.type = TabletType::drained;
        co_await op.write_tablet(std::move(drained));
    }
    co_return succeeded();
}

awaitable<Outcome> clear_retired(Operation& op) {
    if (Outcome there = co_await lock_all_and_look(op); there.refused) co_return there;
    const GtidSet clear = retired_to_clear(op.facts());
    if (clear.empty()) co_return refused(Reason::problem_gone);
    FixpointRecord next = op.record();
    next.retired = retired_without(std::move(next.retired), clear);
    co_await op.write_record(std::move(next));
    co_return succeeded();
}

// PRIMARY and its time are derived from what is in force; DRAINED with our tag is ours; the rest is people's.
awaitable<Outcome> write_tablet_record(Operation& op) {
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    const TabletView* t = op.view().find(op.key().tablet);
    if (!t || !t->declared) co_return refused(Reason::problem_gone);
    Tablet next = t->tablet;
    if (op.view().is_primary(*t)) {
        next.type = TabletType::primary;
        next.primary_term_start_time = op.record().shard_time;
        next.tags.erase(std::string(fixpoint_was_tag));
    } else {
        next.type = next.declared_type();
        next.primary_term_start_time = {};
        next.tags.erase(std::string(fixpoint_was_tag));
    }
    co_await op.write_tablet(std::move(next));
    co_return succeeded();
}

}  // namespace fixpoint
