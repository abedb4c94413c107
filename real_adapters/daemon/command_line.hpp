// The command line as values: one command with its options. It opens nothing and asks nobody.
#pragma once

#include <functional>
#include <string>

#include "real_adapters/daemon/commands.hpp"

namespace fixpoint::real {

struct CommandLine {
    std::string configuration;
    ConfigurationFlags flags;
    std::function<awaitable<ExitCode>(const Site&)>
        command;  // none: there is nothing to do but to end with `code`
    ExitCode code = ExitCode::done;
    bool for_a_person = true;  // it says what it does; `run` logs it
};

// Prints help and complaints itself.
CommandLine read_command_line(int argc, const char* const* argv);

}  // namespace fixpoint::real
