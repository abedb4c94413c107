// Time, links, and the end of all faults. How each kind strikes is in deliver_*.cpp.
#include "property_tests/real/shard/nemesis.hpp"

#include <algorithm>
#include <utility>

namespace fixpoint::real_shards {
namespace {

using sim::Fault;

constexpr Duration between_questions = 100ms;
constexpr int most_waits = 100;

}  // namespace

Nemesis::Nemesis(World& world) : FaultBook(world.scenario().faults), world_(world) {}

void Nemesis::report(const sim::FaultHappened& happened) {
    world_.report(happened);
}

sim::FaultBook::Cancel Nemesis::after(Duration time, std::function<void()> action) {
    const std::uint64_t number = ++timers_made_;
    timers_.push_back({world_.clock().now() + time, number, std::move(action)});
    return [this, number] {
        std::erase_if(timers_, [&](const Timer& timer) { return timer.number == number; });
    };
}

void Nemesis::go_on() {
    for (const auto& [manager, commit_point] : std::exchange(records_written_, {}))
        record_write(manager, commit_point, false);
    const Instant now = world_.clock().now();
    const std::uint64_t made = timers_made_;  // one that an action makes waits for the next time
    for (;;) {
        const auto next = std::ranges::min_element(
            timers_, {}, [](const Timer& timer) { return std::pair(timer.at, timer.number); });
        if (next == timers_.end() || next->at > now || next->number > made) break;
        const auto action = std::move(next->action);
        timers_.erase(next);
        action();
    }
    if (now - looked_at_ < between_questions) return;
    looked_at_ = now;
    settle();
}

// A record is seen when it has been written; what it triggers strikes when the world goes on.
void Nemesis::on(const sim::JudgeEvent& event) {
    const auto* written = std::get_if<sim::RecordWritten>(&event);
    if (written == nullptr || written->manager.empty() || written->before == written->after ||
        !written->after)
        return;
    records_written_.emplace_back(written->manager, written->is_commit_point());
}

sim::RecordsByHand& Nemesis::records() {
    return world_.store();
}

std::optional<Uuid> Nemesis::uuid_of_the_dead(const TabletAlias& alias) {
    const Tablet* tablet = world_.tablet(alias);
    if (tablet == nullptr || tablet->up()) return std::nullopt;
    return world_.now().server(alias)->server.server_uuid;
}

// A real server takes its time to come up: what strikes it meanwhile waits for it.
std::optional<Duration> Nemesis::try_again_in(const Fault& fault, int tries) {
    const Tablet* subject = fault.tablet ? world_.tablet(*fault.tablet) : nullptr;
    if (subject == nullptr || !subject->starting() || tries >= most_waits) return std::nullopt;
    return between_questions;
}

// ---- links

void Nemesis::cut(const std::string& from, const std::string& to, int by) {
    LinkFaults& link = links_[{from, to}];
    link.cuts += by;
    world_.proxy().set(from, to, {link.cuts > 0, link.delay});
}

void Nemesis::delay(const std::string& from, const std::string& to, Duration by) {
    LinkFaults& link = links_[{from, to}];
    link.delay += by;
    world_.proxy().set(from, to, {link.cuts > 0, link.delay});
}

// ---- the end of faults

sim::Core Nemesis::cease() {
    sim::Core core = world_.core();
    cease_all(core);
    for (const auto& tablet : world_.tablets()) {
        if (!core.has(tablet->alias())) continue;
        if (tablet->paused()) tablet->resume();
        if (!tablet->up() && !tablet->starting()) tablet->start();
    }
    for (const auto& manager : world_.managers()) {
        if (std::ranges::find(core.managers, manager->name()) == core.managers.end()) continue;
        if (manager->paused()) manager->resume();
        if (!manager->alive()) manager->start();
    }
    return core;
}

}  // namespace fixpoint::real_shards
