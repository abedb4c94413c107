// The loop: look, diagnose, lock, look again, recover one problem, forget everything, start over. Only here
// are exceptions caught; only here is waited between passes.
#include "fixpoint/engine/reconciler.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "engine/backoff.hpp"
#include "engine/problem_table.hpp"
#include "engine/report.hpp"
#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

namespace asio = boost::asio;

class Reconciler::Impl {
  public:
    Impl(ReconcilerConfig config, ReconcilerPorts ports)
        : ports_(ports), shard_(std::move(config), ports, [this] { wake(); }) {
        ports_.store.on_change([this] { wake(); });
    }

    awaitable<void> run();
    awaitable<PassOutcome> pass();
    awaitable<ShardReport> look();
    ShardReport report() const;
    void wake();
    void stop() {
        stopping_ = true;
        wake();
    }
    void give_up() {
        shard_.give_up();
        stop();
    }
    bool asleep() const { return asleep_; }
    std::uint64_t digest() const { return shard_.digest() ^ (backoff_.digest() * 31); }

  private:
    awaitable<void> sleep_until_next(Duration wait);
    void say_looked(const std::vector<ProblemKey>& problems);
    void say_silent_cells();
    const ProblemRow* choose(const std::vector<ProblemKey>& problems, ProblemKey& chosen);
    awaitable<std::optional<topo::LockKey>> lock_shard(const ProblemRow& row, const std::string& id);
    awaitable<void> recover(const ProblemRow& row, ProblemKey key);
    awaitable<void> recover_under(Operation& op, const ProblemRow& row);
    awaitable<void> body(Operation& op, const ProblemRow& row, Outcome& outcome);
    awaitable<void> renew_lease(Operation& op);
    Event ended(const Operation& op, const ProblemRow& row, const Outcome& outcome) const;

    ReconcilerPorts ports_;
    Shard shard_;
    Backoff backoff_;
    asio::cancellation_signal wake_signal_;
    bool asleep_ = false;
    bool woken_ = false;
    bool stopping_ = false;
    bool hurry_ = false;  // the last pass acted
    std::uint64_t operations_ = 0;
    std::optional<topo::LockKey> kept_lock_;  // never, but for a canary: no key is used twice
    std::string lock_content_in_doubt_;       // of an acquisition whose answer was lost
};

// ---- between passes

void Reconciler::Impl::wake() {
    woken_ = true;
    if (asleep_) wake_signal_.emit(asio::cancellation_type::terminal);
}

awaitable<void> Reconciler::Impl::sleep_until_next(Duration wait) {
    const auto executor = co_await asio::this_coro::executor;
    // A hint never makes a busy loop of it.
    constexpr Duration least = 5ms;
    const Instant deadline = ports_.clock.now() + (woken_ ? least : wait);
    woken_ = false;
    asleep_ = true;
    auto sleeping = asio::co_spawn(executor, ports_.clock.sleep_until(deadline),
                                   asio::bind_cancellation_slot(wake_signal_.slot(), asio::use_awaitable));
    try {
        co_await std::move(sleeping);
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) throw;  // woken before its time
    }
    asleep_ = false;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

awaitable<void> Reconciler::Impl::run() {
    while (!stopping_) {
        const PassOutcome outcome = co_await pass();
        if (stopping_) break;
        hurry_ = outcome.acted;
        if (outcome.acted) continue;
        const Limits& limits = shard_.limits();
        co_await sleep_until_next(outcome.primary_silent ? limits.poll_primary_silent : limits.poll);
    }
}

// ---- one pass

void Reconciler::Impl::say_looked(const std::vector<ProblemKey>& problems) {
    Event event;
    event.kind = EventKind::looked;
    event.problems = problems;
    ports_.events.append(std::move(event));
}

// A tablet of such a cell that no record names is unknown to a manager that has never read it: the cell is
// all that can be reported.
void Reconciler::Impl::say_silent_cells() {
    for (const std::string& cell : shard_.view().records.silent_cells) {
        Event event;
        event.kind = EventKind::reported;
        event.key = {Problem::store_locked, TabletAlias{cell, 0}};
        event.reason = Reason::store_unavailable;
        event.text =
            "the store of cell " + cell + " does not answer: its tablets are as last read, or unknown";
        ports_.events.append(std::move(event));
    }
}

const ProblemRow* Reconciler::Impl::choose(const std::vector<ProblemKey>& problems, ProblemKey& chosen) {
    for (const ProblemKey& key : problems) {
        const ProblemRow& row = row_of(key.problem);
        if (!row.recover) continue;
        if (!backoff_.may_try(key, fingerprint(shard_.view(), key), ports_.clock.now())) continue;
        chosen = key;
        return &row;
    }
    return nullptr;
}

awaitable<ShardReport> Reconciler::Impl::look() {
    if (!co_await shard_.read_records()) co_return report();
    co_await shard_.look_without_locks(false);
    co_return report();
}

ShardReport Reconciler::Impl::report() const {
    if (!shard_.store_error().empty()) {
        ShardReport silent;
        silent.shard = shard_.name();
        silent.store_error = shard_.store_error();
        return silent;
    }
    ShardReport report = report_of(shard_.view());
    for (ProblemReport& p : report.problems) {
        if (!row_of(p.key.problem).recover) continue;
        p.next = backoff_.may_try(p.key, fingerprint(shard_.view(), p.key), ports_.clock.now());
        if (p.next) break;
    }
    return report;
}

awaitable<PassOutcome> Reconciler::Impl::pass() {
    PassOutcome outcome;
    if (!co_await shard_.read_records()) {
        Event event;
        event.kind = EventKind::reported;
        event.reason = Reason::store_unavailable;
        event.text = "the topology store does not answer: " + shard_.store_error();
        ports_.events.append(std::move(event));
        co_return outcome;
    }
    co_await shard_.look_without_locks(hurry_);
    const View& view = shard_.view();
    outcome.problems = diagnose(view);
    backoff_.looked(outcome.problems, ports_.clock.now(), shard_.limits());
    say_looked(outcome.problems);
    say_silent_cells();
    const TabletView* p = view.primary();
    outcome.primary_silent = p && !p->answered();
    if (view.goal().paused || !view.records.damage.empty()) {
        Event event;
        event.kind = EventKind::reported;
        event.reason = view.goal().paused ? Reason::paused : Reason::none;
        event.text =
            view.goal().paused ? "the shard is paused" : "a record cannot be read: " + view.records.damage;
        ports_.events.append(std::move(event));
        co_return outcome;
    }
    ProblemKey key;
    const ProblemRow* row = choose(outcome.problems, key);
    if (!row) co_return outcome;
    const std::uint64_t operations_before = operations_;
    co_await recover(*row, key);
    outcome.acted = operations_ != operations_before;
    co_return outcome;
}

// ---- one recovery

awaitable<std::optional<topo::LockKey>> Reconciler::Impl::lock_shard(const ProblemRow& row,
                                                                     const std::string& id) {
    const std::string path = shard_lock_path(shard_.name());
    const Duration limit = shard_.limits().statement;
    LockContent content;
    content.action = std::string(to_string(row.recovery));
    content.host_name = shard_.config().manager;
    content.user_name = id;
    const std::string text = encode_lock_content(content);
    auto locked = co_await ports_.store.lock_shard(path, text, shard_.limits().lease, limit);
    if (locked) {
        lock_content_in_doubt_.clear();
        co_return *locked;
    }
    if (locked.error().kind == topo::ErrorKind::maybe) lock_content_in_doubt_ = text;
    if (locked.error().kind == topo::ErrorKind::held && !lock_content_in_doubt_.empty()) {
        // Mine, from an acquisition whose answer was lost: never used, given up.
        auto holder = co_await ports_.store.lock_holder(path, limit);
        if (holder && *holder && (*holder)->content == lock_content_in_doubt_) {
            topo::LockKey mine;
            mine.path = path;
            mine.id = (*holder)->id;
            if (auto given_up = co_await ports_.store.unlock(mine, limit)) lock_content_in_doubt_.clear();
        }
    }
    co_return std::nullopt;
}

awaitable<void> Reconciler::Impl::renew_lease(Operation& op) {
    for (;;) {
        const Duration lease = shard_.limits().lease;
        co_await ports_.clock.sleep_until(ports_.clock.now() + lease / 3);
        if (canary(Canary::lease_not_renewed)) continue;
        const Instant asked = ports_.clock.now();
        auto renewed = co_await ports_.store.renew(op.lock(), lease, shard_.limits().statement);
        if (renewed) {
            op.renewed(asked);
        } else if (renewed.error().kind == topo::ErrorKind::lock_lost) {
            co_return;  // it is somebody else's now: the operation is cancelled where it stands
        }
    }
}

awaitable<void> Reconciler::Impl::body(Operation& op, const ProblemRow& row, Outcome& outcome) {
    if (canary(Canary::refuses_everything)) {
        outcome = refused(Reason::too_few_ackers, "not now");
        co_return;
    }
    const bool stale = canary(Canary::fix_replica_on_stale_primary) && row.recovery == Recovery::fix_replica;
    if (!stale && !co_await shard_.read_global_records())
        throw OperationEnded(Reason::store_unavailable, shard_.store_error());
    shard_.finish_look();
    if (shard_.view().goal().paused) {
        outcome = refused(Reason::paused);
        co_return;
    }
    if (!row.without_record) (void)op.record();  // it may be gone since the look
    outcome = co_await row.recover(op);
}

namespace {

// Whoever slept past its lease finds its sessions ended by the next holder of the lock: no server is out of
// reach then, and it is the lock that is gone.
bool has_outlived_its_lock(const Operation& op, Reason reason) {
    const bool silence = reason == Reason::tablet_unreachable || reason == Reason::primary_unreachable;
    return silence && op.lease_left() <= Duration::zero();
}

constexpr const char* lease_ran_out = "the lease has run out meanwhile; ";

}  // namespace

awaitable<void> Reconciler::Impl::recover_under(Operation& op, const ProblemRow& row) {
    const auto executor = co_await asio::this_coro::executor;
    Outcome outcome;
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, body(op, row, outcome), asio::deferred),
        asio::co_spawn(executor, renew_lease(op), asio::deferred));
    auto waiting = group.async_wait(asio::experimental::wait_for_one(), asio::deferred);
    auto [order, failed, lease_failed] = co_await std::move(waiting);
    if (order[0] == 1) throw OperationEnded(Reason::lock_lost, "the lease could not be renewed");
    if (failed) std::rethrow_exception(failed);
    if (outcome.refused && has_outlived_its_lock(op, outcome.reason))
        throw OperationEnded(Reason::lock_lost, lease_ran_out + outcome.text);
    if (outcome.refused && outcome.reason != Reason::problem_gone) backoff_.refused(op.key());
    ports_.events.append(ended(op, row, outcome));
}

Event Reconciler::Impl::ended(const Operation& op, const ProblemRow& row, const Outcome& outcome) const {
    Event event;
    event.kind = outcome.refused ? EventKind::recovery_refused : EventKind::recovery_succeeded;
    event.operation = op.id();
    event.key = op.key();
    event.recovery = row.recovery;
    event.reason = outcome.reason;
    event.text = outcome.text;
    return event;
}

awaitable<void> Reconciler::Impl::recover(const ProblemRow& row, ProblemKey key) {
    const std::string id = shard_.config().manager + "-" + std::to_string(shard_.config().instance) + "-" +
                           std::to_string(operations_ + 1);
    const std::uint64_t seen = fingerprint(shard_.view(), key);
    const std::optional<topo::LockKey> lock = kept_lock_ ? kept_lock_ : co_await lock_shard(row, id);
    kept_lock_.reset();
    if (!lock) co_return;
    ++operations_;
    backoff_.tried(key, seen);

    Operation op(shard_, *lock, key, row.recovery, id);
    Event began;
    began.kind = EventKind::recovery_began;
    began.operation = id;
    began.key = key;
    began.recovery = row.recovery;
    ports_.events.append(began);
    Event failed = began;
    failed.kind = EventKind::recovery_failed;
    bool ended_badly = true;
    try {
        co_await recover_under(op, row);
        ended_badly = false;
    } catch (const OperationEnded& end) {
        failed.reason = end.reason;
        failed.text = end.what();
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) throw;
        failed.reason = Reason::lock_lost;
        failed.text = "cancelled";
    } catch (const std::runtime_error& error) {
        failed.reason = Reason::tablet_unreachable;
        failed.text = error.what();
    }
    if (ended_badly && has_outlived_its_lock(op, failed.reason)) {
        failed.reason = Reason::lock_lost;
        failed.text = lease_ran_out + failed.text;
    }
    const bool lock_lost = ended_badly && failed.reason == Reason::lock_lost;
    if (ended_badly) ports_.events.append(std::move(failed));
    co_await op.release_server_locks();
    if (!lock_lost && canary(Canary::lock_key_used_twice)) {
        kept_lock_ = op.lock();
        co_return;
    }
    auto released = co_await ports_.store.unlock(op.lock(), shard_.limits().statement);
    (void)released;  // lost with its lease otherwise
}

// ---- the door

Reconciler::Reconciler(ReconcilerConfig config, ReconcilerPorts ports)
    : impl_(std::make_unique<Impl>(std::move(config), ports)) {}
Reconciler::~Reconciler() = default;
awaitable<void> Reconciler::run() {
    return impl_->run();
}
awaitable<PassOutcome> Reconciler::pass() {
    return impl_->pass();
}
awaitable<ShardReport> Reconciler::look() {
    return impl_->look();
}
ShardReport Reconciler::report() const {
    return impl_->report();
}
void Reconciler::wake() {
    impl_->wake();
}
void Reconciler::stop() {
    impl_->stop();
}
void Reconciler::give_up() {
    impl_->give_up();
}
bool Reconciler::asleep() const {
    return impl_->asleep();
}
std::uint64_t Reconciler::digest() const {
    return impl_->digest();
}

}  // namespace fixpoint
