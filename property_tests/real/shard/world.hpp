// One real shard and all that belongs to it: servers behind a proxy, the topology store's file, managers that
// are `fixpoint run`, clients; and the simulator's own judge, which hears what happens and reads states. What
// threads report is put into the order of its time and handed on by the one thread that runs the course. It
// decides nothing.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fixpoint/sim/run.hpp"
#include "property_tests/real/shard/clients.hpp"
#include "property_tests/real/shard/manager.hpp"
#include "property_tests/real/shard/owners.hpp"
#include "property_tests/real/shard/proxy.hpp"
#include "property_tests/real/shard/run_clock.hpp"
#include "property_tests/real/shard/store.hpp"
#include "property_tests/real/shard/tablet.hpp"
#include "sim/checkers/judge.hpp"
#include "sim/world/timeline.hpp"

namespace fixpoint::real_shards {

class Nemesis;

class World final : public sim::WorldView {
  public:
    World(const sim::Scenario& scenario, const std::filesystem::path& folder);
    ~World() override;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void boot();   // nothing of it is reported
    void start();  // managers and clients begin
    void end();    // everybody of ours is stopped

    const sim::Scenario& scenario() const { return scenario_; }
    const RunClock& clock() const { return clock_; }
    sim::Judge& judge() { return *judge_; }
    Store& store() { return *store_; }
    Proxy& proxy() { return proxy_; }
    Clients& clients() { return *clients_; }
    Nemesis& nemesis() { return *nemesis_; }
    const std::vector<std::unique_ptr<Tablet>>& tablets() const { return tablets_; }
    const std::vector<std::unique_ptr<Manager>>& managers() const { return managers_; }
    Tablet* tablet(const TabletAlias& alias) const;
    const real::ReplicationCredentials& replication() const { return replication_; }

    // By the thread that runs the course.
    void report(const sim::JudgeEvent& event);  // at once, after all that came before
    void go_on();                               // hands on what has been reported, lets the nemesis act
    const sim::WorldState& now() override;
    // The next look waits for an answer: the verdict rests on it.
    void look_closely() {
        closely_ = true;
        looked_at_ = Instant::min();
    }
    const std::vector<TabletAlias>& unseen() const {
        return unseen_;
    }  // at the last look, though they are up
    void set_core(sim::Core core) { state_.core = std::move(core); }
    const sim::Core& core() const { return state_.core; }
    void shutting_down(const TabletAlias& alias) { shutting_down_.insert(alias); }

    bool nothing_is_under_way() const;
    std::string manager_that_died() const;
    Instant last_mutating() const { return last_mutating_; }
    const std::vector<Recovery>& recoveries() const { return recoveries_; }
    std::uint64_t mutating_statements() const { return mutating_statements_; }
    sim::Timeline& timeline() { return timeline_; }

  private:
    struct Reported {
        Instant at;
        std::uint64_t number = 0;  // in the order of their arrival
        sim::JudgeEvent event;
        std::optional<sim::StoreState> store;  // as it is from then on
    };
    void enqueue(Instant at, sim::JudgeEvent event, std::optional<sim::StoreState> store = {});
    void store_changed(const sim::StoreState& before, const sim::StoreState& after, bool by_hand);
    void hand_on();
    void hand_on(Reported reported);
    void hear_managers();
    void heard(Instant at, const std::string& manager, const Event& event);
    void acted(const std::string& manager);

    const sim::Scenario scenario_;
    const std::filesystem::path folder_;
    RunClock clock_;
    contract::Passwords passwords_;
    real::ReplicationCredentials replication_;
    Owners owners_;
    Proxy proxy_;
    std::unique_ptr<sim::Judge> judge_;
    std::unique_ptr<Store> store_;
    std::vector<std::unique_ptr<Tablet>> tablets_;
    std::unique_ptr<Nemesis> nemesis_;
    std::vector<std::unique_ptr<Manager>> managers_;
    std::unique_ptr<Clients> clients_;

    std::mutex mutex_;
    std::uint64_t reports_ = 0;
    std::vector<Reported> reported_;  // by threads, not yet handed on

    sim::WorldState state_;
    Instant looked_at_{};
    bool closely_ = false;
    std::vector<TabletAlias> unseen_;
    std::set<TabletAlias> shutting_down_;
    std::map<sim::WriteId, std::size_t> begun_in_;  // how many terms there were
    std::map<std::string, Recovery> under_way_;
    std::map<std::string, std::optional<Event>>
        standing_;  // each manager's last complaint outside of operations
    std::vector<Recovery> recoveries_;
    std::uint64_t mutating_statements_ = 0;
    Instant last_mutating_{};
    sim::Timeline timeline_{*this};
    Instant sampled_at_{};
};

// Builds what the scenario begins with, by hand, never by a recovery.
void boot(const sim::Scenario& scenario, const std::vector<Tablet*>& tablets, Store& store,
          const real::ReplicationCredentials& replication);

}  // namespace fixpoint::real_shards
