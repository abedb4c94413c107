// Policy and ackers in force: changed under load, one write at a time, in the order that is safe in both
// directions (protocol 6 and 9). Loosen: record first. Tighten: server first, barrier, record.
#include <algorithm>

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

namespace {

std::vector<TabletAlias> primary_and_ackers(const Operation& op) {
    std::vector<TabletAlias> aliases{op.record().primary.alias};
    for (const RecordedServer& a : op.record().ackers) {
        const TabletView* t = op.view().find(a.alias);
        if (t && t->answered()) aliases.push_back(a.alias);
    }
    return aliases;
}

awaitable<Outcome> lock_with_ackers(Operation& op, TabletAlias subject) {
    std::vector<TabletAlias> aliases = primary_and_ackers(op);
    if (subject && std::find(aliases.begin(), aliases.end(), subject) == aliases.end())
        aliases.push_back(subject);
    co_await op.lock_servers(std::move(aliases));
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    op.require_locked(op.record().primary.alias);
    co_return succeeded();
}

int able_under(const View& view, const DurabilityPolicy& policy) {
    int n = 0;
    for (const TabletView& t : view.tablets) {
        if (acknowledges(view, t) && policy.may_ack(view.fixpoint()->primary.alias, t.tablet)) ++n;
    }
    return n;
}

FixpointRecord next_revision(const Operation& op) {
    FixpointRecord next = op.record();
    ++next.revision;
    return next;
}

}  // namespace

awaitable<Outcome> change_policy(Operation& op) {
    if (Outcome there = co_await lock_with_ackers(op, {}); there.refused) co_return there;
    const TabletAlias p = op.record().primary.alias;
    const DurabilityPolicy now = op.record().policy;
    const DurabilityPolicy wanted = op.view().declared_policy();
    if (now == wanted) co_return co_await set_semi_sync(op, p, now.ackers_needed);  // stricter than both
    if (canary(Canary::strict_is_wrong) && now.ackers_needed > 0 &&
        semi_sync_is_stricter_than(op.view().primary()->now->server(), now.ackers_needed))
        co_return co_await set_semi_sync(op, p, now.ackers_needed);
    FixpointRecord next = next_revision(op);
    next.policy = wanted;
    if (wanted.ackers_needed < now.ackers_needed) {
        co_await op.write_record(std::move(next));
        co_return co_await set_semi_sync(op, p, wanted.ackers_needed);
    }
    if (able_under(op.view(), wanted) < wanted.ackers_needed && !canary(Canary::tightens_without_ackers)) {
        co_return refused(
            Reason::too_few_ackers,
            wanted.to_string() + " needs " + std::to_string(wanted.ackers_needed) + " that acknowledge");
    }
    if (Outcome on = co_await set_semi_sync(op, p, wanted.ackers_needed); on.refused) co_return on;
    const int k = canary(Canary::barrier_counts_old_policy)
                      ? now.ackers_needed
                      : std::max(now.ackers_needed, wanted.ackers_needed);
    if (!co_await barrier(op, k, {}))
        co_return refused(Reason::not_caught_up, "the ackers do not have everything yet");
    co_await op.write_record(std::move(next));
    co_return succeeded();
}

namespace {

// Complete (protocol 6): the process is the one whose boot was marked, and has log(P) of a look made before
// its own.
awaitable<Outcome> complete_now(Operation& op, TabletAlias alias) {
    if (!co_await op.shard().boot_is_the_same(alias))
        co_return refused(Reason::not_caught_up, "its boot is not known yet");
    const TabletView* t = op.view().find(alias);
    if (!t || !is_complete(op.view(), *t))
        co_return refused(Reason::not_caught_up,
                          alias.to_string() + " does not have all of the primary's log yet");
    co_return succeeded();
}

void set_acker(FixpointRecord& record, const TabletView& t) {
    if (canary(Canary::old_uuid_stays_in_A) && record.has_acker(t.alias())) return;
    std::erase_if(record.ackers, [&](const RecordedServer& a) { return a.alias == t.alias(); });
    record.ackers.push_back(recorded_server(t));
    std::sort(record.ackers.begin(), record.ackers.end());
}

// receiver stopped → acks ON → recorded in A → receiver started. So whoever is in A vouched when it came in.
awaitable<Outcome> qualify(Operation& op) {
    const TabletAlias alias = op.key().tablet;
    if (Outcome there = co_await lock_and_look(op, true); there.refused) co_return there;
    op.require_locked(op.record().primary.alias);
    if (Outcome complete = co_await complete_now(op, alias); complete.refused) co_return complete;
    co_await op.must(alias, sql::StopReceiver{}, op.limits().stop());
    co_await switch_acks(op, alias, true);
    const TabletView* t = op.view().find(alias);
    FixpointRecord next = op.record();
    set_acker(next, *t);
    if (next.ackers != op.record().ackers) {
        ++next.revision;
        co_await op.write_record(std::move(next));
    }
    co_await op.must(alias, sql::StartReceiver{});
    co_return succeeded();
}

}  // namespace

awaitable<Outcome> join_acker(Operation& op) {
    co_return co_await qualify(op);
}

awaitable<Outcome> qualify_acker(Operation& op) {
    co_return co_await qualify(op);
}

awaitable<Outcome> take_out_of_ackers(Operation& op, TabletAlias alias) {
    const bool reachable = op.locked(alias);
    if (!may_leave(op.facts(), alias) && !canary(Canary::leaves_without_others)) {
        co_return refused(Reason::too_few_ackers,
                          alias.to_string() + " cannot leave: too few others acknowledge");
    }
    if (reachable) {
        if (canary(Canary::leaves_acks_first)) co_await switch_acks(op, alias, false);
        co_await stop_receivers(op, {alias});
    }
    if (!co_await barrier(op, op.record().k(), alias)) {
        if (reachable) co_await op.change(alias, sql::StartReceiver{});
        co_return refused(Reason::not_caught_up, "those that stay do not have everything yet");
    }
    FixpointRecord next = next_revision(op);
    std::erase_if(next.ackers, [&](const RecordedServer& a) { return a.alias == alias; });
    co_await op.write_record(std::move(next));
    if (reachable) co_await switch_acks(op, alias, false);
    co_return succeeded();
}

awaitable<Outcome> leave_acker(Operation& op) {
    const TabletAlias alias = op.key().tablet;
    if (Outcome there = co_await lock_with_ackers(op, alias); there.refused) co_return there;
    const TabletView* t = op.view().find(alias);
    if (t && !t->forgotten && !op.locked(alias))
        co_return refused(Reason::dead_acker_blocks, alias.to_string() + " does not answer");
    const bool ran = t && t->now && receiver_runs(*t->now) && !must_be_quarantined(op.view(), *t);
    if (Outcome out = co_await take_out_of_ackers(op, alias); out.refused) co_return out;
    if (ran && op.locked(alias)) co_await op.must(alias, sql::StartReceiver{});
    co_return succeeded();
}

// The proof that a write of this term and revision is acknowledged. An ordinary client's write: a session of
// its own, no lock; bounded; one that still waits is ended with its session by whoever closes P.
awaitable<Outcome> write_journal(Operation& op) {
    co_await op.look_at_primary();  // another manager may have written it meanwhile
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    auto session =
        co_await op.shard().ports().sql.connect(op.record().primary.address, op.limits().connecting);
    if (!session) co_return refused(Reason::primary_unreachable, session.error().text);
    sql::JournalRow row;
    row.shard = op.shard().name();
    row.term = op.record().term;
    row.revision = op.record().revision;
    row.alias = op.record().primary.alias;
    row.uuid = op.record().primary.uuid;
    row.opened_at = op.record().opened_at;
    auto written = co_await run(**session, sql::InsertJournalRow{row}, op.limits().statement);
    if (!written && (written.error().number == sql::error_number::table_unknown ||
                     written.error().number == sql::error_number::database_unknown)) {
        auto created = co_await run(**session, sql::CreateJournal{}, op.limits().statement);
        if (!created) co_return refused(Reason::primary_unreachable, created.error().text);
        written = co_await run(**session, sql::InsertJournalRow{row}, op.limits().statement);
    }
    if (!written) co_return refused(Reason::primary_unreachable, written.error().text);
    co_return succeeded();
}

}  // namespace fixpoint
