// Where the time of one operation went, from what the program itself wrote into its history: the instants of
// its steps, cut into the phases that people ask for. A phase that an operation did not have is left out.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace fixpoint::daemon_tests {

struct Moment {
    std::chrono::system_clock::time_point at;
    std::string operation, kind, recovery, text;
};

struct Phase {
    std::string name;
    double ms = 0;
};

// Lines of the history from that instant on.
std::vector<Moment> moments_since(const std::filesystem::path& history,
                                  std::chrono::system_clock::time_point since);

// `from`: when it happened (a kill, the first write that was refused); `to`: the first write on the new one.
// Everything between the two is in exactly one phase: their sum is what clients saw.
std::vector<Phase> phases(const std::vector<Moment>& moments, std::chrono::system_clock::time_point from,
                          std::chrono::system_clock::time_point to);

// 2026-11-26T00:10:20.123Z, as the program writes it.
std::chrono::system_clock::time_point instant_of(const std::string& text);

double ms_between(std::chrono::system_clock::time_point a, std::chrono::system_clock::time_point b);

}  // namespace fixpoint::daemon_tests
