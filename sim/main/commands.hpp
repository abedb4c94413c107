// The commands of fixpoint-sim, one function each; main.cpp reads the command line and calls them. Each
// returns the exit code of the manual: 0 all passed, 1 a fault of its own, 2 bad input, else the worst that
// was not expected: 3 a failure or a convergence, 4 unknown, 5 a violation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fixpoint::sim {

struct RunCommand {
    std::vector<std::string> paths{"scenarios"};
    std::string json, junit, html;  // files to write; "" : none
    bool text = false;              // timelines of all, not only of what failed
    bool dropped_events = true;
    int jobs = 2;
    std::string command;  // as typed, for the reports
};
int run(const RunCommand& options);

struct ReplayCommand {
    std::string what;  // a file or a token
    bool statements = false;
    std::string html;
};
int replay(const ReplayCommand& options);

struct DeterminismCommand {
    std::vector<std::string> paths{"scenarios"};
    std::uint64_t seeds = 10;
    bool print_hashes = false;
    int jobs = 2;
};
int check_determinism(const DeterminismCommand& options);

struct HuntCommand {
    std::uint64_t first = 1;
    std::uint64_t seeds = 1000;
    int jobs = 2;
    double minutes = 0;  // 0: no limit
    std::string json;
    std::string save;   // folder for minimised cases
    bool show = false;  // print the scenarios instead of running them
};
int hunt(const HuntCommand& options);

#ifdef FIXPOINT_CANARIES
struct CanariesCommand {
    std::vector<std::string> paths{"scenarios"};
    std::uint64_t first = 1;
    std::uint64_t seeds = 300;
    double seconds_each = 60;       // 0: no limit
    std::vector<std::string> only;  // names; none: all
    bool list = false;
    int jobs = 2;
    std::string json;
    std::string save;  // folder for the minimised cases that found one
};
int canaries(const CanariesCommand& options);
#endif

int print_faults(bool markdown);
int print_problems(bool markdown);

}  // namespace fixpoint::sim
