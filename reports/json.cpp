// The suite as JSON, for other programs: everything but the timelines, keys with their units.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/report.hpp"

namespace fixpoint::reports {
namespace {

using json = nlohmann::ordered_json;

json case_json(const Case& one) {
    const sim::Run& run = one.run;
    json object{{"group", run.scenario.group}, {"scenario", run.scenario.name}};
    if (!one.variant.empty()) object["variant"] = one.variant;
    object["passed"] = one.passed();
    if (!one.passed()) object["failure"] = one.failure;
    object["verdict"] = verdict_word(run.verdict);
    if (!run.why.empty()) object["why"] = run.why;
    if (run.reason != Reason::none) object["reason"] = to_string(run.reason);
    object["seed"] = run.scenario.seed;
    object["within_promise"] = run.within_promise;
    json violations = json::array();
    for (const sim::Violation& v : run.violations) {
        violations.push_back({{"invariant", v.invariant}, {"at_ms", to_ms(v.at)}, {"text", v.text}});
    }
    object["violations"] = std::move(violations);
    json recoveries = json::array();
    for (const Recovery recovery : run.recoveries) recoveries.push_back(to_string(recovery));
    object["recoveries"] = std::move(recoveries);
    json faults = json::object();
    for (const FaultLine& fault : one.faults) {
        faults[fault.name] = {{"requested", fault.count.requested},
                              {"delivered", fault.count.delivered},
                              {"observed", fault.count.observed}};
    }
    object["faults"] = std::move(faults);
    object["writes"] = {{"acknowledged", run.writes_acknowledged},
                        {"judged", run.writes_judged},
                        {"failed", run.writes_failed},
                        {"unknown", run.writes_unknown},
                        {"excused", run.writes_excused},
                        {"blocked_longest_ms", to_ms(run.writes_blocked_longest)}};
    object["primary"] = run.primary_at_end ? json(run.primary_at_end->to_string()) : json();
    object["commit_points"] = run.commit_points;
    object["events"] = run.events;
    object["event_hash"] = fmt::format("{:016x}", run.event_hash);
    object["statements"] = run.statements;
    object["mutating_statements"] = run.mutating_statements;
    object["notifications"] = run.notifications;
    object["virtual_ms"] = to_ms(run.virtual_time);
    object["wall_ms"] = run.wall_seconds * 1e3;
    object["token"] = one.token;
    return object;
}

}  // namespace

std::string json_report(const Suite& suite) {
    json object{{"title", suite.title},
                {"command", suite.command},
                {"passed", suite.passed()},
                {"failed", suite.failed()}};
    object["wall_seconds"] = suite.wall_seconds;
    json cases = json::array();
    for (const Case& one : suite.cases) cases.push_back(case_json(one));
    object["cases"] = std::move(cases);
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace fixpoint::reports
