// Receiver and applier: their states, what holds them and what stops them (M6, M7, M10, M12, M46, M48, M54).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

using sql::ThreadState;

class Receiver : public Contract {};

TEST_P(Receiver, M6_a_receiver_notices_a_killed_source_at_once_and_comes_back_by_itself) {
    arm().start_servers(2);
    Manager replica = arm().login(1);
    follow(*replica, 0);
    arm().kill(0);
    ASSERT_TRUE(becomes_true(
        [&] { return channel(*replica).receiver_errno == sql::error_number::cannot_connect; }, 5s));
    EXPECT_EQ(channel(*replica).receiver, ThreadState::connecting);
    EXPECT_TRUE(channel(*replica).applier_running);
    arm().start(0);
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver == ThreadState::yes; }, 15s));
    EXPECT_EQ(channel(*replica).receiver_errno, 0);
}

TEST_P(Receiver, M6_M46_a_paused_source_is_noticed_after_the_net_timeout_and_reported_after_twice_that) {
    arm().start_servers(2, {.replica_net_timeout_s = 2});
    Manager replica = arm().login(1);
    follow(*replica, 0);
    arm().pause(0);
    const Instant paused = arm().now();
    EXPECT_EQ(channel(*replica).receiver, ThreadState::yes);
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver == ThreadState::connecting; }, 8s));
    const Duration noticed = arm().now() - paused;
    EXPECT_GE(noticed, 900ms);  // heartbeats come each second: the last one may be that old
    EXPECT_LE(noticed, 5s);
    EXPECT_EQ(channel(*replica).receiver_errno, 0);
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver_errno != 0; }, 12s));
    EXPECT_GE(arm().now() - paused, 2900ms);
    // 9.7.4 reports the failed attempt to connect; which of the two numbers depends on how far that came.
    const int number = channel(*replica).receiver_errno;
    EXPECT_TRUE(number == sql::error_number::server_lost || number == sql::error_number::cannot_connect)
        << number;
    arm().resume(0);
    EXPECT_TRUE(becomes_true([&] { return channel(*replica).receiver == ThreadState::yes; }, 10s));
}

TEST_P(Receiver, M7_received_is_not_applied_and_an_acknowledgement_means_received) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    acks(*replica, true);
    point(*replica, 0);
    start_receiver(*replica);
    semi_sync_source(*source, true);
    open(*source);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    EXPECT_TRUE(
        channel(*replica).retrieved.contains(Gtid{{uuid, ""}, 1}));  // at once: that is what was promised
    EXPECT_TRUE(executed(*replica).empty());
}

TEST_P(Receiver, M10_a_lock_holds_the_applier_and_neither_the_receiver_nor_its_stop) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    open(*source);
    follow(*replica, 0);
    auto blocker = arm().login(1, Account::client);
    arm().work(*blocker, LockTablesForRead{});
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(receives(*replica, executed(*source)));
    arm().pass(300ms);
    EXPECT_TRUE(executed(*replica).empty());
    EXPECT_TRUE(channel(*replica).applier_running);
    EXPECT_FALSE(channel(*replica).applier_idle);  // although its coordinator has read all (so it says)
    EXPECT_FALSE(channel(*replica).applier_only_reads);
    const Instant before = arm().now();
    arm().run(*replica, sql::StopReceiver{});
    EXPECT_LE(arm().now() - before, 5s);
    arm().work(*blocker, UnlockTables{});
    EXPECT_TRUE(executes(*replica, executed(*source)));
    EXPECT_TRUE(becomes_true([&] { return channel(*replica).applier_idle; }));
}

TEST_P(Receiver, M10_a_source_delay_holds_the_applier_and_not_the_receiver) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    open(*source);
    follow(*replica, 0);
    arm().set_source_delay(1, 4s);
    EXPECT_EQ(channel(*replica).delay, 4s);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    const Instant written = arm().now();
    ASSERT_TRUE(receives(*replica, executed(*source)));
    EXPECT_TRUE(executed(*replica).empty());
    arm().pass(300ms);
    EXPECT_FALSE(channel(*replica).applier_only_reads);
    ASSERT_TRUE(executes(*replica, executed(*source)));
    EXPECT_GE(arm().now() - written, 2900ms);  // whole seconds, and the second of the write had begun
}

TEST_P(Receiver, M10_M54_stopping_a_blocked_applier_ends_with_1875_and_what_only_reads_answers_meanwhile) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    Manager other = arm().login(1);
    Manager third = arm().login(1);
    set(*replica, sql::Variable::rpl_stop_replica_timeout, 5);
    open(*source);
    follow(*replica, 0);
    auto blocker = arm().login(1, Account::client);
    arm().work(*blocker, LockTablesForRead{});
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(receives(*replica, executed(*source)));
    arm().pass(300ms);

    const Instant begun = arm().now();
    const PendingAnswer stop = replica->start(sql::StopApplier{});
    EXPECT_TRUE(stays_pending(stop, 300ms));
    const PendingAnswer stop_receiver = other->start(sql::StopReceiver{});
    const sql::LookAnswer seen = look(*third);  // answers while both hang
    EXPECT_EQ(seen.channels.size(), 1U);
    EXPECT_FALSE(stop.done());
    EXPECT_FALSE(stop_receiver.done());
    ASSERT_TRUE(ends_as(stop, Outcome::failed, 15s));
    EXPECT_EQ(stop.error_number(), sql::error_number::stop_replica_timed_out);
    EXPECT_GE(arm().now() - begun, 4s);
    EXPECT_TRUE(ends_as(stop_receiver, Outcome::acknowledged, 15s));
    arm().work(*blocker, UnlockTables{});
}

TEST_P(Receiver, M12_a_server_without_a_channel_starts_none_and_has_nothing_to_stop) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    EXPECT_TRUE(arm().run(*manager, sql::ReadReplica{}).empty());
    const auto receiver = arm().try_run(*manager, sql::StartReceiver{});
    ASSERT_FALSE(receiver.has_value());
    EXPECT_EQ(receiver.error().number, sql::error_number::no_channel);
    EXPECT_TRUE(arm().try_run(*manager, sql::StopReceiver{}).has_value());
    EXPECT_TRUE(arm().try_run(*manager, sql::StopApplier{}).has_value());
    EXPECT_TRUE(arm().try_run(*manager, sql::ResetReplica{.all = true}).has_value());
}

// (On a server that never had a channel 9.7.4 starts an applier that no status shows; after a RESET it
// refuses.)
TEST_P(Receiver, M12_after_the_end_of_a_channel_no_applier_starts) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    arm().run(*manager, sql::ResetReplica{.all = true});
    const auto applier = arm().try_run(*manager, sql::StartApplier{});
    ASSERT_FALSE(applier.has_value());
    EXPECT_EQ(applier.error().number, connection_metadata);
}

TEST_P(Receiver, M48_equal_server_ids_stop_the_receiver) {
    arm().start_servers(2);
    Manager replica = arm().login(1);
    set(*replica, sql::Variable::server_id, 101);
    point(*replica, 0);
    arm().run(*replica, sql::StartReceiver{});
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver_errno != 0; }));
    EXPECT_EQ(channel(*replica).receiver_errno, sql::error_number::receiver_equal_server_ids);
    EXPECT_EQ(channel(*replica).receiver, ThreadState::no);
}

TEST_P(Receiver, M54_with_its_source_paused_a_receivers_stop_waits_for_the_attempt_to_connect) {
    arm().start_servers(2, {.replica_net_timeout_s = 2});
    Manager replica = arm().login(1);
    follow(*replica, 0);
    arm().pause(0);
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver == ThreadState::connecting; }, 5s));
    const PendingAnswer stop = replica->start(sql::StopReceiver{});
    EXPECT_TRUE(ends_as(stop, Outcome::acknowledged, 5s));
    EXPECT_EQ(channel(*replica).receiver, ThreadState::no);
    arm().resume(0);
}

FIXPOINT_CONTRACT_SUITE(Receiver);

}  // namespace
}  // namespace fixpoint::contract
