// Clients that write: as the simulator's (a pool of few sessions each, to the server that the topology calls
// primary, a look there when a write is refused), with real sessions. What they were told is reported with
// its time. Rows are contract.rows(id); a write's id is its row. They hold no privilege.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "property_tests/real/shard/run_clock.hpp"

namespace fixpoint::real_shards {

class Clients {
  public:
    struct World {
        const RunClock& clock;
        std::function<std::vector<TabletAlias>()> primaries;  // for clients
        std::function<MysqlAddress(const TabletAlias&)> address;
        std::function<void(Instant, const sim::JudgeEvent&)> report;  // from any thread
        std::function<void()> look_at_store;                          // before an answer is reported
        std::string password;
    };
    Clients(World world, double writes_per_second, int clients, std::uint64_t seed);
    ~Clients();
    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;

    void start();
    void slow_down();  // one write a second
    void tick();       // now and then: what takes too long is given up
    void end();        // whatever is under way is broken off

    sim::WriteId next_write_id() { return ++last_id_; }
    // One write of the run's own; `done` is called by another thread.
    sim::WriteId write_once(const TabletAlias& tablet, Duration limit,
                            std::function<void(sim::WriteAnswered::Outcome)> done);
    // A transaction that holds a row's lock, rolled back after that time (0: never).
    void hold_transaction(const TabletAlias& tablet, Duration lasts);

  private:
    class Client;
    class Session;
    World world_;
    double rate_;
    std::atomic<sim::WriteId> last_id_ = 0;
    std::atomic<bool> slow_ = false;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::shared_ptr<Session>> errands_;
};

}  // namespace fixpoint::real_shards
