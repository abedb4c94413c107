// One manager of one shard on this machine: the core with its ports, driven until somebody wants it to end or
// the shard is as it should be. And the same core as an onlooker. Everything on one executor.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fixpoint/engine/reconciler.hpp"
#include "real_adapters/daemon/onlooker.hpp"
#include "real_adapters/daemon/output.hpp"
#include "real_adapters/daemon/site.hpp"

namespace fixpoint::real {

class Manager {
  public:
    // `store`: this manager's own.
    Manager(const Site& site, ShardName shard, std::unique_ptr<topo::Store> store);
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    const ShardName& shard() const { return shard_; }
    topo::Store& store() { return *store_; }
    Reconciler& reconciler() { return reconciler_; }

    // Runs until stop(); what it throws is a fault of our own, and kept. Raises `changed` at each event and
    // at its end. The manager must outlive it.
    void start(boost::asio::any_io_executor executor, Signal& changed);
    bool ended() const { return ended_; }
    const std::string& died_of() const { return died_of_; }
    // Asks it to end; where it has not within `grace`, the operation under way is given up. Returns at its
    // end.
    awaitable<void> stop(Signal& changed, const Signal& hurry, Duration grace);

    // Of the newest look.
    const ShardReport& seen() const { return seen_; }
    std::uint64_t looks() const { return looks_; }
    // How the last operations ended, oldest first.
    struct Ending {
        EventKind kind{};
        ProblemKey key;
        Recovery recovery = Recovery::none;
        Reason reason = Reason::none;
        std::string text;
    };
    const std::deque<Ending>& endings() const { return endings_; }
    void on_event(std::function<void(const Event&)> callback) { callback_ = std::move(callback); }

  private:
    void heard(const Event& event, Signal* changed);
    void say_what_needs_a_person();

    Clock& clock_;
    Log& log_;
    ShardName shard_;
    std::unique_ptr<topo::Store> store_;
    ShardEventLog events_;
    Reconciler reconciler_;
    std::function<void(const Event&)> callback_;
    ShardReport seen_;
    std::uint64_t looks_ = 0;
    std::deque<Ending> endings_;
    std::map<ProblemKey, std::set<std::string>> said_;
    bool started_ = false;
    bool ended_ = false;
    std::string died_of_;
};

// Differs for each start of a manager, also of two in one second.
std::uint64_t new_instance(const Clock& clock);

// What the core sees, with `proposed` laid over the store's records. It looks twice, so that what must hold
// over two looks can. Nothing is changed, and nothing could be.
awaitable<Shown> look_on(const Site& site, topo::Store& store, ShardName shard,
                         std::vector<ProposedRecord> proposed = {});

}  // namespace fixpoint::real
