// Everything of one simulated run, wired together: scheduler, network, fake servers, fake stores, managers,
// writers, the nemesis and the judge. What happens anywhere is reported here once and handed on. It decides
// nothing: phases and verdict are simulate()'s and the judge's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/sim/run.hpp"
#include "sim/asio/manager_hooks.hpp"
#include "sim/checkers/judge.hpp"
#include "sim/core/chooser.hpp"
#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/clients/writers.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"
#include "sim/fakes/store/fake_store.hpp"
#include "sim/world/manager_process.hpp"
#include "sim/world/topology.hpp"

namespace fixpoint::sim {

class Nemesis;
class Timeline;

class World final : public WorldView,
                    private Observer,
                    private StoreListener,
                    private NotificationGate,
                    private ManagerHooks {
  public:
    World(const Scenario& scenario, const SimulateOptions& options);
    ~World() override;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // Builds what the scenario begins with; nothing of it is reported.
    void boot();
    // Managers and clients begin.
    void start();

    const Scenario& scenario() const { return scenario_; }
    Scheduler& scheduler() { return scheduler_; }
    Network& network() { return network_; }
    FakeStore& store() { return *store_; }
    Topology& topology() { return *topology_; }
    Judge& judge() { return *judge_; }
    Writers& writers() { return *writers_; }
    Nemesis& nemesis() { return *nemesis_; }
    mysql::MysqlWorld& mysql_world() { return mysql_; }
    Process& stage() { return stage_; }  // what the world itself does runs here
    const std::vector<std::unique_ptr<mysql::FakeMysql>>& servers() const { return servers_; }
    const std::vector<std::unique_ptr<ManagerProcess>>& managers() const { return managers_; }
    const std::vector<std::string>& cells() const { return cells_; }
    mysql::FakeMysql* server(const TabletAlias& alias);
    ManagerProcess* manager(std::string_view name);

    // Reports an event of the world's own.
    void report(const JudgeEvent& event) { on(scheduler_.now(), event); }
    void set_core(Core core);
    const Core& core() const { return core_; }

    // What is outside the core, and what was seen so far.
    const WorldState& now() override;
    std::uint64_t version() const override;
    std::string manager_that_died() const;  // "m1: what it threw"; "" : none
    bool all_managers_asleep() const;
    // No operation holds the shard lock, and no server of the core is being started.
    bool nothing_is_under_way() const;  // those of the core

    struct Counts {
        std::uint64_t statements = 0, mutating = 0, notifications = 0;
        std::uint64_t mutating_effects = 0;
        Instant last_mutating{};
    };
    const Counts& counts() const { return counts_; }
    const std::vector<std::string>& notification_names() const { return notification_names_; }
    Timeline* timeline() { return timeline_.get(); }

  private:
    // Observer, StoreListener, NotificationGate, ManagerHooks
    void on(Instant at, const JudgeEvent& event) override;
    void store_written(const std::string& manager, std::int64_t lock_id,
                       const std::vector<StoreChange>& changes) override;
    void shard_lock_taken(const std::string& manager, std::int64_t lock_id) override;
    void shard_lock_released(const std::string& manager, std::int64_t lock_id, bool expired) override;
    bool lose(const std::string& manager, const std::string& name) override;
    bool wants_names() const override { return options_.notification_names; }
    void request_leaves(const std::string& manager, std::uint64_t call, const StoreRequest& request) override;
    void record_write_answered(const std::string& manager, std::uint64_t call) override;
    StatementFate about_to_send(const SentStatement& sent) override;
    Connection::Arrival answer_arrived(const SentStatement& sent) override;

    void refresh_server(std::size_t index);
    // Does that very start of the manager still run?
    bool lives(std::string_view manager, std::uint64_t incarnation);

    const Scenario scenario_;
    const SimulateOptions options_;
    std::vector<std::string> cells_;
    Chooser chooser_;
    Scheduler scheduler_;
    Network network_;
    mysql::MysqlWorld mysql_;
    Process& stage_;
    Process& clients_;
    Stream notification_stream_;
    std::unique_ptr<Judge> judge_;
    std::unique_ptr<Timeline> timeline_;
    std::unique_ptr<FakeStore> store_;
    std::unique_ptr<Topology> topology_;
    std::vector<std::unique_ptr<mysql::FakeMysql>> servers_;
    std::unique_ptr<Nemesis> nemesis_;
    std::unique_ptr<Writers> writers_;
    std::vector<std::unique_ptr<ManagerProcess>> managers_;
    bool reporting_ = false;
    Core core_;
    std::uint64_t other_changes_ = 1;  // of managers and the core
    Counts counts_;
    // Which start of its manager a session, or the shard lock, belongs to.
    std::map<std::pair<TabletAlias, std::uint64_t>, std::uint64_t> session_incarnations_;
    std::uint64_t lock_incarnation_ = 0;
    std::map<std::pair<std::string, std::uint64_t>, bool> record_writes_;  // under way: is it a commit point?
    std::vector<std::string> notification_names_;

    WorldState state_;
    std::vector<std::uint64_t> seen_versions_;  // of servers, as state_ has them
    std::uint64_t seen_store_ = 0;
};

}  // namespace fixpoint::sim
