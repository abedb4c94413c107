// What a campaign adds up to: verdicts, reasons, faults by kind, writes. It only counts; what is a failure is
// said by the verdict.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fixpoint/sim/run.hpp"

namespace fixpoint::sim {

struct HuntStatistics {
    std::uint64_t cases = 0;
    std::map<Verdict, std::uint64_t> verdicts;
    std::map<Reason, std::uint64_t> reasons;          // of justified failures
    std::map<Recovery, std::uint64_t> recoveries;     // cases in which it acted
    std::map<std::string, std::uint64_t> invariants;  // cases in which it broke, by the first
    std::map<FaultKind, FaultCount> faults;
    std::uint64_t within_promise = 0;
    std::uint64_t writes_acknowledged = 0, writes_judged = 0, writes_excused = 0;
    std::uint64_t commit_points = 0, events = 0, statements = 0, mutating_statements = 0;
    double virtual_seconds = 0;

    void add(const Run& run);
    // Of the kinds that were asked for at all: those that never struck, or never showed.
    std::vector<FaultKind> never_delivered() const;
    std::vector<FaultKind> never_observed() const;

    std::string text(double wall_seconds) const;
    std::string json(double wall_seconds) const;
};

}  // namespace fixpoint::sim
