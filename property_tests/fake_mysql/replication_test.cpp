// What the network does to replication, and what only a simulated one can show on demand: silence, lost
// packets, lost acknowledgements (M6, M16, M18, M34).
#include "property_tests/fake_mysql/small_world.hpp"

namespace fixpoint::sim::mysql {
namespace {

TEST(FakeReplication, a_silent_cut_is_noticed_after_the_net_timeout_and_healed_by_a_retry) {
    SmallWorld world(2);
    world.make_shard();
    const auto cut = world.network.cut({world.endpoint(0)}, {world.endpoint(1)});
    world.pass(700ms);
    EXPECT_TRUE(world.receives(1));
    ASSERT_TRUE(world.until([&] { return !world.receives(1); }, 2s));
    EXPECT_EQ(world.channel(1).receiver, sql::ThreadState::connecting);
    EXPECT_EQ(world.channel(1).receiver_errno, 0);
    ASSERT_TRUE(world.until(
        [&] { return world.channel(1).receiver_errno == sql::error_number::cannot_connect; }, 2s));
    world.network.heal(cut);
    EXPECT_TRUE(world.until([&] { return world.receives(1); }, 4s));
}

TEST(FakeReplication, a_short_cut_loses_nothing_because_a_stream_is_sent_again) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId client = world.client(0);
    const auto cut = world.network.cut({world.endpoint(0)}, {world.endpoint(1)});
    const auto answer = world.start(0, client, InsertRow{1});
    world.pass(300ms);
    EXPECT_FALSE(answer->has_value());
    world.network.heal(cut);
    ASSERT_TRUE(world.until([&] { return answer->has_value(); }, 2s));
    EXPECT_TRUE(answer->value().has_value());
    EXPECT_TRUE(world.receives(1));
    EXPECT_TRUE(world.until([&] { return world.at(1).has_write(1); }));
}

TEST(FakeReplication, a_lost_acknowledgement_of_a_connection_that_lives_is_sent_again) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId client = world.client(0);
    const auto cut = world.network.cut({world.endpoint(1)}, {world.endpoint(0)}, false);
    const auto answer = world.start(0, client, InsertRow{1});
    ASSERT_TRUE(world.until([&] { return world.at(1).has_write(1); }, 500ms));
    EXPECT_FALSE(answer->has_value());
    world.network.heal(cut);
    EXPECT_TRUE(world.until([&] { return answer->has_value(); }, 2s));
}

TEST(FakeReplication, M18_an_acknowledgement_lost_with_its_connection_is_made_up_for_by_the_next_write_only) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId client = world.client(0);
    const SessionId second = world.client(0);
    const auto cut = world.network.cut({world.endpoint(1)}, {world.endpoint(0)}, false);
    const auto answer = world.start(0, client, InsertRow{1});
    ASSERT_TRUE(world.until([&] { return !world.receives(1); }, 3s));
    world.network.heal(cut);
    ASSERT_TRUE(world.until([&] { return world.receives(1); }, 5s));
    world.pass(5s);
    EXPECT_TRUE(world.at(1).has_write(1));
    EXPECT_FALSE(answer->has_value());
    const auto next = world.start(0, second, InsertRow{2});
    EXPECT_TRUE(world.until([&] { return next->has_value() && answer->has_value(); }, 3s));
}

TEST(FakeReplication, packets_lost_and_doubled_at_random_change_nothing_of_what_arrives) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SmallWorld world(3, seed);
        world.make_shard();
        LinkFault loss;
        loss.kind = LinkFaultKind::loss;
        loss.permille = 150;
        loss.from = {world.endpoint(0)};
        loss.to = {world.endpoint(1), world.endpoint(2)};
        world.network.add_fault(loss);
        const SessionId client = world.client(0);
        std::vector<Eventually<ClientResult>> answers;
        for (WriteId id = 1; id <= 40; ++id) answers.push_back(world.start(0, client, InsertRow{id}));
        ASSERT_TRUE(world.until([&] { return answers.back()->has_value(); }, 120s)) << seed;
        world.network.heal_all();
        ASSERT_TRUE(world.until([&] { return world.at(1).executed() == world.at(0).executed(); }, 10s))
            << seed;
        ASSERT_TRUE(world.until([&] { return world.at(2).executed() == world.at(0).executed(); }, 10s))
            << seed;
        EXPECT_EQ(world.at(1).snapshot(world.shard).writes.ids(),
                  world.at(0).snapshot(world.shard).writes.ids());
    }
}

TEST(FakeReplication, with_two_acknowledgements_needed_one_of_two_replicas_is_not_enough) {
    SmallWorld world(3);
    world.set(0, sql::Variable::rpl_semi_sync_source_wait_for_replica_count, 2);
    world.make_shard();
    const SessionId client = world.client(0);
    const auto cut = world.network.cut({world.endpoint(0)}, {world.endpoint(2)});
    const auto answer = world.start(0, client, InsertRow{1});
    world.pass(3s);
    EXPECT_FALSE(answer->has_value());
    EXPECT_TRUE(world.at(1).has_write(1));
    EXPECT_FALSE(world.at(0).has_write(1));
    EXPECT_TRUE(world.at(0).in_log(1));
    world.network.heal(cut);
    EXPECT_TRUE(world.until([&] { return answer->has_value(); }, 5s));
}

TEST(FakeReplication, M16_a_receiver_that_has_gone_is_counted_until_the_source_sends_something) {
    SmallWorld world(2);
    world.make_shard();
    const SessionId manager = world.login(1, "m");
    ASSERT_TRUE(world.run(1, manager, sql::Statement(sql::StopReceiver{})).has_value());
    ASSERT_TRUE(world.run(1, manager, sql::Statement(sql::StartReceiver{})).has_value());
    ASSERT_TRUE(world.until([&] { return world.receives(1); }));
    EXPECT_EQ(world.at(0).snapshot(world.shard).semi_sync.source_clients, 2);
    world.pass(1s);  // four heartbeats
    EXPECT_EQ(world.at(0).snapshot(world.shard).semi_sync.source_clients, 1);
}

TEST(FakeReplication, M34_the_first_commit_after_a_reconnection_waits_up_to_a_second_and_not_always) {
    bool waited = false;
    bool at_once = false;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        SmallWorld world(2, seed);
        world.make_shard();
        const SessionId client = world.client(0);
        const Instant begun = world.scheduler.now();
        ASSERT_TRUE(world.run(0, client, ClientWork(InsertRow{1})).has_value());
        const Duration took = world.scheduler.now() - begun;
        EXPECT_LE(took, 1100ms);
        waited = waited || took > 200ms;
        at_once = at_once || took < 10ms;
    }
    EXPECT_TRUE(waited && at_once);
}

TEST(FakeReplication, a_world_in_which_nothing_happens_changes_no_version) {
    SmallWorld world(3);
    world.make_shard();
    world.pass(2s);
    std::vector<std::uint64_t> before;
    for (const auto& server : world.servers) before.push_back(server->version());
    world.pass(20s);
    for (std::size_t i = 0; i < world.servers.size(); ++i) EXPECT_EQ(world.servers[i]->version(), before[i]);
}

}  // namespace
}  // namespace fixpoint::sim::mysql
