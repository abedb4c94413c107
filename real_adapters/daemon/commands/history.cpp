// history: the operations, oldest first, each with how it ended and how long it took; with --steps everything
// that was said of it.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/scenario_export.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

namespace {

// What belongs together: one operation, or one thing that somebody did or was told outside of any.
struct Chapter {
    std::vector<const HistoryEntry*> entries;
    const HistoryEntry& first() const { return *entries.front(); }
    const HistoryEntry& last() const { return *entries.back(); }
};

std::vector<Chapter> chapters_of(const std::vector<HistoryEntry>& entries, const HistoryOptions& options) {
    std::vector<Chapter> chapters;
    std::map<std::string, std::size_t> by_operation;
    for (const HistoryEntry& entry : entries) {
        const bool meant =
            options.shards.empty() || std::ranges::any_of(options.shards, [&](const ShardName& shard) {
                return shard.to_string() == entry.shard;
            });
        if (!meant || (!options.operation.empty() && entry.operation != options.operation)) continue;
        if (entry.operation.empty()) {
            chapters.push_back({{&entry}});
            continue;
        }
        const auto [at, is_new] = by_operation.try_emplace(entry.operation, chapters.size());
        if (is_new) chapters.emplace_back();
        chapters[at->second].entries.push_back(&entry);
    }
    return chapters;
}

std::string line_of(const HistoryEntry& e) {
    std::string line = e.kind;
    for (const std::string* word : {&e.problem, &e.tablet, &e.recovery, &e.reason}) {
        if (!word->empty()) line += ' ' + *word;
    }
    return e.text.empty() ? line : line + ": " + e.text;
}

std::string ending_of(const Chapter& chapter) {
    for (const HistoryEntry* e : chapter.entries) {
        if (e->kind == "recovery_succeeded") return "succeeded";
        if (e->kind == "recovery_refused")
            return "refused: " + e->reason + (e->text.empty() ? "" : ", " + e->text);
        if (e->kind == "recovery_failed")
            return "failed: " + e->reason + (e->text.empty() ? "" : ", " + e->text);
    }
    return "has not ended";
}

std::string text_of(const Chapter& chapter, bool steps) {
    const HistoryEntry& first = chapter.first();
    if (first.operation.empty())
        return fmt::format("{} {} {} {}\n", first.time, first.who, first.shard, line_of(first));
    std::string text = fmt::format("{} {} {} [{}] {}{}{}: {}: {}\n", first.time, first.who, first.shard,
                                   first.operation, first.problem, first.tablet.empty() ? "" : " ",
                                   first.tablet, first.recovery, ending_of(chapter));
    for (const HistoryEntry* e : chapter.entries) {
        if (e->kind == "commit_point" && !steps) text += "    recorded: " + e->text + '\n';
        if (steps)
            text += fmt::format("    {} {}: {}\n", e->time, e->kind, e->text.empty() ? e->reason : e->text);
    }
    return text;
}

}  // namespace

namespace {

awaitable<ExitCode> export_scenario(const Site& site, const History::Contents& contents,
                                    const HistoryOptions& options) {
    const std::vector<ShardName> shards = shards_or_complain(site, options.shards);
    if (shards.size() != 1) {
        if (!shards.empty()) site.complain("a scenario is of one shard: name it");
        co_return ExitCode::refused;
    }
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, shards.front());
    if (!there.declared) co_return there.code;
    const auto tablets = co_await read_tablets(*store, shards.front());
    if (!tablets) {
        site.complain(tablets.error());
        co_return ExitCode::own_fault;
    }
    ExportedShard shard{shards.front(), there.declared->keyspace.durability_policy, {}, there.declared->goal};
    for (const DeclaredTablet& t : *tablets) shard.tablets.push_back(t.tablet);
    std::vector<HistoryEntry> entries;
    std::vector<std::string> operations;
    for (const HistoryEntry& entry : contents.entries) {
        if (entry.shard != shards.front().to_string()) continue;
        entries.push_back(entry);
        if (entry.kind == "recovery_began") operations.push_back(entry.operation);
    }
    if (operations.empty() || shard.tablets.empty()) {
        site.complain("nothing has happened that a scenario could be made of");
        co_return ExitCode::refused;
    }
    const std::size_t shown = std::min(operations.size(), static_cast<std::size_t>(options.last));
    site.print(scenario_of(shard, entries, operations[operations.size() - shown]));
    co_return ExitCode::done;
}

}  // namespace

awaitable<ExitCode> history(const Site& site, HistoryOptions options) {
    if (!site.history.kept()) {
        site.complain(site.configuration.file.string() + ": history: none is kept; name a file there");
        co_return ExitCode::refused;
    }
    const auto contents = site.history.read();
    if (!contents) {
        site.complain("the history cannot be read: " + contents.error());
        co_return ExitCode::own_fault;
    }
    if (options.as_scenario) co_return co_await export_scenario(site, *contents, options);
    const std::vector<Chapter> chapters = chapters_of(contents->entries, options);
    const auto shown =
        static_cast<std::ptrdiff_t>(std::min(chapters.size(), static_cast<std::size_t>(options.last)));
    for (auto it = chapters.end() - shown; it != chapters.end(); ++it) {
        if (!options.json) {
            site.print(text_of(*it, options.steps));
            continue;
        }
        for (const HistoryEntry* entry : it->entries) site.print(to_json_line(*entry) + '\n');
    }
    if (chapters.empty()) site.print("nothing has happened\n");
    if (contents->unreadable > 0) site.complain(fmt::format("{} lines cannot be read", contents->unreadable));
    co_return ExitCode::done;
}

}  // namespace fixpoint::real
