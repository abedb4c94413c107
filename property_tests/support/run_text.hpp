// What a failing property says of a run: its timeline, what broke, and the line that replays it.
#pragma once

#include <string>

#include "fixpoint/sim/run.hpp"
#include "reports/report.hpp"
#include "sim/scenario/scenario_json.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {

inline std::string told(const Scenario& scenario) {
    reports::Case one;
    one.run = simulate(scenario, {.timeline = true});
    one.failure = one.run.failure();
    one.token = print_token(scenario);
    return print_scenario(scenario) + reports::text_timeline(one.run) + reports::text_summary(one);
}

}  // namespace fixpoint::sim
