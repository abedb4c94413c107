// See clients.hpp. A session is a thread with one connection; a client is a thread that hands writes to its
// idle sessions at a steady rate, and breaks off what takes too long.
#include "property_tests/real/shard/clients.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "real_adapters/mysql/blocking_session.hpp"

namespace fixpoint::real_shards {
namespace {

using real::BlockingSession;
using sim::WriteAnswered;
using sim::WriteId;
using Outcome = WriteAnswered::Outcome;

constexpr std::size_t sessions_per_client = 6;
constexpr auto connect_limit = 1s;
constexpr Duration write_limit = 4s;
constexpr Duration retry_least = 40ms, retry_most = 120ms;
constexpr Duration stale_least = 2s, stale_most = 6s;

}  // namespace

// Does one thing at a time; `busy` until it has been answered, or was given up.
class Clients::Session {
  public:
    using Told = std::function<void(Outcome, int error)>;

    Session(Clients& clients, TabletAlias tablet)
        : clients_(clients), tablet_(std::move(tablet)), thread_([this] { run(); }) {}

    ~Session() {
        {
            const std::scoped_lock lock(mutex_);
            ending_ = true;
            if (session_) session_->break_off();
            wake_.notify_all();
        }
        thread_.join();
    }

    const TabletAlias& tablet() const { return tablet_; }
    bool busy() const {
        const std::scoped_lock lock(mutex_);
        return write_ != 0;
    }
    bool broken() const {
        const std::scoped_lock lock(mutex_);
        return broken_;
    }

    void write(WriteId id, Duration limit, Told told) {
        const std::scoped_lock lock(mutex_);
        write_ = id;
        told_ = std::move(told);
        deadline_ = clients_.world_.clock.now() + limit;
        wake_.notify_all();
    }

    // Instead of writing.
    void hold(Duration lasts) {
        const std::scoped_lock lock(mutex_);
        holds_ = lasts;
        write_ = clients_.next_write_id();
        deadline_ = Instant::max();
        wake_.notify_all();
    }

    // Where its time is over: nobody waits any more.
    void give_up(Instant now) {
        const std::scoped_lock lock(mutex_);
        if (write_ != 0 && now > deadline_ && session_) session_->break_off();
    }

  private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock, [this] { return ending_ || write_ != 0; });
            if (ending_) return;
            const WriteId id = write_;
            const Told told = std::exchange(told_, nullptr);
            lock.unlock();
            int error = 0;
            const Outcome outcome = attempt(id, error);
            if (told) {
                clients_.world_.report(clients_.world_.clock.now(),
                                       WriteAnswered{id, tablet_, outcome, error});
                told(outcome, error);
            }
            lock.lock();
            write_ = 0;
        }
    }

    Outcome attempt(WriteId id, int& error) {
        if (!session_) {
            auto opened = BlockingSession::connect(clients_.world_.address(tablet_),
                                                   {"client", clients_.world_.password, real::Tls::off, ""},
                                                   connect_limit);
            const std::scoped_lock lock(mutex_);
            if (!opened) {
                broken_ = true;
                error = opened.error().number;
                return Outcome::failed;
            }
            session_ = *std::move(opened);
        }
        if (holds_) return hold_transaction(id);
        clients_.world_.report(clients_.world_.clock.now(), sim::WriteBegun{id, tablet_, false});
        const real::RawAnswer answer = session_->query(insert_of(id));
        // A commit point that came before this answer is to be known before it.
        if (!answer.error) clients_.world_.look_at_store();
        if (!answer.error) {
            clients_.world_.report(clients_.world_.clock.now(),
                                   sim::WriteAcknowledged{id, tablet_, false, false});
            return Outcome::acknowledged;
        }
        error = answer.error->number;
        if (!answer.error->is_maybe()) return Outcome::failed;
        const std::scoped_lock lock(mutex_);
        broken_ = true;
        return Outcome::unknown;
    }

    static std::string insert_of(WriteId id) {
        return fmt::format("INSERT INTO contract.`rows` VALUES ({})", id);
    }

    Outcome hold_transaction(WriteId id) {
        for (const std::string& statement : {std::string("BEGIN"), insert_of(id)}) {
            if (session_->query(statement).error) return Outcome::failed;
        }
        std::unique_lock lock(mutex_);
        const auto over = [this] { return ending_; };
        if (*holds_ > Duration{}) {
            wake_.wait_for(lock, *holds_, over);
        } else {
            wake_.wait(lock, over);
        }
        const bool ending = ending_;
        lock.unlock();
        if (!ending) session_->query("ROLLBACK");
        return Outcome::failed;
    }

    Clients& clients_;
    const TabletAlias tablet_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<BlockingSession> session_;
    WriteId write_ = 0;  // 0: idle
    Told told_;
    Instant deadline_{};
    std::optional<Duration> holds_;
    bool broken_ = false, ending_ = false;
    std::thread thread_;
};

class Clients::Client {
  public:
    Client(Clients& clients, int number, int of, std::uint64_t seed)
        : clients_(clients), number_(number), of_(of), random_(seed) {}
    ~Client() { end(); }

    void start() {
        thread_ = std::thread([this] { run(); });
    }

    void end() {
        {
            const std::scoped_lock lock(mutex_);
            ending_ = true;
            wake_.notify_all();
        }
        if (thread_.joinable()) thread_.join();
        sessions_.clear();
    }

  private:
    void run() {
        const RunClock& clock = clients_.world_.clock;
        Instant next = clock.now() + draw(0ms, 200ms);
        std::unique_lock lock(mutex_);
        while (!ending_) {
            // Wakes at each write's time, at a refusal, and often enough to give up in time.
            const Instant now = clock.now();
            const Duration wait = std::clamp<Duration>(std::min(next, retry_at_) - now, 1ms, 50ms);
            wake_.wait_for(lock, wait, [&] { return ending_ || clock.now() >= retry_at_; });
            if (ending_) return;
            const bool retry = clock.now() >= retry_at_;
            lock.unlock();
            for (const auto& session : sessions_) session->give_up(clock.now());
            if (retry) again();
            if (clock.now() >= next) {
                next = std::max(next + period(), clock.now());
                if (!clients_.slow_ || number_ == 0) write();
            }
            lock.lock();
        }
    }

    Duration period() const {
        const double rate = clients_.slow_ ? 1.0 : clients_.rate_ / of_;
        return Duration(static_cast<std::int64_t>(1e9 / std::max(rate, 0.01)));
    }

    Duration draw(Duration least, Duration most) {
        const std::scoped_lock lock(drawing_);
        return Duration(std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random_));
    }

    void write() {
        const Instant now = clients_.world_.clock.now();
        if (!primary_ || now - read_at_ > stale_after_) look_again(std::nullopt);
        const WriteId id = clients_.next_write_id();
        if (Session* session = primary_ ? free_session() : nullptr) {
            session->write(
                id, write_limit + connect_limit,
                [this, tablet = session->tablet()](Outcome outcome, int) { told(outcome, tablet); });
            return;
        }
        clients_.world_.report(now, WriteAnswered{id, primary_.value_or(TabletAlias{}), Outcome::failed, 0});
    }

    Session* free_session() {
        std::erase_if(sessions_, [&](const std::unique_ptr<Session>& s) {
            return !s->busy() && (s->broken() || s->tablet() != *primary_);
        });
        for (const auto& s : sessions_) {
            if (!s->busy() && s->tablet() == *primary_) return s.get();
        }
        if (sessions_.size() >= sessions_per_client) return nullptr;
        sessions_.push_back(std::make_unique<Session>(clients_, *primary_));
        return sessions_.back().get();
    }

    // By a session's thread: looks soon where the primary is now, and tries another row.
    void told(Outcome outcome, const TabletAlias& tablet) {
        if (outcome == Outcome::acknowledged) return;
        const Duration pause = draw(retry_least, retry_most);
        const std::scoped_lock lock(mutex_);
        if (retry_at_ != Instant::max()) return;
        refused_by_ = tablet;
        retry_at_ = clients_.world_.clock.now() + pause;
        wake_.notify_all();
    }

    void again() {
        std::optional<TabletAlias> refused_by;
        {
            const std::scoped_lock lock(mutex_);
            refused_by = std::exchange(refused_by_, std::nullopt);
            retry_at_ = Instant::max();
        }
        look_again(refused_by);
        if (!clients_.slow_ || number_ == 0) write();
    }

    void look_again(const std::optional<TabletAlias>& refused_by) {
        read_at_ = clients_.world_.clock.now();
        stale_after_ = draw(stale_least, stale_most);
        const std::vector<TabletAlias> primaries = clients_.world_.primaries();
        if (primaries.empty()) return;
        const auto other =
            std::ranges::find_if(primaries, [&](const TabletAlias& alias) { return alias != refused_by; });
        primary_ = other != primaries.end() ? *other : primaries.front();
    }

    Clients& clients_;
    const int number_, of_;
    std::mt19937_64 random_;
    std::mutex drawing_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::optional<TabletAlias> refused_by_;
    Instant retry_at_ = Instant::max();
    std::optional<TabletAlias> primary_;  // as it believes
    Instant read_at_{};
    Duration stale_after_{};
    std::vector<std::unique_ptr<Session>> sessions_;
    std::thread thread_;
};

Clients::Clients(World world, double writes_per_second, int clients, std::uint64_t seed)
    : world_(std::move(world)), rate_(writes_per_second) {
    const int count = std::max(1, clients);
    for (int i = 0; i < count; ++i)
        clients_.push_back(
            std::make_unique<Client>(*this, i, count, seed * 1000 + static_cast<std::uint64_t>(i)));
}

Clients::~Clients() {
    end();
}

void Clients::start() {
    for (const auto& client : clients_) client->start();
}

void Clients::slow_down() {
    slow_ = true;
}

void Clients::tick() {
    for (const auto& errand : errands_) errand->give_up(world_.clock.now());
}

void Clients::end() {
    clients_.clear();
    errands_.clear();
}

WriteId Clients::write_once(const TabletAlias& tablet, Duration limit, std::function<void(Outcome)> done) {
    const WriteId id = next_write_id();
    errands_.push_back(std::make_shared<Session>(*this, tablet));
    errands_.back()->write(id, limit, [done = std::move(done)](Outcome outcome, int) { done(outcome); });
    return id;
}

void Clients::hold_transaction(const TabletAlias& tablet, Duration lasts) {
    errands_.push_back(std::make_shared<Session>(*this, tablet));
    errands_.back()->hold(lasts);
}

}  // namespace fixpoint::real_shards
