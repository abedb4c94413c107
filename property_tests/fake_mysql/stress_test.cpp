// Whatever managers, clients and faults do to servers in whatever order: a server stays one that, once left
// alone, answers looks, closes, opens, replicates and takes writes. Finds locks that leak and waits that
// nobody ends.
#include "property_tests/fake_mysql/small_world.hpp"

namespace fixpoint::sim::mysql {
namespace {

using sql::Variable;

struct Stress {
    explicit Stress(std::uint64_t seed) : world(3, seed), stream(world.chooser.stream("stress")) {
        world.make_shard();
    }

    std::int64_t pick(std::int64_t n) { return world.chooser.range(stream, 0, n - 1); }

    // Managers send statements, clients work: a manager never locks tables or leaves a transaction open.
    SessionId session(int server, bool manager) {
        std::vector<SessionId>& known = (manager ? managers : clients)[server];
        if (known.size() < 4 || pick(5) == 0) {
            LoginRequest request;
            request.user = request.manager = manager ? "m" : "";
            request.privileged = manager || pick(3) == 0;
            world.at(server).connect(request, nullptr, [&known](auto id) {
                if (id) known.push_back(*id);
            });
        }
        return known.empty() ? 0
                             : known[static_cast<std::size_t>(pick(static_cast<std::int64_t>(known.size())))];
    }

    sql::Statement statement(int server) {
        const std::string lock = sql::server_lock_name(world.shard);
        const std::int64_t bit = pick(2);
        switch (pick(20)) {
            case 0:
                return sql::Look{world.shard};
            case 1:
                return sql::GetLock{lock, std::chrono::milliseconds(pick(2000))};
            case 2:
                return sql::ReleaseLock{lock};
            case 3:
                return sql::Kill{static_cast<std::uint64_t>(8 + pick(30))};
            case 4:
                return sql::SetGlobal{Variable::super_read_only, bit};
            case 5:
                return sql::SetGlobal{Variable::read_only, bit};
            case 6:
                return sql::SetGlobal{Variable::offline_mode, pick(6) == 0 ? 1 : 0};
            case 7:
                return sql::SetGlobal{Variable::rpl_semi_sync_source_enabled, bit};
            case 8:
                return sql::SetGlobal{Variable::rpl_semi_sync_replica_enabled, bit};
            case 9:
                return sql::CloseInOnePacket{};
            case 10:
                return sql::SemiSyncSourceOffIfOffline{};
            case 11:
                return sql::StopReceiver{};
            case 12:
                return sql::StopApplier{};
            case 13:
                return sql::StartReceiver{};
            case 14:
                return sql::StartApplier{};
            case 15:
                return sql::ChangeSource{
                    .source = world.at((server + 1 + static_cast<int>(bit)) % 3).address(),
                    .heartbeat_period = 250ms,
                    .receiver_options_only = pick(2) == 0};
            case 16:
                return sql::ResetReplica{pick(2) == 0};
            case 17:
                return sql::CreateJournal{};
            case 18:
                return sql::Nudge{"n" + std::to_string(pick(3))};
            default:
                return sql::SetSessionLockWait{1 + pick(3)};
        }
    }

    ClientWork client_work() {
        switch (pick(8)) {
            case 0:
                return BeginTransaction{};
            case 1:
                return CommitTransaction{};
            case 2:
                return LockTablesForRead{};
            case 3:
                return UnlockTables{};
            case 4:
                return CreateTable{"t" + std::to_string(pick(5))};
            default:
                return InsertRow{++last_write, 0};
        }
    }

    void fault(int server) {
        FakeMysql& s = world.at(server);
        switch (pick(12)) {
            case 0:
                s.crash();
                break;
            case 1:
                s.shut_down();
                break;
            case 2:
                s.pause();
                break;
            case 3:
                s.resume();
                break;
            case 4:
                s.block_applier(pick(2) == 0);
                break;
            case 5:
                s.fail_applier(1062);
                break;
            case 6:
                s.repoint_by_hand(world.at((server + 1) % 3).address());
                break;
            case 7:
                s.reset_replica_by_hand(true);
                break;
            case 8:
                s.write_errant(++last_write);
                break;
            case 9:
                world.network.heal_all();
                break;
            case 10:
                world.network.cut({world.endpoint(server)}, {world.endpoint((server + 1) % 3)}, pick(2) == 0);
                break;
            default:
                if (!s.up() && pick(4) == 0) s.lose_relay_log();
                if (!s.process().alive()) s.start();
                break;
        }
    }

    void step() {
        const int server = static_cast<int>(pick(3));
        FakeMysql& s = world.at(server);
        if (pick(10) == 0) return fault(server);
        if (s.paused() || !s.up()) return;  // the network would bring nothing
        const bool manager = pick(2) == 0;
        const SessionId id = session(server, manager);
        if (pick(12) == 0) return s.disconnect(id);
        if (manager) {
            s.execute(id, statement(server), 1, [](sql::Result) {});
        } else {
            s.work(id, client_work(), [](ClientResult) {});
        }
    }

    // Everything that a person could do to get a server back without restarting it.
    void leave_alone(int server) {
        FakeMysql& s = world.at(server);
        s.resume();
        ASSERT_TRUE(world.until([&] { return !s.stopping() && !s.starting(); }))
            << "stops or starts for ever";
        if (!s.up()) s.start();
        ASSERT_TRUE(world.until([&] { return s.up(); }));
        s.block_applier(false);
        for (std::uint64_t connection = 0; connection < 400; ++connection) s.kill_by_hand(connection);
        s.set_by_hand(Variable::rpl_semi_sync_source_enabled, 0);
        s.set_by_hand(Variable::offline_mode, 0);
        world.pass(5s);
    }

    SmallWorld world;
    Stream stream;
    std::vector<SessionId> managers[3], clients[3];
    WriteId last_write = 1000;
};

TEST(FakeStress, a_server_that_is_left_alone_works_again_whatever_was_done_to_it) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Stress stress(seed);
        SmallWorld& world = stress.world;
        for (int i = 0; i < 400; ++i) {
            stress.step();
            world.pass(std::chrono::microseconds(stress.pick(20'000)));
        }
        world.network.heal_all();
        for (int server = 0; server < 3; ++server) stress.leave_alone(server);
        if (HasFatalFailure()) return;
        for (int server = 0; server < 3; ++server) {
            SCOPED_TRACE("server " + std::to_string(server));
            EXPECT_TRUE(world.at(server).owned().empty());
            EXPECT_FALSE(world.at(server).snapshot(world.shard).closing_pending);
            const SessionId manager = world.login(server, "m");
            ASSERT_TRUE(world.run(server, manager, sql::Statement(sql::Look{world.shard})).has_value());
            EXPECT_TRUE(
                std::get<bool>(world
                                   .run(server, manager,
                                        sql::Statement(sql::GetLock{sql::server_lock_name(world.shard), 0s}))
                                   .value()));
            const auto on = sql::Statement(sql::SetGlobal{Variable::super_read_only, 1});
            ASSERT_TRUE(world.run(server, manager, on).has_value());
            const auto off = sql::Statement(sql::SetGlobal{Variable::read_only, 0});
            ASSERT_TRUE(world.run(server, manager, off).has_value());
            const WriteId own_row = 900'000 + 3 * seed + static_cast<WriteId>(server);
            const SessionId client = world.client(server);
            ASSERT_TRUE(world.run(server, client, ClientWork(InsertRow{own_row, 0})).has_value());
            for (const sql::Statement& statement :
                 {sql::Statement(sql::StopReceiver{}), sql::Statement(sql::StopApplier{}),
                  sql::Statement(sql::ResetReplica{true})}) {
                EXPECT_TRUE(world.run(server, manager, statement).has_value()) << sql::to_string(statement);
            }
        }
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace fixpoint::sim::mysql
