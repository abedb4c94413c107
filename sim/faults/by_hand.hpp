// What a person at a server's prompt does when a statement does not go through at once: tries again. And
// small looks at a server that several faults share.
#pragma once

#include <functional>

#include "sim/world/world.hpp"

namespace fixpoint::sim::by_hand {

// Does it now, and every 20 ms again until `done` (at most 10 s). Each later try is reported as `fault` going
// on.
void until(World& world, std::function<void()> action, std::function<bool()> done,
           const Fault* fault = nullptr);

// Starts it with these options; later starts use `later`. Nothing where it is not down.
void start(mysql::FakeMysql& server, const mysql::StartOptions& options, const mysql::StartOptions& later);

// Receiver stopped, and started as soon as it has stopped.
void restart_receiver(World& world, mysql::FakeMysql& server, const Fault& fault);

ServerState look(World& world, const mysql::FakeMysql& server);
int applier_errno(World& world, const mysql::FakeMysql& server);
bool receiver_runs(World& world, const mysql::FakeMysql& server);
bool applier_runs(World& world, const mysql::FakeMysql& server);
Duration declared_delay(World& world, const mysql::FakeMysql& server);

}  // namespace fixpoint::sim::by_hand
