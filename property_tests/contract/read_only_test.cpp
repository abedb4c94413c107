// Closed and half closed servers: whom each flag binds, what a closing waits for, and what its answer alone
// proves (M19 to M22, M32, M33, M35, M52).
#include "property_tests/contract/suite.hpp"

namespace fixpoint::contract {
namespace {

using sql::Variable;
namespace errors = sql::error_number;

class ReadOnly : public Contract {
  protected:
    int error_of(Session& client, Work work) {
        const WorkResult result = arm().try_work(client, std::move(work));
        return result ? 0 : result.error().number;
    }
    std::pair<bool, bool> flags(Session& manager) {
        const sql::ServerRow row = server(manager);
        return {row.read_only, row.super_read_only};
    }

    // A primary with one commit that waits for an acknowledgement which nobody will give.
    struct Blocked {
        Manager manager;
        std::unique_ptr<Session> client;
        PendingWork insert;
    };
    Blocked make_blocked() {
        arm().start_servers(2);
        Manager manager = arm().login(0);
        semi_sync_source(*manager, true);
        open(*manager);
        auto client = arm().login(0, Account::client);
        PendingWork insert = client->start(Insert{1});
        EXPECT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
        return {std::move(manager), std::move(client), std::move(insert)};
    }
};

using Flags = std::pair<bool, bool>;

TEST_P(ReadOnly, M19_read_only_binds_clients_and_super_read_only_everybody) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    auto client = arm().login(0, Account::client);
    auto privileged = arm().login(0, Account::privileged);
    EXPECT_EQ(flags(*manager), Flags(true, true));
    EXPECT_EQ(error_of(*client, Insert{1}), errors::option_prevents_statement);
    EXPECT_EQ(error_of(*privileged, Insert{1}), errors::option_prevents_statement);

    set(*manager, Variable::super_read_only, 0);  // M52: ordinary clients are still refused
    EXPECT_EQ(flags(*manager), Flags(true, false));
    EXPECT_EQ(error_of(*client, Insert{1}), errors::option_prevents_statement);
    EXPECT_EQ(error_of(*privileged, Insert{1}), 0);

    set(*manager, Variable::super_read_only, 1);
    set(*manager, Variable::read_only, 0);  // sets both off
    EXPECT_EQ(flags(*manager), Flags(false, false));
    EXPECT_EQ(error_of(*client, Insert{2}), 0);

    set(*manager, Variable::super_read_only, 1);  // sets both on
    EXPECT_EQ(flags(*manager), Flags(true, true));
    EXPECT_EQ(error_of(*client, Insert{3}), errors::option_prevents_statement);
    EXPECT_EQ(ids(0), (std::vector<std::int64_t>{1, 2}));
}

TEST_P(ReadOnly, M19_a_transaction_that_was_open_is_refused_at_its_commit) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    open(*manager);
    auto client = arm().login(0, Account::client);
    arm().work(*client, Begin{});
    arm().work(*client, Insert{1});
    arm().run(*manager, sql::SetGlobal{Variable::super_read_only, 1});
    EXPECT_EQ(error_of(*client, Commit{}), errors::option_prevents_statement);
    EXPECT_TRUE(executed(*manager).empty());
}

TEST_P(ReadOnly, M20_a_closing_waits_for_a_waiting_commit_and_reads_on_before_it_is_true) {
    Blocked world = make_blocked();
    Manager closer = arm().login(0);
    const PendingAnswer close = closer->start(sql::SetGlobal{Variable::super_read_only, 1});
    ASSERT_TRUE(becomes_true([&] { return server(*world.manager).super_read_only; }));
    EXPECT_TRUE(stays_pending(close));
    EXPECT_FALSE(world.insert.done());

    Manager replica = arm().login(1);
    acks(*replica, true);
    follow(*replica, 0);
    EXPECT_TRUE(ends_as(world.insert, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(close, Outcome::acknowledged));
    EXPECT_EQ(flags(*world.manager), Flags(true, true));
}

TEST_P(ReadOnly, M20_a_closing_that_gives_up_leaves_both_flags_off) {
    Blocked world = make_blocked();
    arm().run(*world.manager, sql::SetSessionLockWait{1});
    const auto close = arm().try_run(*world.manager, sql::SetGlobal{Variable::super_read_only, 1});
    ASSERT_FALSE(close.has_value());
    EXPECT_EQ(close.error().number, errors::lock_wait_timeout);
    EXPECT_EQ(flags(*world.manager), Flags(false, false));
    EXPECT_FALSE(world.insert.done());
}

TEST_P(ReadOnly, M20_a_closing_whose_session_is_killed_leaves_both_flags_off) {
    Blocked world = make_blocked();
    Manager closer = arm().login(0);
    const PendingAnswer close = closer->start(sql::SetGlobal{Variable::super_read_only, 1});
    ASSERT_TRUE(becomes_true([&] { return server(*world.manager).super_read_only; }));
    arm().run(*world.manager, sql::Kill{closer->id()});
    EXPECT_TRUE(ends_as(close, Outcome::unknown, 3s));
    EXPECT_TRUE(becomes_true([&] { return flags(*world.manager) == Flags(false, false); }, 3s));
    EXPECT_FALSE(world.insert.done());
}

TEST_P(ReadOnly, M20_a_closing_waits_for_table_locks_and_new_statements_queue_behind_it) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    Manager closer = arm().login(0);
    open(*manager);
    auto holder = arm().login(0, Account::client);
    arm().work(*holder, Begin{});
    arm().work(*holder, Insert{1});  // an open transaction is no obstacle …
    arm().run(*manager, sql::SetGlobal{Variable::super_read_only, 1});
    set(*manager, Variable::read_only, 0);
    holder = arm().login(0, Account::client);
    auto writer = arm().login(0, Account::client);

    semi_sync_source(*manager, true);  // … a commit that waits is
    const PendingWork waiting = holder->start(Insert{2});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));
    const PendingAnswer close = closer->start(sql::SetGlobal{Variable::super_read_only, 1});
    ASSERT_TRUE(becomes_true([&] { return server(*manager).super_read_only; }));
    const PendingWork queued = writer->start(Insert{3});
    arm().pass(300ms);
    set(*manager, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(waiting, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(close, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(queued, Outcome::failed));
    EXPECT_EQ(queued.error_number(), errors::option_prevents_statement);
    EXPECT_EQ(ids(0), std::vector<std::int64_t>{2});
}

TEST_P(ReadOnly, M20_a_closing_under_load_gives_every_client_an_answer) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    open(*manager);
    std::vector<std::unique_ptr<Session>> writers;
    std::vector<PendingWork> writes;
    for (int w = 0; w < 6; ++w) {
        writers.push_back(arm().login(0, Account::client));
        for (int i = 0; i < 100; ++i) writes.push_back(writers.back()->start(Insert{w * 1'000 + i}));
    }
    ASSERT_TRUE(becomes_true([&] { return writes[5].done(); }));
    const PendingAnswer close = manager->start(sql::SetGlobal{Variable::super_read_only, 1});
    ASSERT_TRUE(ends_as(close, Outcome::acknowledged, 10s));
    const GtidSet after = executed(*manager);
    std::int64_t acknowledged = 0;
    for (const PendingWork& write : writes) {
        ASSERT_TRUE(becomes_true([&] { return write.done(); }));
        if (write.outcome() == Outcome::acknowledged) {
            ++acknowledged;
        } else {
            EXPECT_EQ(write.error_number(), errors::option_prevents_statement);
        }
    }
    EXPECT_EQ(executed(*manager), after);
    EXPECT_EQ(after.count(), acknowledged);
    EXPECT_EQ(static_cast<std::int64_t>(ids(0).size()), acknowledged);
}

TEST_P(ReadOnly, M20a_a_closing_in_one_packet_lets_no_privileged_client_slip) {
    Blocked world = make_blocked();
    Manager closer = arm().login(0);
    const PendingAnswer close = closer->start(sql::CloseInOnePacket{});
    EXPECT_TRUE(stays_pending(close));
    std::vector<std::unique_ptr<Session>> writers;
    std::vector<PendingWork> queued;
    for (int i = 0; i < 4; ++i) {
        writers.push_back(arm().login(0, Account::privileged));
        queued.push_back(writers.back()->start(Insert{100 + i}));
    }
    arm().pass(300ms);
    for (const PendingWork& write : queued) EXPECT_FALSE(write.done());
    set(*world.manager, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(world.insert, Outcome::acknowledged));
    ASSERT_TRUE(ends_as(close, Outcome::acknowledged));
    for (const PendingWork& write : queued) {
        EXPECT_TRUE(ends_as(write, Outcome::failed));
        EXPECT_EQ(write.error_number(), errors::option_prevents_statement);
    }
    EXPECT_EQ(executed(*world.manager).count(), 1);
    EXPECT_EQ(flags(*world.manager), Flags(true, true));
}

TEST_P(ReadOnly, M20a_a_closing_in_one_packet_that_is_refused_leaves_no_lock_behind) {
    Blocked world = make_blocked();
    Manager closer = arm().login(0);
    arm().run(*closer, sql::SetSessionLockWait{1});
    const auto close = arm().try_run(*closer, sql::CloseInOnePacket{});
    ASSERT_FALSE(close.has_value());
    EXPECT_EQ(close.error().number, errors::lock_wait_timeout);
    EXPECT_EQ(flags(*world.manager), Flags(false, false));
    set(*world.manager, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(world.insert, Outcome::acknowledged));
    auto writer = arm().login(0, Account::client);
    EXPECT_EQ(error_of(*writer, Insert{2}), 0);  // although the closer's session lives
}

TEST_P(ReadOnly, M20a_read_only_first_and_super_read_only_after_it_has_no_gap_either) {
    Blocked world = make_blocked();
    Manager closer = arm().login(0);
    const PendingAnswer first = closer->start(sql::SetGlobal{Variable::read_only, 1});
    const PendingAnswer then = closer->start(sql::SetGlobal{Variable::super_read_only, 1});
    EXPECT_TRUE(stays_pending(first));  // it waits for the commit as well
    set(*world.manager, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(ends_as(first, Outcome::acknowledged));
    EXPECT_TRUE(ends_as(then, Outcome::acknowledged));
    EXPECT_EQ(flags(*world.manager), Flags(true, true));
}

TEST_P(ReadOnly, M21_a_statement_whose_client_has_gone_takes_effect_later) {
    Blocked world = make_blocked();
    world.client.reset();
    arm().pass(300ms);
    EXPECT_EQ(owned(*world.manager).count(), 1);
    EXPECT_TRUE(executed(*world.manager).empty());
    set(*world.manager, Variable::rpl_semi_sync_source_enabled, 0);
    EXPECT_TRUE(becomes_true([&] { return executed(*world.manager).count() == 1; }));
    EXPECT_EQ(ids(0), std::vector<std::int64_t>{1});
}

TEST_P(ReadOnly, M22_after_a_restart_the_flags_come_from_the_configuration) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    open(*manager);
    arm().kill(0);
    arm().start(0, {.super_read_only = true});
    manager = arm().login(0);
    EXPECT_EQ(flags(*manager), Flags(true, true));
    arm().shut_down(0);
    arm().start(0, {.super_read_only = false});
    manager = arm().login(0);
    EXPECT_EQ(flags(*manager), Flags(false, false));
}

TEST_P(ReadOnly, M22_M35_what_is_persisted_beats_the_configuration_unless_it_is_not_loaded) {
    arm().start_servers(1);
    Manager manager = arm().login(0);
    open(*manager);
    arm().run(*manager, sql::SetPersistOnly{Variable::super_read_only, 1});
    arm().run(*manager, sql::SetPersistOnly{Variable::rpl_semi_sync_source_enabled, 1});
    arm().run(*manager, sql::SetPersistOnly{Variable::rpl_semi_sync_source_timeout, 4'242});
    EXPECT_EQ(flags(*manager), Flags(false, false));  // nothing changes now
    EXPECT_FALSE(server(*manager).semi_sync_source_enabled);
    const sql::PersistedVariables persisted = look(*manager).persisted;
    EXPECT_EQ(persisted, (sql::PersistedVariables{{Variable::super_read_only, 1},
                                                  {Variable::rpl_semi_sync_source_enabled, 1},
                                                  {Variable::rpl_semi_sync_source_timeout, 4'242}}));
    arm().kill(0);
    arm().start(0, {.super_read_only = false});
    manager = arm().login(0);
    EXPECT_EQ(flags(*manager), Flags(true, true));
    EXPECT_TRUE(server(*manager).semi_sync_source_enabled);
    EXPECT_EQ(server(*manager).semi_sync_source_timeout_ms, 4'242);
    EXPECT_EQ(look(*manager).persisted, persisted);
    arm().kill(0);
    arm().start(0, {.super_read_only = false, .persisted_globals_load = false});
    manager = arm().login(0);
    EXPECT_EQ(flags(*manager), Flags(false, false));
    EXPECT_FALSE(server(*manager).semi_sync_source_enabled);
    EXPECT_FALSE(server(*manager).persisted_globals_load);
}

TEST_P(ReadOnly, M32_a_clean_shutdown_tells_every_waiting_client_ok) {
    Blocked world = make_blocked();
    arm().shut_down(0);
    EXPECT_TRUE(ends_as(world.insert, Outcome::acknowledged));
}

TEST_P(ReadOnly, M33_offline_mode_ends_ordinary_sessions_and_receivers_and_keeps_the_managers) {
    arm().start_servers(2);
    Manager manager = arm().login(0);
    Manager replica = arm().login(1);
    auto idle = arm().login(0, Account::client);
    auto client = arm().login(0, Account::client);
    follow(*replica, 0);
    semi_sync_source(*manager, true);
    open(*manager);
    const PendingWork insert = client->start(Insert{1});
    ASSERT_TRUE(becomes_true([&] { return owned(*manager).count() == 1; }));

    const Instant begun = arm().now();
    set(*manager, Variable::offline_mode, 1);
    EXPECT_LE(arm().now() - begun, 5s);  // whatever waits
    EXPECT_TRUE(ends_as(insert, Outcome::unknown));
    EXPECT_EQ(insert.error_number(), errors::server_lost);
    EXPECT_TRUE(becomes_true([&] { return idle->broken(); }));
    EXPECT_EQ(owned(*manager).count(), 1);  // the transaction stays (M14)
    const auto login = arm().try_login(0, Account::client);
    ASSERT_FALSE(login.has_value());
    EXPECT_EQ(login.error().kind, sql::ErrorKind::refused);
    EXPECT_EQ(login.error().number, errors::offline_mode);
    EXPECT_TRUE(arm().try_login(0, Account::manager).has_value());
    ASSERT_TRUE(becomes_true([&] { return channel(*replica).receiver_errno == errors::offline_mode; }));
    EXPECT_EQ(channel(*replica).receiver, sql::ThreadState::connecting);

    arm().run(*manager,
              sql::SemiSyncSourceOffIfOffline{});  // it is: what waits is released, and nobody listens
    EXPECT_FALSE(server(*manager).semi_sync_source_enabled);
    EXPECT_TRUE(becomes_true([&] { return owned(*manager).empty(); }));
    set(*manager, Variable::offline_mode, 0);
    EXPECT_TRUE(becomes_true([&] { return channel(*replica).receiver == sql::ThreadState::yes; }, 15s));
    EXPECT_TRUE(arm().try_login(0, Account::client).has_value());

    set(*manager, Variable::rpl_semi_sync_source_enabled, 1);
    arm().run(*manager, sql::SemiSyncSourceOffIfOffline{});  // it is not: nothing happens
    EXPECT_TRUE(server(*manager).semi_sync_source_enabled);
    set(*manager, Variable::offline_mode, 1);
    arm().kill(0);
    arm().start(0);
    manager = arm().login(0);
    EXPECT_FALSE(server(*manager).offline_mode);  // off after a restart
}

FIXPOINT_CONTRACT_SUITE(ReadOnly);

}  // namespace
}  // namespace fixpoint::contract
