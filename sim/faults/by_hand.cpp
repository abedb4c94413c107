// Small helpers of the deliveries.
#include "sim/faults/by_hand.hpp"

#include <utility>

namespace fixpoint::sim::by_hand {
namespace {

constexpr Duration again_after = std::chrono::milliseconds(20);
constexpr int at_most = 500;

void attempt(World& world, std::function<void()> action, std::function<bool()> done, const Fault* fault,
             int left) {
    if (done()) return;
    if (fault && left < at_most) world.report(FaultHappened{*fault, FaultStage::going_on});
    action();
    if (left == 0 || done()) return;
    world.scheduler().after(
        world.stage(), again_after,
        [&world, action = std::move(action), done = std::move(done), fault, left]() mutable {
            attempt(world, std::move(action), std::move(done), fault, left - 1);
        },
        EventKind::fault);
}

}  // namespace

void until(World& world, std::function<void()> action, std::function<bool()> done, const Fault* fault) {
    attempt(world, std::move(action), std::move(done), fault, at_most);
}

void start(mysql::FakeMysql& server, const mysql::StartOptions& options, const mysql::StartOptions& later) {
    if (server.up() || server.starting()) return;
    server.set_options(later);
    server.start_once(options);
}

ServerState look(World& world, const mysql::FakeMysql& server) {
    return server.snapshot(world.scenario().shard);
}

int applier_errno(World& world, const mysql::FakeMysql& server) {
    const ServerState state = look(world, server);
    return state.channels.empty() ? 0 : state.channels.front().applier_errno;
}

bool receiver_runs(World& world, const mysql::FakeMysql& server) {
    const ServerState state = look(world, server);
    return !state.channels.empty() && state.channels.front().receiver != sql::ThreadState::no;
}

bool applier_runs(World& world, const mysql::FakeMysql& server) {
    const ServerState state = look(world, server);
    return !state.channels.empty() && state.channels.front().applier_running;
}

void restart_receiver(World& world, mysql::FakeMysql& server, const Fault& fault) {
    if (!receiver_runs(world, server)) return;
    server.stop_receiver_by_hand();
    until(
        world, [&server] { server.start_receiver_by_hand(); },
        [&world, &server] { return receiver_runs(world, server); }, &fault);
}

Duration declared_delay(World& world, const mysql::FakeMysql& server) {
    for (const ScenarioTablet& t : world.scenario().tablets) {
        if (t.alias == server.alias()) return t.apply_delay;
    }
    return {};
}

}  // namespace fixpoint::sim::by_hand
