// The adapter's pure parts: texts that servers get, rows that they answer with, grants.
#include <gtest/gtest.h>

#include "real_adapters/mysql/decode.hpp"
#include "real_adapters/mysql/privileges.hpp"
#include "real_adapters/mysql/render.hpp"

namespace fixpoint::real {
namespace {

using namespace std::chrono_literals;

const ReplicationCredentials replication{"repl", "pa'ss\\word", false};

TEST(Render, quotes_what_it_is_given) {
    EXPECT_EQ(literal("plain"), "'plain'");
    EXPECT_EQ(literal("it's \\"), "'it\\'s \\\\'");
    EXPECT_EQ(identifier("a`b"), "`a``b`");
    EXPECT_EQ(render(sql::Nudge{"n`1"}, replication), "DROP TABLE IF EXISTS fixpoint_nudge.`n``1`");
}

TEST(Render, never_waits_for_ever_where_no_time_was_given) {
    EXPECT_EQ(seconds_text(0ns), "0.001");
    EXPECT_EQ(seconds_text(1500ms), "1.500");
    EXPECT_EQ(render(sql::GetLock{"x", 0s}, replication), "SELECT GET_LOCK('x', 0)");
    EXPECT_EQ(render(sql::GetLock{"x", 10ms}, replication), "SELECT GET_LOCK('x', 1)");
    EXPECT_EQ(render(sql::GetLock{"x", -5s}, replication), "SELECT GET_LOCK('x', 0)");
}

TEST(Render, a_change_of_receiver_options_does_not_name_auto_position) {
    sql::ChangeSource change{.source = {"db1", 3307}, .heartbeat_period = 500ms};
    const std::string whole = render(change, replication);
    EXPECT_NE(whole.find("SOURCE_AUTO_POSITION = 1"), std::string::npos);
    EXPECT_NE(whole.find("SOURCE_HOST = 'db1', SOURCE_PORT = 3307, SOURCE_USER = 'repl', "
                         "SOURCE_PASSWORD = 'pa\\'ss\\\\word', SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1, "
                         "SOURCE_HEARTBEAT_PERIOD = 0.500"),
              std::string::npos)
        << whole;
    change.receiver_options_only = true;
    EXPECT_EQ(render(change, replication).find("AUTO_POSITION"), std::string::npos);
    EXPECT_NE(render(change, {"repl", "x", true}).find("SOURCE_SSL = 1, GET_SOURCE_PUBLIC_KEY = 0"),
              std::string::npos);
}

TEST(Render, reads_what_is_owned_before_what_is_executed) {
    for (const std::string& text :
         {render(sql::ReadGtids{}, replication), render(sql::Look{{"k", "0"}}, replication)}) {
        EXPECT_LT(text.find("@@GLOBAL.gtid_owned"), text.find("@@GLOBAL.gtid_executed"));
    }
}

TEST(Render, a_variable_is_set_by_its_own_kind_of_value) {
    using enum sql::Variable;
    EXPECT_EQ(render(sql::SetGlobal{super_read_only, 1}, replication), "SET GLOBAL super_read_only = ON");
    EXPECT_EQ(render(sql::SetPersistOnly{skip_replica_start, 0}, replication),
              "SET PERSIST_ONLY skip_replica_start = OFF");
    EXPECT_EQ(render(sql::SetGlobal{rpl_semi_sync_source_wait_point, 0}, replication),
              "SET GLOBAL rpl_semi_sync_source_wait_point = 'AFTER_SYNC'");
    EXPECT_EQ(render(sql::SetGlobal{server_id, 7}, replication), "SET GLOBAL server_id = 7");
}

TEST(Decode, owned_transactions_are_read_without_their_threads) {
    const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    RawAnswer answer;
    answer.results.push_back(
        {{"owned", "executed"}, {{uuid + ":19#28:18#27,\n" + uuid + ":tag:3#5", uuid + ":1-17"}}});
    const sql::Result result = decode(sql::ReadGtids{}, answer);
    ASSERT_TRUE(result.has_value());
    const auto& gtids = std::get<sql::GtidsAnswer>(*result);
    EXPECT_EQ(gtids.owned.to_string(), uuid + ":18-19:tag:3");
    EXPECT_EQ(gtids.executed.to_string(), uuid + ":1-17");
}

TEST(Decode, an_answer_that_is_not_understood_is_an_error_and_no_guess) {
    for (const RawAnswer& answer :
         {RawAnswer{}, RawAnswer{{{{"a"}, {{"x"}}}}, {}}, RawAnswer{{{{"a", "b"}, {{"nonsense", ""}}}}, {}},
          RawAnswer{{{{"a", "b"}, {{std::nullopt, ""}}}}, {}}}) {
        const sql::Result result = decode(sql::ReadGtids{}, answer);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().number, 0);
    }
}

TEST(Decode, a_null_of_a_lock_function_is_an_error_and_a_zero_is_no) {
    EXPECT_FALSE(decode(sql::GetLock{"x", 0s}, {{{{"l"}, {{std::nullopt}}}}, {}}).has_value());
    EXPECT_FALSE(std::get<bool>(*decode(sql::GetLock{"x", 0s}, {{{{"l"}, {{"0"}}}}, {}})));
    EXPECT_TRUE(std::get<bool>(*decode(sql::WaitForExecuted{{}, 0s}, {{{{"w"}, {{"0"}}}}, {}})));
    EXPECT_FALSE(std::get<bool>(*decode(sql::WaitForExecuted{{}, 0s}, {{{{"w"}, {{"1"}}}}, {}})));
}

TEST(Decode, a_missing_journal_is_empty_and_any_other_error_stays_one) {
    const auto with_error = [](int number) {
        return RawAnswer{{}, sql::Error{sql::ErrorKind::server, number, ""}};
    };
    EXPECT_TRUE(decode(sql::ReadJournal{{"k", "0"}}, with_error(1146)).has_value());
    EXPECT_TRUE(decode(sql::ReadJournal{{"k", "0"}}, with_error(1049)).has_value());
    EXPECT_FALSE(decode(sql::ReadJournal{{"k", "0"}}, with_error(1205)).has_value());
    EXPECT_FALSE(decode(sql::ReadSessions{}, with_error(1146)).has_value());
}

const std::vector<std::string> managers_grants{
    "GRANT RELOAD, PROCESS, REPLICATION CLIENT ON *.* TO `m`@`%`",
    "GRANT "
    "CONNECTION_ADMIN,PERSIST_RO_VARIABLES_ADMIN,REPLICATION_SLAVE_ADMIN,SYSTEM_USER,SYSTEM_VARIABLES_ADMIN "
    "ON *.* "
    "TO `m`@`%`",
    "GRANT SELECT, INSERT, CREATE ON `fixpoint`.* TO `m`@`%`",
    "GRANT DROP ON `fixpoint_nudge`.* TO `m`@`%`",
};

TEST(Privileges, the_manuals_account_lacks_nothing_and_each_grant_is_needed) {
    EXPECT_TRUE(missing_privileges(managers_grants).empty());
    for (std::size_t i = 0; i < managers_grants.size(); ++i) {
        std::vector<std::string> fewer = managers_grants;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_FALSE(missing_privileges(fewer).empty());
    }
    EXPECT_EQ(missing_privileges({}).size(), 12U);
}

TEST(Privileges, a_pattern_of_databases_counts_and_a_table_does_not) {
    std::vector<std::string> grants = managers_grants;
    grants[2] = "GRANT ALL PRIVILEGES ON `fix%`.* TO `m`@`%` WITH GRANT OPTION";
    EXPECT_TRUE(missing_privileges(grants).empty());
    grants[2] = "GRANT SELECT, INSERT, CREATE ON `fixpoint`.`journal` TO `m`@`%`";
    EXPECT_EQ(missing_privileges(grants).size(), 3U);
    grants[2] = "GRANT SELECT, INSERT, CREATE ON `fix\\_oint`.* TO `m`@`%`";
    EXPECT_EQ(missing_privileges(grants).size(), 3U);
    grants[3] = "GRANT DROP ON `fixpoint\\_nudge`.* TO `m`@`%`";
    EXPECT_EQ(missing_privileges(grants).size(), 3U);
}

TEST(Privileges, a_partial_revoke_takes_away_what_was_given_everywhere) {
    std::vector<std::string> grants = managers_grants;
    grants[2] = "GRANT SELECT, INSERT, CREATE ON *.* TO `m`@`%`";
    EXPECT_TRUE(missing_privileges(grants).empty());
    grants.emplace_back("REVOKE INSERT ON `fixpoint`.* FROM `m`@`%`");
    EXPECT_EQ(missing_privileges(grants), std::vector<std::string>{"INSERT ON `fixpoint`.*"});
    grants.back() = "REVOKE INSERT ON `other`.* FROM `m`@`%`";
    EXPECT_TRUE(missing_privileges(grants).empty());
}

}  // namespace
}  // namespace fixpoint::real
