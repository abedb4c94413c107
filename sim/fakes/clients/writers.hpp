// Clients that write: each writes rows of unique ids where the topology says the primary is, and remembers
// what it was told, and when. They hold a view of the topology that may be stale, and read it anew when a
// server refuses them or stays silent. Why so dumb: their history is what I1–I3 are judged by, so they know
// nothing. They refuse to repeat a write: one whose outcome is unknown stays unknown.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/sim/judge_event.hpp"
#include "sim/core/chooser.hpp"
#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/wire/connection.hpp"

namespace fixpoint::sim {

// What a client would read in the topology now: whom it calls primary, the youngest claim first.
using ReadTopology = std::function<std::vector<TabletAlias>()>;
using FindServer = std::function<mysql::FakeMysql*(const TabletAlias&)>;

class Writers {
  public:
    struct Options {
        double writes_per_second = 2;  // of all clients together
        int clients = 1;
    };

    Writers(ClientSide side, FindServer servers, ReadTopology topology, Observer& observer, Options options);
    ~Writers();
    Writers(const Writers&) = delete;
    Writers& operator=(const Writers&) = delete;

    void start();
    // From here on one write a second, by the first client alone.
    void slow_down();
    // From here on nothing is drawn.
    void stop_drawing() { drawing_ = false; }

    // A write of the world's own (a probe) to this tablet, once. `done` is told what the client was told.
    using Done = std::function<void(WriteAnswered::Outcome)>;
    WriteId write_once(const TabletAlias& tablet, Duration limit, Done done);

    // A client holds a transaction open on this tablet, for that long (0: until it is broken off).
    void hold_transaction(const TabletAlias& tablet, Duration lasts);

    WriteId next_write_id() { return ++last_write_; }

  private:
    struct Client;
    struct Session;  // one connection of a client's pool
    struct Errand;   // a connection for one purpose

    void tick(Client& client);
    void write(Client& client);
    void run(Client& client, Session& session, WriteId write);
    void told(Client& client, Session& session, WriteId write, WriteAnswered::Outcome outcome, int error);
    // `refused_by`: who has just disappointed it, and is believed last.
    void look_again(Client& client, const std::optional<TabletAlias>& refused_by);
    Session* free_session(Client& client);
    void report(WriteId write, const TabletAlias& tablet, WriteAnswered::Outcome outcome, int error);
    Duration draw(Client& client, Duration least, Duration most);
    Errand& new_errand(const TabletAlias& tablet);

    ClientSide side_;
    FindServer servers_;
    ReadTopology topology_;
    Observer& observer_;
    Options options_;
    bool slow_ = false;
    bool drawing_ = true;
    WriteId last_write_ = 0;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Errand>> errands_;
};

}  // namespace fixpoint::sim
