// JSON <-> Scenario. Reading is strict: a key that nobody knows is an error with its place and the nearest
// key that is known, because a misspelt fault that is silently ignored would make a scenario pass that proves
// nothing. What is printed reads back to the same value. It refuses to guess: no defaults for what an
// incident is about. The format is described in scenarios/README.md.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "fixpoint/sim/scenario.hpp"
#include "sim/scenario/scenario_error.hpp"

namespace fixpoint::sim {

// `file` is where the text was read from ("" : from no file, as in a token or a generated case): its stem
// must be the scenario's name and its folder becomes the group. Only files owe `expect.recoveries`
// (regressions/ may say "any").
std::expected<Scenario, ScenarioError> read_scenario(std::string_view text, const std::string& file);

// As it would stand in a file, one tablet and one fault a line; ends in a newline. `file` and `group` are
// where it lies, not what it says: they are not printed.
std::string print_scenario(const Scenario& scenario);

// The same on one line without blanks, for tokens.
std::string print_scenario_compact(const Scenario& scenario);

}  // namespace fixpoint::sim
