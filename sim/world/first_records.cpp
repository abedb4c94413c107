// A shard as declared, clause by clause (engine/INVARIANTS.md has the protocol's settings): each line here is
// something that a manager would otherwise have done.
#include "sim/world/first_records.hpp"

namespace fixpoint::sim {

using sql::Variable;

FirstRecords::FirstRecords(const Scenario& scenario) : scenario_(scenario) {
    for (std::size_t i = 0; i < scenario.tablets.size(); ++i) {
        if (scenario.tablets[i].type == TabletType::primary) primary_ = i;
    }
}

bool FirstRecords::acks(std::size_t tablet) const {
    const ScenarioTablet& of_scenario = scenario_.tablets[tablet];
    Tablet declared;
    declared.alias = of_scenario.alias;
    declared.type = of_scenario.type;
    return converged() && tablet != primary_ && of_scenario.semi_sync_plugins &&
           scenario_.policy.may_ack(scenario_.tablets[primary_].alias, declared);
}

// ---- declared

Goal FirstRecords::goal() const {
    Goal goal;
    goal.limits = scenario_.limits;
    goal.pinned_primary = scenario_.pinned_primary;
    for (const ScenarioTablet& t : scenario_.tablets) {
        if (t.promotion_rule != PromotionRule::neutral) goal.promotion_rules[t.alias] = t.promotion_rule;
    }
    return goal;
}

ShardRecord FirstRecords::shard() const {
    ShardRecord shard;
    if (has_primary()) {
        shard.primary_alias = scenario_.tablets[primary_].alias;
        shard.primary_term_start_time = first_term_time;
        shard.is_primary_serving = true;
    }
    return shard;
}

Tablet FirstRecords::tablet(std::size_t tablet, const MysqlAddress& address) const {
    Tablet record;
    record.alias = scenario_.tablets[tablet].alias;
    record.keyspace = scenario_.shard.keyspace;
    record.shard = scenario_.shard.shard;
    record.type = scenario_.tablets[tablet].type;
    record.mysql = address;
    if (record.type == TabletType::primary) {
        if (has_primary()) {
            record.primary_term_start_time = first_term_time;
        } else {
            record.type = TabletType::replica;
        }
    }
    return record;
}

// ---- in force

FixpointRecord FirstRecords::in_force(const std::function<RecordedServer(std::size_t)>& recorded,
                                      GtidSet opened_at) const {
    FixpointRecord record;
    record.term = 1;
    record.primary = recorded(primary_);
    record.opened_at = std::move(opened_at);
    record.policy = scenario_.policy;
    for (std::size_t i = 0; i < scenario_.tablets.size(); ++i) {
        if (acks(i)) record.ackers.push_back(recorded(i));
    }
    record.shard_time = first_term_time;
    record.operation = "boot";
    return record;
}

sql::PersistedVariables FirstRecords::persisted(std::size_t tablet) const {
    sql::PersistedVariables persisted;
    persisted[Variable::super_read_only] = 1;
    persisted[Variable::skip_replica_start] = 1;
    persisted[Variable::relay_log_recovery] = 0;
    persisted[Variable::rpl_stop_replica_timeout] = Limits::stop_replica_timeout_s;
    persisted[Variable::replica_net_timeout] = to_ms(scenario_.limits.replica_net_timeout) / 1000;
    if (scenario_.tablets[tablet].semi_sync_plugins) {
        persisted[Variable::rpl_semi_sync_replica_enabled] = 0;
        persisted[Variable::rpl_semi_sync_source_enabled] = 1;
        persisted[Variable::rpl_semi_sync_source_timeout] = Limits::semi_sync_timeout_ms;
        persisted[Variable::rpl_semi_sync_source_wait_no_replica] = 1;
        persisted[Variable::rpl_semi_sync_source_wait_for_replica_count] = 1;
        persisted[Variable::rpl_semi_sync_source_wait_point] = 0;
    }
    return persisted;
}

std::vector<std::pair<Variable, std::int64_t>> FirstRecords::settings(std::size_t tablet) const {
    std::vector<std::pair<Variable, std::int64_t>> settings{
        {Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s},
        {Variable::replica_net_timeout, to_ms(scenario_.limits.replica_net_timeout) / 1000}};
    if (!scenario_.tablets[tablet].semi_sync_plugins) return settings;
    const int k = scenario_.policy.ackers_needed;
    settings.insert(settings.end(), {{Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms},
                                     {Variable::rpl_semi_sync_source_wait_no_replica, 1},
                                     {Variable::rpl_semi_sync_source_wait_point, 0},
                                     {Variable::rpl_semi_sync_source_wait_for_replica_count, k > 0 ? k : 1},
                                     {Variable::rpl_semi_sync_replica_enabled, acks(tablet)}});
    return settings;
}

}  // namespace fixpoint::sim
