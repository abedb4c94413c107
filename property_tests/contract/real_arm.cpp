// The arm of genuine servers. A session is a connection with a thread of its own, so that a statement that
// hangs holds nobody up. Time is the machine's; "eventually" polls a condition and never guesses how long
// something takes.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

#include "property_tests/contract/real_arm.hpp"
#include "property_tests/support/real_servers/real_server.hpp"

namespace fixpoint::contract {

namespace {

namespace fs = std::filesystem;

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

std::string text_of(const Work& work) {
    using S = std::string;
    return std::visit(
        Overloaded{
            [](const Insert& w) { return fmt::format("INSERT INTO contract.`rows` VALUES ({})", w.id); },
            [](const Delete& w) { return fmt::format("DELETE FROM contract.`rows` WHERE id = {}", w.id); },
            [](const Begin&) { return S("BEGIN"); },
            [](const Commit&) { return S("COMMIT"); },
            [](const ReadIds&) { return S("SELECT id FROM contract.`rows` ORDER BY id"); },
            [](const LockTablesForRead&) { return S("LOCK TABLES contract.`rows` READ"); },
            [](const UnlockTables&) { return S("UNLOCK TABLES"); },
            [](const CreateTable& w) {
                return fmt::format("CREATE TABLE contract.{} (id BIGINT PRIMARY KEY)",
                                   real::identifier(w.name));
            },
            [](const SelectFrom& w) {
                return fmt::format("SELECT id FROM contract.{}", real::identifier(w.name));
            },
            [](const FlushTables&) { return S("FLUSH TABLES"); },
        },
        work);
}

class RealSession final : public Session {
  public:
    RealSession(real::BlockingSession connection, real::ReplicationCredentials replication)
        : connection_(std::move(connection)),
          replication_(std::move(replication)),
          thread_([this] { run(); }) {}

    ~RealSession() override {
        {
            const std::scoped_lock lock(mutex_);
            ending_ = true;
            waiting_.clear();
        }
        connection_.break_off();
        more_.notify_one();
        thread_.join();
    }

    std::uint64_t id() const override { return connection_.id(); }
    bool broken() const override { return broken_ || (under_way_ == 0 && connection_.seen_closed()); }

    PendingAnswer start(sql::Statement statement) override {
        PendingAnswer pending;
        submit([this, pending, statement = std::move(statement)] {
            sql::Result result = connection_.execute(statement, replication_);
            if (!result && result.error().is_maybe()) broken_ = true;
            pending.end(std::move(result));
        });
        return pending;
    }

    PendingWork start(Work work) override {
        PendingWork pending;
        submit([this, pending, text = text_of(work)] {
            real::RawAnswer answer = connection_.query(text);
            if (answer.error) {
                if (answer.error->is_maybe()) broken_ = true;
                return pending.end(std::unexpected(*std::move(answer.error)));
            }
            std::vector<std::int64_t> values;
            for (const auto& row : answer.results.at(0).rows)
                values.push_back(std::stoll(row.at(0).value_or("0")));
            pending.end(std::move(values));
        });
        return pending;
    }

  private:
    void submit(std::function<void()> job) {
        const std::scoped_lock lock(mutex_);
        ++under_way_;
        waiting_.push_back(std::move(job));
        more_.notify_one();
    }

    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            more_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (ending_) return;
            const std::function<void()> job = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            job();
            --under_way_;
            lock.lock();
        }
    }

    real::BlockingSession connection_;
    real::ReplicationCredentials replication_;
    std::atomic<bool> broken_ = false;
    std::atomic<int> under_way_ = 0;
    std::mutex mutex_;
    std::condition_variable more_;
    std::deque<std::function<void()>> waiting_;
    bool ending_ = false;
    std::thread thread_;  // last: it uses the rest
};

class RealArm final : public Arm {
  public:
    RealArm() : directory_(fs::temp_directory_path() / fmt::format("fixpoint-contract-{}", ::getpid())) {}
    ~RealArm() override {
        servers_.clear();
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }

    std::string name() const override { return "real"; }

    void start_servers(int count, const StartOptions& options) override {
        while (static_cast<int>(servers_.size()) < count) {
            const int number = static_cast<int>(servers_.size());
            servers_.push_back(
                std::make_unique<RealServer>(directory_ / fmt::format("s{}", number), number, passwords_));
        }
        for (int i = 0; i < count; ++i) at(i).begin_renewal(options);
        for (int i = 0; i < count; ++i) at(i).finish_renewal();
    }

    MysqlAddress address(int server) override { return at(server).address(); }

    std::expected<std::unique_ptr<Session>, sql::Error> try_login(int server, Account account,
                                                                  Duration limit) override {
        return log_in(server, login_of(account), limit);
    }

    std::expected<std::unique_ptr<Session>, sql::Error> try_login_with_wrong_password(int server) override {
        real::Login login = login_of(Account::client);
        login.password += "x";
        return log_in(server, login, default_limit);
    }

    Instant now() override {
        return Instant(
            std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
    }
    void pass(Duration duration) override { std::this_thread::sleep_for(duration); }

    void kill(int server) override { at(server).kill(); }
    void begin_shut_down(int server) override { at(server).begin_shut_down(); }
    void shut_down(int server) override { at(server).shut_down(); }
    void start(int server, const StartOptions& options) override { at(server).start(options); }
    void pause(int server) override { at(server).pause(); }
    void resume(int server) override { at(server).resume(); }

    void insert_unlogged(int server, std::int64_t id) override {
        past_read_only(server,
                       {"SET sql_log_bin = 0", fmt::format("INSERT INTO contract.`rows` VALUES ({})", id)});
    }
    void delete_unlogged(int server, std::int64_t id) override {
        past_read_only(server,
                       {"SET sql_log_bin = 0", fmt::format("DELETE FROM contract.`rows` WHERE id = {}", id)});
    }
    void execute_empty_transaction(int server, const Gtid& gtid) override {
        past_read_only(server, {fmt::format("SET gtid_next = '{}'", gtid.to_string()), "BEGIN", "COMMIT",
                                "SET gtid_next = AUTOMATIC"});
    }
    void purge_binary_logs(int server) override {
        at(server).as_root({"FLUSH LOCAL BINARY LOGS"});
        const std::string newest = at(server).ask_root("SHOW BINARY LOG STATUS");
        at(server).as_root({fmt::format("PURGE BINARY LOGS TO '{}'", newest)});
    }
    void reset_binary_logs(int server) override { at(server).as_root({"RESET BINARY LOGS AND GTIDS"}); }
    void set_source_delay(int server, Duration delay) override {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(delay).count();
        at(server).as_root({"STOP REPLICA SQL_THREAD",
                            fmt::format("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {}", seconds),
                            "START REPLICA SQL_THREAD"});
    }

    RealServer& at(int server) { return *servers_.at(static_cast<std::size_t>(server)); }

    real::Login login_of(Account account) const {
        switch (account) {
            case Account::manager:
                return {"manager", passwords_.manager, real::Tls::off, ""};
            case Account::client:
                return {"client", passwords_.client, real::Tls::off, ""};
            case Account::privileged:
                break;
        }
        return {"privileged", passwords_.privileged, real::Tls::off, ""};
    }

    real::ReplicationCredentials replication() const {
        return {"replication", passwords_.replication, false};
    }

  private:
    std::expected<std::unique_ptr<Session>, sql::Error> log_in(int server, const real::Login& login,
                                                               Duration limit) {
        auto connection = real::BlockingSession::connect(at(server).address(), login, limit);
        if (!connection) return std::unexpected(std::move(connection.error()));
        return std::make_unique<RealSession>(*std::move(connection), replication());
    }

    void past_read_only(int server, std::vector<std::string> statements) {
        const std::string before = at(server).ask_root("SELECT @@GLOBAL.super_read_only");
        if (before == "1") statements.insert(statements.begin(), "SET GLOBAL super_read_only = OFF");
        if (before == "1") statements.emplace_back("SET GLOBAL super_read_only = ON");
        at(server).as_root(statements);
    }

    fs::path directory_;
    Passwords passwords_ = Passwords::draw();
    std::vector<std::unique_ptr<RealServer>> servers_;
};

}  // namespace

real::BlockingSession root_at(Arm& arm, int server) {
    return static_cast<RealArm&>(arm).at(server).root();
}
real::Login login_of(Arm& arm, Account account) {
    return static_cast<RealArm&>(arm).login_of(account);
}
real::ReplicationCredentials replication_of(Arm& arm) {
    return static_cast<RealArm&>(arm).replication();
}

std::unique_ptr<Arm> make_real_arm() {
    return std::make_unique<RealArm>();
}

}  // namespace fixpoint::contract
