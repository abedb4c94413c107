// The commit point, and opening the primary that it put in force (protocol 4 and 10).
#include <algorithm>

#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

using sql::Variable;

RecordedServer recorded_server(const TabletView& t) {
    RecordedServer server;
    server.alias = t.alias();
    server.address = t.tablet.mysql;
    if (t.now) {
        server.uuid = t.now->server().server_uuid;
        server.server_id = t.now->server().server_id;
    }
    return server;
}

ShardRecord shard_record_for(Operation& op, const TabletAlias& primary) {
    ShardRecord shard = op.view().records.shard;
    const std::int64_t wall = op.shard().ports().clock.wall_now().ns;
    const std::int64_t newest = std::max(shard.primary_term_start_time.ns,
                                         op.view().fixpoint() ? op.record().shard_time.ns : std::int64_t{0});
    shard.primary_alias = primary;
    shard.primary_term_start_time.ns = std::max(wall, newest + 1'000'000);
    shard.is_primary_serving = true;
    return shard;
}

awaitable<void> record_primary(Operation& op, FixpointRecord next) {
    ShardRecord shard = shard_record_for(op, next.primary.alias);
    next.shard_time = shard.primary_term_start_time;
    const std::string text = next.primary.alias.to_string() + " term " + std::to_string(next.term);
    co_await op.write_record(std::move(next), std::move(shard));
    Event event;
    event.kind = EventKind::commit_point;
    event.operation = op.id();
    event.key = op.key();
    event.text = text;
    op.shard().ports().events.append(std::move(event));
}

Outcome may_commit(const ShardFacts& facts, const TabletAlias& winner) {
    if (judge_journals(facts).newer_than_record)
        return refused(Reason::newer_record, "a journal has a later term than the record");
    const Revocation revoked = revocation(facts);
    if (!revoked.holds()) return refused(Reason::revocation_impossible, revoked.text);
    const TabletFacts* t = facts.find(winner);
    if (!t || !t->locked)
        return refused(Reason::candidate_unfit, winner.to_string() + " has lost its lock session");
    const bool applied = !canary(Canary::promote_without_applying);
    const GtidSet missing = demanded(facts, revoked) - (applied ? t->executed : t->has());
    if (!missing.empty())
        return refused(Reason::demanded_missing, winner.to_string() + " lacks " + missing.to_string());
    return succeeded();
}

namespace {

int acknowledging(const View& view) {
    return static_cast<int>(
        std::ranges::count_if(view.tablets, [&](const TabletView& t) { return acknowledges(view, t); }));
}

awaitable<Outcome> set_semi_sync_from(Operation& op, TabletAlias alias, int k, sql::ServerRow now) {
    if (k == 0) {
        if (op.view().declared_policy().is_none() && now.semi_sync_plugins && now.semi_sync_source_enabled) {
            co_await op.must(alias, sql::SetGlobal{Variable::rpl_semi_sync_source_enabled, 0});
        }
        co_return succeeded();
    }
    if (!now.semi_sync_plugins) {
        if (canary(Canary::opens_without_waiting)) co_return succeeded();
        co_return refused(Reason::candidate_unfit, alias.to_string() + " runs without the semi-sync plugins");
    }
    if (canary(Canary::semi_sync_waits_for_ackers) && acknowledging(op.view()) < k) co_return succeeded();
    for (const Setting& s : semi_sync_to_set(now, k))
        co_await op.must(alias, sql::SetGlobal{s.first, s.second});
    auto after = co_await op.ask(alias, sql::Look{op.shard().name()}, op.limits().statement);
    const bool on = after && (semi_sync_is_on(after->server, k) || canary(Canary::timeout_only_persisted));
    if (!on) co_return refused(Reason::candidate_unfit, "semi-sync could not be switched on");
    co_return succeeded();
}

}  // namespace

awaitable<Outcome> set_semi_sync(Operation& op, TabletAlias alias, int k) {
    auto look = co_await op.ask(alias, sql::Look{op.shard().name()}, op.limits().statement);
    if (!look) co_return refused(Reason::primary_unreachable, look.error().text);
    co_return co_await set_semi_sync_from(op, alias, k, std::move(look->server));
}

namespace {

awaitable<Outcome> apply_the_rest(Operation& op, TabletAlias alias, std::vector<sql::ReplicaRow> rows,
                                  GtidSet executed) {
    GtidSet received;
    for (const sql::ReplicaRow& row : rows) received.add(row.retrieved);
    if (executed.contains(received)) co_return succeeded();
    const TabletView* t = op.view().find(alias);
    // The applier of a serving P goes on by itself, and its commits wait for acknowledgements like any other:
    // it is waited for, but not while nobody could give them.
    if (!is_writable(*t->now)) {
        co_await source_side_off(op, alias);
    } else if (acknowledging(op.view()) < op.record().k()) {
        co_return refused(Reason::too_few_ackers, "what it received waits for acknowledgements: " +
                                                      (received - executed).to_string());
    }
    if (!rows.front().applier_running && rows.front().applier_errno == 0)
        co_await op.change(alias, sql::StartApplier{});
    if (canary(Canary::promote_without_applying) ||
        co_await wait_until_executed(op, alias, received, op.limits().applying))
        co_return succeeded();
    auto after = co_await op.ask(alias, sql::ReadGtids{}, op.limits().statement);
    const GtidSet rest = after ? received - after->executed : received;
    if (!after || !attributable_part(op.facts(), rest).empty())
        co_return refused(Reason::not_caught_up, "it has not applied " + rest.to_string());
    op.report(alias.to_string() +
              " drops what it received from a source of its own and could not apply: " + rest.to_string());
    co_return succeeded();
}

// It has nothing to apply any more: all that it received is executed, both threads are stopped.
awaitable<Outcome> come_to_rest(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now) co_return refused(Reason::primary_unreachable);
    const TabletLookPtr seen = t->now;
    if (!seen->channel() || op.is_at_rest(alias)) co_return succeeded();
    if (!is_at_rest(*seen)) {
        co_await stop_receivers(op, {alias});
        auto rows = co_await op.ask(alias, sql::ReadReplica{}, op.limits().statement);
        auto gtids = co_await op.ask(alias, sql::ReadGtids{}, op.limits().statement);
        if (!rows || !gtids) co_return refused(Reason::primary_unreachable);
        if (Outcome applied = co_await apply_the_rest(op, alias, *rows, gtids->executed); applied.refused)
            co_return applied;
    }
    if (auto stopped = co_await op.change(alias, sql::StopApplier{}, op.limits().stop()); !stopped) {
        co_return refused(Reason::not_caught_up, stopped.error().text);
    }
    co_return succeeded();
}

awaitable<void> reset_channel(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now || !t->now->channel()) co_return;
    co_await op.must(alias, sql::ResetReplica{true});
    op.shard().relay_log_dropped(alias);
}

}  // namespace

awaitable<Outcome> detach_from_source(Operation& op, TabletAlias alias) {
    if (Outcome rests = co_await come_to_rest(op, alias); rests.refused) co_return rests;
    co_await reset_channel(op, alias);
    co_return succeeded();
}

awaitable<void> stop_applier_at_rest(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now || !is_at_rest(*t->now)) co_return;
    // With the source side on a STOP might wait (M36).
    if (t->now->server().semi_sync_plugins && t->now->server().semi_sync_source_enabled) co_return;
    if (auto stopped = co_await op.change(alias, sql::StopApplier{}, op.limits().stop()); stopped)
        op.at_rest(alias);
}

namespace {

Outcome refusal_of(const Opening& opening) {
    switch (opening.verdict) {
        case OpeningVerdict::may_open:
            return succeeded();
        case OpeningVerdict::not_locked:
            return refused(Reason::primary_unreachable, opening.text);
        case OpeningVerdict::another_server:
        case OpeningVerdict::behind:
            return refused(Reason::candidate_unfit, opening.text);
        case OpeningVerdict::newer_journal:
            return refused(Reason::newer_record, opening.text);
        case OpeningVerdict::other_is_writable:
            return refused(Reason::several_writable, opening.text);
        case OpeningVerdict::closing_pending:
            return refused(Reason::somebody_elses_lock, opening.text);
    }
    return refused(Reason::candidate_unfit);
}

// A closing that somebody typed and that waits behind commits (M20) reads as closed, and keeps out the nudge
// that would free them. Those of managers ended with the locks (3).
awaitable<bool> end_closings_by_hand(Operation& op, TabletAlias p) {
    if (canary(Canary::closing_by_hand_is_left)) co_return false;
    auto sessions = co_await op.ask(p, sql::ReadSessions{}, op.limits().statement);
    if (!sessions) co_return false;
    bool ended = false;
    for (const sql::SessionRow& row : *sessions) {
        if (!row.closing || row.killed || op.shard().is_my_session(p, row.id)) continue;
        op.report(p.to_string() + " is being closed by session " + std::to_string(row.id) + " of " +
                  row.user + ", whose statement waits: it is ended");
        co_await op.change(p, sql::Kill{row.id});
        ended = true;
    }
    co_return ended;
}

awaitable<bool> reads_open(Operation& op, TabletAlias p) {
    auto after = co_await op.ask(p, sql::Look{op.shard().name()}, op.limits().statement);
    if (!after) throw OperationEnded(Reason::primary_unreachable, after.error().text);
    co_return !after->server.read_only && !after->server.super_read_only;
}

}  // namespace

awaitable<Outcome> open_for_writes(Operation& op) {
    const TabletAlias p = op.record().primary.alias;
    if (Outcome verdict = refusal_of(may_open(op.facts())); verdict.refused) co_return verdict;
    const TabletView* t = op.view().find(p);
    if (!t || !t->now) co_return refused(Reason::primary_unreachable);
    const TabletLookPtr seen = t->now;
    const bool as_seen = !seen->channel() || is_at_rest(*seen);  // nothing is set until it is opened
    if (Outcome rests = co_await come_to_rest(op, p); rests.refused) co_return rests;
    if (seen->server().semi_sync_plugins && seen->server().semi_sync_replica_enabled)
        co_await switch_acks(op, p, false);
    const int k = op.record().k();
    const Outcome on =
        as_seen ? co_await set_semi_sync_from(op, p, k, seen->server()) : co_await set_semi_sync(op, p, k);
    if (on.refused) co_return on;
    if (!as_seen || seen->server().offline_mode)
        co_await op.must(p, sql::SetGlobal{Variable::offline_mode, 0});
    if (canary(Canary::opens_super_only)) {
        co_await op.must(p, sql::SetGlobal{Variable::super_read_only, 0});
    } else {
        co_await op.must(p, sql::SetGlobal{Variable::read_only, 0});  // sets both off
    }
    bool open = co_await reads_open(op, p);
    if (!open && co_await end_closings_by_hand(op, p)) {
        co_await op.must(p, sql::SetGlobal{Variable::read_only, 0});
        open = co_await reads_open(op, p);
    }
    if (!open) {
        co_return refused(Reason::closing_timed_out, p.to_string() + " reads read-only after it was opened");
    }
    op.step(p.to_string() + " is open for writes");
    // Nothing is left in its channel, and deleting the files takes longer than all else here.
    co_await reset_channel(op, p);
    co_return succeeded();
}

namespace {

awaitable<void> follow_if_fit(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now || !t->declared || is_writable(*t->now) || t->tablet.type == TabletType::unknown)
        co_return;
    if (must_be_quarantined(op.view(), *t) && !is_needed_though_errant(op.view(), *t)) co_return;
    const TabletFacts* facts = op.view().facts.find(alias);
    if (!facts || server_id_to_renew(op.view().facts, *facts)) co_return;
    const Outcome followed = co_await follow_primary(op, alias);
    if (followed.refused) op.step(alias.to_string() + " does not follow yet: " + followed.text);
}

awaitable<void> open_into(Operation& op, Outcome* opened) {
    *opened = co_await open_for_writes(op);
}

}  // namespace

awaitable<Outcome> open_and_follow(Operation& op) {
    co_await op.look();
    co_return co_await open_and_follow_at_once(op);
}

// The others connect while it is opened: its first write waits for one of them. It lets nobody write before
// its semi-sync is on, whoever receives from it.
awaitable<Outcome> open_and_follow_at_once(Operation& op) {
    const TabletAlias p = op.record().primary.alias;
    std::vector<TabletAlias> others = op.locked_tablets();
    std::erase(others, p);
    Outcome opened;
    const TabletView* t = op.view().find(p);
    const bool turns_away = t && t->now && t->now->server().offline_mode;  // they would come again after 1 s
    if (turns_away) opened = co_await open_for_writes(op);
    std::vector<awaitable<void>> both;
    if (!turns_away) both.push_back(open_into(op, &opened));
    both.push_back(op.for_each(std::move(others),
                               [&op](TabletAlias alias) { return follow_if_fit(op, std::move(alias)); }));
    co_await all(std::move(both));
    co_return opened;
}

}  // namespace fixpoint
