// Transactions and their identifiers: who numbers them, who keeps them, what a replica is sent (M2 to M5).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

class Transactions : public Contract {};

TEST_P(Transactions, M2_a_commit_gets_its_servers_next_number_and_an_applied_one_keeps_it) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    open(*source);
    follow(*replica, 0);

    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    EXPECT_EQ(executed(*source), GtidSet::interval(uuid, 1, 1));
    arm().work(*client, Begin{});
    arm().work(*client, Insert{2});
    arm().work(*client, Insert{3});
    EXPECT_EQ(executed(*source), GtidSet::interval(uuid, 1, 1));
    arm().work(*client, Commit{});
    EXPECT_EQ(executed(*source), GtidSet::interval(uuid, 1, 2));

    ASSERT_TRUE(executes(*replica, GtidSet::interval(uuid, 1, 2)));
    EXPECT_EQ(executed(*replica), GtidSet::interval(uuid, 1, 2));
    EXPECT_EQ(ids(1), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_TRUE(server(*replica).super_read_only);  // M11: it applies on a closed server
}

TEST_P(Transactions, M2_an_applied_transaction_is_in_the_replicas_own_log_for_replicas_of_its_own) {
    arm().start_servers(3);
    Manager source = arm().login(0);
    Manager middle = arm().login(1);
    Manager last = arm().login(2);
    open(*source);
    follow(*middle, 0);
    follow(*last, 1);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    EXPECT_TRUE(executes(*last, executed(*source)));
    EXPECT_EQ(channel(*last).source_uuid, server_uuid(*middle));
}

TEST_P(Transactions, M3_a_source_sends_all_that_the_replica_lacks_and_nothing_that_it_has) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    open(*source);
    auto client = arm().login(0, Account::client);
    for (int i = 1; i <= 3; ++i) arm().work(*client, Insert{i});

    arm().insert_unlogged(1, 2);  // the replica has the row of the second transaction, and says so
    arm().execute_empty_transaction(1, {{uuid, ""}, 2});
    follow(*replica, 0);
    ASSERT_TRUE(executes(*replica, GtidSet::interval(uuid, 1, 3)));
    EXPECT_EQ(channel(*replica).retrieved, GtidSet::interval(uuid, 1, 1) | GtidSet::interval(uuid, 3, 3));
}

TEST_P(Transactions, M3_what_is_purged_at_the_source_cannot_be_sent) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    open(*source);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    arm().purge_binary_logs(0);
    EXPECT_EQ(server(*source).gtid_purged, executed(*source));

    point(*replica, 0);
    arm().run(*replica, sql::StartReceiver{});
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver_errno != 0; }));
    const sql::ReplicaRow row = channel(*replica);
    EXPECT_EQ(row.receiver_errno, sql::error_number::receiver_purged);
    EXPECT_NE(row.receiver_error.find("1236"), std::string::npos) << row.receiver_error;
    EXPECT_EQ(row.receiver, sql::ThreadState::no);
    arm().pass(2500ms);  // M48: and it is not tried again
    EXPECT_EQ(channel(*replica).receiver, sql::ThreadState::no);
}

TEST_P(Transactions, M3_a_replica_with_more_of_the_sources_own_uuid_is_refused) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    arm().execute_empty_transaction(1, {{server_uuid(*source), ""}, 5});
    point(*replica, 0);
    arm().run(*replica, sql::StartReceiver{});
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver_errno != 0; }));
    EXPECT_EQ(channel(*replica).receiver_errno, sql::error_number::receiver_purged);
    EXPECT_NE(channel(*replica).receiver_error.find("1236"), std::string::npos);
    EXPECT_EQ(channel(*replica).receiver, sql::ThreadState::no);
}

TEST_P(Transactions, M3_an_errant_transaction_of_the_replica_itself_does_not_stop_it) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid own = server_uuid(*replica);
    arm().execute_empty_transaction(1, {{own, ""}, 1});
    open(*source);
    follow(*replica, 0);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    EXPECT_TRUE(executes(*replica, executed(*source)));
    EXPECT_TRUE(executed(*replica).contains(Gtid{{own, ""}, 1}));
    EXPECT_FALSE(executed(*source).contains(Gtid{{own, ""}, 1}));
}

TEST_P(Transactions, M3_what_was_received_counts_as_had_even_when_what_was_executed_is_reset) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    open(*source);
    follow(*replica, 0);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(executes(*replica, executed(*source)));
    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    arm().reset_binary_logs(1);
    EXPECT_TRUE(executed(*replica).empty());
    EXPECT_EQ(channel(*replica).retrieved, GtidSet::interval(uuid, 1, 1));

    arm().run(*replica, sql::StartApplier{});
    start_receiver(*replica);
    arm().work(*client, Insert{2});
    ASSERT_TRUE(executes(*replica, GtidSet::interval(uuid, 2, 2)));
    EXPECT_EQ(executed(*replica), GtidSet::interval(uuid, 2, 2));  // the first is never sent again
}

TEST_P(Transactions, M4_waiting_for_an_executed_set_says_whether_it_came) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    open(*source);
    follow(*replica, 0);
    EXPECT_TRUE(arm().run(*replica, sql::WaitForExecuted{{}, 1s}));
    EXPECT_FALSE(arm().run(*replica, sql::WaitForExecuted{GtidSet::interval(uuid, 1, 1), 300ms}));

    const PendingAnswer waiting = replica->start(sql::WaitForExecuted{GtidSet::interval(uuid, 1, 1), 20s});
    EXPECT_TRUE(stays_pending(waiting, 100ms));
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(ends_as(waiting, Outcome::acknowledged));
    EXPECT_TRUE(std::get<bool>(*waiting.result()));
}

// The real server does not care whether an applier runs: it only waits.
TEST_P(Transactions, M4_waiting_with_a_stopped_applier_ends_at_its_timeout) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    follow(*replica, 0);
    arm().run(*replica, sql::StopApplier{});
    const auto answer = arm().try_run(*replica, sql::WaitForExecuted{GtidSet::interval(uuid, 1, 1), 300ms});
    ASSERT_TRUE(answer.has_value()) << answer.error().text;
    EXPECT_FALSE(*answer);
}

TEST_P(Transactions, M5_a_row_that_exists_stops_the_applier_and_the_receiver_goes_on_acknowledging) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    arm().insert_unlogged(1, 1);
    acks(*replica, true);
    follow(*replica, 0);
    semi_sync_source(*source, true);
    open(*source);

    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(applier_stops(*replica, sql::error_number::duplicate_entry));
    EXPECT_EQ(channel(*replica).receiver, sql::ThreadState::yes);
    arm().work(*client, Insert{2});  // acknowledged by a replica that will not apply it
    EXPECT_TRUE(receives(*replica, GtidSet::interval(uuid, 1, 2)));
    EXPECT_TRUE(executed(*replica).empty());
}

TEST_P(Transactions, M5_a_row_that_is_missing_stops_the_applier) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    open(*source);
    follow(*replica, 0);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(executes(*replica, executed(*source)));
    arm().delete_unlogged(1, 1);
    arm().work(*client, Delete{1});
    ASSERT_TRUE(applier_stops(*replica, sql::error_number::key_not_found));
    EXPECT_EQ(channel(*replica).receiver, sql::ThreadState::yes);

    arm().insert_unlogged(1, 1);  // what made it stop is gone: it goes on where it stood
    arm().run(*replica, sql::StartApplier{});
    EXPECT_TRUE(executes(*replica, executed(*source)));
    EXPECT_EQ(channel(*replica).applier_errno, 0);
}

FIXPOINT_CONTRACT_SUITE(Transactions);

}  // namespace
}  // namespace fixpoint::contract
