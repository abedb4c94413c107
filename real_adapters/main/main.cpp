// fixpoint: leads MySQL shards to their declared state. Wiring only: it reads the arguments, makes the ports
// of this machine, and runs one command. It refuses to guess: an unknown option is bad input (2), never
// ignored.
#include <cstdio>
#include <exception>

#include "real_adapters/daemon/command_line.hpp"
#include "real_adapters/main/machine.hpp"

int main(int argc, char** argv) {
    using namespace fixpoint::real;
    try {
        const CommandLine line = read_command_line(argc, argv);
        if (!line.command) return static_cast<int>(line.code);
        return static_cast<int>(run_on_this_machine(line));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "fixpoint: %s\n", error.what());
        return static_cast<int>(ExitCode::own_fault);
    }
}
