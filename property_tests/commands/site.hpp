// What tests of commands share: a site without servers, whose store is one in memory, and what a person
// types.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "fixpoint/engine/record_codec.hpp"
#include "property_tests/commands/memory_store.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/command_line.hpp"
#include "real_adapters/daemon/store_decorator.hpp"

namespace fixpoint::real {

inline const ShardName shard{"commerce", "0"};

inline TabletAlias alias(const char* text) {
    return TabletAlias::parse(text).value();
}

// A server that lets in and answers every statement with an error.
class AnswersWithErrors final : public SqlSession {
  public:
    awaitable<sql::Result> execute(sql::Statement /*statement*/, Duration /*limit*/) override {
        co_return std::unexpected(sql::Error{sql::ErrorKind::server, 1227, "not for you"});
    }
    bool broken() const override { return false; }
    std::uint64_t connection_id() const override { return 1; }
    void on_broken(std::function<void()> /*callback*/) override {}
};

// Nobody answers; or, where it is said how long a login takes, all such servers.
class Servers final : public SqlConnector {
  public:
    explicit Servers(std::optional<Duration> login_takes) : login_takes_(login_takes) {}
    awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> connect(MysqlAddress /*address*/,
                                                                              Duration limit) override {
        if (!login_takes_) co_return nobody();
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                        std::min(limit, *login_takes_));
        co_await timer.async_wait(boost::asio::use_awaitable);
        if (limit < *login_takes_) co_return nobody();
        co_return std::make_unique<AnswersWithErrors>();
    }

  private:
    static std::unexpected<sql::Error> nobody() {
        return std::unexpected(
            sql::Error{sql::ErrorKind::refused, sql::error_number::cannot_connect, "nobody"});
    }
    std::optional<Duration> login_takes_;
};

class Commands : public testing::Test {
  protected:
    void SetUp() override {
        folder_ =
            std::filesystem::temp_directory_path() / ("fixpoint-commands-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        configuration_.file = folder_ / "fixpoint.json";
        configuration_.history = folder_ / "history.jsonl";
        configuration_.manager_name = "m1";
        configuration_.manager = {"fixpoint", "the manager's secret", Tls::off, ""};
        configuration_.replication = {"repl", "another secret", false};
        configuration_.log.file = folder_ / "log";
        configuration_.shards = {shard};
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void declare_shard() {
        ShardDeclaration d;
        d.shard = shard;
        d.policy = {DurabilityName::semi_sync, 1};
        d.servers = {{alias("zone1-100"), {"a", 3306}},
                     {alias("zone1-101"), {"b", 3306}},
                     {alias("zone1-102"), {"c", 3306}}};
        const auto written = run_to_end(write_records(store_, records_of(d), std::chrono::seconds(1)));
        ASSERT_TRUE(written.has_value()) << written.error().text;
    }
    void put_in_force(const char* primary, std::int64_t term) {
        FixpointRecord record;
        record.term = term;
        record.primary = {alias(primary), {"a", 3306}, {1, 1}, 101};
        record.policy = {DurabilityName::none, 0};
        ASSERT_TRUE(store_.put("", {fixpoint_path(shard), encode_fixpoint(record), 0}).has_value());
    }
    Goal goal() {
        const auto found = store_.listed("", goal_path(shard));
        return found.empty() ? Goal{} : decode_goal(found.front().value.bytes).value();
    }

    // What a person types, without the program's name.
    ExitCode type(std::vector<std::string> words) {
        words.insert(words.begin(), "fixpoint");
        std::vector<const char*> argv;
        for (const std::string& word : words) argv.push_back(word.c_str());
        const CommandLine line = read_command_line(static_cast<int>(argv.size()), argv.data());
        if (!line.command) return line.code;
        boost::asio::io_context context(1);
        MachineClock clock;
        Servers sql(login_takes_);
        Log log(configuration_.log, clock, Redactor(configuration_.secrets()));
        const History history(configuration_.history);
        Signal stop(context.get_executor());
        char* text = nullptr;
        std::size_t size = 0;
        std::FILE* said = ::open_memstream(&text, &size);
        const Site site{configuration_,
                        clock,
                        sql,
                        log,
                        history,
                        [this](bool create) -> std::expected<std::unique_ptr<topo::Store>, StoreOpening> {
                            if (!there_ && !create)
                                return std::unexpected(StoreOpening{true, "there is no store"});
                            there_ = true;
                            // The one store of a test, handed out again and again.
                            return std::make_unique<StoreDecorator>(&store_);
                        },
                        [](const MysqlAddress&) { return std::string(); },
                        [](const MysqlAddress&) { return std::string(); },
                        stop,
                        std::chrono::milliseconds(1),
                        said,
                        said};
        std::optional<ExitCode> code;
        boost::asio::co_spawn(context, line.command(site),
                              [&](const std::exception_ptr& error, ExitCode result) {
                                  if (error) std::rethrow_exception(error);
                                  code = result;
                              });
        context.run();
        std::fclose(said);
        said_ = std::string(text, size);
        std::free(text);
        return code.value();
    }
    std::string contents() const {
        std::string text;
        for (const auto& [cell, records] : store_.cells) {
            for (const auto& [path, value] : records) text += cell + ' ' + path + ' ' + value.bytes + '\n';
        }
        return text;
    }
    bool said(const std::string& words) const { return said_.find(words) != std::string::npos; }

    std::filesystem::path folder_;
    std::optional<Duration> login_takes_;
    Configuration configuration_;
    MemoryStore store_;
    bool there_ = true;
    std::string said_;
};

}  // namespace fixpoint::real
