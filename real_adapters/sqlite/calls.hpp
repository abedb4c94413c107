// A call is two parties: a coroutine, which waits for an answer, for its limit, or to be cancelled; and the
// store's thread, which blocks in SQLite. Their small shared record says how far the call has come, so that a
// limit that passes says truly what it left behind: before the COMMIT it takes the call back, and nothing is
// written; after that nobody can know. A file that is busy keeps no thread waiting: the coroutine asks again.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "fixpoint/ports/topology_store.hpp"
#include "real_adapters/sqlite/busy_watch.hpp"
#include "real_adapters/sqlite/records.hpp"
#include "real_adapters/support/worker_pool.hpp"

namespace fixpoint::real {

enum class CallStage { waiting, begun, committing, answered, abandoned };

struct Busy {
    std::string text;
};
// The limit has passed.
struct Late {
    CallStage stage = CallStage::waiting;
};

template <class T>
using Outcome = std::variant<topo::Result<T>, Busy, Late>;

template <class T>
class Call {
  public:
    explicit Call(const boost::asio::any_io_executor& executor) : timer(executor) {}

    // ---- the thread's side
    bool begin() { return advance(CallStage::waiting, CallStage::begun); }
    bool may_commit() { return advance(CallStage::begun, CallStage::committing); }
    void answer(Outcome<T> outcome) {
        const std::scoped_lock lock(mutex_);
        outcome_.emplace(std::move(outcome));
        stage_ = CallStage::answered;
    }

    // ---- the coroutine's side
    // What has come, even if nobody was woken for it yet.
    std::optional<Outcome<T>> take() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(outcome_, std::nullopt);
    }
    // Nobody waits for it any more. Returns how far it had come.
    CallStage abandon() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(stage_, CallStage::abandoned);
    }

    boost::asio::steady_timer timer;  // touched on the executor only

  private:
    bool advance(CallStage from, CallStage to) {
        const std::scoped_lock lock(mutex_);
        if (stage_ != from) return false;
        stage_ = to;
        return true;
    }

    std::mutex mutex_;
    CallStage stage_ = CallStage::waiting;
    std::optional<Outcome<T>> outcome_;
};

// The store's thread, and the file, which is that thread's alone from the beginning of the calls to their
// end.
class SqliteCalls : public std::enable_shared_from_this<SqliteCalls> {
  public:
    SqliteCalls(boost::asio::any_io_executor executor, const Clock& clock, std::unique_ptr<StoreFile> file,
                const SqliteOptions& options);

    template <class T>
    using Work = std::function<topo::Result<T>(StoreFile&, const MayCommit&)>;

    // `writes`: a limit that passes during its COMMIT leaves a `maybe`.
    template <class T>
    awaitable<topo::Result<T>> run(Work<T> work, Duration limit, bool writes);

    // From now on a file that is busy for this long is `store_locked`.
    void lease_is(Duration lease);

    // Calls back on the executor for each change of the file's counter that it sees.
    void watch(std::function<void()> callback);

    Instant now() const { return clock_.now(); }

    // Drops what waits, waits for what runs, and closes the file.
    void end();

  private:
    using Deadline = std::chrono::steady_clock::time_point;

    template <class T>
    awaitable<Outcome<T>> try_once(const Work<T>& work, Deadline deadline, bool writes);
    template <class T>
    Outcome<T> attempt(const Work<T>& work, const MayCommit& may, bool writes);
    // `busy`: what an earlier try has found; it says more than that the last one came too late.
    static topo::Error given_up(CallStage stage, bool writes, const std::string& busy);
    awaitable<void> pause(Deadline until);
    void submit(std::function<void()> work);
    void post(std::function<void()> handler);
    void poll();
    void polled(std::optional<std::int64_t> revision);

    boost::asio::any_io_executor executor_;
    const Clock& clock_;
    Duration watch_interval_;

    std::unique_ptr<StoreFile> file_;  // the thread's
    BusyWatch busy_;                   // the thread's

    std::function<void()> on_change_;  // the executor's, as are these
    std::int64_t revision_seen_ = 0;
    boost::asio::steady_timer watch_timer_;

    std::mutex mutex_;
    bool ending_ = false;  // nobody listens any more, and the executor may be about to go
    std::optional<WorkerPool> pool_;
};

// ---- what depends on the kind of answer

template <class T>
Outcome<T> SqliteCalls::attempt(const Work<T>& work, const MayCommit& may, bool writes) {
    try {
        if (!file_->still_there()) return topo::Result<T>(std::unexpected(file_->gone()));
        topo::Result<T> result = work(*file_, may);
        if (writes) busy_.free();
        return result;
    } catch (const SqliteTrouble& trouble) {
        if (trouble.busy()) return Busy{busy_.busy(*file_)};
        topo::Error error;
        error.kind = trouble.in_commit ? topo::ErrorKind::maybe : topo::ErrorKind::unreachable;
        error.text = explain(trouble, file_->path()).text;
        return topo::Result<T>(std::unexpected(std::move(error)));
    }
}

template <class T>
awaitable<Outcome<T>> SqliteCalls::try_once(const Work<T>& work, Deadline deadline, bool writes) {
    struct Abandon {
        std::shared_ptr<Call<T>> call;
        ~Abandon() { call->abandon(); }
    };
    const auto call = std::make_shared<Call<T>>(executor_);
    const Abandon however_it_ends{call};
    call->timer.expires_at(deadline);
    std::function<void()> attempting = [self = shared_from_this(), call, work, writes] {
        if (!call->begin()) return;
        const MayCommit may = [&call] { return call->may_commit(); };
        call->answer(self->attempt(work, may, writes));
        self->post([call] { call->timer.cancel(); });
    };
    submit(std::move(attempting));
    const auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    const auto [woken] = co_await call->timer.async_wait(token);
    if (std::optional<Outcome<T>> outcome = call->take()) co_return *std::move(outcome);
    if (woken == boost::asio::error::operation_aborted) throw boost::system::system_error(woken);
    co_return Late{call->abandon()};
}

template <class T>
awaitable<topo::Result<T>> SqliteCalls::run(Work<T> work, Duration limit, bool writes) {
    constexpr Duration first_pause = std::chrono::milliseconds(1),
                       longest_pause = std::chrono::milliseconds(20);
    const std::shared_ptr<SqliteCalls> self = shared_from_this();  // the store may go before its callers do
    const Duration bounded = std::clamp<Duration>(limit, Duration::zero(), std::chrono::hours(24 * 365));
    const Deadline deadline = std::chrono::steady_clock::now() + bounded;
    std::string busy;
    for (Duration wait = first_pause;; wait = std::min(wait * 2, longest_pause)) {
        Outcome<T> outcome = co_await try_once<T>(work, deadline, writes);
        if (auto* answer = std::get_if<topo::Result<T>>(&outcome)) co_return std::move(*answer);
        if (const auto* late = std::get_if<Late>(&outcome))
            co_return std::unexpected(given_up(late->stage, writes, busy));
        busy = std::get<Busy>(outcome).text;
        const Deadline next = std::chrono::steady_clock::now() + wait;
        if (next >= deadline) co_return std::unexpected(given_up(CallStage::waiting, writes, busy));
        co_await pause(next);
    }
}

}  // namespace fixpoint::real
