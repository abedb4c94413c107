// What happens in a run, as the checkers see it: reported by the fakes, the store, the clients, the nemesis and
// the managers' event logs at the instant at which it happens. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "fixpoint/model/records.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/scenario.hpp"
#include "fixpoint/sim/state.hpp"

namespace fixpoint::sim {

// ---- clients' writes
struct WriteBegun {           // its execution starts at a server
    WriteId write = 0;
    TabletAlias tablet;
    bool privileged = false;  // by a session with SUPER or CONNECTION_ADMIN
};
struct WriteAcknowledged {    // the server has sent its client OK
    WriteId write = 0;
    TabletAlias tablet;
    bool privileged = false;
    bool by_shutdown = false;  // released by a clean shutdown (M32)
};
struct WriteAnswered {        // what the client was told when the answer reached it (or its limit passed)
    enum class Outcome { acknowledged, failed, unknown };
    WriteId write = 0;
    TabletAlias tablet;
    Outcome outcome = Outcome::unknown;
    int error = 0;
};

// ---- servers
struct StatementSent {        // a manager's statement leaves it
    std::string manager;
    TabletAlias tablet;
    std::uint64_t session = 0;
    std::int64_t lock_id = 0;     // the shard lock under which it was sent, 0: none
    bool mutating = false;
    sql::Statement statement;
};
// On the server, whether or not anybody will be told. Reported just before the state changes: the view still
// shows what the statement met (I10 asks whether it met a shard that was as declared). Statements that fail are
// not reported.
struct StatementTookEffect {
    std::string manager;
    TabletAlias tablet;
    std::uint64_t session = 0;
    std::int64_t lock_id = 0;
    bool mutating = false;        // a Kill of one's own session is not
    bool kills_manager_session = false;
    std::string killed_manager;
    std::int64_t killed_lock_id = 0;
    sql::Statement statement;
};
struct ServerLockTaken {      // GET_LOCK of the shard's server lock succeeded
    std::string manager;
    TabletAlias tablet;
    std::uint64_t session = 0;
    std::int64_t lock_id = 0;
};
struct RelayLogDiscarded {    // received and not executed, and gone
    TabletAlias tablet;
    GtidSet gtids;
    WriteIds writes;
    std::string manager;      // whose statement did it; "" : a fault, or a restart
    std::int64_t lock_id = 0;
    bool by_hand = false;     // a person's statement on a running server (reset_replication, repoint …); not a loss at a restart
};
struct CopiesLost {           // executed, or in the binary log, and gone: a fault took them (crash before the durable
    TabletAlias tablet;       // point, restored to an older state …). Reported by the fake server, after.
    WriteIds writes;
    bool by_hand = false;
};
struct ReceiverConnected {    // a receiver has (re)connected to its source
    TabletAlias tablet;
    TabletAlias source;
    bool acks = false;        // with acknowledgements in effect
    bool by_hand = false;     // a fault pointed it there, or switched acks on
};
struct Committed {            // a transaction was committed in the engine of a server that made it (not applied)
    TabletAlias tablet;
    Gtid gtid;
    WriteId write = 0;
    std::string manager;      // of a manager's own write (journal, nudge)
};
struct ServerStarted { TabletAlias tablet; std::uint64_t boot = 0; };
struct ServerStopped { TabletAlias tablet; bool clean = false; };

// ---- store
// A transaction of a manager (or of a person) took effect. Reported just before the view shows it.
struct RecordWritten {
    std::string manager;      // "" : a person, by hand
    std::int64_t lock_id = 0;
    std::optional<FixpointRecord> before, after;
    bool shard_changed = false;
    bool tablet_changed = false;
    // term changed: a commit point
    bool is_commit_point() const { return after && (!before || before->term != after->term); }
};
struct ShardLockTaken { std::string manager; std::int64_t lock_id = 0; };
struct ShardLockReleased { std::string manager; std::int64_t lock_id = 0; bool expired = false; };

// ---- managers and nemesis
struct ManagerSaid { std::string manager; bool alive = true; fixpoint::Event event; };
struct ManagerStarted { std::string manager; };
struct ManagerStopped { std::string manager; };
// `going_on`: a person's work that takes several tries, at each try after the first.
enum class FaultStage { requested, delivered, going_on, observed };
// `delivered` is reported just before the fault changes anything.
struct FaultHappened { Fault fault; FaultStage stage = FaultStage::delivered; };
enum class Phase { boot, safety, faults_ceased, convergence, hold, end };
struct PhaseBegan { Phase phase{}; };

using JudgeEvent = std::variant<WriteBegun, WriteAcknowledged, WriteAnswered, StatementSent, StatementTookEffect, ServerLockTaken,
                                RelayLogDiscarded, CopiesLost, ReceiverConnected, Committed, ServerStarted, ServerStopped,
                                RecordWritten, ShardLockTaken, ShardLockReleased, ManagerSaid, ManagerStarted, ManagerStopped,
                                FaultHappened, PhaseBegan>;

// Where the world reports to. `world()` may be asked for at any event; it is computed only when it is asked for.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void on(Instant at, const JudgeEvent& event) = 0;
};

}  // namespace fixpoint::sim
