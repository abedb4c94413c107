// Semi-synchronous replication: what waits, what ends the waiting, and what nobody was told (M13 to M18, M31,
// M34, M36, M39, M42, M43, M47, M51).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

using sql::Variable;

// A primary whose commits wait for one acknowledgement, and a replica that receives; it acknowledges where
// `acking`.
struct Pair {
    std::unique_ptr<Session> source;
    std::unique_ptr<Session> replica;
    std::unique_ptr<Session> client;
    Uuid uuid;
};

class SemiSync : public Contract {
  protected:
    Pair make_pair(bool acking) {
        arm().start_servers(2);
        Pair pair{arm().login(0), arm().login(1), arm().login(0, Account::client), {}};
        pair.uuid = server_uuid(*pair.source);
        acks(*pair.replica, acking);
        follow(*pair.replica, 0);
        semi_sync_source(*pair.source, true);
        open(*pair.source);
        return pair;
    }

    GtidSet numbers(const Pair& pair, std::int64_t first, std::int64_t last) {
        return GtidSet::interval(pair.uuid, first, last);
    }

    // One that waits and is known to wait: it is in the binary log.
    PendingWork waiting_insert(const Pair& pair, Session& client, std::int64_t id) {
        const std::int64_t before = owned(*pair.source).count();
        PendingWork pending = client.start(Insert{id});
        EXPECT_TRUE(becomes_true([&] { return owned(*pair.source).count() == before + 1; }));
        return pending;
    }

    void let_it_acknowledge(const Pair& pair) {
        acks(*pair.replica, true);
        arm().run(*pair.replica, sql::StopReceiver{});
        start_receiver(*pair.replica);
    }
};

TEST_P(SemiSync, M13_M31_a_commit_waits_in_the_binary_log_invisible_until_it_is_acknowledged) {
    arm().start_servers(2);
    Pair pair{arm().login(0), arm().login(1), arm().login(0, Account::client), {}};
    pair.uuid = server_uuid(*pair.source);
    semi_sync_source(*pair.source, true);
    open(*pair.source);

    const PendingWork insert = waiting_insert(pair, *pair.client, 1);
    EXPECT_TRUE(stays_pending(insert));
    EXPECT_EQ(owned(*pair.source), numbers(pair, 1, 1));
    EXPECT_TRUE(executed(*pair.source).empty());
    EXPECT_EQ(server(*pair.source).log(), numbers(pair, 1, 1));
    EXPECT_EQ(semi_sync(*pair.source).wait_sessions, 1);
    EXPECT_TRUE(ids(0).empty());  // no other client sees it

    acks(*pair.replica, true);
    follow(*pair.replica, 0);
    ASSERT_TRUE(ends_as(insert, Outcome::acknowledged));
    EXPECT_TRUE(channel(*pair.replica).retrieved.contains(numbers(pair, 1, 1)));
    EXPECT_TRUE(owned(*pair.source).empty());
    EXPECT_EQ(executed(*pair.source), numbers(pair, 1, 1));
    EXPECT_EQ(ids(0), std::vector<std::int64_t>{1});
    EXPECT_EQ(semi_sync(*pair.source).yes_transactions, 1);
}

TEST_P(SemiSync, M31_every_waiting_commit_is_owned_and_a_group_counts_once_in_the_sessions) {
    Pair pair = make_pair(false);
    auto second = arm().login(0, Account::client);
    auto third = arm().login(0, Account::client);
    const PendingWork a = waiting_insert(pair, *pair.client, 1);
    const PendingWork b = waiting_insert(pair, *second, 2);
    const PendingWork c = waiting_insert(pair, *third, 3);
    EXPECT_EQ(owned(*pair.source), numbers(pair, 1, 3));
    EXPECT_TRUE(executed(*pair.source).empty());
    const std::int64_t sessions = semi_sync(*pair.source).wait_sessions;
    EXPECT_GE(sessions, 1);
    EXPECT_LE(sessions, 3);
    set(*pair.source, Variable::rpl_semi_sync_source_enabled, 0);
    for (const PendingWork& pending : {a, b, c}) EXPECT_TRUE(ends_as(pending, Outcome::acknowledged));
}

TEST_P(SemiSync, M14_a_killed_waiter_is_unknown_to_its_client_and_its_transaction_commits_all_the_same) {
    Pair pair = make_pair(false);
    const std::uint64_t id = pair.client->id();
    const PendingWork insert = waiting_insert(pair, *pair.client, 1);
    arm().run(*pair.source, sql::Kill{id});
    ASSERT_TRUE(ends_as(insert, Outcome::unknown, 5s));
    EXPECT_EQ(insert.error_number(), sql::error_number::server_lost);

    arm().pass(300ms);
    const auto row = session_row(*pair.source, id);
    ASSERT_TRUE(row.has_value());
    EXPECT_TRUE(row->killed);
    EXPECT_TRUE(row->in_transaction);
    EXPECT_EQ(row->state, "Waiting for semi-sync ACK from replica");
    EXPECT_EQ(semi_sync(*pair.source).wait_sessions, 1);
    EXPECT_EQ(owned(*pair.source), numbers(pair, 1, 1));

    Manager closer = arm().login(0);
    arm().run(*closer, sql::SetSessionLockWait{1});
    const auto close = arm().try_run(*closer, sql::SetGlobal{Variable::super_read_only, 1});
    ASSERT_FALSE(close.has_value());
    EXPECT_EQ(close.error().number, sql::error_number::lock_wait_timeout);

    let_it_acknowledge(pair);  // what it has received already it does not acknowledge: the next write does
    arm().run(*pair.source, sql::Nudge{"n1"});
    EXPECT_TRUE(becomes_true([&] { return owned(*pair.source).empty(); }));
    EXPECT_EQ(ids(0), std::vector<std::int64_t>{1});
    EXPECT_FALSE(session_row(*pair.source, id).has_value());
}

TEST_P(SemiSync, M15_switching_the_source_side_off_releases_every_waiting_commit_as_a_success) {
    Pair pair = make_pair(false);
    auto second = arm().login(0, Account::client);
    const PendingWork a = waiting_insert(pair, *pair.client, 1);
    const PendingWork b = waiting_insert(pair, *second, 2);
    set(*pair.source, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(a, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(b, Outcome::acknowledged));
    EXPECT_EQ(executed(*pair.source), numbers(pair, 1, 2));
    EXPECT_FALSE(semi_sync(*pair.source).source_status);
}

TEST_P(SemiSync, M16_at_its_timeout_it_degrades_and_a_replica_that_catches_up_restores_it) {
    Pair pair = make_pair(false);
    set(*pair.source, Variable::rpl_semi_sync_source_timeout, 2'000);
    EXPECT_TRUE(semi_sync(*pair.source).source_status);
    const Instant begun = arm().now();
    arm().work(*pair.client, Insert{1});
    EXPECT_GE(arm().now() - begun, 1500ms);
    EXPECT_FALSE(semi_sync(*pair.source).source_status);
    EXPECT_EQ(semi_sync(*pair.source).no_transactions, 1);
    EXPECT_TRUE(server(*pair.source).semi_sync_source_enabled);
    const Instant again = arm().now();
    arm().work(*pair.client, Insert{2});  // asynchronous by now
    EXPECT_LE(arm().now() - again, 1500ms);
    let_it_acknowledge(pair);
    arm().work(*pair.client, Insert{3});
    EXPECT_TRUE(becomes_true([&] { return semi_sync(*pair.source).source_status; }));
}

TEST_P(SemiSync, M16_clients_counts_a_receiver_that_has_gone) {
    Pair pair = make_pair(true);
    EXPECT_EQ(semi_sync(*pair.source).source_clients, 1);
    arm().run(*pair.replica, sql::StopReceiver{});
    EXPECT_EQ(semi_sync(*pair.source).source_clients, 1);  // nobody receives, and it proves nothing
}

TEST_P(SemiSync, M17_acknowledgements_follow_the_receivers_start_and_not_the_variable) {
    Pair pair = make_pair(false);
    EXPECT_FALSE(semi_sync(*pair.replica).replica_status);
    acks(*pair.replica, true);
    EXPECT_FALSE(
        semi_sync(*pair.replica).replica_status);  // switched on under a running receiver: not in effect
    const PendingWork insert = waiting_insert(pair, *pair.client, 1);
    EXPECT_TRUE(stays_pending(insert));
    arm().run(*pair.replica, sql::StopReceiver{});
    start_receiver(*pair.replica);
    EXPECT_TRUE(becomes_true([&] { return semi_sync(*pair.replica).replica_status; }));
    auto second = arm().login(0, Account::client);
    arm().work(*second, Insert{2});
    EXPECT_TRUE(ends_as(insert, Outcome::acknowledged));

    acks(*pair.replica, false);  // switched off under a running receiver: it goes on acknowledging
    EXPECT_TRUE(semi_sync(*pair.replica).replica_status);
    arm().work(*second, Insert{3});
    arm().run(*pair.replica, sql::StopReceiver{});
    start_receiver(*pair.replica);
    EXPECT_TRUE(becomes_true([&] { return !semi_sync(*pair.replica).replica_status; }));
    const PendingWork last = waiting_insert(pair, *second, 4);
    EXPECT_TRUE(stays_pending(last));
    set(*pair.source, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(last, Outcome::acknowledged));
}

TEST_P(SemiSync, M17_an_automatic_reconnection_takes_the_variable_up_too) {
    Pair pair = make_pair(false);
    acks(*pair.replica, true);
    arm().kill(0);
    arm().start(0, {.semi_sync_source_enabled = true, .semi_sync_source_timeout_ms = 1'000'000'000});
    EXPECT_TRUE(becomes_true([&] {
        return channel(*pair.replica).receiver == sql::ThreadState::yes &&
               semi_sync(*pair.replica).replica_status;
    }));
}

TEST_P(SemiSync, M18_a_receiver_that_reconnects_does_not_acknowledge_again_and_the_next_write_frees_both) {
    Pair pair = make_pair(false);
    const PendingWork first = waiting_insert(pair, *pair.client, 1);
    ASSERT_TRUE(receives(*pair.replica, numbers(pair, 1, 1)));
    let_it_acknowledge(pair);
    EXPECT_TRUE(stays_pending(first, 1500ms));
    auto second = arm().login(0, Account::client);
    const PendingWork next = second->start(Insert{2});
    EXPECT_TRUE(ends_as(next, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(first, Outcome::acknowledged));
}

TEST_P(SemiSync, M18_M20_a_closing_that_waits_keeps_out_what_would_free_it_until_its_session_is_killed) {
    Pair pair = make_pair(false);
    const PendingWork first = waiting_insert(pair, *pair.client, 1);
    ASSERT_TRUE(receives(*pair.replica, numbers(pair, 1, 1)));
    let_it_acknowledge(pair);
    Manager closer = arm().login(0);
    const PendingAnswer close = closer->start(sql::SetGlobal{Variable::super_read_only, 1});
    const auto reads_on = [&] { return server(*pair.source).super_read_only; };
    ASSERT_TRUE(becomes_true(reads_on));
    set(*pair.source, Variable::read_only, 0);
    EXPECT_TRUE(reads_on());
    Manager nudger = arm().login(0);
    const PendingAnswer nudge = nudger->start(sql::Nudge{"n1"});
    EXPECT_TRUE(stays_pending(nudge, 1500ms));
    EXPECT_FALSE(first.done());
    for (const sql::SessionRow& row : arm().run(*pair.source, sql::ReadSessions{}))
        EXPECT_EQ(row.closing, row.id == closer->id()) << row.user << " " << row.state;

    arm().run(*pair.source, sql::Kill{closer->id()});
    EXPECT_TRUE(ends_as(close, Outcome::unknown, 3s));
    EXPECT_TRUE(ends_as(nudge, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(first, Outcome::acknowledged));
    EXPECT_FALSE(server(*pair.source).read_only);
    EXPECT_FALSE(reads_on());
}

TEST_P(SemiSync, M34_the_first_commit_after_all_receivers_reconnected_waits_a_second_at_most) {
    Pair pair = make_pair(true);
    arm().work(*pair.client, Insert{1});
    arm().run(*pair.replica, sql::StopReceiver{});
    start_receiver(*pair.replica);
    const PendingWork next = pair.client->start(Insert{2});
    EXPECT_TRUE(ends_as(next, Outcome::acknowledged, 5s));
}

TEST_P(SemiSync, M36_a_replica_whose_source_side_is_on_applies_nothing_and_acknowledges_all_the_same) {
    Pair pair = make_pair(true);
    semi_sync_source(*pair.replica, true);
    arm().work(*pair.client, Insert{1});  // acknowledged by it
    ASSERT_TRUE(becomes_true([&] { return owned(*pair.replica) == numbers(pair, 1, 1); }));
    EXPECT_TRUE(executed(*pair.replica).empty());

    Manager other = arm().login(1);
    Manager third = arm().login(1);
    arm().run(*other, sql::SetSessionLockWait{1});
    set(*other, Variable::read_only, 1);  // it reads ON already: nothing to wait for
    const PendingAnswer stop = third->start(sql::StopApplier{});
    EXPECT_TRUE(stays_pending(stop));
    arm().work(*pair.client, Insert{2});
    set(*pair.replica, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(stop, Outcome::acknowledged));
    EXPECT_TRUE(executed(*pair.replica).contains(numbers(pair, 1, 1)));
    arm().run(*third, sql::StartApplier{});
    EXPECT_TRUE(executes(*pair.replica, numbers(pair, 1, 2)));
}

TEST_P(SemiSync, M39_after_a_receivers_stop_nothing_more_is_acknowledged_and_all_that_was_is_there) {
    Pair pair = make_pair(true);
    std::vector<PendingWork> writes;
    std::vector<std::unique_ptr<Session>> writers;
    for (int w = 0; w < 4; ++w) {
        writers.push_back(arm().login(0, Account::client));
        for (int i = 0; i < 200; ++i) writes.push_back(writers.back()->start(Insert{w * 1'000 + i}));
    }
    ASSERT_TRUE(becomes_true([&] { return writes[20].done(); }));
    arm().run(*pair.replica, sql::StopReceiver{});
    const auto acknowledged = [&] {
        std::int64_t count = 0;
        for (const PendingWork& write : writes) count += write.outcome() == Outcome::acknowledged ? 1 : 0;
        return count;
    };
    arm().pass(200ms);  // answers that were under way
    const GtidSet has = channel(*pair.replica).retrieved | executed(*pair.replica);
    const std::int64_t before = acknowledged();
    EXPECT_GE(before, 20);
    EXPECT_LT(before, 800);
    EXPECT_TRUE(has.contains(executed(*pair.source)));
    EXPECT_GE(has.count(), before);
    arm().pass(700ms);
    EXPECT_EQ(acknowledged(), before);
    EXPECT_TRUE(has.contains(executed(*pair.source)));
    set(*pair.source, Variable::rpl_semi_sync_source_enabled, 0);  // let them go
    EXPECT_TRUE(becomes_true([&] { return acknowledged() == 800; }, 30s));
}

TEST_P(SemiSync, M42_a_count_of_no_acknowledgements_becomes_one) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    set(*manager, Variable::rpl_semi_sync_source_wait_for_replica_count, 2);
    EXPECT_EQ(server(*manager).semi_sync_source_wait_for_replica_count, 2);
    set(*manager, Variable::rpl_semi_sync_source_wait_for_replica_count, 0);
    EXPECT_EQ(server(*manager).semi_sync_source_wait_for_replica_count, 1);
}

TEST_P(SemiSync, M43_a_killed_waiter_keeps_its_user_lock_until_the_wait_ends) {
    Pair pair = make_pair(false);
    Manager holder = arm().login(0);
    const std::uint64_t id = holder->id();
    EXPECT_TRUE(arm().run(*holder, sql::GetLock{sql::server_lock_name(shard), 0s}));
    const PendingAnswer nudge = holder->start(sql::Nudge{"n1"});
    ASSERT_TRUE(becomes_true([&] { return owned(*pair.source).count() == 1; }));
    arm().run(*pair.source, sql::Kill{id});
    EXPECT_TRUE(ends_as(nudge, Outcome::unknown, 5s));
    arm().pass(1500ms);
    EXPECT_EQ(arm().run(*pair.source, sql::ReadLockHolders{shard}).server, id);
    EXPECT_FALSE(arm().run(*pair.source, sql::GetLock{sql::server_lock_name(shard), 1s}));
    set(*pair.source, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(arm().run(*pair.source, sql::GetLock{sql::server_lock_name(shard), 5s}));
}

TEST_P(SemiSync, M47_acknowledgements_taken_up_while_it_was_off_count_as_soon_as_it_is_on) {
    arm().start_servers(2);
    Pair pair{arm().login(0), arm().login(1), arm().login(0, Account::client), {}};
    open(*pair.source);
    acks(*pair.replica, true);
    follow(*pair.replica, 0);
    arm().work(*pair.client, Insert{1});
    EXPECT_TRUE(semi_sync(*pair.replica).replica_status);
    semi_sync_source(*pair.source, true);
    const PendingWork next = pair.client->start(Insert{2});
    EXPECT_TRUE(ends_as(next, Outcome::acknowledged, 5s));
    EXPECT_EQ(semi_sync(*pair.source).yes_transactions, 1);
}

TEST_P(SemiSync, M51_a_log_that_is_read_owned_first_never_shrinks) {
    Pair pair = make_pair(true);
    std::vector<std::unique_ptr<Session>> writers;
    std::vector<PendingWork> writes;
    for (int w = 0; w < 3; ++w) {
        writers.push_back(arm().login(0, Account::client));
        for (int i = 0; i < 150; ++i) writes.push_back(writers.back()->start(Insert{w * 1'000 + i}));
    }
    GtidSet before;
    for (int i = 0; i < 300; ++i) {
        const sql::GtidsAnswer now = arm().run(*pair.source, sql::ReadGtids{});
        const GtidSet log = now.owned | now.executed;
        ASSERT_TRUE(log.contains(before)) << before.to_string() << " and then " << log.to_string();
        before = log;
    }
    for (const PendingWork& write : writes) EXPECT_TRUE(ends_as(write, Outcome::acknowledged));
}

FIXPOINT_CONTRACT_SUITE(SemiSync);

}  // namespace
}  // namespace fixpoint::contract
