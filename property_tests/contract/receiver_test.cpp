// Receiver, relay log, applier: their states, and what makes a relay log disappear (M6 to M12, M44 to M46,
// M48, M54).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

using sql::ThreadState;

constexpr int connection_metadata = 1871;  // "failed to initialize connection metadata"

class Receiver : public Contract {
  protected:
    // After RESET REPLICA an applier cannot be started before a receiver was.
    void applies_after_a_reset(Session& replica, const GtidSet& sent) {
        const auto applier_first = arm().try_run(replica, sql::StartApplier{});
        ASSERT_FALSE(applier_first.has_value());
        EXPECT_EQ(applier_first.error().number, connection_metadata);
        start_receiver(replica);
        arm().run(replica, sql::StartApplier{});
        EXPECT_TRUE(executes(replica, sent));
    }
};

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

// A replica that has received three transactions and applied none of them.
#define A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS                           \
    arm().start_servers(2);                                             \
    Manager source = arm().login(0);                                    \
    Manager replica = arm().login(1);                                   \
    const GtidSet sent = GtidSet::interval(server_uuid(*source), 1, 3); \
    open(*source);                                                      \
    point(*replica, 0);                                                 \
    start_receiver(*replica);                                           \
    {                                                                   \
        auto client = arm().login(0, Account::client);                  \
        for (int i = 1; i <= 3; ++i) arm().work(*client, Insert{i});    \
    }                                                                   \
    ASSERT_TRUE(receives(*replica, sent))

TEST_P(Receiver, M8_a_change_with_both_threads_stopped_deletes_the_relay_log_whatever_it_changes) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().run(*replica, sql::StopReceiver{});
    EXPECT_EQ(channel(*replica).retrieved, sent);
    point(*replica, 0);  // the same in every parameter
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    EXPECT_TRUE(executed(*replica).empty());

    start_receiver(*replica);  // it is still to be had from this source
    ASSERT_TRUE(receives(*replica, sent));
    arm().run(*replica, sql::StopReceiver{});
    // Receiver options only, and no applier runs: gone as well.
    arm().run(
        *replica,
        sql::ChangeSource{.source = arm().address(0), .heartbeat_period = 2s, .receiver_options_only = true});
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    EXPECT_EQ(channel(*replica).heartbeat_period, 2s);
}

TEST_P(Receiver, M8_a_change_of_receiver_options_with_the_applier_running_keeps_the_relay_log) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    auto blocker = arm().login(1, Account::client);
    arm().work(*blocker, LockTablesForRead{});
    arm().run(*replica, sql::StartApplier{});
    arm().run(*replica, sql::StopReceiver{});
    const auto whole =
        arm().try_run(*replica, sql::ChangeSource{.source = arm().address(0), .heartbeat_period = 2s});
    ASSERT_FALSE(whole.has_value());
    EXPECT_EQ(whole.error().number, sql::error_number::auto_position_with_applier);
    EXPECT_EQ(channel(*replica).retrieved, sent);

    arm().run(
        *replica,
        sql::ChangeSource{.source = arm().address(0), .heartbeat_period = 2s, .receiver_options_only = true});
    EXPECT_EQ(channel(*replica).retrieved, sent);
    EXPECT_EQ(channel(*replica).heartbeat_period, 2s);
    arm().work(*blocker, UnlockTables{});
    EXPECT_TRUE(executes(*replica, sent));
}

TEST_P(Receiver, M8_an_applier_that_stops_by_an_error_turns_the_harmless_change_into_the_other) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    acks(*replica, true);
    arm().insert_unlogged(1, 2);
    arm().run(*replica, sql::StartApplier{});
    ASSERT_TRUE(applier_stops(*replica, sql::error_number::duplicate_entry));
    arm().run(*replica, sql::StopReceiver{});
    arm().run(
        *replica,
        sql::ChangeSource{.source = arm().address(0), .heartbeat_period = 2s, .receiver_options_only = true});
    const sql::ReplicaRow row = channel(*replica);
    EXPECT_TRUE(row.retrieved.empty());
    EXPECT_EQ(row.applier_errno, 0);
    EXPECT_FALSE(row.applier_running);
    EXPECT_TRUE(server(*replica).semi_sync_replica_enabled);
}

TEST_P(Receiver, M8_resetting_a_replica_deletes_the_relay_log_and_with_all_the_channel) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::ResetReplica{.all = false});
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    EXPECT_EQ(channel(*replica).source, arm().address(0));
    applies_after_a_reset(*replica, sent);
    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    arm().run(*replica, sql::ResetReplica{.all = true});
    EXPECT_TRUE(arm().run(*replica, sql::ReadReplica{}).empty());
}

TEST_P(Receiver, M9_a_restart_with_relay_log_recovery_drops_what_was_received_and_not_applied) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true});
    replica = arm().login(1);
    EXPECT_TRUE(server(*replica).relay_log_recovery);
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    EXPECT_TRUE(executed(*replica).empty());
}

TEST_P(Receiver, M9_a_restart_without_relay_log_recovery_keeps_it) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().kill(1);
    arm().start(1);
    replica = arm().login(1);
    EXPECT_EQ(channel(*replica).retrieved, sent);
    arm().kill(0);  // it needs no source to apply them
    arm().run(*replica, sql::StartApplier{});
    EXPECT_TRUE(executes(*replica, sent));
}

// What 9.7.4 does with a tail that a crash has cut (tried with cuts of 10 to 120 bytes, and with zeros): the
// transaction that is no longer whole is not counted as received, the applier passes over it, and the
// receiver fetches it again.
TEST_P(Receiver, M9_a_torn_transaction_at_the_end_of_the_relay_log_is_not_received_and_comes_again) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().kill(1);
    arm().start(1, {.relay_log_torn = true});
    replica = arm().login(1);
    const GtidSet whole = GtidSet::interval(server_uuid(*source), 1, 2);
    EXPECT_EQ(channel(*replica).retrieved, whole);
    arm().run(*replica, sql::StartApplier{});
    ASSERT_TRUE(executes(*replica, whole));
    arm().pass(300ms);
    EXPECT_EQ(executed(*replica), whole);
    EXPECT_TRUE(channel(*replica).applier_running);
    start_receiver(*replica);
    EXPECT_TRUE(executes(*replica, sent));
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

TEST_P(Receiver, M44_a_relay_log_kept_behind_a_recovered_one_is_received_and_never_applied) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    const Uuid uuid = server_uuid(*source);
    open(*source);
    follow(*replica, 0);
    auto client = arm().login(0, Account::client);
    for (int i = 1; i <= 3; ++i) arm().work(*client, Insert{i});
    ASSERT_TRUE(executes(*replica, GtidSet::interval(uuid, 1, 3)));
    arm().run(*replica, sql::StopApplier{});
    arm().work(*client, Insert{4});
    ASSERT_TRUE(receives(*replica, GtidSet::interval(uuid, 4, 4)));

    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true});
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = false});
    replica = arm().login(1);
    EXPECT_EQ(channel(*replica).retrieved, GtidSet::interval(uuid, 1, 4));
    arm().run(*replica, sql::StartApplier{});
    start_receiver(*replica);
    EXPECT_TRUE(
        becomes_true([&] { return channel(*replica).applier_idle; }));  // nothing is left to do, it says
    EXPECT_EQ(executed(*replica), GtidSet::interval(uuid, 1, 3));
    arm().work(*client, Insert{5});
    ASSERT_TRUE(executes(*replica, GtidSet::interval(uuid, 5, 5)));
    arm().run(*replica, sql::StopReceiver{});
    start_receiver(*replica);
    arm().pass(500ms);
    EXPECT_EQ(executed(*replica), GtidSet::interval(uuid, 1, 3) | GtidSet::interval(uuid, 5, 5));
    EXPECT_TRUE(channel(*replica).applier_running);
    EXPECT_EQ(channel(*replica).receiver, ThreadState::yes);

    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    follow(*replica, 0);
    EXPECT_TRUE(executes(*replica, GtidSet::interval(uuid, 1, 5)));
}

TEST_P(Receiver, M45_removed_relay_log_files_stop_everything_until_the_replica_is_reset) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().shut_down(1);
    arm().start(1, {.relay_logs_removed = true});
    replica = arm().login(1);
    const auto start = arm().try_run(*replica, sql::StartReceiver{});
    ASSERT_FALSE(start.has_value());
    EXPECT_EQ(start.error().number, sql::error_number::relay_log_init);
    EXPECT_EQ(channel(*replica).applier_errno, sql::error_number::relay_log_missing);
    // A CHANGE answers OK and clears the error from the status, and nothing can be started all the same.
    point(*replica, 0);
    EXPECT_EQ(channel(*replica).applier_errno, 0);
    const auto again = arm().try_run(*replica, sql::StartApplier{});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().number, sql::error_number::relay_log_init);

    arm().run(*replica, sql::ResetReplica{.all = false});
    EXPECT_EQ(channel(*replica).source, arm().address(0));
    applies_after_a_reset(*replica, sent);
}

// Its index names the new files beside old ones of the same names: the applier goes round in it.
#define A_REPLICA_STARTED_TWICE_WITHOUT_ITS_RELAY_LOG_FILES      \
    arm().start_servers(2);                                      \
    Manager source = arm().login(0);                             \
    Manager replica = arm().login(1);                            \
    open(*source);                                               \
    follow(*replica, 0);                                         \
    auto client = arm().login(0, Account::client);               \
    arm().work(*client, Insert{1});                              \
    ASSERT_TRUE(executes(*replica, executed(*source)));          \
    arm().kill(1);                                               \
    arm().start(1, {.relay_logs_removed = true});                \
    arm().kill(1);                                               \
    arm().start(1);                                              \
    replica = arm().login(1);                                    \
    const GtidSet before = executed(*replica);                   \
    EXPECT_EQ(channel(*replica).applier_errno, 0);               \
    start_receiver(*replica);                                    \
    arm().run(*replica, sql::StartApplier{});                    \
    arm().work(*client, Insert{2});                              \
    ASSERT_TRUE(receives(*replica, executed(*source) - before)); \
    EXPECT_TRUE(becomes_true([&] { return channel(*replica).applier_only_reads; }))

TEST_P(Receiver, M45_started_twice_without_its_relay_log_files_the_applier_goes_round_until_a_change) {
    A_REPLICA_STARTED_TWICE_WITHOUT_ITS_RELAY_LOG_FILES;
    const auto it_goes_round = [&] {
        for (int i = 0; i < 10; ++i) {
            arm().pass(200ms);
            const sql::ReplicaRow row = look(*replica).channels.at(0);
            EXPECT_TRUE(row.applier_only_reads);
            EXPECT_FALSE(row.applier_idle);
            EXPECT_TRUE(row.applier_running);
            EXPECT_EQ(row.applier_errno, 0);
            EXPECT_EQ(row.receiver, ThreadState::yes);
        }
        EXPECT_EQ(executed(*replica), before);
    };
    it_goes_round();
    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    EXPECT_FALSE(channel(*replica).applier_only_reads);
    start_receiver(*replica);
    arm().run(*replica, sql::StartApplier{});
    it_goes_round();
    arm().kill(1);
    arm().start(1);
    replica = arm().login(1);
    EXPECT_EQ(channel(*replica).retrieved, executed(*source) - before);  // it is there, and never read
    start_receiver(*replica);
    arm().run(*replica, sql::StartApplier{});
    it_goes_round();

    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    point(*replica, 0);
    start_receiver(*replica);
    arm().run(*replica, sql::StartApplier{});
    EXPECT_TRUE(executes(*replica, executed(*source)));
    EXPECT_TRUE(becomes_true([&] { return channel(*replica).applier_idle; }));
    EXPECT_FALSE(channel(*replica).applier_only_reads);
}

TEST_P(Receiver, M45_an_applier_that_goes_round_is_cured_by_a_reset_too) {
    A_REPLICA_STARTED_TWICE_WITHOUT_ITS_RELAY_LOG_FILES;
    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    arm().run(*replica, sql::ResetReplica{.all = false});
    applies_after_a_reset(*replica, executed(*source));
}

TEST_P(Receiver, M45_an_applier_that_goes_round_is_cured_by_a_start_that_passes_over_the_relay_log) {
    A_REPLICA_STARTED_TWICE_WITHOUT_ITS_RELAY_LOG_FILES;
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true});
    replica = arm().login(1);
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    start_receiver(*replica);
    arm().run(*replica, sql::StartApplier{});
    EXPECT_TRUE(executes(*replica, executed(*source)));
}

TEST_P(Receiver, M45_after_a_change_without_relay_log_files_the_next_process_starts_whole) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().kill(1);
    arm().start(1, {.relay_logs_removed = true});
    replica = arm().login(1);
    point(*replica, 0);
    arm().kill(1);
    arm().start(1);
    replica = arm().login(1);
    start_receiver(*replica);
    arm().run(*replica, sql::StartApplier{});
    EXPECT_TRUE(executes(*replica, sent));
}

TEST_P(Receiver, M45_one_start_that_ignores_what_is_persisted_loses_the_relay_log) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().run(*replica, sql::SetPersistOnly{sql::Variable::relay_log_recovery, 0});
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true});
    replica = arm().login(1);
    EXPECT_FALSE(server(*replica).relay_log_recovery);  // persisted beats the configuration
    EXPECT_EQ(channel(*replica).retrieved, sent);
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true, .persisted_globals_load = false});
    replica = arm().login(1);
    EXPECT_TRUE(server(*replica).relay_log_recovery);
    EXPECT_FALSE(server(*replica).persisted_globals_load);
    EXPECT_TRUE(channel(*replica).retrieved.empty());
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
