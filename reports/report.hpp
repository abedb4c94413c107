// What runs look like to people and to other programs: text, JSON, JUnit XML, one self-contained HTML page.
// Pure functions of finished runs. It refuses to judge: whether a case passed is handed in, and the words too
// that only the simulator knows (names of faults).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fixpoint/sim/run.hpp"

namespace fixpoint::reports {

struct FaultLine {
    std::string name;
    sim::FaultCount count;
};

struct Case {
    sim::Run run;         // run.scenario too
    std::string variant;  // "" or what differs from the scenario: "notification 17 lost"
    std::string failure;  // "" : it passed; else why not
    std::string token;    // reproduces it
    std::vector<FaultLine> faults;

    bool passed() const { return failure.empty(); }
    std::string title() const {
        return variant.empty() ? run.scenario.name : run.scenario.name + " (" + variant + ")";
    }
};

struct Suite {
    std::string title;
    std::string command;  // how it was made
    std::vector<Case> cases;
    std::size_t more_passed = 0;  // expanded cases that passed and are only counted
    double wall_seconds = 0;

    std::size_t passed() const;
    std::size_t failed() const;
};

std::string_view verdict_word(sim::Verdict verdict);

// "close_stale_primary, fix_replica", "-" for none.
std::string recoveries_text(const sim::Run& run);

struct TextOptions {
    bool statements = false;  // every statement and lock, not only what changed something
};

// A column for each tablet, a line for each event. Needs a run with a recorded timeline.
std::string text_timeline(const sim::Run& run, const TextOptions& options = {});

// Verdict, why, counters: a few lines below a timeline.
std::string text_summary(const Case& one);

std::string json_report(const Suite& suite);
std::string junit_report(const Suite& suite);
std::string html_report(const Suite& suite);

}  // namespace fixpoint::reports
