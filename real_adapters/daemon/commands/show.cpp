// plan, status, topology show: what is there and what would be done, without touching any of it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/text.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

ExitCode worst(ExitCode a, ExitCode b) {
    return a == ExitCode::own_fault || b == ExitCode::own_fault ? ExitCode::own_fault : std::max(a, b);
}

ExitCode code_of(const ShardReport& report) {
    if (!report.store_error.empty()) return ExitCode::own_fault;
    return report.problems.empty() && report.damage.empty() && report.in_force ? ExitCode::done
                                                                               : ExitCode::not_converged;
}

bool is_declared(const ShardReport& report) {
    return report.keyspace || !report.tablets.empty() || report.in_force;
}

std::string not_declared(const ShardName& shard) {
    return fmt::format("{} is not declared; `fixpoint init {} HOST:PORT …` does it", shard.to_string(),
                       shard.to_string());
}

using Render = std::string (*)(const Shown& shown, const ShowOptions& options);

awaitable<ExitCode> show_each(const Site& site, const ShowOptions& options,
                              const std::vector<ShardName>& shards, topo::Store& store, Render render) {
    ExitCode code = ExitCode::done;
    nlohmann::json all = nlohmann::json::array();
    for (const ShardName& shard : shards) {
        const Shown shown = co_await look_on(site, store, shard);
        if (shown.report.store_error.empty() && !is_declared(shown.report)) {
            site.complain(not_declared(shard));
            co_return ExitCode::refused;
        }
        code = worst(code, code_of(shown.report));
        if (options.json) {
            all.push_back(to_json(shown));
        } else {
            site.print(render(shown, options));
        }
    }
    if (options.json) site.print(all.dump(2) + '\n');
    co_return code;
}

awaitable<ExitCode> show(const Site& site, ShowOptions options, Render render) {
    const std::vector<ShardName> shards = shards_or_complain(site, options.shards);
    if (shards.empty()) co_return ExitCode::refused;
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    for (;;) {
        const ExitCode code = co_await show_each(site, options, shards, *store, render);
        if (options.watch <= Duration::zero() || site.stop.count() > 0) co_return code;
        co_await site.stop.wait(0, options.watch);
        if (site.stop.count() > 0) co_return code;
        site.print(fmt::format("---- {}\n", to_rfc3339(site.clock.wall_now())));
    }
}

std::string plan_text(const Shown& shown, const ShowOptions& /*options*/) {
    std::string text = summary_line(shown);
    if (shown.report.problems.empty()) return text + "  nothing to do\n";
    text += problems_text(shown.report, true);
    if (const std::string settings = settings_text(shown.report); !settings.empty())
        text += "settings that would be persisted:\n" + settings;
    return text;
}

std::string status_text(const Shown& shown, const ShowOptions& options) {
    std::string text = summary_line(shown);
    if (options.all) text += tablets_text(shown.report);
    text += problems_text(shown.report, false);
    if (shown.report.problems.empty() && shown.report.in_force) text += "  nothing abnormal\n";
    return text;
}

}  // namespace

awaitable<ExitCode> plan(const Site& site, ShowOptions options) {
    co_return co_await show(site, std::move(options), plan_text);
}

awaitable<ExitCode> status(const Site& site, ShowOptions options) {
    co_return co_await show(site, std::move(options), status_text);
}

namespace {

// One record in a line or a few, whatever it is.
std::string record_text(const topo::Listed& item) {
    const std::string& bytes = item.value.bytes;
    if (item.path.ends_with("/Tablet")) {
        const auto t = decode_tablet(bytes);
        if (!t) return "damaged: " + t.error();
        return fmt::format("{}/{}, {}, {}", t->keyspace, t->shard, to_string(t->type), t->mysql.to_string());
    }
    if (item.path.ends_with("/Shard")) {
        const auto s = decode_shard(bytes);
        if (!s) return "damaged: " + s.error();
        return "primary " + (s->primary_alias ? s->primary_alias->to_string() : std::string("none"));
    }
    if (item.path.ends_with("/Keyspace")) {
        const auto k = decode_keyspace(bytes);
        return k ? "durability " + k->durability_policy.to_string() : "damaged: " + k.error();
    }
    if (item.path.ends_with("/CellInfo")) return "cell";
    const nlohmann::json json = nlohmann::json::parse(bytes, nullptr, false);
    return json.is_discarded() ? "damaged" : json.dump();
}

}  // namespace

awaitable<ExitCode> topology_show(const Site& site) {
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    auto global = co_await store->list("", store_limit);
    if (!global) {
        site.complain("the topology store does not answer: " + global.error().text);
        co_return ExitCode::own_fault;
    }
    std::vector<std::vector<std::string>> rows{{"CELL", "PATH", "VERSION", "RECORD"}};
    std::vector<std::string> cells;
    for (const topo::Listed& item : *global) {
        rows.push_back({"global", item.path, std::to_string(item.value.version), record_text(item)});
        if (item.path.starts_with("cells/")) cells.push_back(item.path.substr(6, item.path.find('/', 6) - 6));
    }
    for (const std::string& cell : cells) {
        auto listed = co_await store->list_cell(cell, "", store_limit);
        if (!listed) {
            rows.push_back({cell, "-", "-", "does not answer: " + listed.error().text});
            continue;
        }
        for (const topo::Listed& item : *listed)
            rows.push_back({cell, item.path, std::to_string(item.value.version), record_text(item)});
    }
    site.print(table(rows));
    co_return ExitCode::done;
}

}  // namespace fixpoint::real
