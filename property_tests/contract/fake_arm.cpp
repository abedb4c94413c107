// The arm of fake servers: virtual time, a simulated network between the test's client and the servers, a
// world with a seed of its own. Waiting runs the world. It refuses to look into a server: everything that a
// test learns came over a session.
#include "property_tests/contract/fake_arm.hpp"

#include <algorithm>
#include <map>

#include "sim/core/chooser.hpp"
#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::contract {

namespace {

namespace fake = sim::mysql;

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

struct World {
    explicit World(std::uint64_t seed)
        : chooser(seed), scheduler(chooser), network(scheduler), mysql(scheduler, network, nullptr) {
        mysql.shard = {"commerce", "0"};
    }
    void keep_time() {
        scheduler.after(client, std::chrono::milliseconds(1), [this] { keep_time(); });
    }

    sim::Chooser chooser;
    sim::Scheduler scheduler;
    sim::Network network;
    fake::MysqlWorld mysql;
    sim::Process& client = scheduler.add_process("test");
    sim::Endpoint endpoint = network.endpoint("test");
    std::vector<std::unique_ptr<fake::FakeMysql>> servers;
};

// The client's end of one connection. Packets in flight keep it alive.
struct Connection {
    std::weak_ptr<World> alive;  // a session may outlive its world
    World* world = nullptr;
    fake::FakeMysql* server = nullptr;
    sim::Channel to_server, to_client;
    fake::SessionId session = 0;
    bool closed = false;                                         // as the client sees it
    std::map<std::uint64_t, std::function<void()>> outstanding;  // how each ends when the connection breaks
    std::uint64_t next = 0;

    void break_off() {
        closed = true;
        auto all = std::exchange(outstanding, {});
        for (auto& [number, lose] : all) lose();
    }
};

fake::ClientWork translated(const Work& work) {
    const auto id = [](std::int64_t i) { return static_cast<sim::WriteId>(i); };
    return std::visit(
        Overloaded{
            [&](const Insert& w) -> fake::ClientWork { return fake::InsertRow{id(w.id), 0}; },
            [&](const Delete& w) -> fake::ClientWork { return fake::DeleteRow{id(w.id)}; },
            [](const Begin&) -> fake::ClientWork { return fake::BeginTransaction{}; },
            [](const Commit&) -> fake::ClientWork { return fake::CommitTransaction{}; },
            [](const ReadIds&) -> fake::ClientWork { return fake::ReadIds{}; },
            [](const LockTablesForRead&) -> fake::ClientWork { return fake::LockTablesForRead{}; },
            [](const UnlockTables&) -> fake::ClientWork { return fake::UnlockTables{}; },
            [](const CreateTable& w) -> fake::ClientWork { return fake::CreateTable{w.name}; },
            [](const SelectFrom& w) -> fake::ClientWork { return fake::SelectFrom{w.name}; },
            [](const FlushTables&) -> fake::ClientWork { return fake::FlushTables{}; },
        },
        work);
}

WorkResult translated(fake::ClientResult result) {
    if (!result) return std::unexpected(std::move(result.error()));
    std::vector<std::int64_t> ids;
    for (const sim::WriteId id : *result) ids.push_back(static_cast<std::int64_t>(id));
    return ids;
}

class FakeSession final : public Session {
  public:
    explicit FakeSession(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    ~FakeSession() override {
        Connection& c = *connection_;
        if (!c.closed && !c.alive.expired()) {
            c.world->network.send(c.to_server, c.server->process(),
                                  [server = c.server, session = c.session] { server->disconnect(session); });
        }
        c.break_off();
    }

    std::uint64_t id() const override { return fake::connection_id(connection_->session); }
    bool broken() const override { return connection_->closed; }

    PendingAnswer start(sql::Statement statement) override {
        return submit<PendingAnswer, sql::Result>([statement = std::move(statement)](fake::FakeMysql& server,
                                                                                     fake::SessionId session,
                                                                                     auto answer) mutable {
            server.execute(session, std::move(statement), 0, std::move(answer));
        });
    }
    PendingWork start(Work work) override {
        return submit<PendingWork, WorkResult>(
            [work = translated(work)](fake::FakeMysql& server, fake::SessionId session, auto answer) mutable {
                server.work(session, std::move(work),
                            [answer = std::move(answer)](fake::ClientResult result) mutable {
                                answer(translated(std::move(result)));
                            });
            });
    }

  private:
    template <class P, class R, class Send>
    P submit(Send send) {
        P pending;
        if (connection_->closed || connection_->alive.expired()) {
            pending.end(std::unexpected(fake::lost()));
            return pending;
        }
        const std::uint64_t number = connection_->next++;
        connection_->outstanding[number] = [pending] { pending.end(std::unexpected(fake::lost())); };
        auto deliver = [connection = connection_, pending, number](R result) {
            connection->world->network.send(
                connection->to_client, connection->world->client,
                [connection, pending, number, result = std::move(result)]() mutable {
                    if (connection->outstanding.erase(number) == 0) return;
                    if (!result && result.error().is_maybe()) connection->closed = true;
                    pending.end(std::move(result));
                });
        };
        connection_->world->network.send(
            connection_->to_server, connection_->server->process(),
            [connection = connection_, send = std::move(send), deliver = std::move(deliver)]() mutable {
                send(*connection->server, connection->session, std::move(deliver));
            });
        return pending;
    }

    std::shared_ptr<Connection> connection_;
};

class FakeArm final : public Arm {
  public:
    std::string name() const override { return "fake"; }

    void start_servers(int count, const StartOptions& options) override {
        world_ = std::make_shared<World>(++seed_);
        for (int i = 0; i < count; ++i) {
            const auto uid = static_cast<std::uint32_t>(100 + i);
            world_->servers.push_back(std::make_unique<fake::FakeMysql>(
                world_->mysql, TabletAlias{"zone1", uid}, address(i), translated(options, i)));
        }
        world_->keep_time();
    }

    MysqlAddress address(int server) override {
        return {"fake" + std::to_string(server), static_cast<std::uint16_t>(3306)};
    }

    std::expected<std::unique_ptr<Session>, sql::Error> try_login(int server, Account account,
                                                                  Duration limit) override {
        return log_in(server, login_of(account), limit);
    }
    std::expected<std::unique_ptr<Session>, sql::Error> try_login_with_wrong_password(int server) override {
        fake::LoginRequest login = login_of(Account::client);
        login.wrong_password = true;
        return log_in(server, std::move(login), default_limit);
    }

    Instant now() override { return world_->scheduler.now(); }
    void pass(Duration duration) override { world_->scheduler.run_until(now() + duration); }

    void kill(int server) override { at(server).crash(); }
    void begin_shut_down(int server) override { at(server).shut_down(); }
    void shut_down(int server) override {
        at(server).shut_down();
        run_until([&] { return !at(server).up(); });
    }
    void start(int server, const StartOptions& options) override {
        if (options.new_uuid) at(server).make_new_uuid();
        if (options.relay_logs_removed) at(server).lose_relay_log();
        if (options.relay_log_torn) at(server).tear_relay_log();
        at(server).start(translated(options, server));
        run_until([&] { return at(server).up(); });
    }
    void pause(int server) override { at(server).pause(); }
    void resume(int server) override { at(server).resume(); }

    void insert_unlogged(int server, std::int64_t id) override {
        at(server).insert_unlogged(static_cast<sim::WriteId>(id));
    }
    void delete_unlogged(int server, std::int64_t id) override {
        at(server).delete_unlogged(static_cast<sim::WriteId>(id));
    }
    void execute_empty_transaction(int server, const Gtid& gtid) override { at(server).execute_empty(gtid); }
    void purge_binary_logs(int server) override { at(server).purge_binary_logs(); }
    void reset_binary_logs(int server) override { at(server).reset_binary_logs(); }
    void set_source_delay(int server, Duration delay) override {
        at(server).stop_applier_by_hand();
        at(server).set_source_delay(delay);
        at(server).start_applier_by_hand();
    }

  private:
    fake::FakeMysql& at(int server) { return *world_->servers.at(static_cast<std::size_t>(server)); }

    static fake::StartOptions translated(const StartOptions& options, int server) {
        fake::StartOptions fake_options;
        fake_options.skip_replica_start = options.skip_replica_start;
        fake_options.super_read_only = options.super_read_only;
        fake_options.relay_log_recovery = options.relay_log_recovery;
        fake_options.persisted_globals_load = options.persisted_globals_load;
        fake_options.semi_sync_plugins = options.semi_sync_plugins;
        fake_options.semi_sync_source_enabled = options.semi_sync_source_enabled;
        fake_options.semi_sync_replica_enabled = options.semi_sync_replica_enabled;
        fake_options.semi_sync_source_timeout_ms = options.semi_sync_source_timeout_ms;
        fake_options.replica_net_timeout_s = options.replica_net_timeout_s;
        fake_options.flush_log_at_trx_commit = options.flush_log_at_trx_commit;
        fake_options.max_connections = options.max_connections;
        fake_options.server_id = options.server_id.value_or(101 + server);
        return fake_options;
    }

    static fake::LoginRequest login_of(Account account) {
        fake::LoginRequest login;
        switch (account) {
            case Account::manager:
                login.user = login.manager = "manager";
                login.system_user = true;
                login.privileged = true;
                break;
            case Account::client:
                login.user = "client";
                break;
            case Account::privileged:
                login.user = "privileged";
                login.privileged = true;
                break;
        }
        return login;
    }

    template <class Condition>
    bool run_until(Condition condition, Duration limit = default_limit) {
        return world_->scheduler.run_while([&] { return !condition(); }, now() + limit) ==
               sim::RunEnd::reached;
    }

    std::expected<std::unique_ptr<Session>, sql::Error> log_in(int server, fake::LoginRequest login,
                                                               Duration limit) {
        auto connection = std::make_shared<Connection>();
        connection->alive = world_;
        connection->world = world_.get();
        connection->server = &at(server);
        connection->to_server = {world_->endpoint, at(server).endpoint(), {}};
        connection->to_client = {at(server).endpoint(), world_->endpoint, {}};
        using Answer = std::expected<fake::SessionId, sql::Error>;
        auto answered = std::make_shared<std::optional<Answer>>();
        const auto send_back = [connection, answered](Answer answer) {
            connection->world->network.send(connection->to_client, connection->world->client,
                                            [answered, answer = std::move(answer)] { *answered = answer; });
        };
        world_->network.send(
            connection->to_server, world_->mysql.hosts,
            [connection, login = std::move(login), send_back]() mutable {
                fake::FakeMysql& to = *connection->server;
                if (!to.up())
                    return send_back(std::unexpected(fake::refused(sql::error_number::cannot_connect)));
                connection->world->scheduler.post(to.process(), [connection, login = std::move(login),
                                                                 send_back] {
                    connection->server->connect(
                        login,
                        [connection] {
                            connection->world->network.send(connection->to_client, connection->world->client,
                                                            [connection] { connection->break_off(); });
                        },
                        send_back);
                });
            });
        if (!run_until([&] { return answered->has_value(); }, limit)) {
            connection->closed = true;
            return std::unexpected(sql::Error{sql::ErrorKind::timed_out, 0, "no answer to the login"});
        }
        if (!**answered) return std::unexpected((**answered).error());
        connection->session = ***answered;
        return std::make_unique<FakeSession>(std::move(connection));
    }

    std::uint64_t seed_ = 0;
    std::shared_ptr<World> world_;
};

}  // namespace

std::unique_ptr<Arm> make_fake_arm() {
    return std::make_unique<FakeArm>();
}

}  // namespace fixpoint::contract
