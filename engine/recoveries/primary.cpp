// What is done about the primary in force itself, short of replacing it.
#include <algorithm>

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

// "Make the primary writable" is never a blind read_only=OFF: the record in force is the proof that it may
// serve, and everybody in reach is compared with it first (protocol 10).
awaitable<Outcome> open_primary(Operation& op) {
    if (canary(Canary::opens_by_its_own_lock_only) || canary(Canary::locks_only_on_changed_tablets)) {
        co_await op.lock_servers({op.record().primary.alias});
        co_await op.look();
    } else if (Outcome there = co_await lock_all_and_look(op); there.refused) {
        co_return there;
    }
    op.require_locked(op.record().primary.alias);
    co_return co_await open_for_writes(op);
}

awaitable<Outcome> strengthen_semi_sync(Operation& op) {
    co_await op.lock_servers({op.record().primary.alias});
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    op.require_locked(op.record().primary.alias);
    co_return co_await set_semi_sync(op, op.record().primary.alias, op.record().k());
}

namespace {

// A DROP TABLE IF EXISTS of a name never used, in a schema that does not exist: written to the binary log,
// waits for nobody's lock, frees every commit that waits for what complete ackers have (M18, M50). On a
// session of its own, without any lock: killed while it waits it would keep one for ever.
awaitable<Outcome> nudge(Operation& op) {
    auto session =
        co_await op.shard().ports().sql.connect(op.record().primary.address, op.limits().connecting);
    if (!session) co_return refused(Reason::primary_unreachable, session.error().text);
    std::string name = "n" + op.id();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; },
        '_');
    if (canary(Canary::nudge_needs_the_table)) {
        co_await run(**session, sql::CreateJournal{}, op.limits().statement);
    }
    auto freed = co_await run(**session, sql::Nudge{name}, op.limits().statement);
    if (freed) co_return succeeded();
    co_return refused(Reason::too_few_ackers, "a nudge is not acknowledged either: " + freed.error().text);
}

int receiving_with_acks(const View& view) {
    int n = 0;
    for (const TabletView& t : view.tablets) {
        if (acknowledges(view, t) && t.now->answer.semi_sync.replica_status) ++n;
    }
    return n;
}

// Commits that wait keep their connections, killed or not (M14): when they have used up all of them, the
// acker that would free them is refused with 1040.
bool ackers_find_no_connection(const View& view) {
    return std::ranges::any_of(view.tablets, [&](const TabletView& t) {
        return t.now && should_be_acker(view, t) && follows(*t.now, view.fixpoint()->primary.address) &&
               t.now->channel()->receiver_errno == sql::error_number::too_many_connections;
    });
}

awaitable<Outcome> make_room_for_ackers(Operation& op) {
    const TabletAlias p = op.record().primary.alias;
    co_await op.lock_servers({p});
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    if (!op.locked(p))
        co_return refused(Reason::tablet_unreachable, "no connection is left on it, for the lock neither");
    const std::int64_t now = op.view().primary()->now->server().max_connections;
    const std::int64_t more = now + Limits::connections_made_room;
    op.report(p.to_string() + " has no connection left for its ackers: max_connections is raised from " +
              std::to_string(now) + " to " + std::to_string(more) + ", until it restarts");
    co_await op.must(p, sql::SetGlobal{sql::Variable::max_connections, more});
    co_return refused(Reason::too_few_ackers, "there is room for its ackers now, and they are not there yet");
}

}  // namespace

// Commits wait and none progresses. First what may free them where they are; a new primary only where its
// term would begin with k ackers that vouch, else it would wait as well.
awaitable<Outcome> unblock_primary(Operation& op) {
    const TabletAlias p = op.record().primary.alias;
    const int k = op.record().k();
    co_await op.look_at_primary();  // an acker that came back meanwhile has freed them
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    const TabletView* before = op.view().primary();
    if (!before || !before->now) co_return refused(Reason::primary_unreachable);
    // Loosened only where that lets them pass: what nobody acknowledges waits under k as well.
    if (semi_sync_is_stricter_than(before->now->server(), k) && receiving_with_acks(op.view()) >= k) {
        if (canary(Canary::half_way_strict_is_left)) co_return refused(Reason::too_few_ackers);
        co_await op.lock_servers({p});
        co_await op.look();
        op.require_locked(p);
        if (k == 0) {
            co_await op.must(p, sql::SetGlobal{sql::Variable::rpl_semi_sync_source_enabled, 0});
            co_return succeeded();
        }
        if (Outcome loosened = co_await set_semi_sync(op, p, k); loosened.refused) co_return loosened;
        co_await op.look_at_primary();
        if (!still_holds(op.view(), op.key())) co_return succeeded();
    }
    if (receiving_with_acks(op.view()) >= k) {
        op.step("a nudge for " + p.to_string());
        co_return co_await nudge(op);
    }
    if (ackers_find_no_connection(op.view())) co_return co_await make_room_for_ackers(op);
    const ShardFacts stopped = as_if_stopped(op.view().facts);
    const Election election = elect(stopped);
    if (!election.winner)
        co_return refused(Reason::too_few_ackers, "too few tablets acknowledge, and " + election.text);
    // An acker that has started and catches up vouches as soon as it has, and frees them; one that cannot
    // would not be elected either, with P closed for nothing.
    const TabletView* winner = op.view().find(*election.winner);
    if (winner && !winner->received_at_boot.empty())
        co_return refused(Reason::not_caught_up, winner->alias().to_string() +
                                                     " has not executed what it had when it started: " +
                                                     winner->received_at_boot.to_string());
    const std::vector<RecordedServer> next = ackers_of_new_term(stopped, *election.winner);
    // An errant one that is not needed follows nobody: the term would begin blocked, and the next one too.
    const auto able = std::ranges::count_if(next, [&](const RecordedServer& a) {
        const TabletView* t = op.view().find(a.alias);
        return t && (errant_on(op.view(), *t).empty() || is_needed_though_errant(op.view(), *t));
    });
    if (able < k)
        co_return refused(Reason::too_few_ackers, "fewer tablets than the policy needs could acknowledge");
    co_return co_await emergency_reparent(op);
}

// A receiver that is started anew says whether the primary still takes connections.
awaitable<Outcome> ask_a_replica(Operation& op) {
    const TabletAlias asked = op.key().tablet;
    co_await op.lock_servers({asked});
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    op.require_locked(asked);
    co_await stop_receivers(op, {asked});
    co_await op.must(asked, sql::StartReceiver{});
    const auto row = co_await settled_receiver(op, asked, op.limits().wait_slice / 4);
    if (!row) co_return refused(Reason::tablet_unreachable, asked.to_string());
    if (row->receiver != sql::ThreadState::connecting)  // it runs, or the primary told it to stop
        co_return refused(Reason::primary_unreachable, asked.to_string() + " reaches it");
    if (row->receiver_errno != 0) co_return succeeded();
    co_return refused(Reason::primary_unreachable, asked.to_string() + " has no answer");
}

awaitable<Outcome> detach_primary(Operation& op) {
    co_await op.lock_servers({op.record().primary.alias});
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    op.require_locked(op.record().primary.alias);
    co_return co_await detach_from_source(op, op.record().primary.alias);
}

// What P executed from nobody's term becomes attributable, as soon as it is seen: else it is nobody's when P
// dies, and every replica is quarantined.
awaitable<Outcome> adopt_foreign(Operation& op) {
    co_await op.lock_servers({op.record().primary.alias});
    co_await op.look();
    const GtidSet foreign = foreign_on_primary(op.facts());
    if (foreign.empty()) co_return refused(Reason::problem_gone);
    FixpointRecord next = op.record();
    next.adopted.add(foreign);
    op.report("adopted: " + foreign.to_string() + ", executed by the primary, of nobody's term");
    co_await op.write_record(std::move(next));
    co_return succeeded();
}

}  // namespace fixpoint
