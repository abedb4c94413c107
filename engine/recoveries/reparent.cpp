// Changing who is primary.
//
// Why no acknowledged write is lost (I2):
//   1. P is revoked: so many ackers are stopped that it can get no more acknowledgements, or it is closed.
//      So it acknowledges nothing more, even if it is alive.
//   2. So every write ever acknowledged is on one of the reached, vouching tablets (or on the closed P), and
//   the
//      winner has executed all of that before it is recorded.
//
// Nothing is undone on failure. A step that fails throws, the locks are let go, and the next pass starts from
// what it then observes: before record_primary it leads back, after it forward.
#include <algorithm>

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

awaitable<Outcome> lock_all_and_look(Operation& op) {
    co_await op.lock_all_servers();
    co_await op.look();
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    co_return succeeded();
}

namespace {

ElectionWish preference(const View& view) {
    ElectionWish wish;
    wish.candidate = view.wanted_primary();
    return wish;
}

bool needs_no_fetching(const Election& election) {
    return election.winner && !election.catch_up_from;
}

// Those that are still applying leave the candidates; what they received stays evidence.
ShardFacts without_laggards(ShardFacts facts) {
    for (TabletFacts& t : facts.tablets) {
        if (!t.executed.contains(t.received)) t.applier_failed = true;
    }
    return facts;
}

bool nothing_to_apply(const Operation& op) {
    return std::ranges::all_of(op.view().tablets, [&](const TabletView& t) {
        return !op.locked(t.alias()) || !t.now || t.now->server().gtid_executed.contains(t.now->has);
    });
}

// In slices, until somebody can be elected as he is: a laggard that is preferred is waited for one slice, one
// that alone has what is demanded for as long as the limit says.
awaitable<void> apply_until_electable(Operation& op) {
    const Instant deadline = op.shard().now() + op.limits().applying;
    if (nothing_to_apply(op)) co_return;  // the look that there is stays the last one
    do {
        const Instant began = op.shard().now();
        co_await apply_received(op, op.locked_tablets(), op.limits().wait_slice);
        co_await op.look();
        if (needs_no_fetching(elect(op.facts(), preference(op.view())))) co_return;
        if (needs_no_fetching(elect(without_laggards(op.facts()), preference(op.view())))) co_return;
        // Where nobody has anything to apply, or nobody is left, no wait takes time: waiting longer changes
        // nothing.
        if (op.shard().now() - began < op.limits().wait_slice / 10) co_return;
    } while (op.shard().now() < deadline);
}

// The winner fetches what it lacks and somebody can give; and what P alone has, so that P is not left errant
// for nothing.
awaitable<Election> bring_together(Operation& op) {
    Election election = elect(op.facts(), preference(op.view()));
    if (!needs_no_fetching(election)) {
        Election prompt = elect(without_laggards(op.facts()), preference(op.view()));
        if (needs_no_fetching(prompt)) co_return prompt;
    }
    for (int round = 0; round < 3 && election.winner && election.catch_up_from; ++round) {
        const TabletAlias winner = *election.winner;
        const TabletAlias source = *election.catch_up_from;
        op.step(winner.to_string() + " catches up from " + source.to_string());
        const bool fetched = co_await fetch_from(op, winner, source, election.to_fetch, op.limits().applying);
        co_await op.look();
        election = elect(op.facts(), preference(op.view()));
        if (!fetched && election.winner == winner && election.catch_up_from == source) break;
    }
    co_return election;
}

awaitable<void> fetch_leftovers(Operation& op, TabletAlias winner) {
    const std::vector<WorthFetching> worth = worth_fetching(op.facts(), winner);
    // Nobody was told of these: they are worth a moment, not an outage.
    for (const WorthFetching& w : worth)
        co_await fetch_from(op, winner, w.from, w.gtids, op.limits().wait_slice);
    if (!worth.empty()) co_await op.look();
}

// A lost answer ends the operation. (Planted, lost_answer_is_failure: it is taken for "not written".)
awaitable<void> record_or_go_back(Operation& op, FixpointRecord next, bool* written) {
    try {
        co_await record_primary(op, std::move(next));
        *written = true;
    } catch (const OperationEnded& end) {
        if (end.reason != Reason::answer_lost || !canary(Canary::lost_answer_is_failure)) throw;
    }
}

awaitable<Outcome> record_and_open(Operation& op, TabletAlias winner) {
    const ShardFacts facts = op.facts();
    if (Outcome verdict = may_commit(facts, winner); verdict.refused) co_return verdict;
    std::string why;
    if (!can_establish(facts, winner, &why)) co_return refused(Reason::too_few_followers, why);
    if (canary(Canary::leftovers_refuse) && !worth_fetching(facts, winner).empty())
        co_return refused(Reason::demanded_missing, "somebody has more");
    const std::int64_t term = facts.record.term + (canary(Canary::equal_terms_are_fine) ? 0 : 1);
    op.step(winner.to_string() + " is to be recorded as the primary of term " + std::to_string(term));
    bool written = false;
    std::vector<awaitable<void>> both;
    both.push_back(record_or_go_back(op, record_of_new_term(facts, winner, term), &written));
    // A winner that is lost now is found so by the opening: the others are pointed at it all the same.
    both.push_back(op.for_each(
        {winner}, [&op](TabletAlias alias) { return stop_applier_at_rest(op, std::move(alias)); }));
    co_await all(std::move(both));
    if (!written) co_return co_await open_and_follow(op);  // planted only
    op.judge_by_the_new_record();
    co_return co_await open_and_follow_at_once(op);
}

// A P that answers is closed as one deposed; one that came up read-only is proven to be, by a closing's own
// OK.
awaitable<Outcome> close_old_primary(Operation& op, TabletAlias p) {
    const TabletView* t = op.view().find(p);
    if (!t || !t->now) co_return refused(Reason::primary_unreachable);
    if (is_writable(*t->now) || t->now->server().offline_mode) co_return co_await close_deposed(op, p);
    auto closed =
        co_await op.close(p, sql::SetGlobal{sql::Variable::super_read_only, 1}, op.limits().statement);
    if (!closed) co_return refused(Reason::closing_timed_out, closed.error().text);
    op.closed(p);
    co_return succeeded();
}

}  // namespace

// Promotes a survivor after P is lost, behind, or of no use (Vitess: EmergencyReparentShard).
awaitable<Outcome> emergency_reparent(Operation& op) {
    if (!canary(Canary::stops_then_refuses)) {
        if (Outcome possible = emergency_reparent_possible(op.view().facts); possible.refused)
            co_return possible;
    }
    if (Outcome there = co_await lock_all_and_look(op); there.refused) co_return there;

    const TabletAlias p = op.record().primary.alias;
    std::vector<TabletAlias> others = op.locked_tablets();
    std::erase(others, p);
    co_await stop_receivers(op, others);
    if (op.locked(p)) {
        if (Outcome closed = co_await close_old_primary(op, p); closed.refused) {
            op.step("the old primary is not closed: " + closed.text);
        }
    }
    co_await op.look();
    if (const Revocation revoked = revocation(op.facts()); !revoked.holds())
        co_return not_revoked(op.facts(), revoked);

    op.step(p.to_string() + " is revoked");
    if (!canary(Canary::promote_without_applying)) co_await apply_until_electable(op);
    const Election election = co_await bring_together(op);
    if (!election.winner) co_return refused(election.reason, election.text);
    if (election.catch_up_from) {
        co_return refused(Reason::demanded_missing,
                          election.winner->to_string() + " could not fetch " + election.to_fetch.to_string());
    }
    co_await fetch_leftovers(op, *election.winner);
    if (election.winner_is_errant)
        op.report(election.winner->to_string() + " is elected with errant transactions: nobody clean can be");
    // Whatever was sent since the receivers were stopped was followed by a look: the last one stands.
    co_return co_await record_and_open(op, *election.winner);
}

// ---- planned

namespace {

// Whether P would be revoked once it is closed: one that restarts writable whatever is persisted is not.
Outcome would_be_revoked(const View& view) {
    const Revocation revoked = revocation(as_if_stopped(view.facts));
    if (revoked.holds()) return succeeded();
    const bool cured_by_restart = !view.primary()->now->server().persisted_globals_load;
    return refused(cured_by_restart ? Reason::needs_restart : Reason::revocation_impossible, revoked.text);
}

}  // namespace

namespace {

// A closing waits for the commits that wait, and they for ackers.
Outcome commits_pass(const View& view) {
    const TabletFacts* p = view.facts.primary();
    int needed = view.fixpoint()->k();
    if (p && p->source_semi_sync_on) needed = std::max(needed, p->source_wait_count);
    const auto able =
        std::ranges::count_if(view.tablets, [&](const TabletView& t) { return acknowledges(view, t); });
    if (able >= needed) return succeeded();
    return refused(Reason::too_few_ackers, std::to_string(able) +
                                               " tablets acknowledge, and a commit needs " +
                                               std::to_string(needed) + ": a closing would wait for it");
}

}  // namespace

Outcome planned_reparent_possible(const View& view) {
    const std::optional<TabletAlias> wanted = view.wanted_primary();
    const TabletView* p = view.primary();
    const TabletView* t = wanted ? view.find(*wanted) : nullptr;
    if (!t || !t->declared) return refused(Reason::candidate_unfit, "no declared tablet has that alias");
    const std::string name = wanted->to_string();
    if (!p || !p->now) return refused(Reason::primary_unreachable, "the primary in force does not answer");
    if (!t->now) return refused(Reason::tablet_unreachable, name + " does not answer");
    std::string why;
    if (!is_manageable(*t, &why)) return refused(Reason::candidate_unfit, name + ": " + why);
    if (!t->now->server().semi_sync_plugins && !view.declared_policy().is_none())
        return refused(Reason::candidate_unfit, name + " runs without the semi-sync plugins, and " +
                                                    view.declared_policy().to_string() + " is declared");
    const TabletFacts* candidate = view.facts.find(*wanted);
    const TabletFacts* now = view.facts.primary();
    if (candidate && now && !has_enough_ackers(view.facts, *candidate) && has_enough_ackers(view.facts, *now))
        return refused(Reason::candidate_unfit, "too few tablets could acknowledge for " + name + ", and " +
                                                    view.declared_policy().to_string() + " is declared");
    if (view.goal().rule_of(*wanted) == PromotionRule::must_not)
        return refused(Reason::candidate_unfit, name + ": its promotion rule is must_not");
    const sql::ReplicaRow* c = t->now->channel();
    if (!receives_from_primary(view, *t))
        return refused(Reason::candidate_unfit, name + " does not receive from the primary");
    if (!c->applier_running) return refused(Reason::candidate_unfit, name + ": its applier does not run");
    if (must_be_quarantined(view, *t, &why)) return refused(Reason::candidate_unfit, name + ": " + why);
    const std::int64_t lag_limit =
        std::chrono::ceil<std::chrono::seconds>(view.limits().candidate_lag).count();
    if (c->seconds_behind && *c->seconds_behind > lag_limit)
        return refused(Reason::candidate_lagging, name + " lags");
    ElectionWish wish;
    wish.candidate = wanted;
    wish.only_candidate = true;
    const Election election = elect(as_if_stopped(view.facts), wish);
    if (!election.winner)
        return refused(election.reason == Reason::none ? Reason::candidate_unfit : election.reason,
                       election.text);
    if (Outcome pass = commits_pass(view); pass.refused) return pass;
    return would_be_revoked(view);
}

namespace {

// Snapshots of P's log, until one is executed at once: caught up with an old one it lags again, and the
// writers wait for it. So a good moment is waited for, a second long, while P serves. One that stays behind
// by the same short time does not come nearer by waiting: half of what a closing waits is short enough.
awaitable<bool> catch_up_while_it_serves(Operation& op, TabletAlias candidate) {
    const TabletAlias p = op.record().primary.alias;
    const Instant deadline = op.shard().now() + op.limits().catching_up;
    const Duration bearable = op.limits().lock_wait_timeout_of_closing / 2;
    const Instant patience = op.shard().now() + op.limits().wait_slice;
    Duration before = Duration::max();
    for (;;) {
        const Instant asked = op.shard().now();
        auto at = co_await op.ask(p, sql::ReadGtids{}, op.limits().statement);
        if (!at) co_return false;
        const Duration round_trip = op.shard().now() - asked;
        const Duration left = deadline - op.shard().now();
        if (left <= Duration::zero()) co_return false;
        if (!co_await wait_until_executed(op, candidate, at->executed, left)) co_return false;
        const Duration took = op.shard().now() - asked;
        if (took <= op.limits().caught_up_within / 5 + 3 * round_trip) co_return true;
        if (op.shard().now() < patience) continue;
        if (took <= op.limits().caught_up_within + 3 * round_trip) co_return true;
        if (took <= bearable && took >= before / 4 * 3) co_return true;
        before = took;
    }
}

awaitable<Outcome> wait_for_long_transactions(Operation& op) {
    const TabletAlias p = op.record().primary.alias;
    const Instant deadline = op.shard().now() + op.limits().long_transaction;
    for (;;) {
        auto sessions = co_await op.ask(p, sql::ReadSessions{}, op.limits().statement);
        if (!sessions) co_return refused(Reason::primary_unreachable);
        const auto open = std::find_if(sessions->begin(), sessions->end(), [](const sql::SessionRow& s) {
            return s.in_transaction && s.idle && !s.dump_thread && !s.killed;
        });
        if (open == sessions->end()) co_return succeeded();
        if (op.shard().now() >= deadline) {
            if (op.view().goal().kill_long_transactions) co_return succeeded();
            co_return refused(Reason::long_transaction,
                              "session " + std::to_string(open->id) + " holds a transaction open");
        }
        co_await op.shard().ports().clock.sleep_until(op.shard().now() + 100ms);
    }
}

}  // namespace

// Hands a shard that works over to another primary (Vitess: PlannedReparentShard). Everything that can refuse
// does so before anything is closed; a closing that fails is undone by the next pass, which reopens P first.
awaitable<Outcome> planned_reparent(Operation& op) {
    if (Outcome possible = planned_reparent_possible(op.view()); possible.refused) co_return possible;
    if (Outcome there = co_await lock_all_and_look(op); there.refused) co_return there;
    if (Outcome possible = planned_reparent_possible(op.view()); possible.refused) co_return possible;
    const TabletAlias candidate = *op.view().wanted_primary();
    if (canary(Canary::opens_on_shard_record)) {
        const ShardFacts facts = op.facts();
        co_await record_primary(op, record_of_new_term(facts, candidate, facts.record.term + 1));
        co_return co_await open_and_follow(op);
    }
    op.require_locked(op.record().primary.alias);
    op.require_locked(candidate);
    if (Outcome free = co_await wait_for_long_transactions(op); free.refused) co_return free;
    if (!co_await catch_up_while_it_serves(op, candidate))
        co_return refused(Reason::candidate_lagging, candidate.to_string() + " does not catch up");
    if (Outcome closed = co_await close_gracefully(op, candidate); closed.refused) co_return closed;
    ElectionWish wish;
    wish.candidate = candidate;
    wish.only_candidate = true;
    const Election election = elect(op.facts(), wish);
    if (!election.winner || election.catch_up_from) {
        co_return refused(election.winner ? Reason::candidate_lagging : election.reason, election.text);
    }
    co_return co_await record_and_open(op, candidate);
}

}  // namespace fixpoint
