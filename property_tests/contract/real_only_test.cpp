// What only genuine servers can show: that our sets of GTIDs are the server's (M1), how its grants read, and
// that the adapter's answers hold on odd accounts.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/contract/real_arm.hpp"
#include "property_tests/contract/suite.hpp"
#include "property_tests/support/real_servers/real_server.hpp"

namespace fixpoint::contract {
namespace {

using real::literal;

class RealOnly : public testing::Test {
  protected:
    static Arm& arm() { return arm_of(ArmKind::real); }
    static std::string ask(real::BlockingSession& root, const std::string& query) {
        const real::RawAnswer answer = root.query(query);
        if (answer.error) throw std::runtime_error(query + ": " + answer.error->text);
        return answer.results.at(0).rows.at(0).at(0).value_or("NULL");
    }
};

// The server wraps long sets after commas.
std::string on_one_line(std::string text) {
    std::erase(text, '\n');
    return text;
}

// Few uuids, tags and numbers, so that sets meet.
rc::Gen<std::string> some_set_text() {
    return rc::gen::exec([] {
        const std::vector<std::string> separators{",", " , ", ",\n"};
        const std::vector<std::string> tags{":tag", ":Other_1", ":_x"};
        std::string text;
        const int entries = *rc::gen::inRange(0, 5);
        for (int e = 0; e < entries; ++e) {
            if (e > 0) text += *rc::gen::elementOf(separators);
            text += fmt::format("{}a000000-0000-0000-0000-00000000000{}", *rc::gen::element('0', 'f', 'F'),
                                *rc::gen::inRange(1, 4));
            if (*rc::gen::inRange(0, 4) == 0) text += *rc::gen::elementOf(tags);
            const int intervals = *rc::gen::inRange(1, 4);
            for (int i = 0; i < intervals; ++i) {
                const std::int64_t first = *rc::gen::inRange(1, 30);
                const std::int64_t length = *rc::gen::inRange(0, 6);
                text +=
                    length == 0 ? fmt::format(":{}", first) : fmt::format(":{}-{}", first, first + length);
            }
        }
        return text;
    });
}

TEST_F(RealOnly, M1_sets_of_gtids_parse_print_and_combine_as_the_server_does) {
    arm().start_servers(1);
    real::BlockingSession root = root_at(arm(), 0);
    EXPECT_TRUE(rc::check([&] {
        const std::string a_text = *some_set_text();
        const std::string b_text = *some_set_text();
        const auto a = GtidSet::parse(a_text);
        const auto b = GtidSet::parse(b_text);
        RC_ASSERT(a.has_value() && b.has_value());
        const std::string qa = literal(a_text);
        const std::string qb = literal(b_text);
        RC_ASSERT(a->to_string() == on_one_line(ask(root, fmt::format("SELECT GTID_SUBTRACT({}, '')", qa))));
        RC_ASSERT((*a - *b).to_string() ==
                  on_one_line(ask(root, fmt::format("SELECT GTID_SUBTRACT({}, {})", qa, qb))));
        RC_ASSERT(b->contains(*a) == (ask(root, fmt::format("SELECT GTID_SUBSET({}, {})", qa, qb)) == "1"));
        RC_ASSERT(
            (*a | *b).to_string() ==
            on_one_line(ask(root, fmt::format("SELECT GTID_SUBTRACT(CONCAT({}, ',', {}), '')", qa, qb))));
        const std::string common = fmt::format("SELECT GTID_SUBTRACT({0}, GTID_SUBTRACT({0}, {1}))", qa, qb);
        RC_ASSERT((*a & *b).to_string() == on_one_line(ask(root, common)));
    }));
}

TEST_F(RealOnly, M1_what_the_server_does_not_parse_we_do_not_parse) {
    arm().start_servers(1);
    real::BlockingSession root = root_at(arm(), 0);
    const std::string uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    std::vector<std::string> texts{"x",
                                   uuid,
                                   "3e11fa47-71ca-11e1-9e33-c80aa942956:1",
                                   "," + uuid + ":1",
                                   uuid + "x:1",
                                   uuid + ":1," + uuid};
    for (const std::string end : {":", ":0", ":5-", ":-5", ":1-2-3", ":a b:1", ":1:", ":tag", ":1;2", ":2-1",
                                  ":1,", ":1,,", ":9223372036854775807", ":99999999999999999999", ":1tag:1",
                                  ":thisTagHasMoreThanThirtyTwoCharacters:1"}) {
        texts.push_back(uuid + end);
    }
    for (const std::string& text : texts) {
        const real::RawAnswer answer = root.query(fmt::format("SELECT GTID_SUBTRACT({}, '')", literal(text)));
        const bool server_takes_it = !answer.error && answer.results[0].rows[0][0].has_value();
        const auto ours = GtidSet::parse(text);
        EXPECT_EQ(ours.has_value(), server_takes_it) << text;
        if (ours && server_takes_it) EXPECT_EQ(ours->to_string(), *answer.results[0].rows[0][0]) << text;
    }
}

TEST_F(RealOnly, privileges_are_read_through_roles_and_partial_revokes) {
    arm().start_servers(1);
    real::BlockingSession root = root_at(arm(), 0);
    run_all(root,
            {"SET sql_log_bin = 0", "SET GLOBAL super_read_only = OFF", "DROP USER IF EXISTS odd@'127.0.0.1'",
             "DROP ROLE IF EXISTS half", "CREATE USER odd@'127.0.0.1' IDENTIFIED BY 'odd'",
             "CREATE ROLE half", "GRANT PROCESS, RELOAD ON *.* TO half", "GRANT half TO odd@'127.0.0.1'"});
    const auto missing = [&] {
        auto session =
            real::BlockingSession::connect(arm().address(0), {"odd", "odd", real::Tls::off, ""}, 10s);
        if (!session) throw std::runtime_error(session.error().text);
        return std::get<std::vector<std::string>>(*session->execute(sql::ReadMissingPrivileges{}));
    };
    EXPECT_EQ(missing().size(), 12U);  // a role that is not active gives nothing
    run_all(root, {"SET DEFAULT ROLE half TO odd@'127.0.0.1'"});
    EXPECT_EQ(missing().size(), 10U);
    run_all(root, {"GRANT ALL ON *.* TO odd@'127.0.0.1'"});
    EXPECT_EQ(missing(), std::vector<std::string>{});
    run_all(root, {"SET GLOBAL partial_revokes = ON", "REVOKE INSERT ON fixpoint.* FROM odd@'127.0.0.1'"});
    EXPECT_EQ(missing(), std::vector<std::string>{"INSERT ON `fixpoint`.*"});
    run_all(root, {"DROP USER odd@'127.0.0.1'", "DROP ROLE half", "SET GLOBAL partial_revokes = OFF"});
}

TEST_F(RealOnly, no_error_text_holds_the_replication_password) {
    arm().start_servers(1);
    auto session = real::BlockingSession::connect(arm().address(0), login_of(arm(), Account::client), 10s);
    ASSERT_TRUE(session.has_value());
    const std::string secret = "terribly-secret";
    // A host that is too long, and no privilege: two kinds of error.
    for (const std::string& host : {std::string(300, 'h'), std::string("127.0.0.1")}) {
        const sql::Result result =
            session->execute(sql::ChangeSource{.source = {host, 3306}, .heartbeat_period = 1s},
                             {"replication", secret, false});
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().text.find(secret), std::string::npos) << result.error().text;
    }
}

}  // namespace
}  // namespace fixpoint::contract
