// run: the managers of one or many shards in one process, until somebody wants it to end. Each shard has its
// own store connection and its own core. A shard that is not declared is refused before any of them begins.
#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/pause_note.hpp"

namespace fixpoint::real {

namespace {

bool all_ended(const std::vector<std::unique_ptr<Manager>>& managers) {
    return std::ranges::all_of(managers, [](const auto& m) { return m->ended(); });
}

bool one_died(const std::vector<std::unique_ptr<Manager>>& managers) {
    return std::ranges::any_of(managers, [](const auto& m) { return m->ended(); });
}

// A pause that was declared until some time ends then: whoever runs the shard carries that word out.
awaitable<void> resume_where_due(const Site& site, Manager& manager) {
    const std::optional<PauseNote> note = pause_note(manager.seen().goal);
    if (!note || note->until.ns == 0 || site.clock.wall_now() < note->until) co_return;
    const auto there = co_await read_declared(manager.store(), manager.shard());
    if (!there || pause_note(there->goal) != note) co_return;
    topo::Put put{goal_path(manager.shard()), encode_goal(resumed(there->goal)), there->goal_version};
    if (co_await manager.store().put_declared(std::move(put), store_limit))
        site.note(manager.shard(), "resume", "the pause has ended: " + to_string(*note));
}

}  // namespace

awaitable<ExitCode> run(const Site& site, RunOptions options) {
    const std::vector<ShardName> shards = shards_or_complain(site, options.shards);
    if (shards.empty()) co_return ExitCode::refused;
    std::vector<std::unique_ptr<Manager>> managers;
    for (const ShardName& shard : shards) {
        std::unique_ptr<topo::Store> store = open_store_or_complain(site);
        if (!store) co_return ExitCode::own_fault;
        const auto declared = co_await read_declared(*store, shard);
        if (declared && declared->shard_version == 0) {
            site.complain(fmt::format("{} is not declared; `fixpoint init {} HOST:PORT …` does it",
                                      shard.to_string(), shard.to_string()));
            co_return ExitCode::refused;
        }
        managers.push_back(std::make_unique<Manager>(site, shard, std::move(store)));
    }
    const auto executor = co_await boost::asio::this_coro::executor;
    Signal changed(executor);
    for (const auto& manager : managers) manager->start(executor, changed);
    site.log.say(LogLevel::info,
                 fmt::format("{} begins with {} shard(s)", site.configuration.manager_name, managers.size()));

    constexpr Duration slice = std::chrono::seconds(1);  // how soon the death of a core is seen
    while (site.stop.count() == 0 && !one_died(managers)) {
        co_await site.stop.wait(0, slice);
        for (const auto& manager : managers) co_await resume_where_due(site, *manager);
    }
    const bool died = one_died(managers);
    site.log.say(LogLevel::info, died ? "a core has died: the others end" : "asked to stop");
    for (const auto& manager : managers) manager->reconciler().stop();
    for (const auto& manager : managers) co_await manager->stop(changed, site.stop, options.grace);
    ExitCode code = all_ended(managers) ? ExitCode::done : ExitCode::own_fault;
    for (const auto& manager : managers) {
        if (manager->died_of().empty()) continue;
        site.log.say(LogLevel::error,
                     manager->shard().to_string() + ": a fault of our own: " + manager->died_of());
        code = ExitCode::own_fault;
    }
    site.log.say(LogLevel::info, "ended");
    co_return code;
}

}  // namespace fixpoint::real
