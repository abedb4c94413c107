// What a server tells the judge, and when; and races that a real server shows only now and then (M15, M20a).
#include "property_tests/fake_mysql/small_world.hpp"

namespace fixpoint::sim::mysql {
namespace {

TEST(FakeReports, a_write_is_begun_committed_and_acknowledged_in_this_order_and_only_once) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId client = world.client(0);
    world.recorder.clear();
    ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{9})).has_value());
    const auto begun = world.recorder.all<WriteBegun>();
    const auto committed = world.recorder.all<Committed>();
    const auto acknowledged = world.recorder.all<WriteAcknowledged>();
    ASSERT_EQ(begun.size(), 1U);
    ASSERT_EQ(committed.size(), 1U);
    ASSERT_EQ(acknowledged.size(), 1U);
    EXPECT_EQ(begun[0].write, 9U);
    EXPECT_FALSE(begun[0].privileged);
    EXPECT_EQ(committed[0].write, 9U);
    EXPECT_EQ(committed[0].tablet, world.at(0).alias());
    EXPECT_EQ(acknowledged[0].tablet, world.at(0).alias());
    EXPECT_FALSE(acknowledged[0].by_shutdown);
}

TEST(FakeReports, a_write_whose_session_was_killed_while_it_waited_commits_and_is_acknowledged_to_nobody) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId client = world.client(0);
    const auto cut = world.network.cut({world.endpoint(0)}, {world.endpoint(1)});
    const auto answer = world.start(0, client, InsertRow{9});
    ASSERT_TRUE(world.until([&] { return world.at(0).in_log(9); }));
    EXPECT_TRUE(world.at(0).kill_by_hand(connection_id(client)));
    world.pass(100ms);
    EXPECT_EQ(world.ended, 1);
    world.network.heal(cut);
    ASSERT_TRUE(world.until([&] { return world.at(0).has_write(9); }, 5s));
    EXPECT_FALSE(answer->has_value());
    EXPECT_TRUE(world.recorder.all<WriteAcknowledged>().empty());
    EXPECT_EQ(world.recorder.all<Committed>().size(), 1U);
}

TEST(FakeReports, statements_of_managers_are_reported_with_the_lock_they_were_sent_under) {
    SmallWorld world(1);
    const SessionId one = world.login(0, "m1");
    const SessionId two = world.login(0, "m2");
    const auto lock = world.start(0, one, sql::GetLock{sql::server_lock_name(world.shard), 0s}, 41);
    ASSERT_TRUE(world.until([&] { return lock->has_value(); }));
    world.run(0, one, sql::Statement(sql::GetLock{sql::helper_lock_name(world.shard), 0s}));
    const auto taken = world.recorder.all<ServerLockTaken>();
    ASSERT_EQ(taken.size(), 1U);  // the helper's lock is not the server lock
    EXPECT_EQ(taken[0].manager, "m1");
    EXPECT_EQ(taken[0].lock_id, 41);

    const auto busy = world.start(0, one, sql::WaitForExecuted{GtidSet::interval(Uuid{1, 1}, 1, 1), 60s}, 42);
    world.pass(10ms);
    world.start(0, two, sql::Kill{connection_id(one)}, 50);
    ASSERT_TRUE(world.until([&] { return world.ended == 1; }));
    EXPECT_FALSE(busy->has_value());
    const auto effects = world.recorder.all<StatementTookEffect>();
    ASSERT_EQ(effects.size(), 1U);
    EXPECT_EQ(effects[0].manager, "m2");
    EXPECT_EQ(effects[0].lock_id, 50);
    EXPECT_TRUE(effects[0].mutating);
    EXPECT_TRUE(effects[0].kills_manager_session);
    EXPECT_EQ(effects[0].killed_manager, "m1");
    EXPECT_EQ(effects[0].killed_lock_id, 42);
}

// I4 rests on it: whoever has not looked has no fence yet.
TEST(FakeReports, what_a_manager_reads_under_the_shard_lock_is_reported) {
    SmallWorld world(1);
    const SessionId one = world.login(0, "m1");
    const std::vector<sql::Statement> reads{sql::Look{world.shard}, sql::ReadGtids{}, sql::ReadReplica{}};
    for (const sql::Statement& read : reads) world.run(0, one, sql::Statement(read));
    EXPECT_TRUE(world.recorder.all<StatementTookEffect>().empty()) << "nobody asks about a look without it";
    for (const sql::Statement& read : reads) {
        const auto answer = world.start(0, one, read, 41);
        ASSERT_TRUE(world.until([&] { return answer->has_value(); }));
    }
    const auto effects = world.recorder.all<StatementTookEffect>();
    ASSERT_EQ(effects.size(), reads.size());
    for (std::size_t i = 0; i < reads.size(); ++i) {
        EXPECT_EQ(sql::name_of(effects[i].statement), sql::name_of(reads[i]));
        EXPECT_EQ(effects[i].lock_id, 41);
        EXPECT_FALSE(effects[i].mutating);
    }
}

TEST(FakeReports, a_change_that_drops_received_transactions_says_whose_it_was_and_what_was_in_it) {
    SmallWorld world(2);
    world.make_shard();
    world.at(1).stop_applier_by_hand();
    const SessionId client = world.client(0);
    const SessionId manager = world.login(1, "m1");
    ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{9})).has_value());
    ASSERT_TRUE(world.run(1, manager, sql::Statement(sql::StopReceiver{})).has_value());
    sql::ChangeSource change{.source = world.at(0).address()};
    change.receiver_options_only = true;
    const auto answer = world.start(1, manager, change, 77);
    ASSERT_TRUE(world.until([&] { return answer->has_value(); }));
    const auto discarded = world.recorder.all<RelayLogDiscarded>();
    ASSERT_EQ(discarded.size(), 1U);
    EXPECT_EQ(discarded[0].manager, "m1");
    EXPECT_EQ(discarded[0].lock_id, 77);
    EXPECT_EQ(discarded[0].writes, WriteIds{9});
    EXPECT_EQ(discarded[0].gtids, world.at(0).executed());
}

TEST(FakeReports, a_receiver_says_whether_its_acknowledgements_are_in_effect) {
    SmallWorld world(2);
    world.make_shard();
    const auto connected = world.recorder.all<ReceiverConnected>();
    ASSERT_EQ(connected.size(), 1U);
    EXPECT_TRUE(connected[0].acks);
    EXPECT_FALSE(connected[0].by_hand);
    EXPECT_EQ(connected[0].source, world.at(0).alias());
}

TEST(FakeReports, M15_while_semi_sync_is_switched_off_logins_and_looks_hang) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId one = world.login(0, "m1");
    const SessionId two = world.login(0, "m1");
    const Instant begun = world.scheduler.now();
    const auto off = world.start(0, one, sql::SetGlobal{sql::Variable::rpl_semi_sync_source_enabled, 0});
    world.pass(5ms);
    const auto look = world.start(0, two, sql::Look{world.shard});
    const auto locks = world.start(0, world.at(0).up() ? two : one, sql::ReadLockHolders{world.shard});
    world.login(0, "m1");
    EXPECT_GE(world.scheduler.now() - begun, 340ms);
    ASSERT_TRUE(world.until([&] { return off->has_value() && look->has_value() && locks->has_value(); }));
    EXPECT_LE(world.scheduler.now() - begun, 1s);
}

// One in several worlds lets a privileged client's write slip between the two phases of super_read_only=ON.
TEST(FakeReports, M20a_between_the_two_phases_of_a_closing_a_privileged_client_commits) {
    bool slipped = false;
    for (std::uint64_t seed = 1; seed <= 40 && !slipped; ++seed) {
        SmallWorld world(1, seed);
        world.make_shard();
        const SessionId waiting = world.client(0);
        const SessionId privileged = world.login(0, "", true);
        const SessionId manager = world.login(0, "m1");
        world.start(0, waiting, InsertRow{1});
        ASSERT_TRUE(world.until([&] { return world.at(0).in_log(1); }));
        const auto close = world.start(0, manager, sql::SetGlobal{sql::Variable::super_read_only, 1});
        world.pass(5ms);
        EXPECT_TRUE(world.at(0).snapshot(world.shard).closing_pending);
        EXPECT_FALSE(world.at(0).snapshot(world.shard).server.super_read_only);
        const auto queued = world.start(0, privileged, InsertRow{2});
        world.pass(5ms);
        world.at(0).set_by_hand(sql::Variable::rpl_semi_sync_source_enabled, 0);
        ASSERT_TRUE(world.until([&] { return close->has_value() && queued->has_value(); }));
        slipped = queued->value().has_value();
    }
    EXPECT_TRUE(slipped);
}

}  // namespace
}  // namespace fixpoint::sim::mysql
