// A world of fake servers without managers: what tests of the fake's internals stand on. Statements are given
// to a server directly, as if the network had just brought them, and answers are waited for in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "sim/core/chooser.hpp"
#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using namespace std::chrono_literals;

// Keeps every event that a server reports.
class Recorder final : public Observer {
  public:
    void on(Instant at, const JudgeEvent& event) override { events_.emplace_back(at, event); }
    template <class Event>
    std::vector<Event> all() const {
        std::vector<Event> found;
        for (const auto& [at, event] : events_) {
            if (const auto* e = std::get_if<Event>(&event)) found.push_back(*e);
        }
        return found;
    }
    void clear() { events_.clear(); }

  private:
    std::vector<std::pair<Instant, JudgeEvent>> events_;
};

template <class Result>
using Eventually = std::shared_ptr<std::optional<Result>>;

class SmallWorld {
  public:
    explicit SmallWorld(int count, std::uint64_t seed = 1, StartOptions options = quick())
        : chooser(seed), scheduler(chooser), network(scheduler), shared(scheduler, network, &recorder) {
        shared.shard = shard;
        for (int i = 0; i < count; ++i) {
            options.server_id = 100 + i;
            servers.push_back(
                std::make_unique<FakeMysql>(shared, TabletAlias{"zone1", static_cast<std::uint32_t>(100 + i)},
                                            MysqlAddress{"host" + std::to_string(i), 3306}, options));
        }
        keep_time();
    }

    static StartOptions quick() {
        StartOptions options;
        options.replica_net_timeout_s = 1;
        options.semi_sync_source_timeout_ms = 1'000'000'000'000'000;
        return options;
    }

    FakeMysql& at(int i) { return *servers.at(static_cast<std::size_t>(i)); }
    void pass(Duration duration) { scheduler.run_until(scheduler.now() + duration); }
    template <class Condition>
    bool until(Condition condition, Duration limit = 30s) {
        return scheduler.run_while([&] { return !condition(); }, scheduler.now() + limit) == RunEnd::reached;
    }

    SessionId login(int server, std::string manager = "", bool privileged = true) {
        LoginRequest request;
        request.user = manager.empty() ? "client" : "manager";
        request.privileged = privileged;
        request.manager = std::move(manager);
        std::optional<SessionId> id;
        at(server).connect(request, [this] { ++ended; }, [&](auto answer) { id = answer.value(); });
        EXPECT_TRUE(until([&] { return id.has_value(); }));
        return id.value_or(0);
    }
    SessionId client(int server) { return login(server, "", false); }

    Eventually<sql::Result> start(int server, SessionId session, sql::Statement statement,
                                  std::int64_t lock_id = 0) {
        auto answer = std::make_shared<std::optional<sql::Result>>();
        at(server).execute(session, std::move(statement), lock_id,
                           [answer](sql::Result r) { *answer = std::move(r); });
        return answer;
    }
    Eventually<ClientResult> start(int server, SessionId session, ClientWork work) {
        auto answer = std::make_shared<std::optional<ClientResult>>();
        at(server).work(session, std::move(work), [answer](ClientResult r) { *answer = std::move(r); });
        return answer;
    }
    template <class What>
    auto run(int server, SessionId session, What what) {
        auto answer = start(server, session, std::move(what));
        EXPECT_TRUE(until([&] { return answer->has_value(); }));
        return answer->value();
    }

    // A primary that waits for one acknowledgement, and replicas that give it. Everything runs when it
    // returns.
    void make_shard() {
        set(0, sql::Variable::super_read_only, 0);
        set(0, sql::Variable::read_only, 0);
        set(0, sql::Variable::rpl_semi_sync_source_enabled, 1);
        for (int i = 1; i < static_cast<int>(servers.size()); ++i) {
            set(i, sql::Variable::rpl_semi_sync_replica_enabled, 1);
            follow(i, 0);
        }
        for (int i = 1; i < static_cast<int>(servers.size()); ++i) {
            EXPECT_TRUE(until([&] { return receives(i); }));
        }
    }
    void set(int server, sql::Variable variable, std::int64_t value) {
        at(server).set_variable_silently(variable, value);
    }
    void follow(int replica, int source) {
        at(replica).disk().channel = ChannelSettings{at(source).address(), 250ms, 1, 100'000, {}};
        at(replica).start_replication_silently();
    }
    sql::ReplicaRow channel(int server) { return at(server).snapshot(shard).channels.at(0); }
    bool receives(int server) { return channel(server).receiver == sql::ThreadState::yes; }
    Endpoint endpoint(int server) { return at(server).endpoint(); }

    const ShardName shard{"commerce", "0"};
    Recorder recorder;
    Chooser chooser;
    Scheduler scheduler;
    Network network;
    MysqlWorld shared;
    Process& clock = scheduler.add_process("clock");
    std::vector<std::unique_ptr<FakeMysql>> servers;
    int ended = 0;  // sessions that a server closed

  private:
    void keep_time() {
        scheduler.after(clock, 1ms, [this] { keep_time(); });
    }
};

}  // namespace fixpoint::sim::mysql
