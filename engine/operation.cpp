// The lock, the sessions and the records of one operation; see operation.hpp and protocol 3.
#include "engine/operation.hpp"

#include <algorithm>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

Operation::Operation(Shard& shard, topo::LockKey lock, ProblemKey key, Recovery recovery, std::string id)
    : shard_(shard), lock_(std::move(lock)), key_(std::move(key)), recovery_(recovery), id_(std::move(id)) {}

void Operation::step(std::string text) {
    Event event;
    event.kind = EventKind::step;
    event.operation = id_;
    event.key = key_;
    event.recovery = recovery_;
    event.text = std::move(text);
    shard_.ports().events.append(std::move(event));
}

void Operation::report(std::string text) {
    Event event;
    event.kind = EventKind::reported;
    event.operation = id_;
    event.key = key_;
    event.recovery = recovery_;
    event.text = std::move(text);
    shard_.ports().events.append(std::move(event));
}

// ---- the shard lock

Duration Operation::lease_left() const {
    return lock_.taken_at + limits().lease - shard_.now();
}

void Operation::go_on() const {
    if (shard_.given_up()) throw OperationEnded(Reason::none, "given up: the manager was asked to end");
}

Duration Operation::within_lease(Duration limit) const {
    go_on();
    const Duration left = lease_left() - limits().lease / 50;
    if (left <= limits().lease / 10)
        throw OperationEnded(Reason::lock_lost, "the lease has run out, or is about to");
    return std::min(limit, left);
}

void Operation::require_lease(Duration limit) const {
    go_on();
    if (lease_left() <= limit)
        throw OperationEnded(Reason::lock_lost,
                             "what is left of the lease is shorter than the statement's limit");
}

awaitable<void> Operation::verify_lock() {
    auto holder = co_await shard_.ports().store.lock_holder(lock_.path, limits().statement);
    if (!holder)
        throw OperationEnded(Reason::store_unavailable,
                             "the shard lock could not be read: " + holder.error().text);
    if (!*holder || (*holder)->id != lock_.id)
        throw OperationEnded(Reason::lock_lost, "the shard lock has another holder");
}

// ---- server locks

bool Operation::locked(const TabletAlias& alias) const {
    return locked_.contains(alias) && shard_.knows(alias) &&
           shard_.sessions(alias).alive(SessionRole::lock) != nullptr;
}

std::vector<TabletAlias> Operation::locked_tablets() const {
    std::vector<TabletAlias> all;
    for (const TabletAlias& alias : locked_) {
        if (locked(alias)) all.push_back(alias);
    }
    return all;
}

void Operation::require_locked(const TabletAlias& alias) const {
    if (!locked(alias))
        throw OperationEnded(Reason::tablet_unreachable, "no server lock on " + alias.to_string());
}

void Operation::unlock(const TabletAlias& alias) {
    locked_.erase(alias);
}

awaitable<bool> Operation::take(TabletAlias alias, SessionRole role, std::string name,
                                std::optional<std::uint64_t> holder) {
    SqlSession* lock_session = shard_.sessions(alias).alive(SessionRole::lock);
    SqlSession* session = shard_.sessions(alias).alive(role);
    if (!lock_session || !session) co_return false;
    if (holder && *holder != session->connection_id()) {
        // Somebody's, and I hold the shard lock: is it still mine? Only then is the other one of the past.
        if (!canary(Canary::verify_before_kill_missing)) co_await verify_lock();
        auto killed = co_await run(*lock_session, sql::Kill{*holder}, limits().statement);
        if (!killed && killed.error().number != sql::error_number::no_such_thread) co_return false;
    }
    // KILL returns before its victim has ended, inside a STOP seconds before (M53).
    const Duration limit = within_lease(limits().stop() + limits().statement);
    const Duration patience = canary(Canary::locks_without_patience) ? Duration::zero() : limit * 2 / 3;
    auto taken = co_await run(*session, sql::GetLock{name, patience}, limit);
    co_return taken && *taken;
}

// A silent P whose acknowledgements can be stopped without it: tried, and not waited for.
bool Operation::can_do_without(const TabletAlias& alias) const {
    const FixpointRecord* record = view().fixpoint();
    return record && record->primary.alias == alias && revocation(as_if_stopped(view().facts)).by_count;
}

awaitable<void> Operation::lock_server(TabletAlias alias) {
    if (locked(alias) || !shard_.knows(alias)) co_return;
    if (had_locks_.contains(alias)) co_return;  // a lost lock session is not reconnected within an operation
    TabletSessions& sessions = shard_.sessions(alias);
    const TabletView* t = view().find(alias);
    const bool answered = t && t->answered();
    const Duration moment = limits().look_without_locks / (!answered && can_do_without(alias) ? 5 : 1);
    const Duration limit = answered ? limits().connecting : moment;
    auto lock_session = co_await sessions.ensure(SessionRole::lock, limit);
    if (!lock_session) co_return;
    auto helper_session = co_await sessions.ensure(SessionRole::helper, limit);
    if (!helper_session) co_return;
    const Duration answer_limit = answered ? limits().statement : moment;
    auto holders = co_await run(**lock_session, sql::ReadLockHolders{shard_.name()}, answer_limit);
    if (!holders) co_return;
    had_locks_.insert(alias);
    if (!co_await take(alias, SessionRole::lock, sql::server_lock_name(shard_.name()), holders->server)) {
        sessions.drop(SessionRole::lock);
        co_return;
    }
    if (!canary(Canary::helpers_outlive_the_lock) && !canary(Canary::helper_lock_taken_late)) {
        if (!co_await take(alias, SessionRole::helper, sql::helper_lock_name(shard_.name()),
                           holders->helper)) {
            sessions.drop(SessionRole::helper);
            co_return;
        }
    }
    locked_.insert(alias);
    shard_.server_lock_taken(alias);
}

awaitable<void> Operation::lock_servers(std::vector<TabletAlias> aliases) {
    std::vector<awaitable<void>> tasks;
    for (const TabletAlias& alias : aliases) tasks.push_back(lock_server(alias));
    co_await all(std::move(tasks));
    if (!canary(Canary::read_again_is_enough)) co_await verify_lock();
}

awaitable<void> Operation::lock_all_servers() {
    all_servers_ = true;
    std::vector<TabletAlias> aliases;
    for (const TabletView& t : view().tablets) {
        const bool changed = !t.now || !t.now->channel() || receiver_runs(*t.now);
        if (!changed && canary(Canary::locks_only_on_changed_tablets)) continue;
        if (!t.forgotten && is_manageable(t)) aliases.push_back(t.alias());
    }
    co_await lock_servers(std::move(aliases));
}

namespace {

awaitable<void> release_on(TabletSessions& sessions, SessionRole role, std::string name, Duration limit) {
    SqlSession* session = sessions.alive(role);
    if (!session) co_return;
    auto released = co_await run(*session, sql::ReleaseLock{std::move(name)}, limit);
    if (!released) sessions.drop(role);
}

}  // namespace

awaitable<void> Operation::release_server_locks() {
    std::vector<awaitable<void>> tasks;
    for (const TabletAlias& alias : had_locks_) {
        if (!shard_.knows(alias)) continue;
        TabletSessions& sessions = shard_.sessions(alias);
        tasks.push_back(release_on(sessions, SessionRole::lock, sql::server_lock_name(shard_.name()),
                                   limits().statement));
        tasks.push_back(release_on(sessions, SessionRole::helper, sql::helper_lock_name(shard_.name()),
                                   limits().statement));
    }
    locked_.clear();
    had_locks_.clear();
    co_await all(std::move(tasks));
}

// ---- looks

awaitable<void> Operation::look_at(TabletAlias alias) {
    if (!locked(alias)) {
        if (co_await shard_.look_at(alias, SessionRole::look, limits().look_without_locks))
            co_await shard_.read_journal(alias);
        co_return;
    }
    bool answered = false;
    std::vector<awaitable<void>> both;
    both.push_back(look_at_into(alias, &answered));
    both.push_back(shard_.read_journal(alias));  // on a session of its own: it holds nothing up
    co_await all(std::move(both));
    if (!answered) unlock(alias);
}

awaitable<void> Operation::look_at_into(TabletAlias alias, bool* answered) {
    *answered = co_await shard_.look_at(std::move(alias), SessionRole::lock, limits().statement);
}

const FixpointRecord& Operation::record() const {
    const FixpointRecord* record = shard_.view().fixpoint();
    if (!record) throw OperationEnded(Reason::newer_record, "the record in force is gone");
    return *record;
}

awaitable<void> Operation::look() {
    const TabletAlias primary = view().fixpoint() ? record().primary.alias : TabletAlias{};
    const TabletView* p = view().find(primary);
    const bool look_at_p = locked(primary) || (!all_servers_ && p && p->answered());
    if (all_servers_ && !canary(Canary::locks_only_on_changed_tablets)) shard_.begin_look();
    // P first: what P has must be of an earlier look than what its replicas have (protocol 6, 9).
    if (look_at_p) co_await look_at(primary);
    std::vector<awaitable<void>> tasks;
    for (const TabletAlias& alias : locked_tablets()) {
        if (alias != primary) tasks.push_back(look_at(alias));
    }
    co_await all(std::move(tasks));
    shard_.finish_look();
    for (const TabletView& t : view().tablets) {
        if (t.now) acks_at_first_.try_emplace(t.alias(), t.now->answer.semi_sync.replica_status);
    }
}

awaitable<void> Operation::look_at_primary() {
    const TabletView* p = view().primary();
    if (!p || !p->answered()) co_return;
    co_await look_at(p->alias());
    shard_.finish_look();
}

bool Operation::acks_in_effect_at_first(const TabletAlias& alias) const {
    const auto it = acks_at_first_.find(alias);
    return it != acks_at_first_.end() && it->second;
}

ShardFacts Operation::facts() const {
    ShardFacts facts = facts_from(view());
    for (TabletFacts& t : facts.tablets) {
        t.locked = locked(t.tablet.alias) ||
                   (canary(Canary::locks_only_on_changed_tablets) && t.answered && !t.receives);
        t.closed = is_closed(t.tablet.alias) && t.locked && !t.writable;
        t.acks_in_effect_at_first = acks_in_effect_at_first(t.tablet.alias);
    }
    return facts;
}

// ---- statements

namespace {

bool repoints(const sql::Statement& statement) {
    return std::holds_alternative<sql::ChangeSource>(statement) ||
           std::holds_alternative<sql::StartReceiver>(statement);
}

}  // namespace

awaitable<std::expected<void, sql::Error>> Operation::execute(TabletAlias alias, SessionRole role,
                                                              sql::Statement statement, Duration limit) {
    SqlSession* session = locked(alias) ? shard_.sessions(alias).alive(role) : nullptr;
    if (!session) throw Lost(alias, alias.to_string() + ": its session is gone");
    limit = within_lease(limit);  // never longer than what is left of the lease
    if (canary(Canary::detached_repoint) && repoints(statement)) {
        if (SqlSession* other = shard_.sessions(alias).alive(SessionRole::look)) session = other;
    }
    // Said in any case: who looks on changes nothing of the run.
    step(shard_.ports().events.wants_text() ? alias.to_string() + ": " + sql::to_string(statement)
                                            : std::string());
    sql::Result answer = co_await session->execute(std::move(statement), limit);
    if (answer) co_return std::expected<void, sql::Error>{};
    if (answer.error().is_maybe()) {
        unlock(alias);
        throw Lost(alias, alias.to_string() + ": " + answer.error().text);
    }
    co_return std::unexpected(std::move(answer.error()));
}

awaitable<std::expected<void, sql::Error>> Operation::change(TabletAlias alias, sql::Statement statement,
                                                             Duration limit) {
    co_return co_await execute(std::move(alias), SessionRole::lock, std::move(statement), limit);
}

awaitable<std::expected<void, sql::Error>> Operation::change(TabletAlias alias, sql::Statement statement) {
    co_return co_await execute(std::move(alias), SessionRole::lock, std::move(statement), limits().statement);
}

awaitable<void> Operation::must(TabletAlias alias, sql::Statement statement, Duration limit) {
    const std::string name(sql::name_of(statement));
    auto result = co_await execute(alias, SessionRole::lock, std::move(statement), limit);
    if (!result)
        throw Lost(alias, alias.to_string() + ": " + name + ": " + std::to_string(result.error().number) +
                              " " + result.error().text);
}

awaitable<void> Operation::must(TabletAlias alias, sql::Statement statement) {
    co_await must(std::move(alias), std::move(statement), limits().statement);
}

awaitable<std::expected<void, sql::Error>> Operation::close(TabletAlias alias, sql::Statement statement,
                                                            Duration limit) {
    SqlSession* helper = locked(alias) ? shard_.sessions(alias).alive(SessionRole::helper) : nullptr;
    if (canary(Canary::helper_lock_taken_late) && helper) {
        auto holders = co_await run(*helper, sql::ReadLockHolders{shard_.name()}, limits().statement);
        const bool other = holders && holders->helper && *holders->helper != helper->connection_id();
        if (other) co_await run(*helper, sql::Kill{*holders->helper}, limits().statement);
        co_await run(*helper, sql::GetLock{sql::helper_lock_name(shard_.name()), limits().statement},
                     limits().stop());
    }
    co_return co_await execute(std::move(alias), SessionRole::helper, std::move(statement), limit);
}

awaitable<void> Operation::guarded(TabletAlias alias,
                                   const std::function<awaitable<void>(TabletAlias)>& task) {
    try {
        co_await task(alias);
    } catch (const Lost& lost) {
        if (canary(Canary::any_lost_session_ends_it)) throw OperationEnded(Reason::lock_lost, lost.what());
        unlock(lost.alias);
        step("lost " + std::string(lost.what()));
    }
}

awaitable<void> Operation::for_each(std::vector<TabletAlias> aliases,
                                    std::function<awaitable<void>(TabletAlias)> task) {
    std::vector<awaitable<void>> tasks;
    for (const TabletAlias& alias : aliases) tasks.push_back(guarded(alias, task));
    co_await all(std::move(tasks));
}

// ---- records

// Planted (cas_without_lock_key): on the versions alone.
awaitable<std::vector<topo::Version>> Operation::transact_without_key(std::vector<topo::Put> puts) {
    std::vector<topo::Version> versions;
    for (topo::Put& put : puts) {
        auto written = co_await shard_.ports().store.put_declared(std::move(put), limits().statement);
        if (!written) throw OperationEnded(Reason::store_unavailable, written.error().text);
        versions.push_back(*written);
    }
    co_return versions;
}

awaitable<std::vector<topo::Version>> Operation::transact(std::vector<topo::Put> puts) {
    require_lease(limits().statement);
    if (canary(Canary::cas_without_lock_key)) co_return co_await transact_without_key(std::move(puts));
    auto written = co_await shard_.ports().store.transact(lock_, std::move(puts), limits().statement);
    if (written) co_return std::move(*written);
    switch (written.error().kind) {
        case topo::ErrorKind::maybe:
            throw OperationEnded(Reason::answer_lost, "the answer to a write of the record was lost");
        case topo::ErrorKind::conflict:
            throw OperationEnded(Reason::newer_record, "a record has changed meanwhile");
        case topo::ErrorKind::lock_lost:
            throw OperationEnded(Reason::lock_lost, "the shard lock is gone");
        default:
            throw OperationEnded(Reason::store_unavailable, written.error().text);
    }
}

awaitable<void> Operation::write_record(FixpointRecord next, std::optional<ShardRecord> shard) {
    next.operation = id_;
    if (next.k() == 0) {
        next.high_water = {};
    } else if (const FixpointRecord* now = view().fixpoint(); now && now->term == next.term) {
        next.high_water.add(view().high_water);
    }
    std::vector<topo::Put> puts;
    puts.push_back({fixpoint_path(shard_.name()), encode_fixpoint(next), view().records.fixpoint_version});
    if (shard)
        puts.push_back({shard_path(shard_.name()), encode_shard(*shard), view().records.shard_version});
    const std::vector<topo::Version> versions = co_await transact(std::move(puts));
    if (shard) shard_.shard_written(std::move(*shard), versions[1]);
    shard_.recorded(std::move(next), versions[0]);
}

awaitable<void> Operation::write_shard(ShardRecord next) {
    std::vector<topo::Put> puts;
    puts.push_back({shard_path(shard_.name()), encode_shard(next), view().records.shard_version});
    const std::vector<topo::Version> versions = co_await transact(std::move(puts));
    shard_.shard_written(std::move(next), versions[0]);
}

awaitable<void> Operation::write_tablet(Tablet next) {
    const auto it = view().records.tablets.find(next.alias);
    if (it == view().records.tablets.end()) co_return;
    topo::Put put{tablet_path(next.alias), encode_tablet(next), it->second.version};
    auto written =
        co_await shard_.ports().store.put_cell(next.alias.cell, std::move(put), limits().statement);
    if (!written)
        throw OperationEnded(Reason::store_unavailable,
                             "tablet record of " + next.alias.to_string() + ": " + written.error().text);
    shard_.tablet_written(next, *written);
}

}  // namespace fixpoint
