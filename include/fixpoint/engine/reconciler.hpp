// The core's main door: a manager for one shard. It compares what is declared with what is, and leads the
// shard back one problem at a time (protocol: engine/INVARIANTS.md, ARCHITECTURE.md). Single-threaded:
// everything runs on the executor of the coroutine that runs `run()`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fixpoint/engine/report.hpp"
#include "fixpoint/ports/clock.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "fixpoint/ports/sql_session.hpp"
#include "fixpoint/ports/topology_store.hpp"

namespace fixpoint {

struct ReconcilerPorts {
    Clock& clock;
    SqlConnector& sql;
    topo::Store& store;
    EventLog& events;
};

struct ReconcilerConfig {
    std::string manager;  // its name: in lock contents, operation ids, events
    ShardName shard;
    std::vector<std::string> cells;  // whose tablets it reads; empty: those of the store's CellInfo list
    std::uint64_t instance =
        0;  // differs for each start of a manager: makes operation ids and nudge names unique
};

struct PassOutcome {
    bool acted = false;  // something was changed, or tried: the next pass follows at once
    bool primary_silent = false;
    std::vector<ProblemKey> problems;  // all that hold, in the table's order
};

class Reconciler {
  public:
    Reconciler(ReconcilerConfig config, ReconcilerPorts ports);
    ~Reconciler();
    Reconciler(const Reconciler&) = delete;
    Reconciler& operator=(const Reconciler&) = delete;

    // Passes until stop() or cancellation. Only programming errors leave it as exceptions.
    awaitable<void> run();

    // One pass: look, diagnose, lock, look again, recover one problem.
    awaitable<PassOutcome> pass();

    // Looks and diagnoses, as a pass does, and changes nothing anywhere. Not while run() or pass() is under
    // way. Rows that hold over two looks need two calls, more than a second apart.
    awaitable<ShardReport> look();
    ShardReport report() const;  // of the last look

    void wake();          // look at once (a hint: a watch fired, a session broke)
    void stop();          // run() returns after the pass under way
    void give_up();       // the operation under way ends where it stands, and gives up its locks; then stop()
    bool asleep() const;  // between two passes

    // For livelock detection: back-offs, boot marks and last looks, with relative deadlines.
    std::uint64_t digest() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fixpoint
