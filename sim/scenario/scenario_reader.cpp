// read_scenario: see scenario_json.hpp. From the top of a file to its end, each part one function.
#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/scenario/fault_reader.hpp"
#include "sim/scenario/fields.hpp"
#include "sim/scenario/json_object.hpp"
#include "sim/scenario/nearest.hpp"
#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::sim {
namespace {

using nlohmann::json;

// ---- JSON itself

std::string line_and_column(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
    return fmt::format("{}:{}", line, column);
}

// The library keeps the last of two equal keys and says nothing; here it is an error.
json parse_json(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        throw BadScenario{{"", "1:1", "the file is empty", "a scenario is one JSON object"}};
    }
    if (text.find('\0') != std::string_view::npos) {
        throw BadScenario{{"", line_and_column(text, text.find('\0') + 1), "a binary file, not JSON", ""}};
    }
    std::vector<std::set<std::string>> keys;
    std::string twice;
    const json::parser_callback_t note_keys = [&](int, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.empty() && twice.empty()) {
            const auto key = parsed.get<std::string>();
            if (!keys.back().insert(key).second) twice = key;
        }
        return true;
    };
    try {
        json value = json::parse(text, note_keys);
        if (!twice.empty()) complain("", "the key \"" + twice + "\" stands twice in one object");
        return value;
    } catch (const json::parse_error& error) {
        std::string what = error.what();
        if (const std::size_t colon = what.rfind(": "); colon != std::string::npos)
            what = what.substr(colon + 2);
        throw BadScenario{{"", line_and_column(text, error.byte), "not JSON: " + what, ""}};
    } catch (const json::exception& error) {
        throw BadScenario{{"", "", std::string("not JSON: ") + error.what(), ""}};
    }
}

// ---- the parts

template <class T, class Parse>
T parse_word(const std::string& text, const std::string& place, Parse parse) {
    const auto value = parse(text);
    if (!value) complain(place, value.error());
    return *value;
}

std::size_t index_of_word(std::string_view text, std::span<const std::string_view> words,
                          const std::string& place) {
    const auto it = std::ranges::find(words, text);
    if (it == words.end()) {
        complain(place, fmt::format("\"{}\" is not known here", text),
                 suggest(text, {words.begin(), words.end()}));
    }
    return static_cast<std::size_t>(it - words.begin());
}

ScenarioTablet read_tablet(const json& value, const std::string& place, const Scenario& scenario) {
    JsonObject object(value, place);
    ScenarioTablet tablet;
    tablet.alias = alias_of(object.need("alias"), object.place_of("alias"));
    if (has_tablet(scenario, tablet.alias)) {
        complain(object.place_of("alias"),
                 fmt::format("the tablet {} stands here twice", tablet.alias.to_string()));
    }
    tablet.type =
        parse_word<TabletType>(object.need_text("type"), object.place_of("type"), parse_tablet_type);
    if (const auto rule = object.text("promotion_rule")) {
        tablet.promotion_rule =
            parse_word<PromotionRule>(*rule, object.place_of("promotion_rule"), parse_promotion_rule);
    }
    tablet.apply_delay = object.milliseconds("apply_delay_ms").value_or(Duration{});
    tablet.semi_sync_plugins = object.boolean("semi_sync_plugins").value_or(true);
    object.finish();
    return tablet;
}

void read_shard(JsonObject& top, Scenario& scenario) {
    JsonObject shard(top.need("shard", "keyspace, shard, durability_policy and tablets"),
                     top.place_of("shard"));
    scenario.shard.keyspace = shard.need_text("keyspace");
    scenario.shard.shard = shard.need_text("shard");
    scenario.policy = parse_word<DurabilityPolicy>(
        shard.need_text("durability_policy"), shard.place_of("durability_policy"), DurabilityPolicy::parse);
    shard.need("tablets");
    shard.each("tablets", [&](const json& value, const std::string& place) {
        scenario.tablets.push_back(read_tablet(value, place, scenario));
    });
    if (scenario.tablets.empty()) complain(shard.place_of("tablets"), "a shard has at least one tablet");
    shard.finish();
}

void read_managers(JsonObject& top, Scenario& scenario) {
    top.need("managers");
    top.each("managers", [&](const json& value, const std::string& place) {
        JsonObject object(value, place);
        ScenarioManager manager{object.need_text("name"), object.need_text("cell")};
        for (const ScenarioManager& other : scenario.managers) {
            if (other.name == manager.name)
                complain(object.place_of("name"), "the manager " + manager.name + " stands here twice");
        }
        object.finish();
        scenario.managers.push_back(std::move(manager));
    });
    if (scenario.managers.empty()) complain(top.place_of("managers"), "a scenario has at least one manager");
}

void read_workload(JsonObject& top, Workload& workload) {
    const json* value = top.find("workload");
    if (value == nullptr) return;
    JsonObject object(*value, top.place_of("workload"));
    workload.writes_per_second =
        object.number("writes_per_second", 0, 100'000).value_or(workload.writes_per_second);
    workload.until = object.milliseconds("until_ms").value_or(workload.until);
    workload.clients = static_cast<int>(object.integer("clients", 1, 10'000).value_or(workload.clients));
    object.finish();
}

void read_limits(JsonObject& top, Limits& limits) {
    const json* value = top.find("limits");
    if (value == nullptr) return;
    JsonObject object(*value, top.place_of("limits"));
    for (const LimitField& field : limit_fields) {
        limits.*field.member = object.milliseconds(field.key).value_or(limits.*field.member);
    }
    object.finish();
}

std::optional<std::vector<Recovery>> read_recoveries(JsonObject& object, const Scenario& scenario) {
    const std::string place = object.place_of("recoveries");
    const json* value = object.find("recoveries");
    const bool in_file = !scenario.file.empty();
    if (value == nullptr) {
        if (in_file)
            complain(object.place(), "\"recoveries\" is missing",
                     "those that must act and no other; [] for none");
        return std::nullopt;
    }
    if (value->is_string() && *value == "any") {
        if (in_file && scenario.group != "regressions") {
            complain(place, "\"any\" is for regressions only", "list the recoveries that must act");
        }
        return std::nullopt;
    }
    std::vector<Recovery> recoveries;
    object.each("recoveries", [&](const json& word, const std::string& here) {
        recoveries.push_back(parse_word<Recovery>(text_of(word, here), here, parse_recovery));
    });
    return recoveries;
}

std::optional<TabletAlias> known_alias(JsonObject& object, std::string_view key, const Scenario& scenario) {
    const auto alias = object.alias(key);
    if (alias && !has_tablet(scenario, *alias)) {
        complain(object.place_of(key), fmt::format("there is no tablet {}", alias->to_string()),
                 aliases_of(scenario));
    }
    return alias;
}

void read_expectation(JsonObject& top, Scenario& scenario) {
    static const json nothing = json::object();
    const json* value = top.find("expect");
    JsonObject object(value == nullptr ? nothing : *value, top.place_of("expect"));
    Expectation& expect = scenario.expect;
    if (const auto verdict = object.text("verdict")) {
        expect.verdict =
            static_cast<Verdict>(index_of_word(*verdict, verdict_words, object.place_of("verdict")));
    }
    expect.recoveries = read_recoveries(object, scenario);
    expect.primary = known_alias(object, "primary", scenario);
    if (const auto reason = object.text("reason")) {
        expect.reason = parse_word<Reason>(*reason, object.place_of("reason"), parse_reason);
    }
    expect.writes_blocked_at_most = object.milliseconds("writes_blocked_at_most_ms");
    if (const auto most = object.integer("commit_points_at_most", 0, 1'000'000)) {
        expect.commit_points_at_most = static_cast<int>(*most);
    }
    expect.no_mutating_statement = object.boolean("no_mutating_statement").value_or(false);
    object.finish();
}

// What no single key can say.
void check_whole(const Scenario& scenario) {
    const auto primaries = std::ranges::count_if(
        scenario.tablets, [](const ScenarioTablet& t) { return t.type == TabletType::primary; });
    if (scenario.boot == Boot::blank ? primaries > 1 : primaries != 1) {
        complain("/shard/tablets", fmt::format("{} tablets have the type primary", primaries),
                 scenario.boot == Boot::blank
                     ? "at most one, the declared one"
                     : "exactly one serves at boot; a second one is a fault (second_primary)");
    }
    if (!scenario.file.empty() && scenario.faults.empty() && scenario.boot == Boot::converged) {
        complain("/faults", "nothing happens: a converged shard without a fault",
                 "add a fault, or another boot");
    }
}

Scenario read_top(const json& value, const std::string& file) {
    Scenario scenario;
    scenario.file = file;
    const std::filesystem::path path(file);
    if (!file.empty()) scenario.group = path.parent_path().filename().string();
    JsonObject top(value, "");
    scenario.name = top.need_text("name", "the file's name");
    if (!file.empty() && path.stem().string() != scenario.name) {
        complain("/name", fmt::format("\"{}\" is not the file's name", scenario.name),
                 fmt::format("\"{}\"", path.stem().string()));
    }
    scenario.why = top.need_text("why", "the incident in a sentence");
    scenario.seed = top.natural("seed").value_or(scenario.seed);
    read_shard(top, scenario);
    read_managers(top, scenario);
    read_workload(top, scenario.workload);
    read_limits(top, scenario.limits);
    scenario.pinned_primary = known_alias(top, "pinned_primary", scenario);
    if (const auto boot = top.text("boot")) {
        scenario.boot = static_cast<Boot>(index_of_word(*boot, boot_words, "/boot"));
    }
    top.each("faults", [&](const json& fault, const std::string& place) {
        scenario.faults.push_back(read_fault(fault, place, scenario));
    });
    scenario.fault_phase = top.milliseconds("fault_phase_ms").value_or(Duration{});
    scenario.random_order = top.boolean("random_order").value_or(true);
    read_expectation(top, scenario);
    top.finish();
    check_whole(scenario);
    return scenario;
}

}  // namespace

std::expected<Scenario, ScenarioError> read_scenario(std::string_view text, const std::string& file) {
    try {
        return read_top(parse_json(text), file);
    } catch (BadScenario& bad) {
        bad.error.file = file;
        return std::unexpected(bad.error);
    }
}

}  // namespace fixpoint::sim
