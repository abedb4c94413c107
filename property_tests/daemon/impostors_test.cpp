// Servers that are not what they should be: each is named with its remedy, by `check`, by `plan` and in the
// daemon's log, and the others are led all the same.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <sstream>

#include "property_tests/daemon/impostor.hpp"
#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

class Impostors : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }
    static int another_than(int i) { return (i + 1) % 3; }

    // On one line with the tablet, all of the words.
    static bool says(const std::string& text, const std::string& alias,
                     const std::vector<std::string>& words) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (line.find(alias) == std::string::npos) continue;
            if (std::ranges::all_of(
                    words, [&](const std::string& word) { return line.find(word) != std::string::npos; }))
                return true;
        }
        return false;
    }
    struct Named {
        std::string alias;
        const char* what;
        const char* remedy;
    };
    static void are_named(const Daemon& daemon, const std::vector<Named>& all) {
        for (const char* command : {"check", "plan"}) {
            const Said said = stage().fixpoint({command});
            EXPECT_EQ(said.code, 3) << said.all();
            for (const Named& n : all)
                EXPECT_TRUE(says(said.out, n.alias, {n.what}) && said.has(n.remedy))
                    << command << " does not say \"" << n.what << "\" and \"" << n.remedy << "\" of "
                    << n.alias << ":\n"
                    << said.all();
        }
        for (const Named& n : all)
            EXPECT_TRUE(eventually(15s, [&] { return says(daemon.log(), n.alias, {n.what, n.remedy}); }))
                << "the log does not say \"" << n.what << "\" of " << n.alias << ":\n"
                << daemon.log();
    }
    static void is_named(const Daemon& daemon, const std::string& alias, const char* what,
                         const char* remedy) {
        are_named(daemon, {{alias, what, remedy}});
    }
    // One of the others diverges, and is led back.
    static void is_led(int replica, const Daemon& daemon) {
        stage().server(replica).as_root({"STOP REPLICA IO_THREAD"});
        EXPECT_TRUE(eventually(15s, [&] {
            return stage().ask(replica,
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE "
                               "'Waiting for source to send event%'") == "1";
        })) << daemon.log();
    }
};

TEST_F(Impostors, who_listens_where_a_server_should_is_named_with_his_remedy) {
    struct Case {
        Manner manner;
        const char* what;
        const char* remedy;
    };
    const std::vector<Case> cases{
        {Manner::says_nothing, "it accepts connections and says nothing", "hangs or is stopped"},
        {Manner::hangs_up, "(2013)", "what listens at its address"},
        {Manner::speaks_ssh, "it does not speak MySQL: it says \"SSH-2.0-OpenSSH_9.2p1 Debian-2\"",
         "its address"},
        {Manner::speaks_http, "it does not speak MySQL: it says \"HTTP/1.1 400 Bad Request\"", "its address"},
        {Manner::speaks_pop3, "it does not speak MySQL: it says \"+OK Dovecot ready.\"", "its address"},
        {Manner::is_mariadb, "it is MariaDB", "put MySQL 8.4 or newer in its place"},
        {Manner::is_too_old, "it is MySQL 5.7.44", "upgrade it"},
        {Manner::is_full, "(1040)", "raise its max_connections"},
    };
    stage().converged();
    const int replica = another_than(stage().primary());
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    std::vector<std::unique_ptr<Impostor>> impostors;
    std::vector<Named> named;
    std::vector<std::string> add{"declare", "commerce/0"}, remove = add;
    for (const Case& c : cases) {
        impostors.push_back(std::make_unique<Impostor>(c.manner));
        named.push_back({fmt::format("zone1-{}", 110 + named.size()), c.what, c.remedy});
        add.insert(add.end(), {"--add", named.back().alias + "=" + impostors.back()->address()});
        remove.insert(remove.end(), {"--remove", named.back().alias});
    }
    const Said added = stage().fixpoint(add);
    ASSERT_EQ(added.code, 0) << added.all();
    are_named(daemon, named);
    is_led(replica, daemon);
    for (const auto& impostor : impostors) EXPECT_GT(impostor->connections(), 0);
    const Said gone = stage().fixpoint(remove);
    EXPECT_EQ(gone.code, 0) << gone.all();
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Impostors, nobody_listens_and_one_that_hangs_are_named_too) {
    stage().converged();
    const int primary = stage().primary();
    const int hanging = another_than(primary);
    const int other = another_than(hanging);
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    ASSERT_EQ(stage().fixpoint({"declare", "commerce/0", "--add", "zone1-120=127.0.0.1:1"}).code, 0);
    is_named(daemon, "zone1-120", "(2003)", "start its server, or `fixpoint forget zone1-120`");
    ASSERT_EQ(stage().fixpoint({"declare", "commerce/0", "--remove", "zone1-120"}).code, 0);
    stage().server(hanging).pause();
    is_named(daemon, stage().alias(hanging), "it accepts connections and says nothing",
             "hangs or is stopped");
    is_led(other, daemon);
    EXPECT_EQ(stage().ask(primary, "SELECT @@GLOBAL.super_read_only"), "0");
    stage().server(hanging).resume();
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << daemon.log();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Impostors, a_replica_that_cannot_be_managed_is_named_and_left_alone) {
    struct Case {
        const char* what;
        const char* remedy;
        std::vector<std::string> made;
        std::vector<std::string> mended;
    };
    const std::vector<Case> cases{
        {"gtid_mode is off",
         "OFF_PERMISSIVE, ON_PERMISSIVE, ON",
         {"STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL gtid_mode = ON_PERMISSIVE",
          "SET GLOBAL gtid_mode = OFF_PERMISSIVE", "SET GLOBAL gtid_mode = OFF"},
         {"SET GLOBAL gtid_mode = OFF_PERMISSIVE", "SET GLOBAL gtid_mode = ON_PERMISSIVE",
          "SET GLOBAL gtid_mode = ON"}},
        {"it has several replication channels",
         "RESET REPLICA ALL FOR CHANNEL",
         {"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1 FOR CHANNEL 'other'"},
         {"RESET REPLICA ALL FOR CHANNEL 'other'"}},
        {"its replication channel has a name",
         "RESET REPLICA ALL FOR CHANNEL",
         {"STOP REPLICA", "RESET REPLICA ALL",
          "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1 FOR CHANNEL 'other'"},
         {"RESET REPLICA ALL FOR CHANNEL 'other'"}},
        {"it has replication filters",
         "CHANGE REPLICATION FILTER",
         {"STOP REPLICA SQL_THREAD", "CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = (nobodys)",
          "START REPLICA SQL_THREAD"},
         {"STOP REPLICA SQL_THREAD", "CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = ()",
          "START REPLICA SQL_THREAD"}},
        {"it has a SOURCE_DELAY",
         "SOURCE_DELAY=0",
         {"STOP REPLICA SQL_THREAD", "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 3600",
          "START REPLICA SQL_THREAD"},
         {"STOP REPLICA SQL_THREAD", "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0",
          "START REPLICA SQL_THREAD"}},
        // Not a group of several, but as the server itself says it: the plugin is loaded, and has a group.
        {"it is a member of Group Replication",
         "STOP GROUP_REPLICATION and UNINSTALL PLUGIN group_replication",
         {"SET GLOBAL super_read_only = OFF",
          "INSTALL PLUGIN group_replication SONAME 'group_replication.so'",
          "SET GLOBAL group_replication_group_name = 'b7d1e6c0-0000-4000-8000-000000000001'"},
         {"UNINSTALL PLUGIN group_replication"}},
    };
    stage().converged();
    const int primary = stage().primary();
    const int odd = another_than(primary);
    const int other = another_than(odd);
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    for (const Case& c : cases) {
        daemon.signal(SIGSTOP);  // or it might start what was just stopped
        stage().server(odd).as_root(c.made);
        daemon.signal(SIGCONT);
        is_named(daemon, stage().alias(odd), c.what, c.remedy);
        stage().server(odd).as_root({"SET GLOBAL super_read_only = OFF"});
        is_led(other, daemon);
        EXPECT_EQ(stage().ask(odd, "SELECT @@GLOBAL.super_read_only"), "0") << c.what;
        EXPECT_EQ(stage().ask(primary, "SELECT @@GLOBAL.super_read_only"), "0");
        stage().server(odd).as_root(c.mended);
        EXPECT_TRUE(stage().settles(40s)) << c.what << stage().fixpoint({"status"}).all() << daemon.log();
        EXPECT_EQ(stage().ask(odd, "SELECT @@GLOBAL.super_read_only"), "1") << c.what;
    }
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Impostors, one_that_is_full_is_named_and_goes_on_being_led_by_whoever_has_sessions_there) {
    stage().converged();
    const int odd = another_than(stage().primary());
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    ASSERT_TRUE(eventually(20s, [&] {  // look, lock and helper stand ready
        return stage().ask(
                   odd, "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'fixpoint'") == "3";
    })) << daemon.log();
    real::BlockingSession root = stage().server(odd).root();
    ASSERT_FALSE(root.query("SET GLOBAL max_connections = 1").error.has_value());
    const Said said = stage().fixpoint({"check"});
    EXPECT_EQ(said.code, 3) << said.all();
    EXPECT_TRUE(says(said.out, stage().alias(odd), {"(1040)", "raise its max_connections"})) << said.all();
    ASSERT_FALSE(root.query("STOP REPLICA IO_THREAD").error.has_value());
    EXPECT_TRUE(eventually(15s, [&] {
        const real::RawAnswer answer = root.query("SHOW REPLICA STATUS");
        if (answer.error) return false;
        const real::Rows& rows = answer.results.at(0);
        const auto column = std::ranges::find(rows.columns, "Replica_IO_Running") - rows.columns.begin();
        return rows.rows.at(0).at(static_cast<std::size_t>(column)).value_or("") == "Yes";
    })) << daemon.log();
    ASSERT_FALSE(root.query("SET GLOBAL max_connections = 151").error.has_value());
    EXPECT_TRUE(stage().settles(40s));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Impostors, one_server_under_two_aliases_is_named) {
    stage().converged();
    const int primary = stage().primary();
    const int odd = another_than(primary);
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    const std::string twice = "localhost" + stage().address(odd).substr(stage().address(odd).find(':'));
    ASSERT_EQ(stage().fixpoint({"declare", "commerce/0", "--add", "zone1-130=" + twice}).code, 0);
    const Said said = stage().fixpoint({"check"});
    EXPECT_TRUE(says(said.out, "zone1-130", {"one server_id or one uuid", "its own uuid"})) << said.all();
    EXPECT_TRUE(daemon.logs("invalid_tablet(zone1-130)"));
    is_led(another_than(odd), daemon);
    EXPECT_EQ(stage().ask(primary, "SELECT @@GLOBAL.super_read_only"), "0");
    ASSERT_EQ(stage().fixpoint({"declare", "commerce/0", "--remove", "zone1-130"}).code, 0);
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << daemon.log();
    EXPECT_EQ(daemon.stop(), 0);
}

// Another server behind a declared address, here with the same data: a replica is qualified anew; behind the
// primary's it is no primary of this term, whatever it says of itself.
TEST_F(Impostors, a_server_with_another_uuid_than_recorded_is_seen_and_never_taken_for_the_recorded_one) {
    stage().converged();
    const int primary = stage().primary();
    const int odd = another_than(primary);
    contract::StartOptions anew;
    anew.new_uuid = true;
    {
        Daemon daemon(stage());
        ASSERT_TRUE(daemon.logs("nothing to do"));
        const std::string before = stage().ask(odd, "SELECT @@GLOBAL.server_uuid");
        stage().server(odd).kill();
        stage().server(odd).start(anew);
        const std::string uuid = stage().ask(odd, "SELECT @@GLOBAL.server_uuid");
        ASSERT_NE(uuid, before);
        EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << daemon.log();
        EXPECT_EQ(stage().ask(odd, "SELECT @@GLOBAL.rpl_semi_sync_replica_enabled"), "1");
        EXPECT_EQ(daemon.stop(), 0);
    }
    const std::string recorded = stage().ask(primary, "SELECT @@GLOBAL.server_uuid");
    stage().server(primary).kill();
    stage().server(primary).start(anew);
    ASSERT_NE(stage().ask(primary, "SELECT @@GLOBAL.server_uuid"), recorded);
    const Said plan = stage().fixpoint({"plan"});
    EXPECT_EQ(plan.code, 3) << plan.all();
    EXPECT_TRUE(plan.has("primary_is_another_server") && plan.has("another uuid than recorded") &&
                plan.has("next: emergency_reparent"))
        << plan.all();
    Daemon daemon(stage());
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << daemon.log();
    // It may be elected for having everything; then a term of its own begins.
    EXPECT_TRUE(daemon.logs("recovery_succeeded primary_is_another_server")) << daemon.log();
    EXPECT_GE(stage().primary(), 0);
    EXPECT_EQ(daemon.stop(), 0);
    stage().spoil();
}

}  // namespace
}  // namespace fixpoint::daemon_tests
