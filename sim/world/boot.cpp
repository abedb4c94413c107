// A converged shard clause by clause (engine/INVARIANTS.md has the protocol's settings): each line here is
// something that a manager would otherwise have done.
#include "sim/world/boot.hpp"

#include <string>
#include <utility>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {
namespace {

using mysql::FakeMysql;
using sql::Variable;

constexpr std::int64_t first_server_id = 100;

class Fixture {
  public:
    Fixture(const Scenario& scenario, const std::vector<FakeMysql*>& servers, Topology& topology,
            mysql::MysqlWorld& world)
        : scenario_(scenario), servers_(servers), topology_(topology), world_(world) {
        for (std::size_t i = 0; i < scenario.tablets.size(); ++i) {
            if (scenario.tablets[i].type == TabletType::primary) primary_ = i;
        }
    }

    void run() {
        declare();
        if (scenario_.boot == Boot::blank) return;
        FIXPOINT_ASSERT(primary_ < servers_.size(), "a shard that works has a tablet of type primary");
        if (scenario_.boot == Boot::converged) {
            execute_everywhere(transaction(mysql::Payload::create_database));
            execute_everywhere(transaction(mysql::Payload::create_journal));
            record();
        } else {
            execute_everywhere(transaction(mysql::Payload::empty));
            execute_everywhere(transaction(mysql::Payload::empty));
        }
        for (std::size_t i = 0; i < servers_.size(); ++i) configure(i);
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            if (i != primary_) servers_[i]->start_replication_silently();
        }
    }

  private:
    bool converged() const { return scenario_.boot == Boot::converged; }
    FakeMysql& primary() const { return *servers_[primary_]; }
    const TabletAlias& alias(std::size_t i) const { return scenario_.tablets[i].alias; }

    bool acks(std::size_t i) const {
        Tablet declared;
        declared.alias = alias(i);
        declared.type = scenario_.tablets[i].type;
        return converged() && i != primary_ && scenario_.tablets[i].semi_sync_plugins &&
               scenario_.policy.may_ack(alias(primary_), declared);
    }

    // ---- what people declared

    void declare() {
        topology_.put_cell_info();
        topology_.put_keyspace(KeyspaceRecord{.durability_policy = scenario_.policy});
        Goal goal;
        goal.limits = scenario_.limits;
        goal.pinned_primary = scenario_.pinned_primary;
        for (const ScenarioTablet& t : scenario_.tablets) {
            if (t.promotion_rule != PromotionRule::neutral) goal.promotion_rules[t.alias] = t.promotion_rule;
        }
        topology_.put_goal(goal);
        ShardRecord shard;
        const bool has_primary = scenario_.boot != Boot::blank;
        if (has_primary) {
            shard.primary_alias = alias(primary_);
            shard.primary_term_start_time = first_term_time;
            shard.is_primary_serving = true;
        }
        topology_.put_shard(shard);
        for (std::size_t i = 0; i < scenario_.tablets.size(); ++i) {
            Tablet tablet;
            tablet.alias = alias(i);
            tablet.keyspace = scenario_.shard.keyspace;
            tablet.shard = scenario_.shard.shard;
            tablet.type = scenario_.tablets[i].type;
            tablet.mysql = servers_[i]->address();
            if (tablet.type == TabletType::primary) {
                if (has_primary) {
                    tablet.primary_term_start_time = first_term_time;
                } else {
                    tablet.type = TabletType::replica;
                }
            }
            topology_.put_tablet(tablet);
        }
    }

    // ---- history

    mysql::Transaction transaction(mysql::Payload payload) {
        mysql::Transaction made;
        made.gtid = Gtid{Tsid{primary().disk().uuid, ""}, ++last_number_};
        made.server_id = primary().options().server_id;
        made.payload = payload;
        made.made_at = world_.scheduler.now();
        return made;
    }

    void execute_everywhere(mysql::Transaction made) {
        const mysql::TransactionPtr kept = world_.transactions.keep(std::move(made));
        for (FakeMysql* server : servers_) {
            mysql::DurableState& disk = server->disk();
            disk.binary_log.append(kept);
            disk.executed.add(kept->gtid);
            disk.rows.apply(*kept);
        }
    }

    // ---- what is in force

    RecordedServer recorded(std::size_t i) const {
        return {alias(i), servers_[i]->address(), servers_[i]->disk().uuid, servers_[i]->options().server_id};
    }

    void record() {
        FixpointRecord record;
        record.term = 1;
        record.primary = recorded(primary_);
        record.opened_at = primary().disk().executed;
        record.policy = scenario_.policy;
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            if (acks(i)) record.ackers.push_back(recorded(i));
        }
        record.shard_time = first_term_time;
        record.operation = "boot";
        topology_.put_fixpoint(record);

        mysql::Transaction row = transaction(mysql::Payload::journal_row);
        row.journal = sql::JournalRow{scenario_.shard,      record.term,         record.revision,
                                      record.primary.alias, record.primary.uuid, record.opened_at};
        execute_everywhere(std::move(row));
    }

    // ---- settings

    void configure(std::size_t i) {
        if (converged()) {
            persist(i);
            if (scenario_.tablets[i].semi_sync_plugins) semi_sync(i);
        }
        set(i, Variable::read_only, i != primary_);
        set(i, Variable::super_read_only, i != primary_);
        if (i != primary_) {
            mysql::ChannelSettings channel;
            channel.source = primary().address();
            channel.heartbeat_period =
                converged() ? scenario_.limits.heartbeat_period : std::chrono::seconds(30);
            if (converged()) {
                channel.connect_retry_s = Limits::source_connect_retry_s;
                channel.retry_count = Limits::source_retry_count;
            }
            servers_[i]->disk().channel = channel;
            servers_[i]->disk().source_uuid = primary().disk().uuid;
        }
    }

    void semi_sync(std::size_t i) {
        const int k = scenario_.policy.ackers_needed;
        set(i, Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms);
        set(i, Variable::rpl_semi_sync_source_wait_no_replica, 1);
        set(i, Variable::rpl_semi_sync_source_wait_point, 0);
        set(i, Variable::rpl_semi_sync_source_wait_for_replica_count, k > 0 ? k : 1);
        set(i, Variable::rpl_semi_sync_source_enabled, i == primary_ && k > 0);
        set(i, Variable::rpl_semi_sync_replica_enabled, acks(i));
    }

    void persist(std::size_t i) {
        const std::int64_t net_timeout = to_ms(scenario_.limits.replica_net_timeout) / 1000;
        sql::PersistedVariables& persisted = servers_[i]->disk().persisted;
        persisted[Variable::super_read_only] = 1;
        persisted[Variable::skip_replica_start] = 1;
        persisted[Variable::relay_log_recovery] = 0;
        persisted[Variable::rpl_stop_replica_timeout] = Limits::stop_replica_timeout_s;
        persisted[Variable::replica_net_timeout] = net_timeout;
        if (scenario_.tablets[i].semi_sync_plugins) {
            persisted[Variable::rpl_semi_sync_replica_enabled] = 0;
            persisted[Variable::rpl_semi_sync_source_enabled] = 1;
            persisted[Variable::rpl_semi_sync_source_timeout] = Limits::semi_sync_timeout_ms;
            persisted[Variable::rpl_semi_sync_source_wait_no_replica] = 1;
            persisted[Variable::rpl_semi_sync_source_wait_for_replica_count] = 1;
            persisted[Variable::rpl_semi_sync_source_wait_point] = 0;
        }
        set(i, Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s);
        set(i, Variable::replica_net_timeout, net_timeout);
    }

    void set(std::size_t i, Variable variable, std::int64_t value) {
        servers_[i]->set_variable_silently(variable, value);
    }

    const Scenario& scenario_;
    const std::vector<FakeMysql*>& servers_;
    Topology& topology_;
    mysql::MysqlWorld& world_;
    std::size_t primary_ = ~std::size_t{0};
    std::int64_t last_number_ = 0;
};

}  // namespace

MysqlAddress address_of(const TabletAlias& alias) {
    return {alias.to_string(), 3306};
}

mysql::StartOptions start_options(const Scenario& scenario, std::size_t index) {
    mysql::StartOptions options;
    options.server_id = first_server_id + static_cast<std::int64_t>(index);
    options.semi_sync_plugins = scenario.tablets[index].semi_sync_plugins;
    if (scenario.boot == Boot::unmanaged) {
        // As a DBA leaves it: what was set at run time is lost at a restart, replication starts by itself.
        options.skip_replica_start = false;
        options.relay_log_recovery = true;
    }
    return options;
}

void boot(const Scenario& scenario, const std::vector<FakeMysql*>& servers, Topology& topology,
          mysql::MysqlWorld& world) {
    Fixture(scenario, servers, topology, world).run();
}

}  // namespace fixpoint::sim
