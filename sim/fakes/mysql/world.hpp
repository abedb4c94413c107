// What the fake servers of one world share: time, chance, network, the transactions that their logs point to,
// and a way to find a server by its address. It owns no server; the servers put their names in.
#pragma once

#include <cstdint>
#include <vector>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/sim/judge_event.hpp"
#include "sim/core/chooser.hpp"
#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/mysql/transaction.hpp"

namespace fixpoint::sim::mysql {

class FakeMysql;

class MysqlWorld {
  public:
    // All must outlive the servers. `observer` may be nullptr.
    MysqlWorld(Scheduler& world_scheduler, Network& world_network, Observer* world_observer)
        : scheduler(world_scheduler),
          network(world_network),
          observer(world_observer),
          hosts(world_scheduler.add_process("hosts")) {}

    Scheduler& scheduler;
    Network& network;
    Observer* observer;
    ShardName shard;  // whose server locks are reported to the observer
    // Stands for the machines' kernels: they refuse connections for a dead mysqld, and accept them for a
    // stopped one. Never killed, never paused.
    Process& hosts;
    TransactionStore transactions;
    std::vector<FakeMysql*> servers;

    FakeMysql* find(const MysqlAddress& address) const;
    std::uint64_t next_connection() { return ++connections_; }
    Uuid make_uuid() { return Uuid{0x3e11fa4771ca11e1ULL, 0x9e33c80aa9420000ULL + ++uuids_}; }

    template <class Event>
    void report(Event&& event) {
        if (observer != nullptr) observer->on(scheduler.now(), JudgeEvent(std::forward<Event>(event)));
    }

  private:
    std::uint64_t connections_ = 0;
    std::uint64_t uuids_ = 0;
};

}  // namespace fixpoint::sim::mysql
