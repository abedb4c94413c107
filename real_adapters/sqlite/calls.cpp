// See calls.hpp. One thread, first come, first served: a call that waits for its disk lets the later ones
// wait, whose limits run meanwhile.
#include "real_adapters/sqlite/calls.hpp"

#include <boost/asio/post.hpp>

namespace fixpoint::real {

namespace asio = boost::asio;

SqliteCalls::SqliteCalls(asio::any_io_executor executor, const Clock& clock, std::unique_ptr<StoreFile> file,
                         const SqliteOptions& options)
    : executor_(std::move(executor)),
      clock_(clock),
      watch_interval_(options.watch_interval),
      file_(std::move(file)),
      busy_(options.store_locked_after),
      watch_timer_(executor_),
      pool_(std::in_place, 1) {}

void SqliteCalls::end() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    on_change_ = nullptr;
    watch_timer_.cancel();
    pool_.reset();
    file_.reset();
}

// After the end nothing is begun: the caller's limit passes.
void SqliteCalls::submit(std::function<void()> work) {
    if (pool_) pool_->submit(std::move(work));
}

void SqliteCalls::lease_is(Duration lease) {
    submit([self = shared_from_this(), lease] { self->busy_.lease_is(lease); });
}

void SqliteCalls::post(std::function<void()> handler) {
    const std::scoped_lock lock(mutex_);
    if (!ending_) asio::post(executor_, std::move(handler));
}

topo::Error SqliteCalls::given_up(CallStage stage, bool writes, const std::string& busy) {
    if (stage == CallStage::committing && writes)
        return {topo::ErrorKind::maybe, "no answer within the limit: the disk was still writing"};
    if (!busy.empty()) return {topo::ErrorKind::unreachable, busy};
    if (stage == CallStage::waiting)
        return {topo::ErrorKind::unreachable,
                "not begun within the limit: the store's disk is slow, or the store is closed"};
    return {topo::ErrorKind::unreachable, "no answer within the limit; nothing was written"};
}

awaitable<void> SqliteCalls::pause(Deadline until) {
    asio::steady_timer timer(executor_, until);
    co_await timer.async_wait(asio::use_awaitable);
}

// ---- the watch

void SqliteCalls::watch(std::function<void()> callback) {
    const bool began = on_change_ != nullptr;
    on_change_ = std::move(callback);
    if (!began && on_change_) poll();
}

// The first look is at once: it finds whatever was written since the file was opened.
void SqliteCalls::poll() {
    submit([self = shared_from_this()] {
        std::optional<std::int64_t> revision;
        const Work<std::int64_t> look = [](StoreFile& file, const MayCommit&) { return read_revision(file); };
        Outcome<std::int64_t> outcome = self->attempt<std::int64_t>(look, nullptr, false);
        const auto* answer = std::get_if<topo::Result<std::int64_t>>(&outcome);
        if (answer != nullptr && *answer) revision = **answer;
        self->post([self, revision] { self->polled(revision); });
    });
}

void SqliteCalls::polled(std::optional<std::int64_t> revision) {
    if (!on_change_) return;
    watch_timer_.expires_after(watch_interval_);
    watch_timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        if (!error && self->on_change_) self->poll();
    });
    if (!revision || *revision == revision_seen_) return;
    revision_seen_ = *revision;
    const std::function<void()> callback = on_change_;  // it may well end us
    callback();
}

}  // namespace fixpoint::real
