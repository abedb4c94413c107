// A Run as bytes, from a forked child to its parent on the same machine: everything but the scenario, which
// the parent has. No format for files, and nothing that outlives the two processes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fixpoint/sim/run.hpp"

namespace fixpoint::sim {

std::string to_bytes(const Run& run);
std::optional<Run> run_from_bytes(std::string_view bytes);  // nullopt: cut off

}  // namespace fixpoint::sim
