// reparent: a wish for another primary, written into the shard record as any tool would, met by the core, and
// taken back where it was refused. A primary that is dead needs no wish to be replaced, only a core that
// runs; the wish says by whom, if data allow it.
#include <fmt/format.h>

#include <algorithm>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/text.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {

namespace {

// The first retry follows at once, so a second refusal is no accident.
constexpr int refusals_to_give_up = 2;

const ProblemReport* row_with(const ShardReport& report, Recovery recovery) {
    const auto it = std::ranges::find(report.problems, recovery, &ProblemReport::recovery);
    return it == report.problems.end() ? nullptr : &*it;
}

ProposedRecord wish_for(const ShardName& shard, const DeclaredShard& there, const TabletAlias& candidate,
                        WallTime now) {
    ShardRecord next = there.shard;
    next.primary_alias = candidate;
    next.primary_term_start_time = {std::max(now.ns, there.in_force->shard_time.ns + 1)};
    return {"", shard_path(shard), encode_shard(next), there.shard_version,
            fmt::format("wish for {} as the primary of {}", candidate.to_string(), shard.to_string())};
}

struct Plan {
    TabletAlias from, to;
    bool emergency = false;
    std::vector<ProposedRecord> wish;
    Shown with_wish;
};

std::expected<TabletAlias, std::string> candidate_of(const ReparentOptions& options,
                                                     const ShardReport& report) {
    if (options.to) {
        if (report.find(*options.to)) return *options.to;
        std::vector<std::string> known;
        for (const TabletReport& t : report.tablets) known.push_back(t.tablet.alias.to_string());
        return std::unexpected(options.to->to_string() + " is no tablet of this shard" +
                               did_you_mean(options.to->to_string(), known));
    }
    const Election election = elect(as_if_stopped(report.facts));
    if (election.winner) return *election.winner;
    return std::unexpected(
        fmt::format("nobody could be elected: {}, {}", to_string(election.reason), election.text));
}

awaitable<std::expected<Plan, std::string>> make_plan(const Site& site, const ReparentOptions& options,
                                                      topo::Store& store, const DeclaredShard& there) {
    Plan plan;
    if (!there.in_force)
        co_return std::unexpected("nothing is in force yet; `fixpoint run` leads the shard first");
    plan.from = there.in_force->primary.alias;
    const Shown now = co_await look_on(site, store, options.shard);
    if (!now.report.damage.empty())
        co_return std::unexpected("a record cannot be read: " + now.report.damage);
    if (there.goal.paused) co_return std::unexpected("the shard is paused; `fixpoint resume` first");
    plan.emergency = row_with(now.report, Recovery::emergency_reparent) != nullptr;
    const auto candidate = candidate_of(options, now.report);
    if (!candidate) co_return std::unexpected(candidate.error());
    plan.to = *candidate;
    if (there.goal.pinned_primary && *there.goal.pinned_primary != plan.to)
        co_return std::unexpected(fmt::format("{0} is pinned; `fixpoint declare --pin {1}` or --no-pin first",
                                              there.goal.pinned_primary->to_string(), plan.to.to_string()));
    if (plan.to != plan.from && !(plan.emergency && !options.to))
        plan.wish.push_back(wish_for(options.shard, there, plan.to, site.clock.wall_now()));
    plan.with_wish = co_await look_on(site, store, options.shard, plan.wish);
    const Recovery recovery = plan.emergency ? Recovery::emergency_reparent : Recovery::planned_reparent;
    const ProblemReport* row = row_with(plan.with_wish.report, recovery);
    if (row && row->refusal != Reason::none)
        co_return std::unexpected(fmt::format("{} would be refused: {}, {}\n  {}", to_string(recovery),
                                              to_string(row->refusal), row->refusal_text,
                                              remedy_of(row->refusal)));
    co_return plan;
}

// What the core has done of it, from its events.
struct Progress {
    int refusals = 0;
    bool touched = false;  // a reparent has sent something that changes a server
    std::string why;
    Reason reason = Reason::none;

    void hear(const Event& event) {
        if (event.recovery != Recovery::planned_reparent && event.recovery != Recovery::emergency_reparent)
            return;
        touched = touched || event.kind == EventKind::step;
        if (event.kind != EventKind::recovery_refused && event.kind != EventKind::recovery_failed) return;
        if (event.reason == Reason::problem_gone) return;
        ++refusals;
        reason = event.reason;
        why = fmt::format("{}{}{}", to_string(event.reason), event.text.empty() ? "" : ", ", event.text);
    }
};

bool is_primary(const ShardReport& report, const TabletAlias& alias) {
    return report.in_force && report.in_force->primary.alias == alias;
}

// The record as it was, on the version that it has now. False: somebody else has written it, or nobody can
// tell.
awaitable<bool> withdraw(const Site& site, topo::Store& store, ShardName shard, TabletAlias from) {
    const auto there = co_await read_declared(store, shard);
    if (!there || !there->in_force || there->in_force->primary.alias != from) co_return false;
    ShardRecord back = there->shard;
    back.primary_alias = from;
    back.primary_term_start_time = there->in_force->shard_time;
    topo::Put put{shard_path(shard), encode_shard(back), there->shard_version};
    const auto written = co_await store.put_declared(std::move(put), store_limit);
    if (written) site.note(shard, "reparent", "the wish is withdrawn: " + from.to_string() + " stays");
    co_return written.has_value();
}

// Refused or failed: the wish is taken back and the shard seen to be as it was.
awaitable<ExitCode> lead_back(const Site& site, const ReparentOptions& options, const Plan& plan,
                              const Progress& progress) {
    const auto unknown = [&](const std::string& text) {
        site.complain(text + "; look at `fixpoint status`");
        return ExitCode::unknown;
    };
    std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::unknown;
    if (!plan.wish.empty() && !co_await withdraw(site, *store, options.shard, plan.from))
        co_return unknown("the wish could not be withdrawn");
    Manager manager(site, options.shard, std::move(store));
    const Driven driven = co_await drive(site, manager, options.wait, [&](const Manager& m) {
        return is_settled(m.seen()) && is_primary(m.seen(), plan.from);
    });
    if (driven != Driven::reached) co_return unknown("not verified to be as it was");
    site.complain(fmt::format("{} stays the primary: {}", plan.from.to_string(), progress.why));
    if (const std::string remedy = remedy_of(progress.reason); !remedy.empty()) site.complain(remedy);
    co_return progress.touched ? ExitCode::led_back : ExitCode::refused;
}

awaitable<ExitCode> carry_out(const Site& site, const ReparentOptions& options, const Plan& plan,
                              std::unique_ptr<topo::Store> store) {
    Progress progress;
    Driven driven{};
    ShardReport seen;
    {
        Manager manager(site, options.shard, std::move(store));
        driven = co_await drive(
            site, manager, options.wait,
            [&](const Manager& m) {
                const bool there =
                    plan.emergency ? !is_primary(m.seen(), plan.from) : is_primary(m.seen(), plan.to);
                return (there && is_settled(m.seen())) || progress.refusals >= refusals_to_give_up;
            },
            [&](const Event& event) { progress.hear(event); });
        seen = manager.seen();
    }
    if (driven == Driven::died) co_return ExitCode::own_fault;
    if (is_primary(seen, plan.from)) {
        if (progress.why.empty()) progress.why = "it has not come to that in time";
        co_return co_await lead_back(site, options, plan, progress);
    }
    if (driven != Driven::reached) {
        site.complain("the primary is another one, and not everything follows it yet:\n" +
                      problems_text(seen, false));
        co_return seen.in_force ? ExitCode::not_converged : ExitCode::unknown;
    }
    site.print(summary_line({seen, {}}) + tablets_text(seen) + problems_text(seen, false));
    co_return ExitCode::done;
}

}  // namespace

awaitable<ExitCode> reparent(const Site& site, ReparentOptions options) {
    std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, options.shard);
    if (!there.declared) co_return there.code;
    auto plan = co_await make_plan(site, options, *store, *there.declared);
    if (!plan) {
        site.complain(plan.error());
        co_return ExitCode::refused;
    }
    if (plan->to == plan->from && !plan->emergency) {
        site.print(plan->to.to_string() + " is the primary already\n");
        co_return is_settled(plan->with_wish.report) ? ExitCode::done : ExitCode::not_converged;
    }
    const Recovery recovery = plan->emergency ? Recovery::emergency_reparent : Recovery::planned_reparent;
    std::string text =
        fmt::format("{}: {} -> {}\n", to_string(recovery), plan->from.to_string(), plan->to.to_string());
    for (const std::string_view step : steps_of(recovery)) text += fmt::format("  - {}\n", step);
    site.print(text);
    if (options.dry_run) co_return ExitCode::done;
    if (!plan->wish.empty()) {
        const ExitCode written =
            co_await write_as_person(site, *store, options.shard, "reparent", plan->wish);
        if (written != ExitCode::done) co_return written;
    }
    co_return co_await carry_out(site, options, *plan, std::move(store));
}

}  // namespace fixpoint::real
