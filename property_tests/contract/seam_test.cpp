// Every statement of the seam, executed by the manager's account (with exactly its privileges) in the order
// in which an operation might: what comes back is typed, and says what the server's state is.

#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

class Seam : public Contract {};

TEST_P(Seam, a_look_reports_a_fresh_server_as_it_is) {
    arm().start_servers(1);
    auto manager = arm().login(0);
    const sql::LookAnswer look = arm().run(*manager, sql::Look{shard});
    EXPECT_TRUE(look.server.gtid_executed.empty());
    EXPECT_TRUE(look.server.gtid_owned.empty());
    EXPECT_TRUE(look.server.server_uuid);
    EXPECT_EQ(look.server.server_id, 101);
    EXPECT_TRUE(look.server.version.starts_with("9.")) << look.server.version;
    EXPECT_TRUE(look.server.gtid_mode_on);
    EXPECT_TRUE(look.server.log_replica_updates);
    EXPECT_TRUE(look.server.read_only);
    EXPECT_TRUE(look.server.super_read_only);
    EXPECT_FALSE(look.server.offline_mode);
    EXPECT_TRUE(look.server.semi_sync_plugins);
    EXPECT_FALSE(look.server.semi_sync_source_enabled);
    EXPECT_EQ(look.server.semi_sync_source_timeout_ms, 10'000);
    EXPECT_TRUE(look.server.semi_sync_source_wait_no_replica);
    EXPECT_EQ(look.server.semi_sync_source_wait_for_replica_count, 1);
    EXPECT_EQ(look.server.semi_sync_source_wait_point, sql::WaitPoint::after_sync);
    EXPECT_FALSE(look.server.semi_sync_replica_enabled);
    EXPECT_EQ(look.server.replica_net_timeout_s, 4);
    EXPECT_EQ(look.server.stop_replica_timeout_s, 31'536'000);
    EXPECT_EQ(look.server.sync_binlog, 1);
    EXPECT_EQ(look.server.flush_log_at_trx_commit, 1);
    EXPECT_EQ(look.server.max_connections, 100);
    EXPECT_TRUE(look.server.persisted_globals_load);
    EXPECT_FALSE(look.server.relay_log_recovery);
    EXPECT_TRUE(look.server.skip_replica_start);
    EXPECT_TRUE(look.channels.empty());
    EXPECT_TRUE(look.persisted.empty());
    EXPECT_EQ(look.locks, sql::LockHolders{});
    EXPECT_EQ(look.group_replication, "");
    EXPECT_EQ(look.semi_sync, sql::SemiSyncStatusRow{});
}

TEST_P(Seam, every_statement_of_the_seam_can_be_executed_with_the_managers_privileges) {
    arm().start_servers(2);
    auto source = arm().login(0);
    auto replica = arm().login(1);
    EXPECT_EQ(arm().run(*source, sql::ReadMissingPrivileges{}), std::vector<std::string>{});

    arm().run(*replica, sql::ChangeSource{.source = arm().address(0), .heartbeat_period = 1s});
    arm().run(*replica, sql::StartReceiver{});
    arm().run(*replica, sql::StartApplier{});
    ASSERT_TRUE(arm().eventually([&] {
        const auto channels = arm().run(*replica, sql::ReadReplica{});
        return channels.size() == 1 && channels[0].receiver == sql::ThreadState::yes;
    }));

    arm().run(*source, sql::SetSessionLockWait{3});
    arm().run(*source, sql::SetGlobal{sql::Variable::read_only, 0});
    arm().run(*source, sql::CreateJournal{});
    const GtidSet journal_made = arm().run(*source, sql::ReadGtids{}).executed;
    sql::JournalRow row{shard, 7, 2, {"zone1", 100}, server_uuid(*source), journal_made};
    arm().run(*source, sql::InsertJournalRow{row});
    arm().run(*source, sql::Nudge{"n1"});
    EXPECT_EQ(arm().run(*source, sql::ReadJournal{shard}), std::vector<sql::JournalRow>{row});

    const GtidSet executed = arm().run(*source, sql::ReadGtids{}).executed;
    EXPECT_EQ(executed.count(), 4);  // database, table, row, nudge
    EXPECT_TRUE(arm().run(*replica, sql::WaitForExecuted{executed, 10s}));
    EXPECT_EQ(arm().run(*replica, sql::ReadJournal{shard}), std::vector<sql::JournalRow>{row});
    EXPECT_EQ(arm().run(*replica, sql::ReadJournal{{"commerce", "80-"}}), std::vector<sql::JournalRow>{});

    const std::string name = sql::server_lock_name(shard);
    EXPECT_TRUE(arm().run(*source, sql::GetLock{name, 0s}));
    EXPECT_EQ(arm().run(*replica, sql::ReadLockHolders{shard}), sql::LockHolders{});
    EXPECT_EQ(arm().run(*source, sql::ReadLockHolders{shard}).server, source->id());
    EXPECT_EQ(arm().run(*source, sql::Look{shard}).locks.server, source->id());
    arm().run(*source, sql::ReleaseLock{name});
    EXPECT_EQ(arm().run(*source, sql::ReadLockHolders{shard}), sql::LockHolders{});

    auto other = arm().login(0);
    bool listed = false;
    for (const sql::SessionRow& session : arm().run(*source, sql::ReadSessions{})) {
        if (session.id == other->id()) listed = session.idle && !session.dump_thread && session.privileged;
    }
    EXPECT_TRUE(listed);
    arm().run(*source, sql::Kill{other->id()});
    EXPECT_TRUE(arm().eventually([&] { return other->broken(); }));

    arm().run(*replica, sql::SetPersistOnly{sql::Variable::skip_replica_start, 1});
    arm().run(*replica, sql::SetPersistOnly{sql::Variable::rpl_semi_sync_source_wait_point, 0});
    const sql::PersistedVariables persisted{{sql::Variable::skip_replica_start, 1},
                                            {sql::Variable::rpl_semi_sync_source_wait_point, 0}};
    const sql::LookAnswer look = arm().run(*replica, sql::Look{shard});
    EXPECT_EQ(look.persisted, persisted);
    ASSERT_EQ(look.channels.size(), 1U);
    const sql::ReplicaRow& channel = look.channels[0];
    EXPECT_EQ(channel.source, arm().address(0));
    EXPECT_EQ(channel.source_uuid, row.uuid);
    EXPECT_EQ(channel.receiver, sql::ThreadState::yes);
    EXPECT_TRUE(channel.applier_running);
    EXPECT_TRUE(channel.auto_position);
    EXPECT_EQ(channel.retrieved, executed);
    EXPECT_EQ(channel.heartbeat_period, 1s);
    EXPECT_EQ(channel.connect_retry_s, 1);
    EXPECT_EQ(channel.retry_count, 100'000);
    EXPECT_FALSE(channel.filters);

    arm().run(*replica, sql::StopReceiver{});
    arm().run(*replica, sql::StopApplier{});
    arm().run(*replica, sql::ResetReplica{.all = false});
    EXPECT_EQ(arm().run(*replica, sql::ReadReplica{}).size(), 1U);
    arm().run(*replica, sql::ResetReplica{.all = true});
    EXPECT_EQ(arm().run(*replica, sql::ReadReplica{}).size(), 0U);

    arm().run(*source, sql::SemiSyncSourceOffIfOffline{});
    arm().run(*source, sql::CloseInOnePacket{});
    const sql::LookAnswer closed = arm().run(*source, sql::Look{shard});
    EXPECT_TRUE(closed.server.read_only && closed.server.super_read_only);
}

FIXPOINT_CONTRACT_SUITE(Seam);

}  // namespace
}  // namespace fixpoint::contract
