// See common.hpp.
#include "real_adapters/daemon/commands/common.hpp"

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

// Longer than the two looks over which some rows hold.
constexpr Duration settled_for = std::chrono::milliseconds(1'500);

}  // namespace

std::unique_ptr<topo::Store> open_store_or_complain(const Site& site, bool create) {
    auto store = site.open_store(create);
    if (store) return *std::move(store);
    site.complain(store.error().text);
    return nullptr;
}

std::vector<ShardName> shards_or_complain(const Site& site, const std::vector<ShardName>& named) {
    const std::vector<ShardName>& shards = named.empty() ? site.configuration.shards : named;
    if (shards.empty())
        site.complain(fmt::format(
            "{}: shards: no shard is named; write \"shards\": [\"commerce/0\"] there, or name one "
            "on the command line",
            site.configuration.file.string()));
    return shards;
}

std::string one_line(const Event& event) {
    const std::string tablet = event.key.tablet ? ' ' + event.key.tablet.to_string() : std::string();
    switch (event.kind) {
        case EventKind::recovery_began:
            return fmt::format("{}{}: {}", to_string(event.key.problem), tablet, to_string(event.recovery));
        case EventKind::recovery_refused:
            if (event.reason == Reason::problem_gone) return {};
            return fmt::format("  refused: {}{}{}", to_string(event.reason), event.text.empty() ? "" : ", ",
                               event.text);
        case EventKind::recovery_failed:
            return fmt::format("  failed: {}{}{}", to_string(event.reason), event.text.empty() ? "" : ", ",
                               event.text);
        case EventKind::commit_point:
            return fmt::format("  recorded: {}", event.text);
        case EventKind::reported:
            return event.text;
        default:
            return {};
    }
}

awaitable<Driven> drive(const Site& site, Manager& manager, Duration wait,
                        std::function<bool(const Manager&)> there, std::function<void(const Event&)> hear) {
    Signal changed(co_await boost::asio::this_coro::executor);
    std::string said;
    manager.on_event([&](const Event& event) {
        if (hear) hear(event);
        const std::string line = one_line(event);
        if (line.empty() || line == said) return;
        site.print(line + '\n');
        said = line;
    });
    manager.start(co_await boost::asio::this_coro::executor, changed);
    const Instant deadline = site.clock.now() + wait;
    std::optional<Instant> since;
    Driven result = Driven::not_in_time;
    while (site.clock.now() < deadline) {
        const int seen = changed.count();
        if (manager.ended()) {
            result = Driven::died;
            break;
        }
        if (site.stop.count() > 0) {
            result = Driven::stopped;
            break;
        }
        if (manager.looks() == 0 || !there(manager)) {
            since.reset();
        } else if (!since) {
            since = site.clock.now();
        } else if (site.clock.now() - *since >= settled_for) {
            result = Driven::reached;
            break;
        }
        constexpr Duration slice = std::chrono::milliseconds(200);  // how soon a wish to stop is seen
        co_await changed.wait(seen, slice);
    }
    co_await manager.stop(changed, site.stop, std::chrono::seconds(5));
    if (result == Driven::died) site.complain("a fault of our own: " + manager.died_of());
    co_return result;
}

awaitable<std::expected<DeclaredShard, std::string>> read_declared(topo::Store& store, ShardName name) {
    DeclaredShard declared;
    auto listed = co_await store.list("keyspaces/" + name.keyspace + "/", store_limit);
    if (!listed) co_return std::unexpected("the topology store does not answer: " + listed.error().text);
    std::string damage;
    const auto take = [&](auto decoded, auto& into, const std::string& path) {
        if (decoded) {
            into = *std::move(decoded);
        } else {
            damage = path + ": " + decoded.error();
        }
    };
    for (const topo::Listed& item : *listed) {
        const std::string& bytes = item.value.bytes;
        if (item.path == keyspace_path(name.keyspace)) {
            take(decode_keyspace(bytes), declared.keyspace, item.path);
            declared.keyspace_version = item.value.version;
        } else if (item.path == shard_path(name)) {
            take(decode_shard(bytes), declared.shard, item.path);
            declared.shard_version = item.value.version;
        } else if (item.path == goal_path(name)) {
            take(decode_goal(bytes), declared.goal, item.path);
            declared.goal_version = item.value.version;
        } else if (item.path == fixpoint_path(name)) {
            take(decode_fixpoint(bytes), declared.in_force.emplace(), item.path);
        }
    }
    if (!damage.empty()) co_return std::unexpected(damage);
    co_return declared;
}

awaitable<DeclaredOrCode> read_declared_or_complain(const Site& site, topo::Store& store, ShardName shard) {
    auto there = co_await read_declared(store, shard);
    if (!there) {
        site.complain(there.error());
        co_return DeclaredOrCode{std::nullopt, ExitCode::own_fault};
    }
    if (there->shard_version == 0) {
        site.complain(
            fmt::format("{0} is not declared; `fixpoint init {0} HOST:PORT …` does it", shard.to_string()));
        co_return DeclaredOrCode{std::nullopt, ExitCode::refused};
    }
    co_return DeclaredOrCode{*std::move(there), ExitCode::done};
}

awaitable<ExitCode> write_as_person(const Site& site, topo::Store& store, ShardName shard,
                                    std::string command, std::vector<ProposedRecord> records) {
    std::string words;
    for (const ProposedRecord& record : records) words += (words.empty() ? "" : "; ") + record.words;
    const auto written = co_await write_records(store, std::move(records), store_limit);
    if (written) {
        site.note(shard, std::move(command), words);
        site.print("declared: " + words + '\n');
        co_return ExitCode::done;
    }
    switch (written.error().kind) {
        case topo::ErrorKind::conflict:
            site.complain(written.error().text + "; somebody else has changed it meanwhile, look again");
            co_return ExitCode::refused;
        case topo::ErrorKind::maybe:
            site.complain(written.error().text + "; it may have been written: look again");
            co_return ExitCode::unknown;
        default:
            site.complain(written.error().text);
            co_return ExitCode::own_fault;
    }
}

awaitable<std::expected<std::vector<DeclaredTablet>, std::string>> read_tablets(topo::Store& store,
                                                                                ShardName shard) {
    std::vector<DeclaredTablet> tablets;
    auto cells = co_await store.list("cells/", store_limit);
    if (!cells) co_return std::unexpected("the topology store does not answer: " + cells.error().text);
    for (const topo::Listed& cell : *cells) {
        auto listed = co_await store.list_cell(cell.path.substr(6, cell.path.find('/', 6) - 6), "tablets/",
                                               store_limit);
        if (!listed) co_return std::unexpected("a cell does not answer: " + listed.error().text);
        for (const topo::Listed& item : *listed) {
            auto tablet = decode_tablet(item.value.bytes);
            if (!tablet) co_return std::unexpected(item.path + ": " + tablet.error());
            if (tablet->keyspace == shard.keyspace && tablet->shard == shard.shard)
                tablets.push_back({*std::move(tablet), item.value.version});
        }
    }
    co_return tablets;
}

awaitable<std::vector<ProposedRecord>> without_existing_cells(topo::Store& store,
                                                              std::vector<ProposedRecord> records) {
    const auto cells = co_await store.list("cells/", store_limit);
    if (cells) {
        std::erase_if(records, [&](const ProposedRecord& record) {
            return std::ranges::find(*cells, record.path, &topo::Listed::path) != cells->end();
        });
    }
    co_return records;
}

}  // namespace fixpoint::real
