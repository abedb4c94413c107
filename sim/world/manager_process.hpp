// One simulated manager: a process that runs the real reconciler on simulated ports. It can be killed,
// started again without memory, stopped and continued, and its wall clock can jump. No Asio in this header.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fixpoint/ports/event_log.hpp"
#include "fixpoint/sim/state.hpp"
#include "sim/asio/manager_hooks.hpp"
#include "sim/fakes/store/store_client.hpp"

namespace fixpoint::sim {

struct ManagerWorld {
    Scheduler& scheduler;
    Network& network;
    mysql::MysqlWorld& servers;
    FakeStore& store;
    ManagerHooks& hooks;
    NotificationGate& gate;
    Observer& observer;
    std::vector<std::string> cells;
    bool wants_text = false;
};

class ManagerProcess {
  public:
    ManagerProcess(ManagerWorld world, std::string name, ShardName shard, std::uint64_t number);
    ~ManagerProcess();
    ManagerProcess(const ManagerProcess&) = delete;
    ManagerProcess& operator=(const ManagerProcess&) = delete;

    const std::string& name() const;
    void start();  // without memory; nothing where it runs already
    void crash();  // kill -9
    void pause();
    void resume();
    void jump_clock(Duration by);

    bool alive() const;
    std::uint64_t incarnation() const;  // counts the starts
    bool paused() const;
    bool asleep() const;  // between two passes
    std::uint64_t digest() const;
    std::int64_t held_lock() const;
    // Of the operation under way: the recovery's name; Recovery::none outside of one.
    Recovery recovery() const;

    // What run() threw, or that it returned although nobody asked: a bug. "" : nothing.
    const std::string& died_of() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fixpoint::sim
