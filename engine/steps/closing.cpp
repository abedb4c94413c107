// Closing a server for writes (protocol 5). The order is not a matter of taste: any other acknowledges writes
// that no replica has. The proof that a server is closed is the closing statement's own OK, never the
// variable, which reads ON while the statement still waits (M20).
#include <algorithm>
#include <optional>
#include <set>

#include "engine/steps/steps.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

using sql::Variable;

namespace {

std::int64_t seconds_of(Duration d) {
    return whole_seconds(d);
}

// Ends the client sessions that a look made now lists: not the dump threads unless said so, not ours, not
// idle ones of the manager's account. Until none of *these* is left; later ones find a closed server, and
// come without end.
awaitable<void> kill_clients(Operation& op, TabletAlias alias, bool dump_threads_too) {
    auto listed = co_await op.ask(alias, sql::ReadSessions{}, op.limits().statement);
    if (!listed) co_return;
    SqlSession* mine = op.shard().sessions(alias).alive(SessionRole::lock);
    std::string my_account;
    for (const sql::SessionRow& row : *listed) {
        if (mine && row.id == mine->connection_id()) my_account = row.user;
    }
    std::set<std::uint64_t> victims;
    for (const sql::SessionRow& row : *listed) {
        if (op.shard().is_my_session(alias, row.id)) continue;
        if (row.dump_thread && !dump_threads_too) continue;
        if (row.idle && row.user == my_account) continue;
        victims.insert(row.id);
    }
    for (const std::uint64_t id : victims) co_await op.change(alias, sql::Kill{id});  // 1094: gone
    const Instant deadline = op.shard().now() + op.limits().statement;
    while (!victims.empty() && (op.shard().now() < deadline || canary(Canary::kills_until_none))) {
        auto left = co_await op.ask(alias, sql::ReadSessions{}, op.limits().statement);
        if (!left) co_return;
        std::set<std::uint64_t> alive;
        for (const sql::SessionRow& row : *left) {
            const bool counts = canary(Canary::kills_until_none) ? !op.shard().is_my_session(alias, row.id)
                                                                 : victims.contains(row.id);
            if (counts && !row.killed)
                alive.insert(row.id);  // one that waits for an acknowledgement stays as Killed
        }
        victims = std::move(alive);
        if (!victims.empty()) co_await op.shard().ports().clock.sleep_until(op.shard().now() + 10ms);
    }
}

bool is_lock_wait_timeout(const std::expected<void, sql::Error>& result) {
    return !result && result.error().number == sql::error_number::lock_wait_timeout;
}

// The candidate executes `log`; once it has it, nobody receives any more.
awaitable<void> execute_and_stop(Operation& op, TabletAlias candidate, GtidSet log, Duration limit, bool stop,
                                 bool* has_it) {
    *has_it = co_await wait_until_executed(op, candidate, std::move(log), limit);
    if (!*has_it || !stop || canary(Canary::receivers_not_stopped_in_planned)) co_return;
    std::vector<TabletAlias> others = op.locked_tablets();
    std::erase(others, op.record().primary.alias);
    co_await stop_receivers(op, std::move(others));
}

// P is closed: the candidate executes its log, and then nobody receives any more. P's clients are ended
// meanwhile, on P's own session. Where a commit still waits there (a privileged one), its log is read until
// it is stable, before any receiver stops.
awaitable<Outcome> hand_over_log(Operation& op, TabletAlias p, TabletAlias candidate) {
    const Instant deadline = op.shard().now() + op.limits().lock_wait_timeout_of_closing;
    std::optional<GtidSet> before;
    for (;;) {
        auto at = co_await op.ask(p, sql::ReadGtids{}, op.limits().statement);
        if (!at) co_return refused(Reason::primary_unreachable);
        const GtidSet log = at->executed | at->owned;
        const bool stable = at->owned.empty() || before == log;
        // A moment only: should P be lost meanwhile, nobody waits for what the candidate can no longer get.
        const Duration left = deadline - op.shard().now();
        const Duration limit = std::clamp<Duration>(left, Duration::zero(), op.limits().wait_slice / 4);
        bool has_it = false;
        std::vector<awaitable<void>> both;
        if (!before) both.push_back(kill_clients(op, p, false));
        both.push_back(execute_and_stop(op, candidate, log, limit, stable, &has_it));
        co_await all(std::move(both));
        if (has_it && stable) co_return succeeded();
        if (left <= Duration::zero()) {
            co_return refused(
                Reason::candidate_lagging,
                candidate.to_string() + " did not execute all of the closed primary's log in time");
        }
        before = log;
    }
}

}  // namespace

awaitable<Outcome> close_gracefully(Operation& op, TabletAlias candidate) {
    const TabletAlias p = op.record().primary.alias;
    op.require_locked(p);
    op.require_locked(candidate);
    const Duration limit = op.limits().lock_wait_timeout_of_closing + op.limits().statement;
    co_await op.close(p, sql::SetSessionLockWait{seconds_of(op.limits().lock_wait_timeout_of_closing)},
                      op.limits().statement);
    // read_only first: between the two phases of super_read_only=ON privileged clients commit freely (M20a).
    auto first = co_await op.close(p, sql::SetGlobal{Variable::read_only, 1}, limit);
    if (!first) co_return refused(Reason::closing_timed_out, "read_only=ON: " + first.error().text);
    auto second = co_await op.close(p, sql::SetGlobal{Variable::super_read_only, 1}, limit);
    if (!second) co_return refused(Reason::closing_timed_out, "super_read_only=ON: " + second.error().text);
    op.closed(p);
    op.step(p.to_string() + " is closed for writes");
    if (Outcome over = co_await hand_over_log(op, p, candidate); over.refused) co_return over;
    // The last look: P first, over the session that proves that it lives, and log(P) once more.
    co_await op.look();
    const TabletView* last = op.view().find(p);
    const TabletView* reached = op.view().find(candidate);
    if (!last || !last->now) co_return refused(Reason::primary_unreachable);
    if (!reached || !reached->now)
        co_return refused(Reason::tablet_unreachable, candidate.to_string() + " does not answer");
    if (!reached->now->server().gtid_executed.contains(last->now->log)) {
        co_return refused(Reason::candidate_lagging, "the primary's log grew after it was closed");
    }
    co_return succeeded();
}

namespace {

awaitable<void> end_clients_and_release(Operation& op, TabletAlias alias) {
    co_await kill_clients(op, alias, true);
    auto waiting = co_await op.ask(alias, sql::ReadGtids{}, op.limits().statement);
    if (waiting && !waiting->owned.empty()) {
        // Nobody is there to be told any more: the waiting commits may end.
        co_await op.change(alias, sql::SemiSyncSourceOffIfOffline{});
    }
}

awaitable<void> close_in_one_packet(Operation& op, TabletAlias alias, bool* done, std::string* error) {
    const Duration limit = op.limits().lock_wait_timeout_of_closing + op.limits().statement;
    auto closed = co_await op.close(alias, sql::CloseInOnePacket{}, limit);
    *done = closed.has_value();
    if (!closed) *error = closed.error().text;
}

}  // namespace

awaitable<Outcome> close_deposed(Operation& op, TabletAlias alias) {
    op.require_locked(alias);
    if (canary(Canary::demotion_releases_waiting_commits) || canary(Canary::semi_sync_off_before_kill))
        co_await op.change(alias, sql::SetGlobal{Variable::rpl_semi_sync_source_enabled, 0});
    co_await op.close(alias, sql::SetSessionLockWait{seconds_of(op.limits().lock_wait_timeout_of_closing)},
                      op.limits().statement);
    co_await op.must(alias, sql::SetGlobal{Variable::offline_mode, 1});
    if (canary(Canary::offline_mode_off_first))
        co_await op.must(alias, sql::SetGlobal{Variable::offline_mode, 0});
    bool done = false;
    std::string error;
    std::vector<awaitable<void>> both;
    both.push_back(close_in_one_packet(op, alias, &done, &error));
    both.push_back(end_clients_and_release(op, alias));
    co_await all(std::move(both));
    if (!done && !canary(Canary::closed_by_reading_the_variable)) {
        co_return refused(Reason::closing_timed_out, alias.to_string() + ": " + error);
    }
    op.closed(alias);
    op.step(alias.to_string() + " is closed for writes");
    co_await op.must(alias, sql::SetGlobal{Variable::offline_mode, 0});
    co_return succeeded();
}

awaitable<Outcome> make_read_only(Operation& op, TabletAlias alias) {
    op.require_locked(alias);
    const TabletView* t = op.view().find(alias);
    if (!t || !t->now) co_return refused(Reason::tablet_unreachable);
    const sql::ServerRow& s = t->now->server();
    const bool nothing_waits = s.gtid_owned.empty() && !(s.semi_sync_plugins && s.semi_sync_source_enabled);
    if (!nothing_waits) co_return co_await close_deposed(op, alias);
    const Duration limit = op.limits().lock_wait_timeout_of_closing + op.limits().statement;
    co_await op.close(alias, sql::SetSessionLockWait{seconds_of(op.limits().lock_wait_timeout_of_closing)},
                      op.limits().statement);
    auto first = co_await op.close(alias, sql::SetGlobal{Variable::read_only, 1}, limit);
    if (is_lock_wait_timeout(first)) co_return co_await close_deposed(op, alias);
    auto second = co_await op.close(alias, sql::SetGlobal{Variable::super_read_only, 1}, limit);
    if (is_lock_wait_timeout(second)) co_return co_await close_deposed(op, alias);
    if (!first || !second) co_return refused(Reason::closing_timed_out, alias.to_string());
    op.closed(alias);
    co_return succeeded();
}

}  // namespace fixpoint
