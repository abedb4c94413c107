// Crashes at exact points, older disks, and what a start makes of them (M9, M23, M32, M38, M44).
#include "property_tests/fake_mysql/small_world.hpp"

namespace fixpoint::sim::mysql {
namespace {

void restart(SmallWorld& world, int server) {
    world.at(server).start();
    ASSERT_TRUE(world.until([&] { return world.at(server).up(); }));
}

TEST(FakeLife, a_crash_before_the_durable_point_leaves_nothing_and_one_after_it_a_commit_nobody_was_told_of) {
    for (const auto point : {FakeMysql::CrashPoint::before_durable, FakeMysql::CrashPoint::after_durable}) {
        SmallWorld world(1);
        world.set(0, sql::Variable::super_read_only, 0);
        world.set(0, sql::Variable::read_only, 0);
        const SessionId client = world.client(0);
        world.at(0).crash_at_next_commit(point);
        const auto answer = world.start(0, client, InsertRow{7});
        ASSERT_TRUE(world.until([&] { return !world.at(0).up(); }));
        EXPECT_FALSE(answer->has_value());
        EXPECT_EQ(world.ended, 1);
        restart(world, 0);
        EXPECT_EQ(world.at(0).has_write(7), point == FakeMysql::CrashPoint::after_durable);
        EXPECT_TRUE(world.recorder.all<WriteAcknowledged>().empty());
    }
}

TEST(FakeLife, M32_what_a_clean_shutdown_releases_is_reported_as_such) {
    SmallWorld world(1);
    world.make_shard();
    const SessionId client = world.client(0);
    const auto answer = world.start(0, client, InsertRow{7});
    world.pass(50ms);
    EXPECT_FALSE(answer->has_value());
    world.at(0).shut_down();
    ASSERT_TRUE(world.until([&] { return !world.at(0).up(); }));
    ASSERT_TRUE(answer->has_value() && answer->value().has_value());
    const auto acknowledged = world.recorder.all<WriteAcknowledged>();
    ASSERT_EQ(acknowledged.size(), 1U);
    EXPECT_TRUE(acknowledged[0].by_shutdown);
    const auto stopped = world.recorder.all<ServerStopped>();
    ASSERT_EQ(stopped.size(), 1U);
    EXPECT_TRUE(stopped[0].clean);
}

TEST(FakeLife, an_older_disk_uses_its_own_numbers_again) {
    SmallWorld world(1);
    world.set(0, sql::Variable::super_read_only, 0);
    world.set(0, sql::Variable::read_only, 0);
    SessionId client = world.client(0);
    ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{1})).has_value());
    const DurableState older = world.at(0).backup();
    ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{2})).has_value());
    const GtidSet newer = world.at(0).executed();
    world.at(0).crash();
    world.at(0).restore(older);
    restart(world, 0);
    world.set(0, sql::Variable::super_read_only, 0);
    world.set(0, sql::Variable::read_only, 0);
    client = world.client(0);
    ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{3})).has_value());
    EXPECT_EQ(world.at(0).executed(), newer);  // the same sets, other rows
    EXPECT_EQ(world.at(0).snapshot(world.shard).writes.ids(), (WriteIds{1, 3}));
}

TEST(FakeLife, without_sync_binlog_the_loss_of_a_machine_takes_the_end_of_the_log) {
    StartOptions options = SmallWorld::quick();
    options.sync_binlog = 0;
    SmallWorld world(1, 1, options);
    world.set(0, sql::Variable::super_read_only, 0);
    world.set(0, sql::Variable::read_only, 0);
    const SessionId client = world.client(0);
    for (WriteId id = 1; id <= 5; ++id)
        ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{id})).has_value());
    world.at(0).lose_machine(2);
    restart(world, 0);
    EXPECT_EQ(world.at(0).snapshot(world.shard).writes.ids(), (WriteIds{1, 2, 3}));
    EXPECT_EQ(world.at(0).executed().count(), 3);
}

TEST(FakeLife, M44_a_hole_in_the_relay_log_counts_as_received_for_ever_and_is_reported_once) {
    SmallWorld world(2);
    world.make_shard();
    SessionId client = world.client(0);
    world.at(1).stop_applier_by_hand();
    ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{1})).has_value());
    ASSERT_TRUE(world.until([&] { return world.channel(1).retrieved.count() == 1; }));
    world.at(1).crash();
    world.at(1).make_relay_log_hole();
    const auto discarded = world.recorder.all<RelayLogDiscarded>();
    ASSERT_EQ(discarded.size(), 1U);
    EXPECT_EQ(discarded[0].writes, WriteIds{1});
    EXPECT_EQ(discarded[0].manager, "");
    restart(world, 1);
    world.at(1).start_replication_silently();
    ASSERT_TRUE(world.until([&] { return world.receives(1); }));
    const auto next = world.start(0, client, InsertRow{2});
    ASSERT_TRUE(world.until([&] { return world.at(1).has_write(2); }));
    world.pass(5s);
    EXPECT_FALSE(world.at(1).has_write(1));
    const ServerState state = world.at(1).snapshot(world.shard);
    EXPECT_EQ(state.writes_received.ids(), WriteIds{1});
    EXPECT_FALSE(state.relay_log_readable);
    EXPECT_TRUE(state.channels[0].applier_running);
    EXPECT_EQ(state.channels[0].applier_errno, 0);
    (void)next;
}

TEST(FakeLife, connection_ids_begin_anew_and_an_old_session_is_not_taken_for_a_new_one) {
    SmallWorld world(1);
    const SessionId before = world.client(0);
    world.at(0).crash();
    restart(world, 0);
    const SessionId after = world.client(0);
    EXPECT_EQ(connection_id(before), connection_id(after));
    const auto late = world.run(0, before, sql::Statement(sql::ReadGtids{}));
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, sql::ErrorKind::lost);
}

TEST(FakeLife, a_run_is_the_same_twice_and_another_with_another_seed) {
    const auto hash = [](std::uint64_t seed) {
        SmallWorld world(3, seed);
        world.make_shard();
        const SessionId client = world.client(0);
        for (WriteId id = 1; id <= 30; ++id) world.start(0, client, InsertRow{id});
        world.pass(1s);
        world.at(0).crash();
        world.pass(3s);
        return world.scheduler.event_hash();
    };
    EXPECT_EQ(hash(5), hash(5));
    EXPECT_NE(hash(5), hash(6));
}

}  // namespace
}  // namespace fixpoint::sim::mysql
