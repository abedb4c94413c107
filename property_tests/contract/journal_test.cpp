// The journal and the nudge: ordinary writes, what they wait for, and who waits for them (M50).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

namespace errors = sql::error_number;

class Journal : public Contract {
  protected:
    sql::JournalRow row(std::int64_t term, std::int64_t revision, std::uint32_t tablet) {
        const Uuid uuid{0x1111, tablet};
        return {shard, term, revision, {"zone1", tablet}, uuid, GtidSet::interval(uuid, 1, term)};
    }
};

TEST_P(Journal, a_server_without_the_table_has_an_empty_journal) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    EXPECT_TRUE(arm().run(*manager, sql::ReadJournal{shard}).empty());
}

TEST_P(Journal, the_newest_row_of_each_primary_is_read_newest_first) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    open(*manager);
    arm().run(*manager, sql::CreateJournal{});
    EXPECT_TRUE(arm().run(*manager, sql::ReadJournal{shard}).empty());
    for (const auto& [term, revision, tablet] :
         {std::tuple{1, 0, 100U}, {2, 0, 101U}, {2, 1, 101U}, {3, 0, 100U}, {10, 0, 102U}}) {
        arm().run(*manager, sql::InsertJournalRow{row(term, revision, tablet)});
    }
    sql::JournalRow elsewhere = row(77, 0, 100);
    elsewhere.shard.shard = "80-";
    arm().run(*manager, sql::InsertJournalRow{elsewhere});
    const std::vector<sql::JournalRow> expected{row(10, 0, 102), row(3, 0, 100), row(2, 1, 101)};
    EXPECT_EQ(arm().run(*manager, sql::ReadJournal{shard}), expected);
    arm().run(*manager, sql::CreateJournal{});  // again: harmless
    EXPECT_EQ(arm().run(*manager, sql::ReadJournal{shard}), expected);
}

TEST_P(Journal, a_closed_server_refuses_journal_and_nudge) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    const auto create = arm().try_run(*manager, sql::CreateJournal{});
    ASSERT_FALSE(create.has_value());
    EXPECT_EQ(create.error().number, errors::option_prevents_statement);
    const auto nudge = arm().try_run(*manager, sql::Nudge{"n1"});
    ASSERT_FALSE(nudge.has_value());
    EXPECT_EQ(nudge.error().number, errors::option_prevents_statement);
    open(*manager);
    arm().run(*manager, sql::CreateJournal{});
    arm().run(*manager, sql::SetGlobal{sql::Variable::super_read_only, 1});
    const auto insert = arm().try_run(*manager, sql::InsertJournalRow{row(1, 0, 100)});
    ASSERT_FALSE(insert.has_value());
    EXPECT_EQ(insert.error().number, errors::option_prevents_statement);
    EXPECT_EQ(executed(*manager).count(), 2);
}

TEST_P(Journal, M50_a_creation_that_waits_blocks_its_table_and_a_nudge_frees_all) {
    arm().start_servers(2);
    Manager manager = arm().login(0);
    Manager replica = arm().login(1);
    follow(*replica, 0);  // receives, and does not acknowledge
    semi_sync_source(*manager, true);
    open(*manager);
    auto creator = arm().login(0, Account::client);
    auto reader = arm().login(0, Account::client);
    const PendingWork create = creator->start(CreateTable{"t"});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
    const PendingWork select = reader->start(SelectFrom{"t"});
    EXPECT_TRUE(stays_pending(select));
    EXPECT_FALSE(create.done());

    acks(*replica, true);
    arm().run(*replica, sql::StopReceiver{});
    start_receiver(*replica);
    EXPECT_TRUE(stays_pending(create));
    Manager nudger = arm().login(0);
    arm().run(*nudger, sql::Nudge{"n1"});
    EXPECT_TRUE(ends_as(create, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(select, Outcome::acknowledged));
    EXPECT_EQ(executed(*manager).count(), 2);
}

TEST_P(Journal, M50_the_creation_of_the_journal_that_waits_makes_reading_it_give_up) {
    arm().start_servers(2);
    Manager manager = arm().login(0);
    open(*manager);
    arm().run(*manager, sql::CreateJournal{});
    const GtidSet before = executed(*manager);
    semi_sync_source(*manager, true);
    Manager creator = arm().login(0);
    const PendingAnswer create = creator->start(sql::CreateJournal{});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
    Manager second = arm().login(0);
    arm().run(*second, sql::SetSessionLockWait{1});
    const auto again = arm().try_run(*second, sql::CreateJournal{});  // its schema is locked
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().number, errors::lock_wait_timeout);
    EXPECT_FALSE(create.done());
    set(*manager, sql::Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(create, Outcome::acknowledged));
    EXPECT_GT(executed(*manager).count(), before.count());
}

TEST_P(Journal, M50_rows_do_not_wait_for_one_another_and_a_waiting_row_stops_no_reader) {
    arm().start_servers(2);
    Manager manager = arm().login(0);
    open(*manager);
    arm().run(*manager, sql::CreateJournal{});
    arm().run(*manager, sql::InsertJournalRow{row(1, 0, 100)});
    semi_sync_source(*manager, true);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    const PendingAnswer first = one->start(sql::InsertJournalRow{row(2, 0, 101)});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
    const PendingAnswer second = two->start(sql::InsertJournalRow{row(2, 0, 101)});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 2; }));
    arm().run(*manager, sql::SetSessionLockWait{1});
    EXPECT_EQ(arm().run(*manager, sql::ReadJournal{shard}), std::vector<sql::JournalRow>{row(1, 0, 100)});
    Manager replica = arm().login(1);
    acks(*replica, true);
    follow(*replica, 0);
    EXPECT_TRUE(ends_as(first, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(second, Outcome::acknowledged));
    EXPECT_EQ(arm().run(*manager, sql::ReadJournal{shard}).size(), 2U);
}

TEST_P(Journal, M50_a_second_nudge_of_the_same_name_waits_for_the_first_and_one_of_another_does_not) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    semi_sync_source(*manager, true);
    open(*manager);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    Manager three = arm().login(0);
    const PendingAnswer first = one->start(sql::Nudge{"n1"});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
    const PendingAnswer same = two->start(sql::Nudge{"n1"});
    const PendingAnswer other = three->start(sql::Nudge{"n2"});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 2; }));
    arm().pass(300ms);
    EXPECT_EQ(owned(*manager).count(), 2);
    EXPECT_FALSE(same.done());
    set(*manager, sql::Variable::rpl_semi_sync_source_enabled, 0);
    for (const PendingAnswer& nudge : {first, same, other})
        EXPECT_TRUE(ends_as(nudge, Outcome::acknowledged));
    EXPECT_EQ(executed(*manager).count(), 3);
}

TEST_P(Journal, M50_a_flush_is_written_to_the_log_of_a_closed_server_too) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    EXPECT_TRUE(server(*manager).super_read_only);
    const Uuid uuid = server_uuid(*manager);
    arm().work(*manager, FlushTables{});
    EXPECT_EQ(executed(*manager), GtidSet::interval(uuid, 1, 1));
}

FIXPOINT_CONTRACT_SUITE(Journal);

}  // namespace
}  // namespace fixpoint::contract
