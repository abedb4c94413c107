// What makes a relay log disappear, what survives a restart of it, and what nobody reads any more (M8, M9,
// M44, M45).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

using sql::ThreadState;

class RelayLog : public Contract {
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

TEST_P(RelayLog, M8_a_change_with_both_threads_stopped_deletes_the_relay_log_whatever_it_changes) {
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

TEST_P(RelayLog, M8_a_change_of_receiver_options_with_the_applier_running_keeps_the_relay_log) {
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

TEST_P(RelayLog, M8_an_applier_that_stops_by_an_error_turns_the_harmless_change_into_the_other) {
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

TEST_P(RelayLog, M8_resetting_a_replica_deletes_the_relay_log_and_with_all_the_channel) {
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

TEST_P(RelayLog, M9_a_restart_with_relay_log_recovery_drops_what_was_received_and_not_applied) {
    A_REPLICA_WITH_UNAPPLIED_TRANSACTIONS;
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true});
    replica = arm().login(1);
    EXPECT_TRUE(server(*replica).relay_log_recovery);
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    EXPECT_TRUE(executed(*replica).empty());
}

TEST_P(RelayLog, M9_a_restart_without_relay_log_recovery_keeps_it) {
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
TEST_P(RelayLog, M9_a_torn_transaction_at_the_end_of_the_relay_log_is_not_received_and_comes_again) {
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

TEST_P(RelayLog, M44_a_relay_log_kept_behind_a_recovered_one_is_received_and_never_applied) {
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

TEST_P(RelayLog, M45_removed_relay_log_files_stop_everything_until_the_replica_is_reset) {
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

TEST_P(RelayLog, M45_started_twice_without_its_relay_log_files_the_applier_goes_round_until_a_change) {
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

TEST_P(RelayLog, M45_an_applier_that_goes_round_is_cured_by_a_reset_too) {
    A_REPLICA_STARTED_TWICE_WITHOUT_ITS_RELAY_LOG_FILES;
    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    arm().run(*replica, sql::ResetReplica{.all = false});
    applies_after_a_reset(*replica, executed(*source));
}

TEST_P(RelayLog, M45_an_applier_that_goes_round_is_cured_by_a_start_that_passes_over_the_relay_log) {
    A_REPLICA_STARTED_TWICE_WITHOUT_ITS_RELAY_LOG_FILES;
    arm().kill(1);
    arm().start(1, {.relay_log_recovery = true});
    replica = arm().login(1);
    EXPECT_TRUE(channel(*replica).retrieved.empty());
    start_receiver(*replica);
    arm().run(*replica, sql::StartApplier{});
    EXPECT_TRUE(executes(*replica, executed(*source)));
}

TEST_P(RelayLog, M45_after_a_change_without_relay_log_files_the_next_process_starts_whole) {
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

TEST_P(RelayLog, M45_one_start_that_ignores_what_is_persisted_loses_the_relay_log) {
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

FIXPOINT_CONTRACT_SUITE(RelayLog);

}  // namespace
}  // namespace fixpoint::contract
