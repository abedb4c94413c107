// fixpoint-sim replay: one run again, from a file or from the line that was printed with it, with all that
// happened.
#include <fmt/format.h>

#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"
#include "sim/scenario/scenario_json.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {

int replay(const ReplayCommand& options) {
    const auto token = parse_token(options.what);
    if (!token) {
        fmt::print(stderr, "{}\n", token.error().to_string());
        return bad_input;
    }
    Scenario scenario = token->scenario;
    // With something lost, who acted and how fast is another story than the file tells.
    if (token->lose_notification != 0) scenario.expect = Expectation{.verdict = scenario.expect.verdict};
    fmt::print("{}", print_scenario(scenario));
    if (token->lose_notification != 0) fmt::print("lost: notification {}\n", token->lose_notification);
    fmt::print("token: {}\n\n", print_token(scenario, token->lose_notification));
    std::fflush(stdout);
    Run run;
    run_in_children(
        1, {},
        [&](std::size_t) {
            return timed_run(scenario, {.timeline = true, .lose_notification = token->lose_notification});
        },
        [&](std::size_t, Run result) { run = std::move(result); });
    reports::Suite suite{.title = scenario.name, .command = "fixpoint-sim replay " + options.what};
    suite.cases.push_back(make_case(std::move(run), scenario, token->lose_notification));
    const reports::Case& one = suite.cases.front();
    fmt::print("{}\n{}", reports::text_timeline(one.run, {.statements = options.statements}),
               reports::text_summary(one));
    if (!options.html.empty() && !write_file(options.html, reports::html_report(suite))) return own_fault;
    return one.passed() ? all_passed : exit_code_of(one.run);
}

}  // namespace fixpoint::sim
