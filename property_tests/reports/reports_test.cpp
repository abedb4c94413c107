// Reports of a run made by hand: what stands in them, that hostile text stays text, and that the page needs
// nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/report.hpp"

namespace fixpoint::reports {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TabletAlias alias(const char* text) {
    return TabletAlias::parse(text).value();
}

sim::Run failover() {
    sim::Run run;
    run.scenario.name = "primary_dies";
    run.scenario.group = "audit";
    run.scenario.why = "The primary dies.";
    run.scenario.tablets = {{.alias = alias("zone1-100"), .type = TabletType::primary},
                            {.alias = alias("zone2-200")}};
    run.scenario.managers = {{"m1", "zone2"}};
    run.verdict = sim::Verdict::converged;
    run.recoveries = {Recovery::emergency_reparent, Recovery::fix_replica};
    run.writes_acknowledged = 40;
    run.commit_points = 1;
    run.event_hash = 0xabc;
    run.virtual_time = 60s;
    run.samples = {{Instant(0s), "zone1-100", "P  1-10"},
                   {Instant(0s), "zone2-200", "r  1-10"},
                   {Instant(5s), "zone1-100", "dead"},
                   {Instant(6270ms), "zone2-200", "P  1-12"}};
    run.timeline = {{Instant(5s), "faults", "fault", "crash zone1-100", 0s},
                    {Instant(6231ms), "m1", "recovery", "emergency_reparent begins (dead_primary)", 40ms},
                    {Instant(6240ms), "m1", "statement", "zone2-200: STOP REPLICA IO_THREAD", 0s},
                    {Instant(6268ms), "store", "commit_point", "m1 recorded zone2-200, term 2", 0s}};
    return run;
}

Case passed_case() {
    return {
        .run = failover(), .token = "scenarios/audit/primary_dies.json@1", .faults = {{"crash", {1, 1, 1}}}};
}

Case failed_case() {
    Case one = passed_case();
    one.variant = "notification 3 lost";
    one.run.verdict = sim::Verdict::violation;
    one.run.violations = {{"I2", Instant(6268ms), "write 7 </script><b>\"&' is gone\n"}};
    one.failure = "violation, expected: converged: I2 </script><b>\"&'";
    return one;
}

Suite suite_of_two() {
    return {.title = "a <suite>",
            .command = "fixpoint-sim run",
            .cases = {passed_case(), failed_case()},
            .more_passed = 10};
}

TEST(TextReport, a_line_for_each_event_and_the_state_of_each_tablet_at_it) {
    EXPECT_EQ(
        text_timeline(failover()),
        "     t_ms  zone1-100  zone2-200  event\n"
        "     5000  dead       r  1-10    fault: crash zone1-100\n"
        "     6231  dead       r  1-10    m1: emergency_reparent begins (dead_primary)  (for 40 ms)\n"
        "     6268  dead       r  1-10    store: m1 recorded zone2-200, term 2       <- commit point\n");
}

TEST(TextReport, statements_are_shown_where_they_are_asked_for) {
    EXPECT_THAT(text_timeline(failover()), Not(HasSubstr("STOP REPLICA")));
    EXPECT_THAT(text_timeline(failover(), {.statements = true}),
                HasSubstr("m1: zone2-200: STOP REPLICA IO_THREAD"));
}

TEST(TextReport, events_stand_in_order_of_time_whatever_order_they_were_told_in) {
    sim::Run run = failover();
    std::swap(run.timeline.front(), run.timeline.back());
    EXPECT_EQ(text_timeline(run), text_timeline(failover()));
}

TEST(TextReport, the_summary_says_what_broke_and_how_to_see_it_again) {
    const std::string text = text_summary(failed_case());
    EXPECT_THAT(text, HasSubstr("violation   I2 at 6268 ms: write 7"));
    EXPECT_THAT(text, HasSubstr("recoveries  emergency_reparent, fix_replica"));
    EXPECT_THAT(text, HasSubstr("crash: requested 1, delivered 1, observed 1"));
    EXPECT_THAT(text, HasSubstr("token       scenarios/audit/primary_dies.json@1"));
    EXPECT_THAT(text, HasSubstr("FAILED"));
}

TEST(SuiteReport, expanded_cases_that_passed_are_counted) {
    EXPECT_EQ(suite_of_two().passed(), 11u);
    EXPECT_EQ(suite_of_two().failed(), 1u);
}

TEST(JsonReport, says_the_same_as_the_runs) {
    const auto json = nlohmann::json::parse(json_report(suite_of_two()));
    EXPECT_EQ(json["passed"], 11);
    EXPECT_EQ(json["failed"], 1);
    ASSERT_EQ(json["cases"].size(), 2u);
    EXPECT_EQ(json["cases"][0]["verdict"], "converged");
    EXPECT_EQ(json["cases"][0]["recoveries"], (nlohmann::json{"emergency_reparent", "fix_replica"}));
    EXPECT_EQ(json["cases"][0]["virtual_ms"], 60000);
    EXPECT_EQ(json["cases"][0]["event_hash"], "0000000000000abc");
    EXPECT_FALSE(json["cases"][1]["passed"].get<bool>());
    EXPECT_EQ(json["cases"][1]["violations"][0]["invariant"], "I2");
    EXPECT_EQ(json["cases"][1]["variant"], "notification 3 lost");
}

TEST(JunitReport, hostile_text_stays_text) {
    const std::string xml = junit_report(suite_of_two());
    EXPECT_THAT(xml, HasSubstr("<testsuites name=\"a &lt;suite&gt;\" tests=\"2\" failures=\"1\""));
    EXPECT_THAT(xml, HasSubstr("classname=\"audit\" name=\"primary_dies (notification 3 lost)\""));
    EXPECT_THAT(xml, HasSubstr("I2 &lt;/script&gt;&lt;b&gt;&quot;&amp;'"));
    EXPECT_THAT(xml, Not(HasSubstr("</script>")));
}

TEST(HtmlReport, the_page_needs_nobody_and_cannot_be_broken_out_of) {
    const std::string page = html_report(suite_of_two());
    for (const char* outside : {"http://", "https://", "src=", "@import", "url("})
        EXPECT_THAT(page, Not(HasSubstr(outside)));
    std::size_t ends = 0;
    for (std::size_t at = page.find("</script>"); at != std::string::npos;
         at = page.find("</script>", at + 1))
        ++ends;
    EXPECT_EQ(ends, 2u);  // its own two scripts; none from the data
    EXPECT_THAT(page, HasSubstr("<title>a &lt;suite></title>"));
}

TEST(HtmlReport, the_data_of_every_run_are_in_it) {
    const std::string page = html_report(suite_of_two());
    const std::string begin = "<script type=\"application/json\" id=\"data\">";
    const std::size_t from = page.find(begin) + begin.size();
    const auto data = nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
    ASSERT_EQ(data["cases"].size(), 2u);
    const auto& one = data["cases"][0];
    EXPECT_EQ(one["timeline"].size(), 4u);
    EXPECT_EQ(one["samples"].size(), 4u);
    // Lanes: faults, clients, store, the manager, the tablets.
    ASSERT_EQ(one["lanes"].size(), 6u);
    EXPECT_EQ(one["lanes"][3]["name"], "m1");
    EXPECT_EQ(one["lanes"][4]["name"], "zone1-100");
    EXPECT_EQ(one["timeline"][3][2], "commit_point");
    EXPECT_EQ(one["samples"][2][2], "dead");
    EXPECT_EQ(data["cases"][1]["violations"][0][2], "write 7 </script><b>\"&' is gone\n");
}

TEST(HtmlReport, bytes_that_are_no_text_do_not_end_the_report) {
    Suite suite = suite_of_two();
    suite.cases[0].run.timeline[0].text = "\xff\xfe";
    EXPECT_THAT(html_report(suite), HasSubstr("</html>"));
    EXPECT_THAT(json_report(suite), HasSubstr("cases"));
}

}  // namespace
}  // namespace fixpoint::reports
