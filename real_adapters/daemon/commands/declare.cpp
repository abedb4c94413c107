// declare: what people want of a shard, changed record by record on the versions that were read. It shows
// what the core sees with it; whoever runs the shard leads it there.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/commands/common.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

namespace {

std::expected<Goal, std::string> with_limits(
    Goal goal, const std::vector<std::pair<std::string, std::int64_t>>& limits) {
    if (limits.empty()) return goal;
    nlohmann::json json = nlohmann::json::parse(encode_goal(goal));
    for (const auto& [name, ms] : limits) json["limits"][name] = ms;
    return decode_goal(json.dump());
}

// What is to be written, or why not. Pure but for the reading before.
class Change {
  public:
    Change(const DeclareOptions& options, const DeclaredShard& there,
           const std::vector<DeclaredTablet>& tablets)
        : options_(options), there_(there), tablets_(tablets) {}

    std::expected<std::vector<ProposedRecord>, std::string> records() {
        keyspace();
        shard();
        goal();
        types();
        removed();
        added();
        if (!error_.empty()) return std::unexpected(error_);
        if (records_.empty()) return std::unexpected("nothing would change");
        return records_;
    }

  private:
    void fail(std::string text) {
        if (error_.empty()) error_ = std::move(text);
    }
    void put(std::string cell, std::string path, std::string bytes, topo::Version expected,
             std::string words) {
        records_.push_back({std::move(cell), std::move(path), std::move(bytes), expected, std::move(words)});
    }
    // The store keeps no gaps: a record that belongs to no shard is nobody's, and may be used again.
    void removed() {
        for (const TabletAlias& alias : options_.remove) {
            const DeclaredTablet* t = find(alias);
            if (!t) return;
            const bool in_force = there_.in_force && there_.in_force->primary.alias == alias;
            if (in_force || t->tablet.type == TabletType::primary)
                return fail(alias.to_string() + " is the primary; `fixpoint reparent` the shard first");
            if (there_.goal.pinned_primary == alias && !options_.no_pin)
                return fail(alias.to_string() + " is pinned; `fixpoint declare --no-pin` first");
            if (there_.shard.primary_alias == alias)
                return fail(alias.to_string() +
                            " is wanted as the primary; wait until that is met or withdrawn");
            Tablet next;
            next.alias = alias;
            put(alias.cell, tablet_path(alias), encode_tablet(next), t->version,
                fmt::format("tablet {} at {}: no tablet of {} any more", alias.to_string(),
                            t->tablet.mysql.to_string(), options_.shard.to_string()));
        }
    }

    const DeclaredTablet* find(const TabletAlias& alias) {
        const auto it =
            std::ranges::find(tablets_, alias, [](const DeclaredTablet& t) { return t.tablet.alias; });
        if (it != tablets_.end()) return &*it;
        std::vector<std::string> known;
        for (const DeclaredTablet& t : tablets_) known.push_back(t.tablet.alias.to_string());
        fail(alias.to_string() + " is no tablet of this shard" + did_you_mean(alias.to_string(), known));
        return nullptr;
    }

    void keyspace() {
        if (!options_.policy || *options_.policy == there_.keyspace.durability_policy) return;
        KeyspaceRecord next = there_.keyspace;
        next.durability_policy = *options_.policy;
        put("", keyspace_path(options_.shard.keyspace), encode_keyspace(next), there_.keyspace_version,
            fmt::format("keyspace {}: durability {} (was {})", options_.shard.keyspace,
                        options_.policy->to_string(), there_.keyspace.durability_policy.to_string()));
    }

    void shard() {
        if (!options_.emergency_reparent) return;
        ShardRecord next = there_.shard;
        next.disable_emergency_reparent = !*options_.emergency_reparent;
        if (next == there_.shard) return;
        put("", shard_path(options_.shard), encode_shard(next), there_.shard_version,
            fmt::format("shard {}: emergency reparent {}", options_.shard.to_string(),
                        *options_.emergency_reparent ? "enabled" : "disabled"));
    }

    void goal() {
        Goal next = there_.goal;
        if (options_.no_pin) next.pinned_primary.reset();
        if (options_.pin && find(*options_.pin)) next.pinned_primary = options_.pin;
        for (const auto& [alias, rule] : options_.rules) {
            if (!find(alias)) return;
            if (rule == PromotionRule::neutral) {
                next.promotion_rules.erase(alias);
            } else {
                next.promotion_rules[alias] = rule;
            }
        }
        if (options_.kill_long_transactions) next.kill_long_transactions = *options_.kill_long_transactions;
        auto limited = with_limits(std::move(next), options_.limits);
        if (!limited) return fail(limited.error());
        if (*limited == there_.goal) return;
        put("", goal_path(options_.shard), encode_goal(*limited), there_.goal_version,
            fmt::format("goal of {}: {}", options_.shard.to_string(),
                        nlohmann::json::parse(encode_goal(*limited)).dump()));
    }

    void types() {
        for (const auto& [alias, type] : options_.types) {
            const DeclaredTablet* t = find(alias);
            if (!t) return;
            Tablet next = t->tablet;
            if (next.declared_type() == type) continue;
            if (next.type == TabletType::primary)
                return fail(alias.to_string() + " is the primary; reparent the shard first");
            next.type = type;
            next.tags.erase(std::string(fixpoint_was_tag));
            put(alias.cell, tablet_path(alias), encode_tablet(next), t->version,
                fmt::format("tablet {}: {} (was {})", alias.to_string(), to_string(type),
                            to_string(t->tablet.type)));
        }
    }

    void added() {
        TabletAlias next{"zone1", 100};
        for (const std::string& text : options_.add) {
            while (std::ranges::any_of(tablets_,
                                       [&](const DeclaredTablet& t) { return t.tablet.alias == next; }))
                ++next.uid;
            const auto server = parse_listed_server(text, next);
            if (!server) return fail(server.error());
            for (const DeclaredTablet& t : tablets_) {
                if (t.tablet.alias == server->alias || t.tablet.mysql == server->address)
                    return fail(fmt::format("{} at {} is declared already", t.tablet.alias.to_string(),
                                            t.tablet.mysql.to_string()));
            }
            ++next.uid;
            ShardDeclaration one;
            one.shard = options_.shard;
            one.servers = {*server};
            for (ProposedRecord& record : records_of(one)) {
                if (record.path.starts_with("tablets/") || record.path.starts_with("cells/"))
                    records_.push_back(std::move(record));
            }
        }
    }

    const DeclareOptions& options_;
    const DeclaredShard& there_;
    const std::vector<DeclaredTablet>& tablets_;
    std::vector<ProposedRecord> records_;
    std::string error_;
};

}  // namespace

awaitable<ExitCode> declare(const Site& site, DeclareOptions options) {
    const std::unique_ptr<topo::Store> store = open_store_or_complain(site);
    if (!store) co_return ExitCode::own_fault;
    const auto there = co_await read_declared_or_complain(site, *store, options.shard);
    if (!there.declared) co_return there.code;
    const auto tablets = co_await read_tablets(*store, options.shard);
    if (!tablets) {
        site.complain(tablets.error());
        co_return ExitCode::own_fault;
    }
    auto records = Change(options, *there.declared, *tablets).records();
    if (!records) {
        site.complain(records.error());
        co_return ExitCode::refused;
    }
    // A cell may be there already; whatever else is new must not be.
    auto left = co_await in_place_of_nobodys(
        *store, co_await without_existing_cells(*store, *std::move(records)), store_limit);
    std::string words;
    for (const ProposedRecord& record : left) words += record.words + '\n';
    const Shown shown = co_await look_on(site, *store, options.shard, left);
    site.print(words + "with it the core sees:\n" +
               (shown.report.problems.empty() ? std::string("  nothing to do\n")
                                              : problems_text(shown.report, false)));
    if (options.dry_run) co_return ExitCode::done;
    co_return co_await write_as_person(site, *store, options.shard, "declare", std::move(left));
}

}  // namespace fixpoint::real
