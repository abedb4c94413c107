// Scenario files on disk: which ones a list of paths means, and all that is wrong with them at once; and the
// folder that new ones are to be saved in.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "fixpoint/sim/scenario.hpp"
#include "sim/scenario/scenario_error.hpp"

namespace fixpoint::sim {

// Files as they are, folders searched to the bottom for *.json, sorted by path, none twice. A path that does
// not exist, a folder without scenarios and a file that cannot be read are errors; all are reported, not only
// the first.
std::expected<std::vector<Scenario>, std::vector<ScenarioError>> read_scenarios(
    const std::vector<std::string>& paths);

std::expected<std::string, ScenarioError> read_text_file(const std::string& path);

// A folder that can be written to: made where there is none, with those above it. Before a long search, so
// that what it finds is not lost.
std::expected<void, ScenarioError> make_folder(const std::string& path);

}  // namespace fixpoint::sim
