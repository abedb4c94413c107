// One server of a real shard: its process, started and ended as faults ask, and its state as a person with
// all privileges reads it. What takes long (a start, a clean stop) is done by a thread of the tablet's own,
// in the order in which it was asked for. It interprets nothing: the judge does.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fixpoint/sim/state.hpp"
#include "property_tests/real/shard/owners.hpp"
#include "property_tests/real/shard/proxy.hpp"
#include "property_tests/support/real_servers/real_server.hpp"

namespace fixpoint::real_shards {

class Tablet {
  public:
    struct Told {  // called by the tablet's thread
        std::function<void()> started;
        std::function<void(bool clean)> stopped;
    };

    Tablet(TabletAlias alias, int number, const std::filesystem::path& folder,
           const contract::Passwords& passwords, Proxy& proxy, Owners& owners);
    ~Tablet();
    Tablet(const Tablet&) = delete;
    Tablet& operator=(const Tablet&) = delete;

    const TabletAlias& alias() const { return alias_; }
    const MysqlAddress& address() const { return address_; }  // the proxy's
    contract::RealServer& server() { return server_; }

    // With these options; nothing is reported. In two halves, so that all start side by side.
    void begin(const contract::StartOptions& options);
    void finish();
    void tell(Told told) { told_ = std::move(told); }

    contract::StartOptions& options() { return options_; }  // of the next start
    bool up() const { return up_; }
    bool paused() const { return paused_; }
    void set_applier_blocked(bool value) { applier_blocked_ = value; }  // by a fault
    bool applier_blocked() const { return applier_blocked_; }
    bool starting() const { return starts_ > 0; }
    bool busy() const { return tasks_ > 0; }  // something that was asked for has not ended yet
    std::uint64_t boot() const { return boot_; }
    std::string trouble() const;  // it could not be started, which is the harness' own failure

    void crash();      // at once, where no start is under way
    void shut_down();  // begins; stopped when it has ended
    // When nothing else is under way, and where it is down. `once`: with these options, later ones as before.
    // `passing`: nobody is let in, and it is killed when it has come up.
    void start(const contract::StartOptions& once, bool passing = false);
    void start() { start(options_); }
    void pause();
    void resume();

    // A person's statements, each list by a thread of its own, for they may hang; an error ends the list.
    // `done`: with the error, or "".
    using Done = std::function<void(const std::string& error)>;
    void by_hand(const std::vector<std::string>& statements, const Done& done = {});
    void by_hand(std::function<void()> work);  // any work of a person's

    // What it answers now, into `state`; of one that is down or paused, what was seen last. False: it did not
    // answer within the limit, and what was seen last stays.
    bool look(const ShardName& shard, sim::ServerState& state, Duration limit);

  private:
    void run_tasks();
    void enqueue(std::function<void()> task);
    void start_now(const contract::StartOptions& once, bool passing);
    void ended(bool clean);
    bool look_now(const ShardName& shard, sim::ServerState& state);

    struct Work;
    TabletAlias alias_;
    std::filesystem::path directory_;
    Proxy& proxy_;
    Owners& owners_;
    contract::RealServer server_;
    MysqlAddress address_;
    contract::StartOptions options_;
    Told told_;
    std::atomic<bool> up_ = false, paused_ = false, applier_blocked_ = false;
    std::atomic<int> tasks_ = 0, starts_ = 0;
    std::atomic<std::uint64_t> boot_ = 0;
    std::unique_ptr<Work> work_;
    std::vector<std::thread> hands_;
};

}  // namespace fixpoint::real_shards
