// A call is three parties: the coroutine, which waits on a timer set to the call's limit; a thread of the
// pool, which blocks in the client library; and a small shared record of both. Whoever comes first decides:
// the thread posts its result and cancels the timer, or the timer ends and the socket is shut down, which
// frees the thread at once.
#include "real_adapters/mysql/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "fixpoint/model/assert.hpp"
#include "real_adapters/mysql/exchange.hpp"
#include "real_adapters/mysql/greeting.hpp"
#include "real_adapters/support/worker_pool.hpp"

namespace fixpoint::real {

namespace asio = boost::asio;

namespace {

constexpr int protocol_mismatch = 2007;  // CR_VERSION_ERROR
constexpr const char* says_nothing =
    "it accepts connections and says nothing: it hangs, or is no MySQL server";

using Opened = std::expected<std::shared_ptr<Connection>, sql::Error>;

// What coroutine and thread share. `result` and `timer` belong to the executor, `abandoned` to both.
template <class Result>
struct Call {
    explicit Call(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    std::optional<Result> result;
    std::atomic<bool> abandoned = false;  // nobody waits any more: what has not begun is not begun
};

}  // namespace

// What the sessions of one connector have in common. Its threads know it by address: it ends them before
// itself.
class MysqlCalls {
  public:
    MysqlCalls(asio::any_io_executor executor, MysqlOptions options)
        : executor_(std::move(executor)),
          options_(std::move(options)),
          pool_(std::in_place, options_.threads) {}

    const asio::any_io_executor& executor() const { return executor_; }

    // Breaks off what runs, drops what waits, and returns when no thread is left.
    void end() {
        {
            const std::scoped_lock lock(mutex_);
            ending_ = true;
            for (const auto& [address, connection] : under_way_) connection->break_off();
        }
        pool_.reset();
    }

    void submit_open(std::shared_ptr<Call<Opened>> call, MysqlAddress address, Duration limit) {
        FIXPOINT_ASSERT(pool_, "a connector is used after its end");
        pool_->submit([this, call = std::move(call), address = std::move(address), limit] {
            if (call->abandoned) return;
            deliver(call, open(address, limit));
        });
    }

    // What is to be said of a login at that address that was not answered in time.
    std::string unanswered(const MysqlAddress& address) {
        const std::scoped_lock lock(mutex_);
        const auto known = unanswered_.find(address);
        const bool nothing_known = known == unanswered_.end() || known->second.empty();
        return nothing_known ? "not connected within the limit" : known->second;
    }

    // The next login asks first who it is that answers there. Not after one that only came too late: a slow
    // server needs the time.
    void doubt(const MysqlAddress& address) {
        const std::scoped_lock lock(mutex_);
        unanswered_.try_emplace(address);
    }

    void submit_statement(std::shared_ptr<Call<sql::Result>> call, std::shared_ptr<Connection> connection,
                          sql::Statement statement) {
        FIXPOINT_ASSERT(pool_, "a session is used after the end of its connector");
        pool_->submit([this, call = std::move(call), connection = std::move(connection),
                       statement = std::move(statement)] {
            if (call->abandoned || !begin(connection)) return;
            sql::Result result = exchange(*connection, statement, options_.replication);
            finish(connection);
            deliver(call, std::move(result));
        });
    }

  private:
    Opened open(const MysqlAddress& address, Duration limit) {
        const auto began = std::chrono::steady_clock::now();
        bool in_doubt = false;
        {
            const std::scoped_lock lock(mutex_);
            in_doubt = unanswered_.contains(address);
        }
        if (in_doubt) {
            const Greeting greeting = greeting_of(address, limit / 2);
            if (!greeting.said.empty()) return std::unexpected(another_protocol(greeting.said));
            const std::scoped_lock lock(mutex_);
            if (greeting.mysql) {
                unanswered_.erase(address);
            } else {
                unanswered_[address] = greeting.silent ? says_nothing : "";
            }
            // Whoever greets nobody lets nobody in: the other half of the time is the caller's.
            if (greeting.silent)
                return std::unexpected(sql::Error{sql::ErrorKind::timed_out, 0, says_nothing});
        }
        Opened opened =
            Connection::open(address, options_.login, limit - (std::chrono::steady_clock::now() - began));
        const std::scoped_lock lock(mutex_);
        if (opened) {
            unanswered_.erase(address);
        } else if (opened.error().is_maybe()) {
            unanswered_.try_emplace(address);
        }
        return opened;
    }

    static sql::Error another_protocol(const std::string& said) {
        return {sql::ErrorKind::refused, protocol_mismatch,
                "it does not speak MySQL: it says \"" + said + "\""};
    }

    bool begin(const std::shared_ptr<Connection>& connection) {
        const std::scoped_lock lock(mutex_);
        if (!ending_) under_way_.emplace(connection.get(), connection);
        return !ending_;
    }

    void finish(const std::shared_ptr<Connection>& connection) {
        const std::scoped_lock lock(mutex_);
        under_way_.erase(connection.get());
    }

    // Posts what a thread brought. After end() nobody listens, and the executor may be about to go.
    template <class Result>
    void deliver(const std::shared_ptr<Call<Result>>& call, Result result) {
        const std::scoped_lock lock(mutex_);
        if (ending_) return;
        asio::post(executor_, [call, result = std::move(result)]() mutable {
            call->result.emplace(std::move(result));
            call->timer.cancel();
        });
    }

    asio::any_io_executor executor_;
    MysqlOptions options_;
    std::mutex mutex_;
    std::map<const Connection*, std::shared_ptr<Connection>> under_way_;  // so that the end of all ends them
    std::map<MysqlAddress, std::string> unanswered_;  // where the last login was: what is known of it
    bool ending_ = false;
    std::optional<WorkerPool> pool_;
};

namespace {

// Returns when the call has its result, its limit has passed (no result), or we were cancelled (throws).
template <class Result>
awaitable<void> wait_for(std::shared_ptr<Call<Result>> call) {
    const auto token = asio::as_tuple(asio::use_awaitable);
    const auto [ended] = co_await call->timer.async_wait(token);
    if (call->result) co_return;
    call->abandoned = true;
    if (ended == asio::error::operation_aborted)
        throw boost::system::system_error(asio::error::operation_aborted);
}

// The limit as the clock of the timer understands it, "for ever" included.
std::chrono::steady_clock::duration bounded(Duration limit) {
    return std::clamp<Duration>(limit, Duration::zero(), std::chrono::hours(24 * 365));
}

class MysqlSession final : public SqlSession {
  public:
    MysqlSession(std::shared_ptr<MysqlCalls> calls, MysqlAddress address,
                 std::shared_ptr<Connection> connection)
        : calls_(std::move(calls)),
          address_(std::move(address)),
          connection_(std::move(connection)),
          watch_(std::make_shared<Watch>(calls_->executor())) {
        const int own = ::fcntl(connection_->descriptor(), F_DUPFD_CLOEXEC, 0);
        watch_->descriptor.assign(own);
        watch_->connection = connection_;
        watch();
    }

    // An idle session says farewell, which cannot block: its send buffer is empty. Any other is cut.
    ~MysqlSession() override {
        if (busy_ || watch_->broken) connection_->break_off();
        watch_->stop();
    }

    awaitable<sql::Result> execute(sql::Statement statement, Duration limit) override {
        FIXPOINT_ASSERT(!busy_, "one statement at a time per session");
        if (watch_->broken) {
            sql::Error gone{sql::ErrorKind::lost, sql::error_number::server_gone, "the session is broken"};
            co_return std::unexpected(std::move(gone));
        }
        busy_ = true;
        watch_->pause();
        const std::shared_ptr<Watch> watch_of_mine =
            watch_;  // this session may be gone when we are cancelled
        const std::shared_ptr<Connection> connection = connection_;
        auto call = std::make_shared<Call<sql::Result>>(calls_->executor());
        call->timer.expires_after(bounded(limit));
        calls_->submit_statement(call, connection, std::move(statement));
        try {
            co_await wait_for(call);
        } catch (...) {
            call->abandoned = true;
            watch_of_mine->broken = true;
            connection->break_off();
            throw;
        }
        busy_ = false;
        if (!call->result) {
            watch_->broken = true;
            connection_->break_off();
            calls_->doubt(address_);
            sql::Error late{sql::ErrorKind::timed_out, 0, "no answer within the limit"};
            co_return std::unexpected(std::move(late));
        }
        sql::Result result = *std::move(call->result);
        if (!result && result.error().is_maybe()) {
            watch_->broken = true;
        } else {
            watch();
        }
        co_return result;
    }

    bool broken() const override { return watch_->broken || (!busy_ && connection_->seen_closed()); }

    std::uint64_t connection_id() const override { return connection_->id(); }

    void on_broken(std::function<void()> callback) override { watch_->on_broken = std::move(callback); }

  private:
    // Looks whether the idle socket becomes readable: nothing is expected there, so it is the end of the
    // session.
    struct Watch {
        explicit Watch(const asio::any_io_executor& executor) : descriptor(executor) {}
        asio::posix::stream_descriptor descriptor;
        std::shared_ptr<Connection> connection;
        std::function<void()> on_broken;
        std::uint64_t round = 0;  // a wait of an earlier round says nothing
        bool broken = false;

        void pause() {
            ++round;
            descriptor.cancel();
        }
        void stop() {
            ++round;
            on_broken = nullptr;
            descriptor.close();
            connection.reset();
        }
    };

    void watch() { begin_watch(watch_); }

    static void begin_watch(const std::shared_ptr<Watch>& watch) {
        const std::uint64_t round = ++watch->round;
        auto on_readable = [watch, round](boost::system::error_code error) {
            if (error || round != watch->round || watch->broken) return;
            if (!watch->connection->seen_closed())
                return begin_watch(watch);  // it was an answer's last bytes
            watch->broken = true;
            if (std::function<void()> callback = std::exchange(watch->on_broken, nullptr)) callback();
        };
        watch->descriptor.async_wait(asio::posix::stream_descriptor::wait_read, std::move(on_readable));
    }

    std::shared_ptr<MysqlCalls> calls_;
    MysqlAddress address_;
    std::shared_ptr<Connection> connection_;
    std::shared_ptr<Watch> watch_;
    bool busy_ = false;
};

}  // namespace

MysqlConnector::MysqlConnector(asio::any_io_executor executor, MysqlOptions options)
    : calls_(std::make_shared<MysqlCalls>(std::move(executor), std::move(options))) {}

MysqlConnector::~MysqlConnector() {
    calls_->end();
}

awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> MysqlConnector::connect(
    MysqlAddress address, Duration limit) {
    auto call = std::make_shared<Call<Opened>>(calls_->executor());
    call->timer.expires_after(bounded(limit));
    calls_->submit_open(call, address, limit);
    try {
        co_await wait_for(call);
    } catch (...) {
        call->abandoned = true;
        throw;
    }
    if (!call->result) {
        sql::Error late{sql::ErrorKind::timed_out, 0, calls_->unanswered(address)};
        co_return std::unexpected(std::move(late));
    }
    Opened opened = *std::move(call->result);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    co_return std::make_unique<MysqlSession>(calls_, std::move(address), *std::move(opened));
}

}  // namespace fixpoint::real
