// The ports of this machine: its clock, its MySQL client library, its SQLite file, its process signals; and
// one command that runs on them.
#pragma once

#include "real_adapters/daemon/command_line.hpp"

namespace fixpoint::real {

ExitCode run_on_this_machine(const CommandLine& line);

}  // namespace fixpoint::real
