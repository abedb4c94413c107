// The five basic divergences on genuine servers, healed by `fixpoint run`; and first contact, from nothing
// and with a shard that works. What is asserted is the servers' own state, asked by an administrator, and
// what clients were told.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

class Divergences : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }

    // How the three are at this moment, asked of the servers alone.
    static bool is_open(int i) {
        return stage().ask(i, "SELECT @@GLOBAL.read_only OR @@GLOBAL.super_read_only") == "0";
    }
    static bool is_closed(int i) { return stage().ask(i, "SELECT @@GLOBAL.super_read_only") == "1"; }
    static bool follows(int i, int primary) {
        real::BlockingSession root = stage().server(i).root();
        const real::RawAnswer answer = root.query("SHOW REPLICA STATUS");
        if (answer.error || answer.results.at(0).rows.size() != 1) return false;
        const real::Rows& rows = answer.results.at(0);
        const auto field = [&](const std::string& name) {
            const auto it = std::ranges::find(rows.columns, name);
            return it == rows.columns.end()
                       ? std::string()
                       : rows.rows[0][static_cast<std::size_t>(it - rows.columns.begin())].value_or("");
        };
        return field("Source_Port") == std::to_string(stage().server(primary).address().port) &&
               field("Replica_IO_Running") == "Yes" && field("Replica_SQL_Running") == "Yes";
    }
    // One is open and the others follow it.
    static bool is_led_by(int primary) {
        if (!is_open(primary)) return false;
        for (int i = 0; i < 3; ++i) {
            if (i != primary && (!stage().server(i).running() || !is_closed(i) || !follows(i, primary)))
                return false;
        }
        return true;
    }
    static std::string everything() {
        std::string text = stage().fixpoint({"status", "--all"}).all();
        return text + stage().fixpoint({"plan"}).all();
    }
    static int another_than(int i) { return (i + 1) % 3; }
};

TEST_F(Divergences, init_shows_first_and_changes_nothing_then_leads_three_blank_servers_there) {
    stage().blank();
    // As an administrator leaves them: writable, replication that starts by itself.
    for (int i = 0; i < 3; ++i)
        stage().as_administrator(i, {"SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"});
    const std::vector<std::string> words{"init", "commerce/0", stage().address(0), stage().address(1),
                                         stage().address(2)};
    const Said shown = stage().fixpoint(words);
    EXPECT_EQ(shown.code, 2) << shown.all();
    EXPECT_TRUE(shown.has("initialize_shard") && shown.has("super_read_only = 1") && shown.has("with --yes"))
        << shown.all();
    EXPECT_FALSE(std::filesystem::exists(stage().in_folder("topology.db")));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(is_open(i));
        EXPECT_EQ(stage().ask(i, "SELECT COUNT(*) FROM performance_schema.persisted_variables"), "0");
        EXPECT_EQ(stage().ask(i, "SELECT @@GLOBAL.gtid_executed"), "");
    }
    std::vector<std::string> with_yes = words;
    with_yes.emplace_back("--yes");
    const Said done = stage().fixpoint(with_yes, 60s);
    ASSERT_EQ(done.code, 0) << done.all();
    EXPECT_TRUE(done.has("converged")) << done.all();
    const int primary = stage().primary();
    ASSERT_GE(primary, 0);
    EXPECT_TRUE(is_led_by(primary)) << everything();
    EXPECT_EQ(stage().ask(primary, "SELECT @@GLOBAL.rpl_semi_sync_source_enabled"), "1");
    EXPECT_EQ(stage().fixpoint({"status"}).code, 0);
    EXPECT_EQ(stage().fixpoint({"check"}).code, 0);
    EXPECT_EQ(stage().fixpoint(with_yes).code, 2);  // it is declared already
}

TEST_F(Divergences, a_standalone_server_is_connected) {
    stage().converged();
    const int primary = stage().primary();
    const int lone = another_than(primary);
    stage().server(lone).as_root({"STOP REPLICA", "RESET REPLICA ALL"});
    Daemon daemon(stage());
    EXPECT_TRUE(eventually(15s, [&] { return is_led_by(primary); })) << everything() << daemon.log();
    EXPECT_TRUE(stage().settles(10s)) << everything();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Divergences, a_writable_replica_is_closed) {
    stage().converged();
    const int primary = stage().primary();
    const int replica = another_than(primary);
    stage().server(replica).as_root({"SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"});
    Daemon daemon(stage());
    EXPECT_TRUE(eventually(15s, [&] { return is_led_by(primary); })) << everything() << daemon.log();
    EXPECT_TRUE(stage().settles(10s)) << everything();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Divergences, a_read_only_primary_is_opened) {
    stage().converged();
    const int primary = stage().primary();
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    stage().server(primary).as_root({"SET GLOBAL super_read_only = ON"});
    EXPECT_TRUE(eventually(15s, [&] { return is_led_by(primary); })) << everything() << daemon.log();
    EXPECT_TRUE(stage().settles(10s)) << everything();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Divergences, of_two_primaries_the_one_that_is_not_in_force_is_closed_and_connected) {
    stage().converged();
    const int primary = stage().primary();
    const int other = another_than(primary);
    stage().server(other).as_root({"STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL super_read_only = OFF",
                                   "SET GLOBAL read_only = OFF"});
    Daemon daemon(stage());
    EXPECT_TRUE(eventually(15s, [&] { return is_led_by(primary); })) << everything() << daemon.log();
    EXPECT_TRUE(stage().settles(10s)) << everything();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Divergences, a_dead_primary_is_succeeded_and_no_acknowledged_write_is_lost) {
    stage().converged();
    const int primary = stage().primary();
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    Writer writer(stage(), 1'000'000);
    ASSERT_TRUE(eventually(10s, [&] { return writer.acknowledged() > 20; }));
    stage().server(primary).kill();
    int successor = -1;
    EXPECT_TRUE(eventually(15s,
                           [&] {
                               for (int i = 0; i < 3; ++i) {
                                   if (i != primary && is_open(i)) successor = i;
                               }
                               return successor >= 0;
                           }))
        << everything() << daemon.log();
    ASSERT_GE(successor, 0);
    writer.point_at(successor);
    const std::size_t before = writer.acknowledged();
    EXPECT_TRUE(eventually(15s, [&] { return writer.acknowledged() > before + 20; })) << everything();
    const std::vector<std::int64_t> told = writer.end();

    // The old one comes back, and follows; unless it has commits that nobody was told of.
    stage().server(primary).start({});
    EXPECT_TRUE(eventually(20s,
                           [&] {
                               const Said status = stage().fixpoint({"status"});
                               return status.code == 0 ||
                                      (status.has("quarantined") && status.has(stage().alias(primary)));
                           }))
        << everything() << daemon.log();
    EXPECT_TRUE(is_open(successor) && is_closed(primary));

    const std::vector<std::int64_t> lost = stage().lost(successor, told);
    EXPECT_GT(told.size(), 40u);
    EXPECT_TRUE(lost.empty()) << lost.size() << " acknowledged writes are lost, the first is "
                              << lost.front();
    EXPECT_EQ(daemon.stop(), 0);
    stage().spoil();  // its data may differ for good
}

TEST_F(Divergences, a_shard_that_works_is_adopted_and_tightened_while_clients_write) {
    stage().blank();
    // An administrator's own asynchronous replication: 0 serves, 1 and 2 follow.
    stage().server(0).as_root({"SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"});
    for (int i = 1; i < 3; ++i) {
        stage().server(i).as_root(
            {fmt::format("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, "
                         "SOURCE_USER = 'fixpoint_replication', SOURCE_PASSWORD = {}, "
                         "SOURCE_SSL = 1, SOURCE_AUTO_POSITION = 1",
                         stage().server(0).address().port, real::literal(stage().secrets().at(1))),
             "START REPLICA"});
    }
    ASSERT_TRUE(eventually(10s, [] { return follows(1, 0) && follows(2, 0); }));
    Writer writer(stage(), 2'000'000, 20ms);
    writer.point_at(0);
    ASSERT_TRUE(eventually(10s, [&] { return writer.acknowledged() > 20; }));
    const Said done = stage().fixpoint(
        {"init", "--yes", "commerce/0", stage().address(0), stage().address(1), stage().address(2)}, 60s);
    EXPECT_EQ(done.code, 0) << done.all();
    EXPECT_TRUE(done.has("adopt_shard")) << done.all();
    const std::size_t before = writer.acknowledged();
    EXPECT_TRUE(eventually(10s, [&] { return writer.acknowledged() > before + 20; }));
    writer.end();
    EXPECT_EQ(stage().primary(), 0);
    EXPECT_TRUE(is_led_by(0)) << everything();
    EXPECT_EQ(stage().ask(0, "SELECT @@GLOBAL.rpl_semi_sync_source_enabled"), "1");
    stage().keep("semi_sync");
}

// What serves goes on serving: nobody can know which of two is right, and a person is told why.
TEST_F(Divergences, servers_that_have_transactions_of_their_own_are_named_and_nothing_is_touched) {
    stage().blank();
    for (int i = 0; i < 2; ++i) {
        stage().server(i).as_root({"SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF",
                                   "CREATE USER IF NOT EXISTS made_with_the_binary_log_on"});
    }
    const std::vector<std::string> words{
        "init", "--yes", "commerce/0", stage().address(0), stage().address(1), stage().address(2)};
    const Said refused = stage().fixpoint(words);
    EXPECT_EQ(refused.code, 2) << refused.all();
    EXPECT_TRUE(refused.has("nobody_has_everything") && refused.has("zone1-100 alone has") &&
                refused.has("zone1-101 alone has") && refused.has("RESET BINARY LOGS AND GTIDS"))
        << refused.all();
    EXPECT_TRUE(is_open(0) && is_open(1));
    EXPECT_FALSE(std::filesystem::exists(stage().in_folder("topology.db")));
    // The remedy that it names.
    stage().server(1).as_root({"RESET BINARY LOGS AND GTIDS"});
    const Said done = stage().fixpoint(words, 60s);
    EXPECT_EQ(done.code, 0) << done.all();
    EXPECT_EQ(stage().primary(), 0);  // it alone had something
    stage().keep("semi_sync");
}

}  // namespace
}  // namespace fixpoint::daemon_tests
