// Scenarios as JSON: what is printed reads back to the same value, and what a person gets wrong is said with
// its place and the remedy. The texts are what stands on the terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/support/gen_scenario.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// One scenario that is right; each test breaks one thing in it.
constexpr const char* right = R"({
  "name": "primary_dies",
  "why": "The primary dies.",
  "shard": {
    "keyspace": "commerce", "shard": "0", "durability_policy": "cross_cell",
    "tablets": [
      { "alias": "zone1-100", "type": "primary" },
      { "alias": "zone1-101", "type": "replica", "promotion_rule": "prefer", "apply_delay_ms": 800 },
      { "alias": "zone2-200", "type": "replica" }
    ]
  },
  "managers": [ { "name": "m1", "cell": "zone2" } ],
  "workload": { "writes_per_second": 50, "until_ms": 20000 },
  "faults": [
    { "at_ms": 5000, "fault": "crash", "tablet": "zone1-100" },
    { "when": "statement 3 of emergency_reparent was sent to zone2-200", "fault": "manager_crash", "for_ms": 500 }
  ],
  "expect": { "verdict": "converged", "recoveries": ["emergency_reparent"], "primary": "zone1-101", "writes_blocked_at_most_ms": 4000 }
})";

constexpr const char* right_file = "scenarios/audit/primary_dies.json";

std::string with(std::string_view what, std::string_view instead) {
    std::string text = right;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), instead);
}

ScenarioError error_of(const std::string& text, const std::string& file = right_file) {
    const auto scenario = read_scenario(text, file);
    EXPECT_FALSE(scenario.has_value()) << text;
    return scenario ? ScenarioError{} : scenario.error();
}

TEST(ScenarioJson, a_file_says_what_happens_to_whom_and_when) {
    const auto scenario = read_scenario(right, right_file);
    ASSERT_TRUE(scenario.has_value()) << scenario.error().to_string();
    EXPECT_EQ(scenario->name, "primary_dies");
    EXPECT_EQ(scenario->group, "audit");
    EXPECT_EQ(scenario->file, right_file);
    EXPECT_EQ(scenario->policy.to_string(), "cross_cell");
    ASSERT_EQ(scenario->tablets.size(), 3u);
    EXPECT_EQ(scenario->tablets[1].promotion_rule, PromotionRule::prefer);
    EXPECT_EQ(scenario->tablets[1].apply_delay, 800ms);
    EXPECT_EQ(scenario->workload.writes_per_second, 50);
    EXPECT_EQ(scenario->workload.until, 20s);
    ASSERT_EQ(scenario->faults.size(), 2u);
    EXPECT_EQ(scenario->faults[0].kind, FaultKind::crash);
    EXPECT_EQ(scenario->faults[0].when.at, 5s);
    EXPECT_EQ(scenario->faults[0].tablet->to_string(), "zone1-100");
    EXPECT_EQ(scenario->faults[1].when.event, "statement");
    EXPECT_EQ(scenario->faults[1].when.nth, 3);
    EXPECT_EQ(scenario->faults[1].when.recovery, "emergency_reparent");
    EXPECT_EQ(scenario->faults[1].when.tablet, "zone2-200");
    EXPECT_EQ(scenario->faults[1].for_time, 500ms);
    EXPECT_EQ(scenario->expect.verdict, Verdict::converged);
    EXPECT_EQ(scenario->expect.recoveries, std::vector{Recovery::emergency_reparent});
    EXPECT_EQ(scenario->expect.primary->to_string(), "zone1-101");
    EXPECT_EQ(scenario->expect.writes_blocked_at_most, 4s);
}

RC_GTEST_PROP(ScenarioJson, what_is_printed_reads_back_to_the_same_value, ()) {
    const Scenario scenario = *gen::scenario();
    const auto again = read_scenario(print_scenario(scenario), "");
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == scenario);
    const auto compact = read_scenario(print_scenario_compact(scenario), "");
    RC_ASSERT(compact.has_value());
    RC_ASSERT(*compact == scenario);
}

RC_GTEST_PROP(ScenarioJson, a_file_reads_back_with_its_group_and_its_expectations, ()) {
    Scenario scenario = *gen::scenario();
    scenario.group = "drift";
    scenario.file = "scenarios/drift/" + scenario.name + ".json";
    if (scenario.faults.empty()) scenario.boot = Boot::blank;
    if (scenario.boot == Boot::converged && scenario.faults.empty()) RC_DISCARD("nothing happens");
    scenario.expect.verdict = static_cast<Verdict>(*rc::gen::inRange(0, 4));
    scenario.expect.recoveries = *rc::gen::container<std::vector<Recovery>>(
        rc::gen::map(rc::gen::inRange(0, static_cast<int>(Recovery::clear_retired) + 1),
                     [](int n) { return static_cast<Recovery>(n); }));
    scenario.expect.primary = scenario.tablets.back().alias;
    scenario.expect.reason =
        static_cast<Reason>(*rc::gen::inRange(0, static_cast<int>(Reason::answer_lost) + 1));
    scenario.expect.writes_blocked_at_most = std::chrono::microseconds(*rc::gen::inRange(0, 100'000'000));
    scenario.expect.commit_points_at_most = *rc::gen::inRange(0, 100);
    scenario.expect.no_mutating_statement = *rc::gen::arbitrary<bool>();
    const auto again = read_scenario(print_scenario(scenario), scenario.file);
    if (!again) RC_FAIL(again.error().to_string());
    RC_ASSERT(*again == scenario);
}

// Every fault with every parameter, not only what the generator happens to draw.
TEST(ScenarioJson, every_fault_of_the_table_reads_back_with_all_its_parameters) {
    auto scenario = read_scenario(right, right_file);
    ASSERT_TRUE(scenario.has_value());
    scenario->faults.clear();
    for (const FaultRow& row : fault_table()) {
        Fault fault;
        fault.kind = row.kind;
        fault.when.at = 1500us;
        for (const FaultParameter& parameter : row.parameters) {
            switch (parameter.field) {
                case FaultField::tablet:
                    fault.tablet = scenario->tablets[0].alias;
                    break;
                case FaultField::to_tablet:
                    fault.to = scenario->tablets[1].alias;
                    break;
                case FaultField::manager:
                    fault.manager = "m1";
                    break;
                case FaultField::cell:
                    fault.cell = "zone2";
                    break;
                case FaultField::from_set:
                    fault.from_set = {"zone1-100", "m1"};
                    break;
                case FaultField::to_set:
                    fault.to_set = {"store", "clients", "store:zone2"};
                    break;
                case FaultField::for_time:
                    fault.for_time = 7ns;
                    break;
                case FaultField::amount:
                    fault.amount = 1234567ns;
                    break;
                case FaultField::permille:
                    fault.permille = 17;
                    break;
                case FaultField::number:
                    fault.number = 3;
                    break;
                case FaultField::text:
                    fault.text = row.kind == FaultKind::declare_type ? "rdonly" : "semi_sync:2";
                    break;
            }
        }
        fault.permanent = is_environment(row.kind);
        scenario->faults.push_back(fault);
    }
    const auto again = read_scenario(print_scenario(*scenario), right_file);
    ASSERT_TRUE(again.has_value()) << again.error().to_string();
    EXPECT_EQ(*again, *scenario);
}

TEST(ScenarioJson, the_table_has_a_row_for_each_kind_in_its_order) {
    ASSERT_EQ(fault_table().size(), static_cast<std::size_t>(FaultKind::manager_clock_jump) + 1);
    for (std::size_t i = 0; i < fault_table().size(); ++i) {
        const FaultRow& row = fault_table()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.kind), i) << row.name;
        EXPECT_EQ(parse_fault_kind(row.name), row.kind);
        EXPECT_FALSE(row.meaning.empty()) << row.name;
        for (const FaultParameter& parameter : row.parameters) {
            const bool is_time =
                parameter.field == FaultField::for_time || parameter.field == FaultField::amount;
            EXPECT_EQ(parameter.key.ends_with("_ms"), is_time) << row.name << " " << parameter.key;
        }
    }
}

// ---- what a person gets wrong

TEST(ScenarioErrors, an_unknown_key_is_an_error_with_its_place_and_the_nearest_known_key) {
    const ScenarioError error = error_of(with("\"apply_delay_ms\"", "\"aply_delay_ms\""));
    EXPECT_EQ(
        error.to_string(),
        "scenarios/audit/primary_dies.json: /shard/tablets/1/aply_delay_ms: unknown key \"aply_delay_ms\" "
        "(did you mean \"apply_delay_ms\"?)");
}

TEST(ScenarioErrors, a_key_without_its_unit_is_unknown) {
    EXPECT_THAT(error_of(with("\"at_ms\": 5000", "\"at\": 5000")).to_string(), HasSubstr("/faults/0"));
    EXPECT_THAT(error_of(with("\"until_ms\"", "\"until_s\"")).to_string(),
                HasSubstr("did you mean \"until_ms\"?"));
}

TEST(ScenarioErrors, a_misspelt_key_that_is_needed_is_named_itself) {
    const ScenarioError error = error_of(with("\"tablet\": \"zone1-100\"", "\"tablte\": \"zone1-100\""));
    EXPECT_EQ(error.place, "/faults/0/tablte");
    EXPECT_EQ(error.remedy, "did you mean \"tablet\"?");
}

TEST(ScenarioErrors, a_parameter_that_another_fault_has_is_unknown_here) {
    EXPECT_EQ(error_of(with("\"fault\": \"crash\",", "\"fault\": \"crash\", \"delay_ms\": 3,")).place,
              "/faults/0/delay_ms");
}

TEST(ScenarioErrors, a_value_of_the_wrong_type_says_what_is_needed) {
    const ScenarioError error = error_of(with("\"at_ms\": 5000", "\"at_ms\": \"5 s\""));
    EXPECT_EQ(error.place, "/faults/0/at_ms");
    EXPECT_THAT(error.what, HasSubstr("a number of milliseconds"));
    EXPECT_EQ(error_of(with("\"shard\": {", "\"shard\": 3, \"x\": {")).place, "/shard");
    EXPECT_EQ(error_of(with("[ { \"name\": \"m1\", \"cell\": \"zone2\" } ]", "{}")).place, "/managers");
}

TEST(ScenarioErrors, a_tablet_that_stands_twice) {
    const ScenarioError error = error_of(with("zone2-200\", \"type\"", "zone1-101\", \"type\""));
    EXPECT_EQ(error.place, "/shard/tablets/2/alias");
    EXPECT_THAT(error.what, HasSubstr("twice"));
}

TEST(ScenarioErrors, names_that_nobody_has) {
    EXPECT_EQ(
        error_of(with("\"crash\", \"tablet\": \"zone1-100\"", "\"crash\", \"tablet\": \"zone1-109\"")).place,
        "/faults/0/tablet");
    EXPECT_EQ(error_of(with("\"cross_cell\"", "\"cross_cells\"")).place, "/shard/durability_policy");
    const ScenarioError fault = error_of(with("\"fault\": \"crash\"", "\"fault\": \"crahs\""));
    EXPECT_EQ(fault.place, "/faults/0/fault");
    EXPECT_EQ(fault.remedy, "did you mean \"crash\"?");
    EXPECT_EQ(error_of(with("\"manager_crash\",", "\"manager_crash\", \"manager\": \"m2\",")).place,
              "/faults/1/manager");
    EXPECT_EQ(error_of(with("\"primary\": \"zone1-101\"", "\"primary\": \"zone9-1\"")).place,
              "/expect/primary");
    EXPECT_EQ(error_of(with("[\"emergency_reparent\"]", "[\"emergency\"]")).place, "/expect/recoveries/0");
}

TEST(ScenarioErrors, a_negative_time) {
    const ScenarioError error = error_of(with("\"at_ms\": 5000", "\"at_ms\": -1"));
    EXPECT_EQ(error.place, "/faults/0/at_ms");
    EXPECT_THAT(error.what, HasSubstr("negative"));
}

TEST(ScenarioErrors, what_is_no_json_is_named_by_line_and_column) {
    EXPECT_EQ(error_of("{\n  \"name\": \"x\",\n  }").place, "3:3");
    EXPECT_EQ(error_of("").place, "1:1");
    EXPECT_THAT(error_of(std::string("\x7f"
                                     "ELF\0\0",
                                     6))
                    .what,
                HasSubstr("binary"));
    EXPECT_THAT(error_of("[1, 2]").what, HasSubstr("an object is needed"));
    EXPECT_THAT(error_of("{\"name\": \"\xff\xfe\"}").what, HasSubstr("not JSON"));
    EXPECT_THAT(error_of(with("\"at_ms\": 5000", "\"at_ms\": 1e999")).what, HasSubstr("not JSON"));
}

TEST(ScenarioErrors, a_key_that_stands_twice_is_no_accident_to_be_passed_over) {
    EXPECT_THAT(error_of(with("\"at_ms\": 5000,", "\"at_ms\": 5000, \"at_ms\": 6000,")).what,
                HasSubstr("\"at_ms\" stands twice"));
}

TEST(ScenarioErrors, what_a_file_owes) {
    EXPECT_THAT(error_of(with("\"why\": \"The primary dies.\",", "")).what, HasSubstr("\"why\" is missing"));
    EXPECT_EQ(error_of(with("The primary dies.", "  ")).place, "/why");
    EXPECT_EQ(error_of(right, "scenarios/audit/other.json").place, "/name");
    EXPECT_THAT(error_of(with("\"recoveries\": [\"emergency_reparent\"], ", "")).what,
                HasSubstr("\"recoveries\" is missing"));
    EXPECT_EQ(error_of(with("[\"emergency_reparent\"]", "\"any\"")).place, "/expect/recoveries");
    EXPECT_TRUE(
        read_scenario(with("[\"emergency_reparent\"]", "\"any\""), "scenarios/regressions/primary_dies.json")
            .has_value());
    EXPECT_TRUE(read_scenario(with("\"recoveries\": [\"emergency_reparent\"], ", ""), "")
                    .has_value());  // not from a file
}

TEST(ScenarioErrors, a_converged_shard_to_which_nothing_happens) {
    std::string text = right;
    const std::size_t from = text.find("\"faults\": ["), to = text.find("],", from);
    text.replace(from, to + 1 - from, "\"faults\": []");
    EXPECT_EQ(error_of(text).place, "/faults");
}

TEST(ScenarioErrors, no_primary_or_two) {
    EXPECT_EQ(error_of(with("\"type\": \"primary\"", "\"type\": \"replica\"")).place, "/shard/tablets");
    EXPECT_EQ(
        error_of(with("zone2-200\", \"type\": \"replica\"", "zone2-200\", \"type\": \"primary\"")).place,
        "/shard/tablets");
}

TEST(ScenarioErrors, a_fault_has_one_time_and_not_two) {
    EXPECT_EQ(error_of(with("\"at_ms\": 5000,", "\"at_ms\": 5000, \"when\": \"notification 3\",")).place,
              "/faults/0");
    EXPECT_THAT(error_of(with("\"at_ms\": 5000,", "")).what, HasSubstr("\"at_ms\" is missing"));
}

TEST(ScenarioErrors, drift_never_ceases_by_itself_and_cannot_be_called_permanent) {
    EXPECT_EQ(
        error_of(with("\"fault\": \"crash\",", "\"fault\": \"set_read_only\", \"permanent\": true,")).place,
        "/faults/0/permanent");
    EXPECT_TRUE(
        read_scenario(with("\"fault\": \"crash\",", "\"fault\": \"crash\", \"permanent\": true,"), right_file)
            .has_value());
}

}  // namespace
}  // namespace fixpoint::sim
