// User locks and KILL, by which managers are fenced; and who may kill whom (M27, M37, M41, M53, M56).
#include <algorithm>

#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

namespace errors = sql::error_number;

class Locks : public Contract {
  protected:
    bool take(Session& manager, Duration patience = 0s) {
        return arm().run(manager, sql::GetLock{sql::server_lock_name(shard), patience});
    }
    std::optional<std::uint64_t> holder(Session& manager) {
        return arm().run(manager, sql::ReadLockHolders{shard}).server;
    }
};

TEST_P(Locks, M27_a_lock_is_had_by_one_session_on_a_closed_server_too) {
    arm().start_servers(1);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    EXPECT_TRUE(server(*one).super_read_only);
    EXPECT_TRUE(take(*one));
    EXPECT_TRUE(take(*one));  // again, by the same
    EXPECT_FALSE(take(*two));
    EXPECT_EQ(holder(*two), one->id());
    EXPECT_TRUE(arm().run(*two, sql::GetLock{sql::helper_lock_name(shard), 0s}));
    const sql::LockHolders holders = arm().run(*one, sql::ReadLockHolders{shard});
    EXPECT_EQ(holders.helper, two->id());
    EXPECT_EQ(holders.rebuild, std::nullopt);
    arm().run(*one, sql::ReleaseLock{sql::server_lock_name(shard)});
    EXPECT_FALSE(take(*two));  // taken twice, it is given back twice
    arm().run(*one, sql::ReleaseLock{sql::server_lock_name(shard)});
    EXPECT_TRUE(take(*two));
    arm().run(*one, sql::ReleaseLock{sql::server_lock_name(shard)});  // not his: nothing
    EXPECT_EQ(holder(*one), two->id());
}

TEST_P(Locks, M27_a_lock_ends_with_its_session) {
    arm().start_servers(1);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    EXPECT_TRUE(take(*one));
    one.reset();
    EXPECT_TRUE(take(*two, 5s));
}

TEST_P(Locks, M27_a_waiter_gets_the_lock_when_it_is_free_or_gives_up) {
    arm().start_servers(1);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    EXPECT_TRUE(take(*one));
    const Instant begun = arm().now();
    EXPECT_FALSE(take(*two, 1s));
    EXPECT_GE(arm().now() - begun, 900ms);
    const PendingAnswer waiting = two->start(sql::GetLock{sql::server_lock_name(shard), 20s});
    EXPECT_TRUE(stays_pending(waiting));
    arm().run(*one, sql::ReleaseLock{sql::server_lock_name(shard)});
    ASSERT_TRUE(ends_as(waiting, Outcome::acknowledged, 3s));
    EXPECT_TRUE(std::get<bool>(*waiting.result()));
}

TEST_P(Locks, M27_a_killed_sessions_next_statement_fails) {
    arm().start_servers(1);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    arm().run(*two, sql::Kill{one->id()});
    EXPECT_TRUE(becomes_true([&] { return one->broken(); }));
    const auto answer = arm().try_run(*one, sql::ReadGtids{});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, sql::ErrorKind::lost);
    EXPECT_TRUE(answer.error().number == errors::server_gone || answer.error().number == errors::server_lost);
    const auto gone = arm().try_run(*two, sql::Kill{one->id()});  // M56
    ASSERT_FALSE(gone.has_value());
    EXPECT_EQ(gone.error().number, errors::no_such_thread);
}

TEST_P(Locks, M37_an_idle_holder_that_is_killed_frees_its_lock_at_once) {
    arm().start_servers(1);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    EXPECT_TRUE(take(*one));
    arm().run(*two, sql::Kill{one->id()});
    EXPECT_TRUE(take(*two, 2s));
    EXPECT_EQ(holder(*two), two->id());
}

TEST_P(Locks, M37_an_account_without_system_user_cannot_kill_one_that_has_it) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    auto privileged = arm().login(0, Account::privileged);
    auto client = arm().login(0, Account::client);
    const auto up = arm().try_run(*privileged, sql::Kill{manager->id()});
    ASSERT_FALSE(up.has_value());
    EXPECT_EQ(up.error().number, 1095);
    arm().run(*privileged, sql::Kill{client->id()});
    EXPECT_TRUE(becomes_true([&] { return client->broken(); }));
    arm().run(*manager, sql::Kill{privileged->id()});
    EXPECT_TRUE(becomes_true([&] { return privileged->broken(); }));
}

TEST_P(Locks, M41_a_lock_name_has_at_most_64_characters_and_ours_are_cut) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    EXPECT_TRUE(arm().run(*manager, sql::GetLock{std::string(64, 'x'), 0s}));
    const auto longer = arm().try_run(*manager, sql::GetLock{std::string(65, 'x'), 0s});
    ASSERT_FALSE(longer.has_value());
    EXPECT_EQ(longer.error().number, errors::user_lock_name_too_long);

    const ShardName wide{std::string(60, 'k'), "80-c0"};
    EXPECT_TRUE(arm().run(*manager, sql::GetLock{sql::server_lock_name(wide), 0s}));
    EXPECT_TRUE(arm().run(*manager, sql::GetLock{sql::helper_lock_name(wide), 0s}));
    const sql::LockHolders holders = arm().run(*manager, sql::ReadLockHolders{wide});
    EXPECT_EQ(holders.server, manager->id());
    EXPECT_EQ(holders.helper, manager->id());
    EXPECT_EQ(holders.rebuild, std::nullopt);
}

TEST_P(Locks, M53_a_holder_killed_in_mid_statement_is_waited_for_with_patience) {
    arm().start_servers(1);
    Manager one = arm().login(0);
    Manager two = arm().login(0);
    EXPECT_TRUE(take(*one));
    const GtidSet never = GtidSet::interval(server_uuid(*two), 1'000, 1'000);
    const PendingAnswer busy = one->start(sql::WaitForExecuted{never, 60s});
    EXPECT_TRUE(stays_pending(busy, 200ms));
    arm().run(*two, sql::Kill{one->id()});
    EXPECT_TRUE(take(*two, 5s));
    EXPECT_TRUE(ends_as(busy, Outcome::unknown, 3s));
}

TEST_P(Locks, M53_one_that_is_killed_inside_a_stop_keeps_its_lock_until_the_stop_ends) {
    arm().start_servers(2);
    Manager source = arm().login(0);
    Manager one = arm().login(1);
    Manager two = arm().login(1);
    set(*one, sql::Variable::rpl_stop_replica_timeout, 4);
    open(*source);
    follow(*one, 0);
    auto blocker = arm().login(1, Account::client);
    arm().work(*blocker, LockTablesForRead{});
    auto client = arm().login(0, Account::client);
    arm().work(*client, Insert{1});
    ASSERT_TRUE(receives(*one, executed(*source)));
    arm().pass(300ms);

    const std::uint64_t id = one->id();
    EXPECT_TRUE(take(*one));
    const PendingAnswer stop = one->start(sql::StopApplier{});
    EXPECT_TRUE(stays_pending(stop, 300ms));
    arm().run(*two, sql::Kill{id});
    EXPECT_TRUE(ends_as(stop, Outcome::unknown, 2s));
    EXPECT_FALSE(take(*two));
    EXPECT_EQ(holder(*two), id);
    const auto row = session_row(*two, id);
    ASSERT_TRUE(row.has_value());
    EXPECT_TRUE(row->killed);
    arm().work(*blocker, UnlockTables{});
    EXPECT_TRUE(take(*two, 10s));
}

// The manager's question joins innodb_trx, which demands PROCESS: so what would be short in silence is an
// error.
TEST_P(Locks, M56_without_process_the_sessions_cannot_be_read) {
    arm().start_servers(1);
    auto client = arm().login(0, Account::client);
    const auto sessions = arm().try_run(*client, sql::ReadSessions{});
    ASSERT_FALSE(sessions.has_value());
    EXPECT_EQ(sessions.error().number, errors::missing_privilege);
}

TEST_P(Locks, M56_missing_privileges_are_read_from_the_grants) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    EXPECT_TRUE(arm().run(*manager, sql::ReadMissingPrivileges{}).empty());
    auto privileged = arm().login(0, Account::privileged);
    const std::vector<std::string> missing = arm().run(*privileged, sql::ReadMissingPrivileges{});
    EXPECT_EQ(missing.size(), 11U);  // of twelve: it has CONNECTION_ADMIN
    const auto process =
        std::ranges::find_if(missing, [](const std::string& m) { return m.starts_with("PROCESS"); });
    EXPECT_NE(process, missing.end());
}

TEST_P(Locks, sessions_are_listed_with_what_a_closing_must_know_of_them) {
    arm().start_servers(2);
    Manager manager = arm().login(0);
    Manager replica = arm().login(1);
    open(*manager);
    follow(*replica, 0);
    auto idle = arm().login(0, Account::client);
    auto privileged = arm().login(0, Account::privileged);
    auto busy = arm().login(0, Account::client);
    arm().work(*busy, Begin{});
    arm().work(*busy, Insert{1});
    std::int64_t dump_threads = 0;
    for (const sql::SessionRow& row : arm().run(*manager, sql::ReadSessions{})) {
        EXPECT_FALSE(row.killed);
        dump_threads += row.dump_thread ? 1 : 0;
        if (row.id == idle->id())
            EXPECT_TRUE(row.idle && !row.privileged && !row.in_transaction && row.user == "client");
        if (row.id == privileged->id()) EXPECT_TRUE(row.idle && row.privileged);
        if (row.id == busy->id()) EXPECT_TRUE(row.idle && row.in_transaction);
        if (row.id == manager->id()) EXPECT_TRUE(!row.idle && row.privileged);
    }
    EXPECT_EQ(dump_threads, 1);
}

FIXPOINT_CONTRACT_SUITE(Locks);

}  // namespace
}  // namespace fixpoint::contract
