// See common.hpp. The only wall clock of the simulator's commands is here.
#include "sim/main/common.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

#include "sim/faults/fault_table.hpp"
#include "sim/scenario/scenario_files.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {

ExitCode exit_code_of(const Run& run) {
    switch (run.verdict) {
        case Verdict::violation:
            return violated;
        case Verdict::unknown:
            return unknown_outcome;
        case Verdict::converged:
        case Verdict::failed_justified:
            break;
    }
    // A fault that never struck: the run did not exercise what it claims.
    return run.every_fault_delivered ? wrong_outcome : unknown_outcome;
}

Run timed_run(const Scenario& scenario, const SimulateOptions& options) {
    const double begin = wall_seconds();
    Run run = simulate(scenario, options);
    run.wall_seconds = wall_seconds() - begin;
    return run;
}

reports::Case make_case(Run run, const Scenario& scenario, std::uint64_t lost_notification) {
    reports::Case one;
    run.scenario = scenario;
    if (lost_notification != 0) one.variant = fmt::format("notification {} lost", lost_notification);
    one.failure = run.failure();
    one.token = print_short_token(scenario, lost_notification);
    for (const auto& [kind, count] : run.faults) one.faults.push_back({std::string(to_string(kind)), count});
    one.run = std::move(run);
    return one;
}

bool write_file(const std::string& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (out) return true;
    fmt::print(stderr, "fixpoint-sim: {}: cannot be written\n", path);
    return false;
}

bool make_save_folder(const std::string& path) {
    if (path.empty()) return true;
    const auto made = make_folder(path);
    if (!made) fmt::print(stderr, "fixpoint-sim: --save: {}\n", made.error().to_string());
    return made.has_value();
}

double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Progress::Progress() : terminal_(::isatty(STDOUT_FILENO) == 1) {}

Progress::~Progress() {
    clear();
}

void Progress::show(const std::string& line) {
    const double now = wall_seconds();
    if (!terminal_ || now - shown_at_ < 0.1) return;
    shown_at_ = now;
    fmt::print("\r{:<{}}", line, width_);
    width_ = line.size();
    std::fflush(stdout);
}

void Progress::clear() {
    if (width_ != 0) fmt::print("\r{:<{}}\r", "", width_);
    width_ = 0;
}

}  // namespace fixpoint::sim
