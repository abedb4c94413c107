// What a run begins with, as records and settings: what people have declared and, where the scenario's `boot`
// says so, what is in force. The same for simulated servers and for real ones; how it gets to them, each
// world knows. Made by hand, never by a recovery: a fixture that used the code under test would prove nothing
// of it.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "fixpoint/model/records.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

// The wall time of the record's first term: what Shard and the primary's tablet record say.
inline constexpr WallTime first_term_time{1'767'225'000'000'000'000};

class FirstRecords {
  public:
    explicit FirstRecords(const Scenario& scenario);

    // ---- tablets by their place in the scenario
    // The one of type PRIMARY; past the end where there is none.
    std::size_t primary() const { return primary_; }
    bool converged() const { return scenario_.boot == Boot::converged; }
    // Acknowledges the primary's commits.
    bool acks(std::size_t tablet) const;

    // ---- declared
    KeyspaceRecord keyspace() const { return {.durability_policy = scenario_.policy}; }
    Goal goal() const;
    ShardRecord shard() const;
    Tablet tablet(std::size_t tablet, const MysqlAddress& address) const;

    // ---- in force, in a converged shard
    FixpointRecord in_force(const std::function<RecordedServer(std::size_t)>& recorded,
                            GtidSet opened_at) const;
    sql::PersistedVariables persisted(std::size_t tablet) const;
    // At run time, in the order in which they are set: all but read-only, and semi-sync of a source.
    std::vector<std::pair<sql::Variable, std::int64_t>> settings(std::size_t tablet) const;

  private:
    bool has_primary() const { return scenario_.boot != Boot::blank; }

    const Scenario& scenario_;
    std::size_t primary_ = ~std::size_t{0};
};

}  // namespace fixpoint::sim
