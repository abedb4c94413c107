// What a real run begins with: the records and settings of the simulator's (sim/world/first_records.hpp), by
// a person's statements and edits. A fixture that used the code under test would prove nothing about it.
#include <fmt/format.h>

#include <stdexcept>

#include "fixpoint/engine/record_codec.hpp"
#include "property_tests/real/shard/world.hpp"
#include "real_adapters/mysql/blocking_session.hpp"
#include "sim/world/first_records.hpp"

namespace fixpoint::real_shards {
namespace {

using sql::Variable;

class Fixture {
  public:
    Fixture(const sim::Scenario& scenario, const std::vector<Tablet*>& tablets, Store& store,
            const real::ReplicationCredentials& replication)
        : scenario_(scenario),
          tablets_(tablets),
          store_(store),
          replication_(replication),
          first_(scenario) {}

    void run() {
        for (std::size_t i = 0; i < tablets_.size(); ++i) tablets_[i]->begin(options(i));
        for (Tablet* tablet : tablets_) tablet->finish();
        declare();
        if (scenario_.boot == sim::Boot::blank) return;
        open_sessions();
        session(primary_, "SET GLOBAL super_read_only = OFF");
        session(primary_, "SET GLOBAL read_only = OFF");
        if (converged()) {
            send(primary_, sql::CreateJournal{});
            const FixpointRecord record =
                first_.in_force([this](std::size_t i) { return recorded(i); }, executed());
            send(primary_,
                 sql::InsertJournalRow{{scenario_.shard, record.term, record.revision, record.primary.alias,
                                        record.primary.uuid, record.opened_at}});
            store_.put("", fixpoint_path(scenario_.shard), encode_fixpoint(record));
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
    bool converged() const { return first_.converged(); }
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

    void declare() {
        store_.put("", keyspace_path(scenario_.shard.keyspace), encode_keyspace(first_.keyspace()));
        store_.put("", goal_path(scenario_.shard), encode_goal(first_.goal()));
        store_.put("", shard_path(scenario_.shard), encode_shard(first_.shard()));
        for (std::size_t i = 0; i < tablets_.size(); ++i) {
            store_.put(alias(i).cell, tablet_path(alias(i)),
                       encode_tablet(first_.tablet(i, tablets_[i]->address())));
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

    // ---- settings

    void configure(std::size_t i) {
        if (converged()) {
            for (const auto& [variable, value] : first_.persisted(i))
                send(i, sql::SetPersistOnly{variable, value});
            for (const auto& [variable, value] : first_.settings(i)) set(i, variable, value);
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
    const sim::FirstRecords first_;
    const std::size_t primary_ = first_.primary();
    std::vector<real::BlockingSession> sessions_;
};

}  // namespace

void boot(const sim::Scenario& scenario, const std::vector<Tablet*>& tablets, Store& store,
          const real::ReplicationCredentials& replication) {
    Fixture(scenario, tablets, store, replication).run();
}

}  // namespace fixpoint::real_shards
