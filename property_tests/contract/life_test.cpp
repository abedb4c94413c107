// Life and death of a server, who gets in, and what its identity does (M23 to M26, M30, M38, M40, M49, M55,
// M57).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

using sql::Variable;
namespace errors = sql::error_number;

class Life : public Contract {};

TEST_P(Life, M23_a_killed_server_comes_back_with_its_binary_log_and_waiting_commits_are_committed) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    const Uuid uuid = server_uuid(*manager);
    open(*manager);
    auto client = arm().login(0, Account::client);
    auto second = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    semi_sync_source(*manager, true);
    const PendingWork waiting = second->start(Insert{2});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
    auto third = arm().login(0, Account::client);
    arm().work(*third, Begin{});
    arm().work(*third, Insert{3});  // not in the binary log

    arm().kill(0);
    EXPECT_TRUE(ends_as(waiting, Outcome::unknown));
    EXPECT_EQ(waiting.error_number(), errors::server_lost);
    arm().start(0);
    manager = arm().login(0);
    EXPECT_EQ(executed(*manager), GtidSet::interval(uuid, 1, 2));
    EXPECT_TRUE(owned(*manager).empty());
    EXPECT_EQ(ids(0), (std::vector<std::int64_t>{1, 2}));
}

TEST_P(Life, M24_after_a_restart_replication_is_stopped_and_locks_are_gone) {
    arm().start_servers(2);
    Manager replica = arm().login(1);
    follow(*replica, 0);
    acks(*replica, true);
    EXPECT_TRUE(arm().run(*replica, sql::GetLock{sql::server_lock_name(shard), 0s}));
    arm().kill(1);
    EXPECT_TRUE(becomes_true([&] { return replica->broken(); }));
    arm().start(1, {.skip_replica_start = true});
    replica = arm().login(1);
    const sql::LookAnswer after = look(*replica);
    ASSERT_EQ(after.channels.size(), 1U);
    EXPECT_EQ(after.channels[0].receiver, sql::ThreadState::no);
    EXPECT_FALSE(after.channels[0].applier_running);
    EXPECT_EQ(after.channels[0].source, arm().address(0));
    EXPECT_FALSE(after.server.semi_sync_replica_enabled);
    EXPECT_EQ(after.locks, sql::LockHolders{});
    EXPECT_LE(after.server.uptime_s, 30);

    arm().kill(1);
    arm().start(1, {.skip_replica_start = false, .semi_sync_replica_enabled = true});
    replica = arm().login(1);
    EXPECT_TRUE(server(*replica).semi_sync_replica_enabled);
    EXPECT_FALSE(server(*replica).skip_replica_start);
    EXPECT_TRUE(becomes_true([&] {
        return channel(*replica).receiver == sql::ThreadState::yes && channel(*replica).applier_running;
    }));
}

TEST_P(Life, M25_a_paused_server_is_silent_and_does_later_what_it_was_asked) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    open(*manager);
    auto client = arm().login(0, Account::client);
    arm().pause(0);
    const PendingWork insert = client->start(Insert{1});
    const PendingAnswer read = manager->start(sql::ReadGtids{});
    EXPECT_TRUE(stays_pending(insert, 700ms));
    EXPECT_FALSE(read.done());
    EXPECT_FALSE(client->broken());
    arm().resume(0);
    EXPECT_TRUE(ends_as(insert, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(read, Outcome::acknowledged));
    EXPECT_EQ(ids(0), std::vector<std::int64_t>{1});
}

TEST_P(Life, M25_a_login_at_a_paused_server_ends_at_its_limit) {
    arm().start_servers(1);
    arm().pause(0);
    const Instant begun = arm().now();
    const auto login = arm().try_login(0, Account::client, 1s);
    ASSERT_FALSE(login.has_value());
    EXPECT_EQ(login.error().kind, sql::ErrorKind::timed_out);
    EXPECT_GE(arm().now() - begun, 900ms);
    EXPECT_LE(arm().now() - begun, 5s);
    arm().resume(0);
}

TEST_P(Life, M26_a_server_that_is_not_there_refuses_at_once_and_a_wrong_password_as_such) {
    arm().start_servers(1);
    const auto wrong = arm().try_login_with_wrong_password(0);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().kind, sql::ErrorKind::refused);
    EXPECT_EQ(wrong.error().number, errors::access_denied);
    arm().kill(0);
    const Instant begun = arm().now();
    const auto gone = arm().try_login(0, Account::client);
    ASSERT_FALSE(gone.has_value());
    EXPECT_EQ(gone.error().kind, sql::ErrorKind::refused);
    EXPECT_EQ(gone.error().number, errors::cannot_connect);
    EXPECT_LE(arm().now() - begun, 5s);
}

TEST_P(Life, M58_a_clean_shutdown_takes_no_more_clients_and_ends_its_dump_threads_eight_seconds_later) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager replica = arm().login(1);
    follow(*replica, 0);
    open(*source);
    auto idle = arm().login(0, Account::client);
    const Instant begun = arm().now();
    arm().begin_shut_down(0);
    EXPECT_TRUE(becomes_true([&] { return !arm().try_login(0, Account::manager).has_value(); }, 3s));
    const auto login = arm().try_login(0, Account::manager);
    ASSERT_FALSE(login.has_value());
    EXPECT_EQ(login.error().kind, sql::ErrorKind::refused);
    EXPECT_EQ(login.error().number, errors::cannot_connect);
    int told = 0;
    EXPECT_TRUE(becomes_true([&] {  // the machine refuses a moment before the sessions are marked
        const auto asked = arm().try_run(*source, sql::ReadGtids{});
        if (!asked) told = asked.error().number;
        return !asked.has_value();
    }));
    EXPECT_EQ(told, 1053) << "a session that stands is told with its next statement";
    EXPECT_TRUE(becomes_true([&] { return source->broken(); }));
    EXPECT_LE(arm().now() - begun, 5s);
    EXPECT_FALSE(idle->broken());
    EXPECT_EQ(channel(*replica).receiver, sql::ThreadState::yes) << "its replica goes on hearing it";
    EXPECT_TRUE(
        becomes_true([&] { return channel(*replica).receiver == sql::ThreadState::connecting; }, 30s));
    EXPECT_GE(arm().now() - begun, 7s);
    EXPECT_TRUE(becomes_true([&] { return idle->broken(); }));
    arm().shut_down(0);
}

TEST_P(Life, M26_M57_beyond_the_limit_one_session_more_is_bought_by_connection_admin) {
    arm().start_servers(1, {.max_connections = 3});
    std::vector<std::unique_ptr<Session>> sessions;
    // A server counts a session that has ended or was refused for a moment longer: each login is made until
    // it succeeds, and the refusals that count are those of sessions that stand.
    const auto joins = [&](Account account) {
        return becomes_true([&] {
            auto session = arm().try_login(0, account);
            if (session) sessions.push_back(*std::move(session));
            return session.has_value();
        });
    };
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(joins(Account::client));
    const auto client = arm().try_login(0, Account::client);
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().number, errors::too_many_connections);
    EXPECT_EQ(client.error().kind, sql::ErrorKind::refused);
    ASSERT_TRUE(joins(Account::manager)) << "the one beyond the limit";
    const auto second = arm().try_login(0, Account::manager);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().number, errors::too_many_connections);
    sessions.erase(sessions.begin(), sessions.begin() + 2);
    EXPECT_TRUE(joins(Account::client));
}

TEST_P(Life, M30_the_uuid_is_stable_and_new_only_when_its_file_is_removed) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    const Uuid before = server_uuid(*manager);
    arm().kill(0);
    arm().start(0);
    manager = arm().login(0);
    EXPECT_EQ(server_uuid(*manager), before);
    arm().shut_down(0);
    arm().start(0, {.new_uuid = true});
    manager = arm().login(0);
    EXPECT_NE(server_uuid(*manager), before);
}

TEST_P(Life, M38_without_flushing_a_kill_loses_rows_whose_gtids_stay) {
    arm().start_servers(1, {.flush_log_at_trx_commit = 0});
    Manager manager = arm().login(0);
    EXPECT_EQ(server(*manager).flush_log_at_trx_commit, 0);
    open(*manager);
    bool lost = false;
    for (int round = 0; round < 4 && !lost; ++round) {  // the background flush comes once a second
        auto client = arm().login(0, Account::client);
        const auto present = static_cast<std::int64_t>(ids(0).size());
        std::vector<PendingWork> writes;
        for (int i = 0; i < 2'000; ++i) writes.push_back(client->start(Insert{round * 10'000 + i}));
        EXPECT_TRUE(becomes_true([&] { return writes[150].done(); }));
        arm().kill(0);
        EXPECT_TRUE(becomes_true([&] { return writes.back().done(); }));
        arm().start(0, {.super_read_only = false, .flush_log_at_trx_commit = 0});
        manager = arm().login(0);
        std::int64_t acknowledged = 0;
        for (const PendingWork& write : writes)
            acknowledged += write.outcome() == Outcome::acknowledged ? 1 : 0;
        EXPECT_GE(executed(*manager).count(), acknowledged);  // the numbers are all there
        lost = static_cast<std::int64_t>(ids(0).size()) < present + acknowledged;
    }
    EXPECT_TRUE(lost);
}

TEST_P(Life, M38_flushed_at_each_commit_a_kill_loses_nothing) {
    arm().start_servers(1, {.flush_log_at_trx_commit = 1});
    Manager manager = arm().login(0);
    open(*manager);
    auto client = arm().login(0, Account::client);
    std::vector<PendingWork> writes;
    for (int i = 0; i < 1'000; ++i) writes.push_back(client->start(Insert{i}));
    ASSERT_TRUE(becomes_true([&] { return writes[100].done(); }));
    arm().kill(0);
    ASSERT_TRUE(becomes_true([&] { return writes.back().done(); }));
    arm().start(0);
    manager = arm().login(0);
    std::int64_t acknowledged = 0;
    for (const PendingWork& write : writes) acknowledged += write.outcome() == Outcome::acknowledged ? 1 : 0;
    const std::vector<std::int64_t> there = ids(0);
    EXPECT_GE(static_cast<std::int64_t>(there.size()), acknowledged);
    EXPECT_EQ(executed(*manager).count(), static_cast<std::int64_t>(there.size()));
}

// A server that was source, and has lost what it wrote; it follows one that has it.
class OwnServerId : public Contract {
  protected:
    struct World {
        Manager source;
        Manager replica;  // server 1, which has lost its own transactions 1 to 2
        GtidSet lost;
    };
    World make_world() {
        arm().start_servers(2);
        World world{arm().login(0), arm().login(1), {}};
        world.lost = GtidSet::interval(server_uuid(*world.replica), 1, 2);
        follow(*world.source, 1);
        open(*world.replica);
        auto client = arm().login(1, Account::client);
        arm().work(*client, Insert{1});
        arm().work(*client, Insert{2});
        EXPECT_TRUE(executes(*world.source, world.lost));
        arm().run(*world.source, sql::StopReceiver{});
        arm().run(*world.source, sql::StopApplier{});
        arm().run(*world.source, sql::ResetReplica{.all = true});
        set(*world.replica, Variable::super_read_only, 1);
        arm().reset_binary_logs(1);
        arm().delete_unlogged(1, 1);
        arm().delete_unlogged(1, 2);
        open(*world.source);
        follow(*world.replica, 0);
        return world;
    }
};

TEST_P(OwnServerId, M40_events_of_its_own_server_id_are_skipped_in_silence_and_a_new_id_fetches_them) {
    World world = make_world();
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{3});
    ASSERT_TRUE(executes(*world.replica, executed(*world.source) - world.lost));
    arm().pass(500ms);
    const sql::ReplicaRow row = channel(*world.replica);
    EXPECT_EQ(row.receiver, sql::ThreadState::yes);
    EXPECT_TRUE(row.applier_running);
    EXPECT_EQ(row.receiver_errno, 0);
    EXPECT_EQ(row.applier_errno, 0);
    EXPECT_FALSE(executed(*world.replica).intersects(world.lost));
    EXPECT_EQ(ids(1), std::vector<std::int64_t>{3});

    set(*world.replica, Variable::server_id, 777);
    arm().run(*world.replica, sql::StopReceiver{});
    start_receiver(*world.replica);
    EXPECT_TRUE(executes(*world.replica, executed(*world.source)));
    EXPECT_EQ(ids(1), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_P(OwnServerId,
       M55_a_later_event_that_builds_on_a_skipped_one_stops_the_applier_until_a_change_and_a_new_id) {
    World world = make_world();
    auto client = arm().login(0, Account::client);
    arm().work(*client, Delete{1});
    ASSERT_TRUE(applier_stops(*world.replica, errors::key_not_found));

    set(*world.replica, Variable::server_id, 777);  // too late: what is missing would land behind it
    arm().run(*world.replica, sql::StopReceiver{});
    start_receiver(*world.replica);
    arm().run(*world.replica, sql::StartApplier{});
    ASSERT_TRUE(applier_stops(*world.replica, errors::key_not_found));
    arm().run(*world.replica, sql::StopReceiver{});
    follow(*world.replica, 0);
    EXPECT_TRUE(executes(*world.replica, executed(*world.source)));
    EXPECT_EQ(ids(1), std::vector<std::int64_t>{2});
}

TEST_P(OwnServerId, M55_a_server_id_beyond_the_greatest_becomes_the_greatest) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    set(*manager, Variable::server_id, 4'294'967'296);
    EXPECT_EQ(server(*manager).server_id, 4'294'967'295);
}

TEST_P(Life, M49_without_the_plugins_a_look_answers_and_their_variables_do_not_exist) {
    arm().start_servers(1, {.semi_sync_plugins = false});
    Manager manager = arm().login(0);
    const sql::LookAnswer seen = look(*manager);
    EXPECT_FALSE(seen.server.semi_sync_plugins);
    EXPECT_TRUE(seen.server.super_read_only);
    EXPECT_EQ(seen.semi_sync, sql::SemiSyncStatusRow{});
    const auto now = arm().try_run(*manager, sql::SetGlobal{Variable::rpl_semi_sync_source_enabled, 1});
    ASSERT_FALSE(now.has_value());
    EXPECT_EQ(now.error().number, errors::unknown_system_variable);
    const auto later =
        arm().try_run(*manager, sql::SetPersistOnly{Variable::rpl_semi_sync_replica_enabled, 0});
    ASSERT_FALSE(later.has_value());
    EXPECT_EQ(later.error().number, errors::unknown_system_variable);
}

FIXPOINT_CONTRACT_SUITE(Life);
FIXPOINT_CONTRACT_SUITE(OwnServerId);

}  // namespace
}  // namespace fixpoint::contract
