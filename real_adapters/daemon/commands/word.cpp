// A person's word: forget, pause, resume, allow. Each is one change of the goal, on the version that was
// read, shown before and written down with who gave it. What may cost data is asked for twice: nothing is
// done without --yes.
#include <fmt/format.h>

#include <algorithm>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/pause_note.hpp"
#include "real_adapters/daemon/text.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

ProposedRecord goal_record(const ShardName& shard, const DeclaredShard& there, const Goal& next,
                           std::string words) {
    return {"", goal_path(shard), encode_goal(next), there.goal_version, std::move(words)};
}

awaitable<ExitCode> write_goal(const Site& site, topo::Store& store, ShardName shard,
                               const DeclaredShard& there, Goal next, std::string command,
                               std::string words) {
    std::vector<ProposedRecord> records;
    records.push_back(goal_record(shard, there, next, std::move(words)));
    co_return co_await write_as_person(site, store, std::move(shard), std::move(command), std::move(records));
}

std::string sees(const std::string& title, const ShardReport& report) {
    return title +
           (report.problems.empty() ? std::string("  nothing to do\n") : problems_text(report, false));
}

Uuid last_uuid(const ShardReport& report, const TabletAlias& alias) {
    if (!report.in_force) return {};
    const FixpointRecord& r = *report.in_force;
    std::vector<RecordedServer> known = r.ackers;
    known.push_back(r.primary);
    known.insert(known.end(), r.past_primaries.begin(), r.past_primaries.end());
    const auto it = std::ranges::find(known, alias, &RecordedServer::alias);
    return it == known.end() ? Uuid{} : it->uuid;
}

}  // namespace

awaitable<ExitCode> forget(const Site& site, ForgetOptions options) {
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, options.shard);
    if (!there.declared) co_return there.code;
    Goal next = there.declared->goal;
    const auto known = std::ranges::find(next.forgotten, options.tablet, &ForgottenTablet::alias);
    const std::string alias = options.tablet.to_string();
    if (options.undo) {
        if (known == next.forgotten.end()) {
            site.complain(alias + " is not forgotten");
            co_return ExitCode::refused;
        }
        next.forgotten.erase(known);
        co_return co_await write_goal(site, *store, options.shard, *there.declared, next, "forget",
                                      alias + " is not forgotten any more");
    }
    if (known != next.forgotten.end()) {
        site.complain(alias + " is forgotten already");
        co_return ExitCode::refused;
    }
    const Shown before = co_await look_on(site, *store, options.shard);
    const TabletReport* t = before.report.find(options.tablet);
    if (t == nullptr || t->answer || t->refused) {
        site.complain(t == nullptr ? alias + " is no tablet of this shard"
                                   : alias + " answers: it is not gone. Stop its server for good first");
        co_return ExitCode::refused;
    }
    next.forgotten.push_back(
        {options.tablet, last_uuid(before.report, options.tablet), person(), site.clock.wall_now()});
    const std::string words =
        "forget " + alias + " (" + t->tablet.mysql.to_string() + "): its server is gone for good";
    const Shown after = co_await look_on(site, *store, options.shard,
                                         {goal_record(options.shard, *there.declared, next, words)});
    site.print(sees("now:\n", before.report) + sees("with " + alias + " forgotten:\n", after.report));
    if (!options.yes) {
        site.complain("nothing has been changed; with --yes " + alias +
                      " is forgotten. What only it has is lost, and it must never come back with its data");
        co_return ExitCode::refused;
    }
    co_return co_await write_goal(site, *store, options.shard, *there.declared, next, "forget", words);
}

awaitable<ExitCode> pause(const Site& site, PauseOptions options) {
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, options.shard);
    if (!there.declared) co_return there.code;
    const WallTime now = site.clock.wall_now();
    const PauseNote note{
        person(), options.why, now, {options.until > Duration::zero() ? now.ns + options.until.count() : 0}};
    co_return co_await write_goal(site, *store, options.shard, *there.declared,
                                  paused(there.declared->goal, note), "pause", to_string(note));
}

awaitable<ExitCode> resume(const Site& site, ShardName shard) {
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, shard);
    if (!there.declared) co_return there.code;
    if (!there.declared->goal.paused) {
        site.complain(shard.to_string() + " is not paused");
        co_return ExitCode::refused;
    }
    co_return co_await write_goal(site, *store, shard, *there.declared, resumed(there.declared->goal),
                                  "resume", "the shard is led again");
}

awaitable<ExitCode> allow(const Site& site, AllowOptions options) {
    const std::vector<std::string> steps{"unfenced_promotion"};
    if (std::ranges::find(steps, options.step) == steps.end()) {
        site.complain(fmt::format("\"{}\" is no step that can be allowed{}; known: {}", options.step,
                                  did_you_mean(options.step, steps), joined(steps)));
        co_return ExitCode::refused;
    }
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, options.shard);
    if (!there.declared) co_return there.code;
    if (!there.declared->in_force) {
        site.complain("nothing is in force yet: there is no term that a step could be allowed for");
        co_return ExitCode::refused;
    }
    const std::int64_t term = there.declared->in_force->term;
    Goal next = there.declared->goal;
    if (std::ranges::find(next.allowed, AllowedStep{options.step, term}) != next.allowed.end()) {
        site.complain(fmt::format("{} is allowed already, for term {}", options.step, term));
        co_return ExitCode::refused;
    }
    std::erase_if(next.allowed, [&](const AllowedStep& a) { return a.term < term; });  // spent
    next.allowed.push_back({options.step, term});
    const std::string words =
        fmt::format("{} is allowed in term {}: what the old primary acknowledged and nobody else has is lost",
                    options.step, term);
    const Shown after = co_await look_on(site, *store, options.shard,
                                         {goal_record(options.shard, *there.declared, next, words)});
    site.print(words + '\n' + sees("with it:\n", after.report));
    if (!options.yes) {
        site.complain("nothing has been changed; with --yes the step is allowed, once");
        co_return ExitCode::refused;
    }
    co_return co_await write_goal(site, *store, options.shard, *there.declared, next, "allow", words);
}

}  // namespace fixpoint::real
