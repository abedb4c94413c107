// Servers that are not what they should be: each is named with its remedy, by `check`, by `plan` and in the
// daemon's log, and the others are led all the same.
#include <gtest/gtest.h>

#include <fmt/format.h>

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
    static void is_named(const Daemon& daemon, const std::string& alias, const std::string& what,
                         const std::string& remedy) {
        for (const char* command : {"check", "plan"}) {
            const Said said = stage().fixpoint({command});
            EXPECT_EQ(said.code, 3) << said.all();
            EXPECT_TRUE(says(said.out, alias, {what}) && said.has(remedy))
                << command << " does not say \"" << what << "\" and \"" << remedy << "\" of " << alias
                << ":\n"
                << said.all();
        }
        EXPECT_TRUE(eventually(15s, [&] { return says(daemon.log(), alias, {what, remedy}); }))
            << "the log does not say \"" << what << "\" of " << alias << ":\n"
            << daemon.log();
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
    int uid = 110;
    for (const Case& c : cases) {
        const Impostor impostor(c.manner);
        const std::string alias = fmt::format("zone1-{}", uid++);
        ASSERT_EQ(stage().fixpoint({"declare", "commerce/0", "--add", alias + "=" + impostor.address()}).code,
                  0);
        is_named(daemon, alias, c.what, c.remedy);
        is_led(replica, daemon);
        EXPECT_GT(impostor.connections(), 0);
        const Said gone = stage().fixpoint({"declare", "commerce/0", "--remove", alias});
        EXPECT_EQ(gone.code, 0) << gone.all();
    }
    EXPECT_TRUE(stage().settles(15s)) << stage().fixpoint({"status"}).all();
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
    EXPECT_TRUE(stage().settles(20s)) << stage().fixpoint({"status"}).all() << daemon.log();
    EXPECT_EQ(daemon.stop(), 0);
}

}  // namespace
}  // namespace fixpoint::daemon_tests
