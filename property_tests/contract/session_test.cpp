// The port's sessions over real servers: every call ends within its limit, whatever the server does, nothing
// ever blocks the executor, and a broken idle session is noticed.
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <optional>

#include "property_tests/contract/real_arm.hpp"
#include "property_tests/contract/suite.hpp"
#include "real_adapters/mysql/session.hpp"

namespace fixpoint::contract {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Opened = std::expected<std::unique_ptr<SqlSession>, sql::Error>;

class PortSession : public testing::Test {
  protected:
    static Arm& arm() { return arm_of(ArmKind::real); }

    void SetUp() override {
        arm().start_servers(1);
        make_connector(8);
    }
    void make_connector(std::size_t threads) {
        connector_.reset();
        real::MysqlOptions options{login_of(arm(), Account::manager), replication_of(arm()), threads};
        connector_ = std::make_unique<real::MysqlConnector>(io_.get_executor(), options);
    }

    // Runs a coroutine to its end (or for so long), and gives its value; an exception is thrown on.
    template <class T>
    T finish(awaitable<T> work, Duration limit = 20s) {
        std::optional<T> value;
        std::exception_ptr failure;
        asio::co_spawn(io_, std::move(work), [&](std::exception_ptr error, T result) {
            failure = error;
            if (!error) value.emplace(std::move(result));
        });
        run_until([&] { return value || failure; }, limit);
        if (failure) std::rethrow_exception(failure);
        if (!value) throw std::runtime_error("the coroutine did not end");
        return *std::move(value);
    }

    void run_until(const std::function<bool()>& condition, Duration limit) {
        const auto end = Clock::now() + limit;
        io_.restart();
        while (!condition() && Clock::now() < end) {
            io_.run_for(std::chrono::milliseconds(5));
            io_.restart();
        }
    }

    std::unique_ptr<SqlSession> connect() {
        Opened opened = finish(connector_->connect(arm().address(0), 10s));
        if (!opened) throw std::runtime_error(opened.error().text);
        return *std::move(opened);
    }

    sql::Statement endless() { return sql::WaitForExecuted{GtidSet::interval(Uuid{1, 1}, 1, 1), 60s}; }

    asio::io_context io_;
    std::unique_ptr<real::MysqlConnector> connector_;
};

TEST_F(PortSession, answers_are_typed_and_a_servers_error_leaves_the_session_whole) {
    auto session = connect();
    const auto look = finish(run(*session, sql::Look{shard}, 5s));
    ASSERT_TRUE(look.has_value());
    EXPECT_EQ(look->server.server_id, 101);
    const auto start = finish(run(*session, sql::StartReceiver{}, 5s));
    ASSERT_FALSE(start.has_value());
    EXPECT_EQ(start.error().number, sql::error_number::no_channel);
    EXPECT_FALSE(session->broken());
    EXPECT_TRUE(finish(run(*session, sql::ReadGtids{}, 5s)).has_value());
    EXPECT_GT(session->connection_id(), 0U);
}

TEST_F(PortSession, a_call_that_passes_its_limit_is_timed_out_and_its_session_broken) {
    auto session = connect();
    const auto begun = Clock::now();
    const sql::Result result = finish(session->execute(endless(), 300ms));
    const auto took = Clock::now() - begun;
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, sql::ErrorKind::timed_out);
    EXPECT_EQ(result.error().number, 0);
    EXPECT_GE(took, 300ms);
    EXPECT_LE(took, 5s);
    EXPECT_TRUE(session->broken());
    const auto again = finish(run(*session, sql::ReadGtids{}, 5s));
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind, sql::ErrorKind::lost);
    const auto ending = Clock::now();
    connector_.reset();  // no thread is left in the call
    EXPECT_LE(Clock::now() - ending, 5s);
}

TEST_F(PortSession, a_paused_server_holds_nobody_beyond_the_limit) {
    auto session = connect();
    arm().pause(0);
    const auto read = finish(run(*session, sql::ReadGtids{}, 200ms));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().kind, sql::ErrorKind::timed_out);
    const auto begun = Clock::now();
    const Opened login = finish(connector_->connect(arm().address(0), 500ms));
    EXPECT_LE(Clock::now() - begun, 5s);
    ASSERT_FALSE(login.has_value());
    EXPECT_EQ(login.error().kind, sql::ErrorKind::timed_out);
    arm().resume(0);
}

TEST_F(PortSession, a_refusal_is_told_from_a_loss) {
    auto session = connect();
    arm().kill(0);
    const Opened login = finish(connector_->connect(arm().address(0), 5s));
    ASSERT_FALSE(login.has_value());
    EXPECT_EQ(login.error().kind, sql::ErrorKind::refused);
    EXPECT_EQ(login.error().number, sql::error_number::cannot_connect);
    const auto read = finish(run(*session, sql::ReadGtids{}, 5s));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().kind, sql::ErrorKind::lost);
}

TEST_F(PortSession, a_statement_under_way_is_lost_when_its_session_is_killed) {
    auto victim = connect();
    auto killer = connect();
    std::optional<sql::Result> result;
    asio::co_spawn(io_, victim->execute(endless(), 30s),
                   [&](const std::exception_ptr&, sql::Result r) { result.emplace(std::move(r)); });
    run_until([] { return false; }, 200ms);
    EXPECT_FALSE(result.has_value());
    EXPECT_TRUE(finish(run(*killer, sql::Kill{victim->connection_id()}, 5s)).has_value());
    run_until([&] { return result.has_value(); }, 5s);
    ASSERT_TRUE(result.has_value());
    ASSERT_FALSE(result->has_value());
    EXPECT_EQ(result->error().kind, sql::ErrorKind::lost);
    EXPECT_TRUE(victim->broken());
}

TEST_F(PortSession, an_idle_session_that_breaks_is_noticed_at_once) {
    auto victim = connect();
    auto killer = connect();
    int calls = 0;
    victim->on_broken([&] { ++calls; });
    EXPECT_TRUE(finish(run(*victim, sql::ReadGtids{}, 5s)).has_value());
    EXPECT_TRUE(finish(run(*victim, sql::ReadGtids{}, 5s)).has_value());
    run_until([] { return false; }, 100ms);
    EXPECT_EQ(calls, 0);
    EXPECT_FALSE(victim->broken());
    EXPECT_TRUE(finish(run(*killer, sql::Kill{victim->connection_id()}, 5s)).has_value());
    run_until([&] { return calls > 0; }, 2s);
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(victim->broken());

    int calls_at_death = 0;
    killer->on_broken([&] { ++calls_at_death; });
    arm().kill(0);
    run_until([&] { return calls_at_death > 0; }, 2s);
    EXPECT_EQ(calls_at_death, 1);
    EXPECT_EQ(calls, 1);
}

TEST_F(PortSession, a_cancelled_call_throws_and_breaks_its_session) {
    auto session = connect();
    asio::cancellation_signal signal;
    std::exception_ptr failure;
    bool ended = false;
    asio::co_spawn(
        io_, session->execute(endless(), 30s),
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, const sql::Result&) {
            failure = error;
            ended = true;
        }));
    run_until([] { return false; }, 100ms);
    EXPECT_FALSE(ended);
    signal.emit(asio::cancellation_type::terminal);
    run_until([&] { return ended; }, 2s);
    ASSERT_TRUE(failure);
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
    EXPECT_TRUE(session->broken());
}

TEST_F(PortSession, the_executor_runs_on_while_calls_hang) {
    auto one = connect();
    auto two = connect();
    int ended = 0;
    const auto count = [&](const std::exception_ptr&, const sql::Result&) { ++ended; };
    asio::co_spawn(io_, one->execute(endless(), 2s), count);
    asio::co_spawn(io_, two->execute(endless(), 2s), count);
    // A call that blocked the executor would leave it two ticks: before, and after two seconds.
    const auto ticks_while_they_hang = [&]() -> awaitable<int> {
        asio::steady_timer timer(io_);
        int ticks = 0;
        while (ended < 2) {
            ++ticks;
            timer.expires_after(std::chrono::milliseconds(10));
            co_await timer.async_wait(asio::use_awaitable);
        }
        co_return ticks;
    };
    EXPECT_GE(finish(ticks_while_they_hang()), 20);
}

TEST_F(PortSession, a_call_that_finds_no_thread_ends_at_its_limit_without_being_sent) {
    make_connector(1);
    auto one = connect();
    auto two = connect();
    std::optional<sql::Result> first;
    asio::co_spawn(io_, one->execute(endless(), 4s),
                   [&](const std::exception_ptr&, sql::Result r) { first.emplace(std::move(r)); });
    const auto begun = Clock::now();
    const auto second = finish(run(*two, sql::SetGlobal{sql::Variable::read_only, 0}, 300ms));
    EXPECT_LE(Clock::now() - begun, 3s);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().kind, sql::ErrorKind::timed_out);
    run_until([&] { return first.has_value(); }, 10s);
    make_connector(1);
    auto third = connect();
    const auto look = finish(run(*third, sql::Look{shard}, 5s));
    ASSERT_TRUE(look.has_value());
    EXPECT_TRUE(look->server.read_only);
}

TEST_F(PortSession, a_session_that_ends_frees_its_locks) {
    auto one = connect();
    auto two = connect();
    const std::string name = sql::server_lock_name(shard);
    EXPECT_TRUE(finish(run(*one, sql::GetLock{name, 0s}, 5s)).value());
    EXPECT_FALSE(finish(run(*two, sql::GetLock{name, 0s}, 5s)).value());
    one.reset();
    EXPECT_TRUE(finish(run(*two, sql::GetLock{name, 5s}, 10s)).value());
}

TEST_F(PortSession, the_end_of_the_connector_ends_what_is_under_way) {
    auto session = connect();
    bool ended = false;
    asio::co_spawn(io_, session->execute(endless(), 30s),
                   [&](const std::exception_ptr&, const sql::Result&) { ended = true; });
    run_until([] { return false; }, 100ms);
    const auto begun = Clock::now();
    connector_.reset();
    EXPECT_LE(Clock::now() - begun, 5s);
    EXPECT_FALSE(ended);  // nobody is told any more: its coroutine goes with the executor
}

}  // namespace
}  // namespace fixpoint::contract
