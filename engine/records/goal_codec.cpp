// The goal of a shard as JSON: what people want beyond what Vitess's records can say. Every key may be absent
// and has a default; what is there must make sense, or the whole goal is refused with the place. Unknown keys
// are kept. Limits are named as in model/limits.hpp with `_ms`, in whole milliseconds.
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/records/json_fields.hpp"
#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {

namespace {

using nlohmann::json;
using Object = JsonReader::Object;

constexpr int goal_format = 1;
constexpr std::int64_t greatest_limit_ms = 1'000'000'000;  // eleven days
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

struct NamedLimit {
    const char* key;
    Duration Limits::* member;
};

constexpr std::array<NamedLimit, 17> limits{{
    {"replica_net_timeout_ms", &Limits::replica_net_timeout},
    {"heartbeat_period_ms", &Limits::heartbeat_period},
    {"lock_wait_timeout_of_closing_ms", &Limits::lock_wait_timeout_of_closing},
    {"connecting_ms", &Limits::connecting},
    {"statement_ms", &Limits::statement},
    {"lease_ms", &Limits::lease},
    {"candidate_lag_ms", &Limits::candidate_lag},
    {"lagging_ms", &Limits::lagging},
    {"stalled_ms", &Limits::stalled},
    {"long_transaction_ms", &Limits::long_transaction},
    {"poll_ms", &Limits::poll},
    {"poll_primary_silent_ms", &Limits::poll_primary_silent},
    {"look_without_locks_ms", &Limits::look_without_locks},
    {"backoff_greatest_ms", &Limits::backoff_greatest},
    {"catching_up_ms", &Limits::catching_up},
    {"applying_ms", &Limits::applying},
    {"caught_up_within_ms", &Limits::caught_up_within},
}};

void read_limits(JsonReader& reader, Object& root, Limits& into) {
    if (!root.has("limits")) return;
    root.object("limits", [&](Object& object) {
        for (const NamedLimit& limit : limits) {
            if (object.has(limit.key)) {
                into.*limit.member =
                    std::chrono::milliseconds(object.integer(limit.key, 1, greatest_limit_ms));
            }
        }
        // A limit that nobody knows would be a wish that silently does nothing.
        if (const std::string unknown = object.unknown(); !unknown.empty()) {
            reader.fail("limits", "there is no such limit: " + unknown);
        }
    });
}

json limits_json(const Limits& of) {
    json object = json::object();
    for (const NamedLimit& limit : limits) {
        if (of.*limit.member != Limits{}.*limit.member) object[limit.key] = to_ms(of.*limit.member);
    }
    return object;
}

void read_rules(JsonReader& reader, Object& root, Goal& goal) {
    if (!root.has("promotion_rules")) return;
    root.object("promotion_rules", [&](Object& rules) {
        rules.all_strings([&](const std::string& place, const std::string& key, const std::string& text) {
            const TabletAlias alias = read_alias(reader, place, key);
            const auto rule = parse_promotion_rule(text);
            if (!rule) return reader.fail(place, rule.error());
            goal.promotion_rules[alias] = *rule;
        });
    });
}

bool read_switch(Object& root, const char* key) {
    return root.has(key) && root.boolean(key);
}

}  // namespace

Decoded<Goal> decode_goal(std::string_view text) {
    JsonReader reader(text, "Goal");
    Object root = reader.root();
    Goal goal;
    if (root.has("format") && root.integer("format", 0, greatest) != goal_format) {
        reader.fail("format", "it is unknown (this program knows " + std::to_string(goal_format) + ")");
    }
    if (root.has("pinned_primary")) {
        goal.pinned_primary = read_alias(reader, "pinned_primary", root.string("pinned_primary"));
    }
    read_rules(reader, root, goal);
    read_limits(reader, root, goal.limits);
    goal.rebuild_by_clone = read_switch(root, "rebuild_by_clone");
    goal.kill_long_transactions = read_switch(root, "kill_long_transactions");
    goal.paused = read_switch(root, "paused");
    root.objects("forgotten", [&](Object& forgotten) {
        ForgottenTablet& f = goal.forgotten.emplace_back();
        f.alias = read_alias(reader, forgotten.place_of("alias"), forgotten.string("alias"));
        f.uuid = read_uuid(reader, forgotten, "uuid");
        f.who = forgotten.string("who");
        f.when.ns = forgotten.integer("when", 0, greatest);
    });
    root.objects("allowed", [&](Object& allowed) {
        goal.allowed.push_back({allowed.string("step"), allowed.integer("term", 0, greatest)});
    });
    if (!reader.ok()) return std::unexpected(reader.error());
    goal.unknown_fields = root.unknown();
    return goal;
}

std::string encode_goal(const Goal& goal) {
    json known = {{"format", goal_format}};
    if (goal.pinned_primary) known["pinned_primary"] = goal.pinned_primary->to_string();
    for (const auto& [alias, rule] : goal.promotion_rules)
        known["promotion_rules"][alias.to_string()] = to_string(rule);
    if (json object = limits_json(goal.limits); !object.empty()) known["limits"] = std::move(object);
    if (goal.rebuild_by_clone) known["rebuild_by_clone"] = true;
    if (goal.kill_long_transactions) known["kill_long_transactions"] = true;
    if (goal.paused) known["paused"] = true;
    for (const ForgottenTablet& f : goal.forgotten) {
        known["forgotten"].push_back({{"alias", f.alias.to_string()},
                                      {"uuid", f.uuid.to_string()},
                                      {"who", f.who},
                                      {"when", f.when.ns}});
    }
    for (const AllowedStep& a : goal.allowed)
        known["allowed"].push_back({{"step", a.step}, {"term", a.term}});
    return dump_over(goal.unknown_fields, known);
}

}  // namespace fixpoint
