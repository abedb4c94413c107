// The commands without servers: what they write into the store and what they refuse, each with its exit code.
// The store is one in memory, and no server answers.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "fixpoint/engine/record_codec.hpp"
#include "property_tests/commands/memory_store.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/command_line.hpp"
#include "real_adapters/daemon/grants.hpp"
#include "real_adapters/daemon/onlooker.hpp"
#include "real_adapters/daemon/pause_note.hpp"

namespace fixpoint::real {
namespace {

const ShardName shard{"commerce", "0"};

TabletAlias alias(const char* text) {
    return TabletAlias::parse(text).value();
}

class NobodyAnswers final : public SqlConnector {
  public:
    awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> connect(MysqlAddress /*address*/,
                                                                              Duration /*limit*/) override {
        co_return std::unexpected(
            sql::Error{sql::ErrorKind::refused, sql::error_number::cannot_connect, "nobody"});
    }
};

// The one store of a test, handed out again and again.
class Handle final : public topo::Store {
  public:
    explicit Handle(MemoryStore& store) : store_(store) {}
    awaitable<topo::Result<std::optional<topo::Value>>> get(std::string path, Duration limit) override {
        return store_.get(std::move(path), limit);
    }
    awaitable<topo::Result<std::vector<topo::Listed>>> list(std::string prefix, Duration limit) override {
        return store_.list(std::move(prefix), limit);
    }
    awaitable<topo::Result<std::vector<topo::Version>>> transact(topo::LockKey lock,
                                                                 std::vector<topo::Put> puts,
                                                                 Duration limit) override {
        return store_.transact(std::move(lock), std::move(puts), limit);
    }
    awaitable<topo::Result<topo::Version>> put_declared(topo::Put put, Duration limit) override {
        return store_.put_declared(std::move(put), limit);
    }
    awaitable<topo::Result<topo::LockKey>> lock_shard(std::string path, std::string content, Duration lease,
                                                      Duration limit) override {
        return store_.lock_shard(std::move(path), std::move(content), lease, limit);
    }
    awaitable<topo::Result<void>> renew(topo::LockKey lock, Duration lease, Duration limit) override {
        return store_.renew(std::move(lock), lease, limit);
    }
    awaitable<topo::Result<void>> unlock(topo::LockKey lock, Duration limit) override {
        return store_.unlock(std::move(lock), limit);
    }
    awaitable<topo::Result<std::optional<topo::LockHolder>>> lock_holder(std::string path,
                                                                         Duration limit) override {
        return store_.lock_holder(std::move(path), limit);
    }
    awaitable<topo::Result<std::vector<topo::Listed>>> list_cell(std::string cell, std::string prefix,
                                                                 Duration limit) override {
        return store_.list_cell(std::move(cell), std::move(prefix), limit);
    }
    awaitable<topo::Result<topo::Version>> put_cell(std::string cell, topo::Put put,
                                                    Duration limit) override {
        return store_.put_cell(std::move(cell), std::move(put), limit);
    }
    void on_change(std::function<void()> /*callback*/) override {}

  private:
    MemoryStore& store_;
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
        NobodyAnswers sql;
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
                            return std::make_unique<Handle>(store_);
                        },
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
    Configuration configuration_;
    MemoryStore store_;
    bool there_ = true;
    std::string said_;
};

// ---- the command line

TEST_F(Commands, what_cannot_be_understood_is_refused) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    EXPECT_EQ(type({}), ExitCode::refused);
    EXPECT_EQ(type({"statsu"}), ExitCode::refused);
    EXPECT_EQ(type({"status", "--al"}), ExitCode::refused);
    EXPECT_EQ(type({"status", "commerce"}), ExitCode::refused);
    EXPECT_EQ(type({"status", "--output", "xml"}), ExitCode::refused);
    EXPECT_EQ(type({"init", "commerce/0"}), ExitCode::refused);
    EXPECT_EQ(type({"init", "commerce/0", "a:1", "--policy", "semy_sync"}), ExitCode::refused);
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--type", "zone1-100=primary"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--rule", "zone1-100=perhaps"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--limit", "poll_ms=soon"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-100", "--no-pin"}), ExitCode::refused);
    EXPECT_EQ(type({"--help"}), ExitCode::done);
    EXPECT_EQ(type({"run", "--help"}), ExitCode::done);
    testing::internal::GetCapturedStdout();
    EXPECT_NE(testing::internal::GetCapturedStderr(), "");
    EXPECT_TRUE(store_.cells.empty());
}

TEST_F(Commands, no_command_takes_a_password) {
    testing::internal::CaptureStdout();
    for (const char* command : {"init", "run", "check", "declare", "grants"}) {
        type({command, "--help"});
    }
    const std::string help = testing::internal::GetCapturedStdout();
    EXPECT_NE(help.find("--policy"), std::string::npos);
    EXPECT_EQ(help.find("--password"), std::string::npos);
}

// ---- servers as they are typed

TEST(ListedServers, are_read_with_what_stands_behind_them) {
    const TabletAlias next = alias("zone1-100");
    EXPECT_EQ(parse_listed_server("db1:3306", next), (ListedServer{next, {"db1", 3306}}));
    EXPECT_EQ(parse_listed_server("zone2-7=[::1]:3307,rdonly,must_not", next),
              (ListedServer{alias("zone2-7"), {"::1", 3307}, TabletType::rdonly, PromotionRule::must_not}));
    for (const char* bad : {"db1", "db1:", ":3306", "db1:0", "db1:70000", "db1:x", "=db1:3306",
                            "zone1=db1:3306", "db1:3306,rdonli", "db1:3306,,rdonly", ""}) {
        const auto server = parse_listed_server(bad, next);
        ASSERT_FALSE(server.has_value()) << bad;
        EXPECT_FALSE(server.error().empty()) << bad;
    }
}

TEST(Declarations, are_written_with_the_shard_last_and_stop_at_the_first_that_fails) {
    ShardDeclaration d;
    d.shard = shard;
    d.policy = {DurabilityName::semi_sync, 1};
    d.servers = {{alias("zone1-100"), {"a", 1}},
                 {alias("zone2-200"), {"b", 1}, TabletType::rdonly, PromotionRule::prefer}};
    const std::vector<ProposedRecord> records = records_of(d);
    EXPECT_EQ(records.back().path, shard_path(shard));
    MemoryStore store;
    store.cells["zone2"][tablet_path(alias("zone2-200"))] = {"somebody else's", 9};
    EXPECT_FALSE(run_to_end(write_records(store, records, std::chrono::seconds(1))).has_value());
    EXPECT_TRUE(store.listed("", shard_path(shard)).empty());
    // Again, when nothing is in the way: what is there already as proposed is left alone.
    store.cells["zone2"].clear();
    const auto left = run_to_end(without_existing(store, records, std::chrono::seconds(1)));
    ASSERT_TRUE(left.has_value());
    EXPECT_LT(left->size(), records.size());
    EXPECT_TRUE(run_to_end(write_records(store, *left, std::chrono::seconds(1))).has_value());
    EXPECT_EQ(
        decode_goal(store.listed("", goal_path(shard)).front().value.bytes)->rule_of(alias("zone2-200")),
        PromotionRule::prefer);
    // A tablet that is there and differs is nobody's to overwrite.
    d.servers[0].address.port = 2;
    EXPECT_FALSE(run_to_end(without_existing(store, records_of(d), std::chrono::seconds(1))).has_value());
}

// ---- init

TEST_F(Commands, init_refuses_servers_that_do_not_answer_and_makes_no_store) {
    there_ = false;
    EXPECT_EQ(type({"init", "--yes", "commerce/0", "a:3306", "b:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-100 (a:3306)") && said("zone1-101 (b:3306)") && said("2003")) << said_;
    EXPECT_FALSE(there_);
    EXPECT_TRUE(store_.cells.empty());
}

TEST_F(Commands, init_refuses_what_is_declared_and_what_is_typed_twice) {
    EXPECT_EQ(type({"init", "commerce/0", "a:3306", "a:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("a:3306 is there twice")) << said_;
    EXPECT_EQ(type({"init", "commerce/0", "zone1-1=a:3306", "zone1-1=b:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-1 is there twice")) << said_;
    declare_shard();
    EXPECT_EQ(type({"init", "--yes", "commerce/0", "a:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("declared already")) << said_;
}

// ---- looking

TEST_F(Commands, a_store_that_is_not_there_is_1_and_a_shard_that_is_not_declared_2) {
    for (const char* command : {"status", "plan", "check", "run"}) {
        there_ = false;
        EXPECT_EQ(type({command}), ExitCode::own_fault) << command;
        EXPECT_TRUE(said("there is no store")) << said_;
    }
    there_ = true;
    for (const char* command : {"status", "plan", "run"}) {
        EXPECT_EQ(type({command}), ExitCode::refused) << command;
        EXPECT_TRUE(said("fixpoint init")) << said_;
    }
    configuration_.shards.clear();
    EXPECT_EQ(type({"status"}), ExitCode::refused);
    EXPECT_TRUE(said("no shard is named")) << said_;
}

TEST_F(Commands, what_is_abnormal_is_3_and_said_with_its_remedy) {
    declare_shard();
    put_in_force("zone1-100", 3);
    EXPECT_EQ(type({"status", "--all"}), ExitCode::not_converged);
    EXPECT_TRUE(said("dead_primary_and_all_replicas") && said("remedy: start the servers")) << said_;
    EXPECT_TRUE(said("primary zone1-100, term 3")) << said_;
    EXPECT_EQ(type({"plan"}), ExitCode::not_converged);
    EXPECT_EQ(type({"check"}), ExitCode::not_converged);
    EXPECT_TRUE(said("zone1-102: no answer: nobody (2003)")) << said_;
    EXPECT_EQ(type({"status", "--output", "json"}), ExitCode::not_converged);
    EXPECT_TRUE(said("\"problem\": \"dead_primary_and_all_replicas\"")) << said_;
}

TEST_F(Commands, topology_show_lists_every_record) {
    declare_shard();
    EXPECT_EQ(type({"topology", "show"}), ExitCode::done);
    EXPECT_TRUE(said("keyspaces/commerce/Keyspace") && said("durability semi_sync")) << said_;
    EXPECT_TRUE(said("tablets/zone1-0000000101/Tablet") && said("commerce/0, replica, b:3306")) << said_;
}

// ---- a person's word

TEST_F(Commands, declare_changes_what_it_names_and_nothing_else) {
    declare_shard();
    EXPECT_EQ(type({"declare", "commerce/0", "--dry-run", "--pin", "zone1-101"}), ExitCode::done);
    EXPECT_EQ(goal().pinned_primary, std::nullopt);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101", "--rule", "zone1-102=must_not", "--limit",
                    "poll_ms=250", "--policy", "semi_sync:2", "--type", "zone1-100=rdonly", "--add",
                    "zone2-1=d:3306"}),
              ExitCode::done);
    EXPECT_EQ(goal().pinned_primary, alias("zone1-101"));
    EXPECT_EQ(goal().rule_of(alias("zone1-102")), PromotionRule::must_not);
    EXPECT_EQ(goal().limits.poll, std::chrono::milliseconds(250));
    EXPECT_EQ(
        decode_keyspace(store_.listed("", keyspace_path("commerce")).front().value.bytes)->durability_policy,
        (DurabilityPolicy{DurabilityName::semi_sync, 2}));
    EXPECT_EQ(
        decode_tablet(store_.listed("zone1", tablet_path(alias("zone1-100"))).front().value.bytes)->type,
        TabletType::rdonly);
    EXPECT_EQ(store_.listed("zone2", "tablets/").size(), 1u);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::refused);
    EXPECT_TRUE(said("nothing would change")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--no-pin"}), ExitCode::done);
    EXPECT_EQ(goal().pinned_primary, std::nullopt);
    EXPECT_EQ(goal().limits.poll, std::chrono::milliseconds(250));
}

TEST_F(Commands, declare_refuses_what_does_not_exist) {
    declare_shard();
    const std::string before = contents();
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-109"}), ExitCode::refused);
    EXPECT_TRUE(said("did you mean zone1-10")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--limit", "pol_ms=1"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--add", "zone1-100=z:1"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/1", "--no-pin"}), ExitCode::refused);
    EXPECT_TRUE(said("not declared")) << said_;
    EXPECT_EQ(contents(), before);
}

TEST_F(Commands, a_write_whose_answer_is_lost_is_unknown_and_one_that_somebody_overtook_is_refused) {
    declare_shard();
    store_.writes_end_in = topo::ErrorKind::maybe;
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::unknown);
    EXPECT_EQ(type({"pause", "commerce/0"}), ExitCode::unknown);
    store_.writes_end_in = topo::ErrorKind::conflict;
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::refused);
    store_.writes_end_in = topo::ErrorKind::unreachable;
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::own_fault);
}

TEST_F(Commands, forget_shows_first_and_needs_a_yes) {
    declare_shard();
    put_in_force("zone1-100", 1);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102"}), ExitCode::refused);
    EXPECT_TRUE(said("with zone1-102 forgotten") && said("with --yes")) << said_;
    EXPECT_TRUE(goal().forgotten.empty());
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102", "--yes"}), ExitCode::done);
    ASSERT_EQ(goal().forgotten.size(), 1u);
    EXPECT_EQ(goal().forgotten[0].alias, alias("zone1-102"));
    EXPECT_FALSE(goal().forgotten[0].who.empty());
    EXPECT_GT(goal().forgotten[0].when.ns, 0);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102", "--yes"}), ExitCode::refused);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-109", "--yes"}), ExitCode::refused);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102", "--undo"}), ExitCode::done);
    EXPECT_TRUE(goal().forgotten.empty());
}

TEST_F(Commands, pause_says_who_why_and_until_and_resume_takes_it_back) {
    declare_shard();
    const Goal before = goal();
    EXPECT_EQ(type({"resume", "commerce/0"}), ExitCode::refused);
    EXPECT_EQ(type({"pause", "commerce/0", "--why", "the disk is changed", "--for", "3600"}), ExitCode::done);
    EXPECT_TRUE(goal().paused);
    const auto note = pause_note(goal());
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->why, "the disk is changed");
    EXPECT_FALSE(note->who.empty());
    EXPECT_EQ(note->until.ns - note->since.ns, 3'600'000'000'000);
    type({"status"});
    EXPECT_TRUE(said("the disk is changed") && said("paused by")) << said_;
    EXPECT_EQ(type({"resume", "commerce/0"}), ExitCode::done);
    EXPECT_EQ(goal(), before);
}

TEST_F(Commands, allow_is_for_one_step_one_term_and_needs_a_yes) {
    declare_shard();
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion", "--yes"}), ExitCode::refused);
    put_in_force("zone1-100", 4);
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotoin", "--yes"}), ExitCode::refused);
    EXPECT_TRUE(said("did you mean unfenced_promotion")) << said_;
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion"}), ExitCode::refused);
    EXPECT_TRUE(goal().allowed.empty());
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion", "--yes"}), ExitCode::done);
    EXPECT_EQ(goal().allowed, (std::vector<AllowedStep>{{"unfenced_promotion", 4}}));
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion", "--yes"}), ExitCode::refused);
}

TEST_F(Commands, what_people_did_stands_in_the_history) {
    declare_shard();
    type({"pause", "commerce/0", "--why", "a test"});
    type({"resume", "commerce/0"});
    EXPECT_EQ(type({"history"}), ExitCode::done);
    EXPECT_LT(said_.find("pause"), said_.find("resume")) << said_;
    EXPECT_TRUE(said("a test")) << said_;
    EXPECT_EQ(type({"history", "--last", "1"}), ExitCode::done);
    EXPECT_FALSE(said("a test")) << said_;
    EXPECT_EQ(type({"history", "other/0"}), ExitCode::done);
    EXPECT_TRUE(said("nothing has happened")) << said_;
    configuration_.history.clear();
    EXPECT_EQ(type({"history"}), ExitCode::refused);
}

TEST_F(Commands, reparent_refuses_before_anything_is_in_force_and_against_a_pin) {
    declare_shard();
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1-101"}), ExitCode::refused);
    put_in_force("zone1-100", 1);
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1-109"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-102"}), ExitCode::done);
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1-101"}), ExitCode::refused);
    EXPECT_TRUE(said("pinned")) << said_;
    EXPECT_EQ(decode_shard(store_.listed("", shard_path(shard)).front().value.bytes)->primary_alias,
              std::nullopt);
}

// ---- what goes out

TEST_F(Commands, grants_hold_no_password) {
    EXPECT_EQ(type({"grants"}), ExitCode::done);
    EXPECT_TRUE(said("'fixpoint'@'%'") && said("'repl'@'%'") && said(std::string(manager_placeholder)))
        << said_;
    EXPECT_FALSE(said("sql_log_bin")) << said_;
    EXPECT_EQ(type({"grants", "--without-primary", "--host", "10.0.0.%"}), ExitCode::done);
    EXPECT_TRUE(said("SET SESSION sql_log_bin = 0") && said("'repl'@'10.0.0.%'")) << said_;
    for (const std::string& secret : configuration_.secrets()) EXPECT_FALSE(said(secret)) << said_;
}

TEST(Histories, keep_what_they_were_given_and_leave_out_what_is_none_of_theirs) {
    const auto file =
        std::filesystem::temp_directory_path() / ("fixpoint-history-" + std::to_string(::getpid()));
    const History history(file);
    HistoryEntry entry;
    entry.time = "2026-11-25T20:00:00.000Z";
    entry.who = "m1";
    entry.shard = "commerce/0";
    entry.operation = "m1-1-1";
    entry.kind = "recovery_failed";
    entry.text = "a \"quoted\"\nline, and \xff no text at all";
    EXPECT_EQ(history.append(entry), "");
    std::ofstream(file, std::ios::app) << "no line of ours\n";
    EXPECT_EQ(history.append(entry), "");
    const auto read = history.read();
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->entries.size(), 2u);
    EXPECT_EQ(read->unreadable, 1u);
    EXPECT_EQ(read->entries[0].operation, "m1-1-1");
    EXPECT_TRUE(read->entries[0].text.starts_with("a \"quoted\"\nline"));
    std::filesystem::remove(file);
    EXPECT_NE(History("/nowhere/at/all").append(entry), "");
}

TEST(Onlookers, see_what_is_proposed_and_can_change_nothing) {
    MemoryStore base;
    base.put("", {"keyspaces/a/Keyspace", "old", 0});
    OnlookerStore store(&base, {{"", "keyspaces/a/Keyspace", "new", 1, ""},
                                {"zone9", "tablets/zone9-0000000001/Tablet", "t", 0, ""}});
    const auto limit = std::chrono::seconds(1);
    EXPECT_EQ(run_to_end(store.get("keyspaces/a/Keyspace", limit))->value().bytes, "new");
    EXPECT_EQ(run_to_end(store.list("keyspaces/", limit))->size(), 1u);
    EXPECT_EQ(run_to_end(store.list_cell("zone9", "tablets/", limit))->size(), 1u);
    EXPECT_FALSE(run_to_end(store.put_declared({"x", "y", 0}, limit)).has_value());
    EXPECT_FALSE(run_to_end(store.put_cell("zone9", {"x", "y", 0}, limit)).has_value());
    EXPECT_FALSE(run_to_end(store.lock_shard("x", "y", limit, limit)).has_value());
    EXPECT_FALSE(run_to_end(store.transact({}, {{"x", "y", 0}}, limit)).has_value());
    EXPECT_EQ(base.listed("", "").size(), 1u);
    EXPECT_EQ(base.listed("", "").front().value.bytes, "old");
}

}  // namespace
}  // namespace fixpoint::real
