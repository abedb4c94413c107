// What a real run begins with: the same shard, clause by clause, as the simulator's (sim/world/boot.cpp), by
// a person's statements and records. A fixture that used the code under test would prove nothing about it.
#include <fmt/format.h>

#include <stdexcept>

#include "fixpoint/engine/record_codec.hpp"
#include "property_tests/real/shard/world.hpp"
#include "real_adapters/mysql/blocking_session.hpp"

namespace fixpoint::real_shards {
namespace {

using sql::Variable;

constexpr WallTime first_term_time{1'767'225'000'000'000'000};

class Fixture {
  public:
    Fixture(const sim::Scenario& scenario, const std::vector<Tablet*>& tablets, Store& store,
            const real::ReplicationCredentials& replication)
        : scenario_(scenario), tablets_(tablets), store_(store), replication_(replication) {
        for (std::size_t i = 0; i < scenario.tablets.size(); ++i) {
            if (scenario.tablets[i].type == TabletType::primary) primary_ = i;
        }
    }

    void run() {
        for (std::size_t i = 0; i < tablets_.size(); ++i) tablets_[i]->begin(options(i));
        for (Tablet* tablet : tablets_) tablet->finish();
        declare();
        if (scenario_.boot == sim::Boot::blank) return;
        open_sessions();
        session(primary_, "SET GLOBAL super_read_only = OFF");
        session(primary_, "SET GLOBAL read_only = OFF");
        if (converged()) {
            record_ = in_force();
            send(primary_, sql::CreateJournal{});
            record_.opened_at = executed();
            send(primary_, sql::InsertJournalRow{{scenario_.shard, 1, 0, alias(primary_),
                                                  record_.primary.uuid, record_.opened_at}});
            store_.put("", fixpoint_path(scenario_.shard), encode_fixpoint(record_));
        } else {
            session(primary_, "CREATE DATABASE app");
            session(primary_, "CREATE TABLE app.t (id INT PRIMARY KEY)");
        }
        for (std::size_t i = 0; i < tablets_.size(); ++i) configure(i);
        wait_until_received();
        // The shard is as declared from here on: semi-sync last, when somebody acknowledges.
        if (converged() && scenario_.policy.ackers_needed > 0)
            set(primary_, Variable::rpl_semi_sync_source_enabled, 1);
    }

  private:
    bool converged() const { return scenario_.boot == sim::Boot::converged; }
    const TabletAlias& alias(std::size_t i) const { return scenario_.tablets[i].alias; }

    contract::StartOptions options(std::size_t i) const {
        contract::StartOptions options;
        options.semi_sync_plugins = scenario_.tablets[i].semi_sync_plugins;
        options.max_connections = 151;
        if (scenario_.boot == sim::Boot::unmanaged) {
            // As a DBA leaves it: what was set at run time is lost at a restart, replication starts by
            // itself.
            options.skip_replica_start = false;
            options.relay_log_recovery = true;
        }
        return options;
    }

    bool acks(std::size_t i) const {
        ::fixpoint::Tablet declared;
        declared.alias = alias(i);
        declared.type = scenario_.tablets[i].type;
        return converged() && i != primary_ && scenario_.tablets[i].semi_sync_plugins &&
               scenario_.policy.may_ack(alias(primary_), declared);
    }

    void declare() {
        store_.put("", keyspace_path(scenario_.shard.keyspace),
                   encode_keyspace(KeyspaceRecord{.durability_policy = scenario_.policy}));
        Goal goal;
        goal.limits = scenario_.limits;
        goal.pinned_primary = scenario_.pinned_primary;
        for (const sim::ScenarioTablet& t : scenario_.tablets) {
            if (t.promotion_rule != PromotionRule::neutral) goal.promotion_rules[t.alias] = t.promotion_rule;
        }
        store_.put("", goal_path(scenario_.shard), encode_goal(goal));
        const bool has_primary = scenario_.boot != sim::Boot::blank;
        ShardRecord shard;
        if (has_primary) {
            shard.primary_alias = alias(primary_);
            shard.primary_term_start_time = first_term_time;
            shard.is_primary_serving = true;
        }
        store_.put("", shard_path(scenario_.shard), encode_shard(shard));
        for (std::size_t i = 0; i < tablets_.size(); ++i) {
            ::fixpoint::Tablet tablet;
            tablet.alias = alias(i);
            tablet.keyspace = scenario_.shard.keyspace;
            tablet.shard = scenario_.shard.shard;
            tablet.type = scenario_.tablets[i].type;
            tablet.mysql = tablets_[i]->address();
            if (tablet.type == TabletType::primary) {
                if (has_primary) {
                    tablet.primary_term_start_time = first_term_time;
                } else {
                    tablet.type = TabletType::replica;
                }
            }
            store_.put(tablet.alias.cell, tablet_path(tablet.alias), encode_tablet(tablet));
        }
    }

    // ---- statements

    void open_sessions() {
        for (Tablet* tablet : tablets_) sessions_.push_back(tablet->server().root());
    }

    void session(std::size_t i, const std::string& statement) {
        contract::run_all(sessions_[i], {statement});
    }

    sql::Answer send(std::size_t i, const sql::Statement& statement) {
        sql::Result answer = sessions_[i].execute(statement, replication_);
        if (!answer)
            throw std::runtime_error(fmt::format("boot: {}: {} {}", sql::to_string(statement),
                                                 answer.error().number, answer.error().text));
        return *std::move(answer);
    }

    void set(std::size_t i, Variable variable, std::int64_t value) {
        send(i, sql::SetGlobal{variable, value});
    }

    sql::ServerRow row(std::size_t i) {
        return std::get<sql::LookAnswer>(send(i, sql::Look{scenario_.shard})).server;
    }
    GtidSet executed() { return row(primary_).gtid_executed; }

    // ---- what is in force

    RecordedServer recorded(std::size_t i) {
        const sql::ServerRow server = row(i);
        return {alias(i), tablets_[i]->address(), server.server_uuid, server.server_id};
    }

    FixpointRecord in_force() {
        FixpointRecord record;
        record.term = 1;
        record.primary = recorded(primary_);
        record.policy = scenario_.policy;
        for (std::size_t i = 0; i < tablets_.size(); ++i) {
            if (acks(i)) record.ackers.push_back(recorded(i));
        }
        record.shard_time = first_term_time;
        record.operation = "boot";
        return record;
    }

    // ---- settings

    void configure(std::size_t i) {
        if (converged()) {
            persist(i);
            if (scenario_.tablets[i].semi_sync_plugins) semi_sync(i);
        }
        if (i == primary_) return;
        sql::ChangeSource change;
        change.source = tablets_[primary_]->address();
        change.heartbeat_period = converged() ? scenario_.limits.heartbeat_period : Duration(30s);
        if (!converged()) {
            change.connect_retry_s = 60;
            change.retry_count = 86400;
        }
        send(i, change);
        session(i, "START REPLICA");
    }

    void semi_sync(std::size_t i) {
        const int k = scenario_.policy.ackers_needed;
        set(i, Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms);
        set(i, Variable::rpl_semi_sync_source_wait_no_replica, 1);
        set(i, Variable::rpl_semi_sync_source_wait_point, 0);
        set(i, Variable::rpl_semi_sync_source_wait_for_replica_count, k > 0 ? k : 1);
        set(i, Variable::rpl_semi_sync_replica_enabled, acks(i));
    }

    void persist(std::size_t i) {
        const std::int64_t net_timeout = to_ms(scenario_.limits.replica_net_timeout) / 1000;
        const auto persist_one = [&](Variable variable, std::int64_t value) {
            send(i, sql::SetPersistOnly{variable, value});
        };
        persist_one(Variable::super_read_only, 1);
        persist_one(Variable::skip_replica_start, 1);
        persist_one(Variable::relay_log_recovery, 0);
        persist_one(Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s);
        persist_one(Variable::replica_net_timeout, net_timeout);
        if (scenario_.tablets[i].semi_sync_plugins) {
            persist_one(Variable::rpl_semi_sync_replica_enabled, 0);
            persist_one(Variable::rpl_semi_sync_source_enabled, 1);
            persist_one(Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms);
            persist_one(Variable::rpl_semi_sync_source_wait_no_replica, 1);
            persist_one(Variable::rpl_semi_sync_source_wait_for_replica_count, 1);
            persist_one(Variable::rpl_semi_sync_source_wait_point, 0);
        }
        set(i, Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s);
        set(i, Variable::replica_net_timeout, net_timeout);
    }

    // The server's own wait, bounded.
    void wait_until_received() {
        const GtidSet all = executed();
        for (std::size_t i = 0; i < tablets_.size(); ++i) {
            if (i == primary_) continue;
            if (!std::get<bool>(send(i, sql::WaitForExecuted{all, 20s})))
                throw std::runtime_error("boot: " + alias(i).to_string() + " does not catch up");
        }
    }

    const sim::Scenario& scenario_;
    const std::vector<Tablet*>& tablets_;
    Store& store_;
    const real::ReplicationCredentials& replication_;
    std::size_t primary_ = ~std::size_t{0};
    std::vector<real::BlockingSession> sessions_;
    FixpointRecord record_;
};

}  // namespace

void boot(const sim::Scenario& scenario, const std::vector<Tablet*>& tablets, Store& store,
          const real::ReplicationCredentials& replication) {
    Fixture(scenario, tablets, store, replication).run();
}

}  // namespace fixpoint::real_shards
