// The first records and settings, put into the fake store and onto the fake servers' disks; and a history
// that has made them so.
#include "sim/world/boot.hpp"

#include <string>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/world/first_records.hpp"

namespace fixpoint::sim {
namespace {

using mysql::FakeMysql;
using sql::Variable;

constexpr std::int64_t first_server_id = 100;

class Fixture {
  public:
    Fixture(const Scenario& scenario, const std::vector<FakeMysql*>& servers, Topology& topology,
            mysql::MysqlWorld& world)
        : scenario_(scenario), servers_(servers), topology_(topology), world_(world), first_(scenario) {}

    void run() {
        declare();
        if (scenario_.boot == Boot::blank) return;
        FIXPOINT_ASSERT(primary_ < servers_.size(), "a shard that works has a tablet of type primary");
        if (first_.converged()) {
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
    FakeMysql& primary() const { return *servers_[primary_]; }

    void declare() {
        topology_.put_cell_info();
        topology_.put_keyspace(first_.keyspace());
        topology_.put_goal(first_.goal());
        topology_.put_shard(first_.shard());
        for (std::size_t i = 0; i < servers_.size(); ++i)
            topology_.put_tablet(first_.tablet(i, servers_[i]->address()));
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
        return {servers_[i]->alias(), servers_[i]->address(), servers_[i]->disk().uuid,
                servers_[i]->options().server_id};
    }

    void record() {
        const FixpointRecord record =
            first_.in_force([this](std::size_t i) { return recorded(i); }, primary().disk().executed);
        topology_.put_fixpoint(record);

        mysql::Transaction row = transaction(mysql::Payload::journal_row);
        row.journal = sql::JournalRow{scenario_.shard,      record.term,         record.revision,
                                      record.primary.alias, record.primary.uuid, record.opened_at};
        execute_everywhere(std::move(row));
    }

    // ---- settings

    void configure(std::size_t i) {
        if (first_.converged()) {
            servers_[i]->disk().persisted = first_.persisted(i);
            for (const auto& [variable, value] : first_.settings(i)) set(i, variable, value);
            if (scenario_.tablets[i].semi_sync_plugins)
                set(i, Variable::rpl_semi_sync_source_enabled,
                    i == primary_ && scenario_.policy.ackers_needed > 0);
        }
        set(i, Variable::read_only, i != primary_);
        set(i, Variable::super_read_only, i != primary_);
        if (i != primary_) {
            mysql::ChannelSettings channel;
            channel.source = primary().address();
            channel.heartbeat_period =
                first_.converged() ? scenario_.limits.heartbeat_period : std::chrono::seconds(30);
            if (first_.converged()) {
                channel.connect_retry_s = Limits::source_connect_retry_s;
                channel.retry_count = Limits::source_retry_count;
            }
            servers_[i]->disk().channel = channel;
            servers_[i]->disk().source_uuid = primary().disk().uuid;
        }
    }

    void set(std::size_t i, Variable variable, std::int64_t value) {
        servers_[i]->set_variable_silently(variable, value);
    }

    const Scenario& scenario_;
    const std::vector<FakeMysql*>& servers_;
    Topology& topology_;
    mysql::MysqlWorld& world_;
    const FirstRecords first_;
    const std::size_t primary_ = first_.primary();
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
