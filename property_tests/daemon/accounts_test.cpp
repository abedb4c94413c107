// The accounts on genuine servers: whatever is missing is named and nothing is touched there, what is granted
// later is seen, and who lets us not in is alive.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <sstream>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

class Accounts : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }
    static int another_than(int i) { return (i + 1) % 3; }
    static std::string states() { return stage().states(); }
};

TEST_F(Accounts, each_missing_privilege_is_named_and_nothing_is_touched_there) {
    stage().converged();
    const std::vector<std::pair<std::string, std::string>> privileges{
        {"PROCESS", "*.*"},
        {"RELOAD", "*.*"},
        {"REPLICATION CLIENT", "*.*"},
        {"SYSTEM_USER", "*.*"},
        {"CONNECTION_ADMIN", "*.*"},
        {"SYSTEM_VARIABLES_ADMIN", "*.*"},
        {"PERSIST_RO_VARIABLES_ADMIN", "*.*"},
        {"REPLICATION_SLAVE_ADMIN", "*.*"},
        {"SELECT", "`fixpoint`.*"},
        {"INSERT", "`fixpoint`.*"},
        {"CREATE", "`fixpoint`.*"},
        {"DROP", "`fixpoint\\_nudge`.*"},
    };
    const auto change = [&](int server, const char* verb, const char* preposition, std::size_t which) {
        const auto& [privilege, object] = privileges[which];
        stage().as_administrator(server, {"SET GLOBAL super_read_only = OFF",
                                          fmt::format("{} {} ON {} {} 'fixpoint'@'127.0.0.1'", verb,
                                                      privilege, object, preposition),
                                          "SET GLOBAL super_read_only = @@GLOBAL.read_only"});
    };
    // Three at a time, each taken from a server of its own.
    for (std::size_t first = 0; first < privileges.size(); first += 3) {
        for (int server = 0; server < 3; ++server)
            change(server, "REVOKE", "FROM", first + static_cast<std::size_t>(server));
        const std::string before = states();
        for (const char* command : {"check", "plan"}) {
            const Said said = stage().fixpoint({command});
            EXPECT_EQ(said.code, 3) << said.all();
            for (int server = 0; server < 3; ++server) {
                const auto& [privilege, object] = privileges[first + static_cast<std::size_t>(server)];
                std::string named = object;
                std::erase(named, '\\');
                bool found = false;
                std::istringstream lines(said.all());
                for (std::string line; std::getline(lines, line);) {
                    found = found || (line.find(stage().alias(server)) != std::string::npos &&
                                      line.find(privilege + " ON " + named) != std::string::npos);
                }
                EXPECT_TRUE(found) << command << ": " << privilege << " on " << stage().alias(server) << "\n"
                                   << said.all();
            }
        }
        EXPECT_EQ(states(), before);
        for (int server = 0; server < 3; ++server)
            change(server, "GRANT", "TO", first + static_cast<std::size_t>(server));
    }
    EXPECT_EQ(stage().fixpoint({"check"}).code, 0);
}

TEST_F(Accounts, what_is_granted_later_is_seen_and_the_server_is_led_again) {
    stage().converged();
    const int replica = another_than(stage().primary());
    stage().as_administrator(
        replica, {"SET GLOBAL super_read_only = OFF", "REVOKE RELOAD ON *.* FROM 'fixpoint'@'127.0.0.1'"});
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("not_manageable(" + stage().alias(replica) + ")")) << daemon.log();
    EXPECT_EQ(stage().ask(replica, "SELECT @@GLOBAL.super_read_only"), "0");
    stage().as_administrator(replica, {"GRANT RELOAD ON *.* TO 'fixpoint'@'127.0.0.1'"});
    EXPECT_TRUE(eventually(10s, [&] {
        return stage().ask(replica, "SELECT @@GLOBAL.super_read_only") == "1";
    })) << daemon.log();
    EXPECT_TRUE(stage().settles(15s)) << stage().fixpoint({"status"}).all() << daemon.log();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Accounts, a_replication_account_that_has_too_much_or_too_little_is_reported) {
    stage().converged();
    const int replica = another_than(stage().primary());
    const auto as_root = [&](const std::string& statement) {
        stage().as_administrator(replica, {"SET GLOBAL super_read_only = OFF", statement,
                                           "SET GLOBAL super_read_only = @@GLOBAL.read_only"});
    };
    as_root("GRANT CONNECTION_ADMIN ON *.* TO 'fixpoint_replication'@'127.0.0.1'");
    Said said = stage().fixpoint({"check"});
    EXPECT_EQ(said.code, 3) << said.all();
    EXPECT_TRUE(said.has(stage().alias(replica) + ": the replication account has CONNECTION_ADMIN"))
        << said.all();
    as_root("REVOKE CONNECTION_ADMIN ON *.* FROM 'fixpoint_replication'@'127.0.0.1'");
    as_root("REVOKE REPLICATION SLAVE ON *.* FROM 'fixpoint_replication'@'127.0.0.1'");
    said = stage().fixpoint({"check"});
    EXPECT_TRUE(said.has("lacks REPLICATION SLAVE")) << said.all();
    as_root("GRANT REPLICATION SLAVE ON *.* TO 'fixpoint_replication'@'127.0.0.1'");
    as_root("ALTER USER 'fixpoint_replication'@'127.0.0.1' ACCOUNT LOCK");
    said = stage().fixpoint({"check"});
    EXPECT_TRUE(said.has("the replication account cannot log in")) << said.all();
    as_root("ALTER USER 'fixpoint_replication'@'127.0.0.1' ACCOUNT UNLOCK");
    EXPECT_EQ(stage().fixpoint({"check"}).code, 0);
}

TEST_F(Accounts, a_password_that_is_none_of_theirs_makes_nobody_dead) {
    stage().converged();
    std::string text = stage().configuration_text();
    text.replace(text.find("manager.password"), 16, "wrong.password__");
    stage().write("wrong.password__", "not the password\n");
    const Said said = stage().fixpoint_with(stage().write("wrong-password.json", text), {"status", "--all"});
    EXPECT_EQ(said.code, 3) << said.all();
    EXPECT_TRUE(said.has("lets us not in") && said.has("1045")) << said.all();
    EXPECT_FALSE(said.has("emergency_reparent")) << said.all();
}

}  // namespace
}  // namespace fixpoint::daemon_tests
