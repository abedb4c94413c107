// Shards without a record in force, or with one that others overtook (protocol 11). The whole election test
// comes before anything is closed: where it fails, what serves goes on serving and a person decides.
#include <algorithm>

#include "engine/problem_table.hpp"
#include "engine/recoveries/recoveries.hpp"
#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

namespace {

// Whoever must answer before anything is elected: the declared tablets, and whom Shard or the newest journal
// row calls primary. Such a one whose tablet record is gone may be serving.
std::vector<TabletAlias> silent_declared(const View& view) {
    std::vector<TabletAlias> silent;
    for (const TabletView& t : view.tablets) {
        if (t.declared && !t.forgotten && !t.now) silent.push_back(t.alias());
    }
    const auto must_be_there = [&](const TabletAlias& alias) {
        const TabletView* t = view.find(alias);
        const bool asked = t && t->declared;
        if (!asked && !is_forgotten(view.goal(), alias) && std::ranges::find(silent, alias) == silent.end())
            silent.push_back(alias);
    };
    if (view.records.shard.primary_alias) must_be_there(*view.records.shard.primary_alias);
    if (const auto newest = judge_journals(view.facts).newest) must_be_there(newest->alias);
    return silent;
}

// One that receives from a server that no record declares: what serves there may be acknowledging just now.
std::string receives_from_a_stranger(const View& view) {
    for (const TabletView& t : view.tablets) {
        if (!t.now || !t.declared || t.forgotten) continue;
        for (const sql::ReplicaRow& channel : t.now->answer.channels) {
            const bool known = std::ranges::any_of(view.tablets, [&](const TabletView& source) {
                return source.declared && source.tablet.mysql == channel.source;
            });
            if (channel.receiver == sql::ThreadState::yes && !known)
                return t.alias().to_string() + " receives from " + channel.source.to_string() +
                       ", which no record declares: declare it, or stop that receiver";
        }
    }
    return {};
}

// A session that looks may stand where none can be had any more, for the locks neither (1040): what it shows
// holds in every pass, and never under the locks.
awaitable<Outcome> lock_whoever_answers(Operation& op) {
    std::vector<TabletAlias> answered;
    for (const TabletView& t : op.view().tablets) {
        if (t.now && !t.forgotten) answered.push_back(t.alias());
    }
    Outcome there = co_await lock_all_and_look(op);
    if (there.reason != Reason::problem_gone) co_return there;
    for (const TabletAlias& alias : answered) {
        if (!op.locked(alias))
            co_return refused(Reason::tablet_unreachable,
                              alias.to_string() + " answers, and there is no session for its lock");
    }
    co_return there;
}

FirstContactVerdict judge(const View& view, const ShardFacts& facts) {
    return judge_first_contact(facts, view.records.shard, view.fixpoint());
}

// What can be made restart-safe counts as it, in the test that comes before anything is touched.
ShardFacts as_if_prepared(const View& view, const ShardFacts& facts) {
    ShardFacts prepared = as_if_stopped(facts);
    for (TabletFacts& f : prepared.tablets) {
        const TabletView* t = view.find(f.tablet.alias);
        if (t && t->now && t->now->server().persisted_globals_load) f.restart_safe = true;
    }
    return prepared;
}

awaitable<void> persist_all(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now) co_return;
    const TabletLookPtr look = t->now;
    if (look->server().semi_sync_plugins && look->server().semi_sync_replica_enabled)
        co_await switch_acks(op, alias, false);
    for (const Setting& s : settings_to_persist(look->answer.server, look->answer.persisted, op.limits())) {
        co_await op.must(alias, sql::SetPersistOnly{s.first, s.second});
    }
    if (look->server().stop_replica_timeout_s != Limits::stop_replica_timeout_s &&
        !canary(Canary::stop_timeout_only_persisted)) {
        co_await op.must(
            alias, sql::SetGlobal{sql::Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s});
    }
}

awaitable<void> close_if_writable(Operation& op, TabletAlias alias) {
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now) co_return;
    if (is_writable(*t->now) || t->now->server().offline_mode) co_await close_deposed(op, alias);
}

// Everybody there, closed and still: in place of a revocation, for there is no P, no k, no A yet.
Outcome everybody_is_still(Operation& op) {
    for (const TabletView& t : op.view().tablets) {
        if (!t.declared || t.forgotten) continue;
        if (!t.now || !op.locked(t.alias()))
            return refused(Reason::record_lost_tablet_missing, t.alias().to_string() + " does not answer");
        if (is_writable(*t.now) || t.helper_lock_of_other)
            return refused(Reason::several_writable, t.alias().to_string() + " is writable");
        if (receiver_runs(*t.now))
            return refused(Reason::tablet_unreachable, t.alias().to_string() + ": its receiver runs");
    }
    return succeeded();
}

awaitable<Outcome> elect_and_record(Operation& op, FirstContact kind) {
    const View& view = op.view();
    const bool tests_first = !canary(Canary::closes_before_it_can_elect);
    if (Outcome possible = first_contact_possible(view, kind); possible.refused && tests_first)
        co_return possible;
    if (Outcome there = co_await lock_whoever_answers(op); there.refused) co_return there;
    if (const std::string stranger = receives_from_a_stranger(view); !stranger.empty())
        co_return refused(Reason::record_lost_tablet_missing, stranger);
    if (Election possible =
            elect_without_record(as_if_prepared(view, op.facts()), kind, silent_declared(view));
        !possible.winner && tests_first) {
        co_return refused(possible.reason, possible.text);
    }
    const std::vector<TabletAlias> everybody = op.locked_tablets();
    co_await op.for_each(everybody,
                         [&op](TabletAlias alias) { return close_if_writable(op, std::move(alias)); });
    co_await stop_receivers(op, everybody);
    co_await apply_received(op, everybody, op.limits().applying);
    co_await op.for_each(everybody, [&op](TabletAlias alias) { return persist_all(op, std::move(alias)); });
    co_await op.look();
    if (Outcome still = everybody_is_still(op); still.refused) co_return still;
    const ShardFacts facts = op.facts();
    const Election election = elect_without_record(facts, kind, silent_declared(view));
    if (!election.winner) co_return refused(election.reason, election.text);
    const FirstContactVerdict verdict = judge(view, facts);
    FixpointRecord next = record_of_new_term(facts, *election.winner, verdict.next_term);
    next.policy = view.declared_policy();
    next.ackers.clear();
    next.high_water = {};
    co_await record_primary(op, std::move(next));
    co_return co_await open_and_follow(op);
}

}  // namespace

Outcome first_contact_possible(const View& view, FirstContact kind) {
    if (const std::string stranger = receives_from_a_stranger(view); !stranger.empty())
        return refused(Reason::record_lost_tablet_missing, stranger);
    const Election possible =
        elect_without_record(as_if_prepared(view, view.facts), kind, silent_declared(view));
    return possible.winner ? succeeded() : refused(possible.reason, possible.text);
}

awaitable<Outcome> initialize_shard(Operation& op) {
    co_return co_await elect_and_record(op, FirstContact::never_had_a_primary);
}

awaitable<Outcome> recover_lost_record(Operation& op) {
    co_return co_await elect_and_record(op, FirstContact::record_lost);
}

// A shard that works is recorded as it is: nothing closed, nothing switched off, policy none. What is
// declared is then reached under load (protocol 9).
awaitable<Outcome> adopt_shard(Operation& op) {
    if (Outcome there = co_await lock_whoever_answers(op); there.refused) co_return there;
    co_await op.look();  // serves: in two looks of one session
    // One that is silent may have acknowledged, and will again.
    if (const std::vector<TabletAlias> silent = silent_declared(op.view()); !silent.empty())
        co_return refused(Reason::record_lost_tablet_missing,
                          silent.front().to_string() + " does not answer");
    const ShardFacts facts = op.facts();
    const FirstContactVerdict verdict = judge(op.view(), facts);
    if (verdict.kind != FirstContact::adopt || !verdict.primary)
        co_return refused(Reason::several_writable, verdict.text);
    FixpointRecord next = record_of_adoption(facts, *verdict.primary, verdict.next_term);
    if (canary(Canary::adopts_with_declared_policy)) next.policy = op.view().declared_policy();
    if (canary(Canary::adopts_without_ackers_found)) next.ackers.clear();
    co_await record_primary(op, std::move(next));
    co_return succeeded();
}

awaitable<Outcome> record_reparent_by_others(Operation& op) {
    if (Outcome there = co_await lock_whoever_answers(op); there.refused) co_return there;
    co_await op.look();  // serves: in two looks of one session
    const ShardFacts facts = op.facts();
    const std::optional<TabletAlias> primary = reparented_by_others(facts, op.view().records.shard);
    if (!primary) co_return refused(Reason::problem_gone);
    op.report("somebody else has made " + primary->to_string() + " the primary: recorded as it is");
    co_await record_primary(op, record_of_adoption(facts, *primary, facts.record.term + 1));
    co_return succeeded();
}

// Shard is empty, older than what was last written, or a wish that was refused by the pin: written again.
awaitable<Outcome> write_shard_record(Operation& op) {
    if (!still_holds(op.view(), op.key())) co_return refused(Reason::problem_gone);
    ShardRecord shard = shard_record_for(op, op.record().primary.alias);
    FixpointRecord next = op.record();
    next.shard_time = shard.primary_term_start_time;
    op.report("Shard is written again: " + op.record().primary.alias.to_string() +
              " is the primary in force");
    co_await op.write_record(std::move(next), std::move(shard));
    co_return succeeded();
}

}  // namespace fixpoint
