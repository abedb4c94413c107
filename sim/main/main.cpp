// fixpoint-sim: the simulator's command line. Wiring only: it reads the arguments and calls one command.
// It refuses to guess: an unknown option is bad input (2), never ignored.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "fixpoint/engine/canary.hpp"
#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"

namespace fixpoint::sim {
namespace {

struct Options {
    RunCommand run;
    ReplayCommand replay;
    DeterminismCommand determinism;
    HuntCommand hunt;
    bool markdown = false;
#ifdef FIXPOINT_CANARIES
    CanariesCommand canaries;
    std::vector<std::string> planted;
#endif
};

void add_run(CLI::App& app, RunCommand& options, int& code) {
    CLI::App* command =
        app.add_subcommand("run", "scenario files or folders (default: scenarios): a table of verdicts");
    command->add_option("paths", options.paths, "files and folders");
    command->add_option("--json", options.json, "write the results as JSON");
    command->add_option("--junit", options.junit, "write the results as JUnit XML");
    command->add_option("--html", options.html, "write one page with a timeline of each run");
    command->add_flag("--text", options.text, "print the timeline of each run");
    command->add_flag("--dropped-events,!--no-dropped-events", options.dropped_events,
                      "lose every single notification of the group `dropped` in turn (default)");
    command->add_option("--jobs", options.jobs, "processes at a time")->check(CLI::Range(1, 64));
    command->callback([&] { code = run(options); });
}

void add_replay(CLI::App& app, ReplayCommand& options, int& code) {
    CLI::App* command = app.add_subcommand("replay", "one run again, to the very event, as a timeline");
    command->add_option("what", options.what, "FILE.json[@seed][#n], or the token that was printed")
        ->required();
    command->add_flag("--statements", options.statements, "every statement and lock too");
    command->add_option("--html", options.html, "write the page of this run");
    command->callback([&] { code = replay(options); });
}

void add_determinism(CLI::App& app, DeterminismCommand& options, int& code) {
    CLI::App* command =
        app.add_subcommand("check-determinism", "each run twice; prints the first difference");
    command->add_option("paths", options.paths, "files and folders");
    command->add_option("--seeds", options.seeds, "of each scenario")->check(CLI::PositiveNumber);
    command->add_flag("--print-hashes", options.print_hashes, "to compare builds");
    command->add_option("--jobs", options.jobs, "processes at a time")->check(CLI::Range(1, 64));
    command->callback([&] { code = check_determinism(options); });
}

void add_hunt(CLI::App& app, HuntCommand& options, int& code) {
    CLI::App* command = app.add_subcommand("hunt", "random scenarios; what fails is minimised");
    command->add_option("--seeds", options.seeds, "how many")->check(CLI::PositiveNumber);
    command->add_option("--first", options.first, "the first seed");
    command->add_option("--jobs", options.jobs, "processes at a time")->check(CLI::Range(1, 64));
    command->add_option("--minutes", options.minutes, "stop after so long")->check(CLI::NonNegativeNumber);
    command->add_option("--json", options.json, "write the statistics as JSON");
    command->add_option("--save", options.save, "folder for the minimised scenarios");
    command->add_flag("--show", options.show, "print the scenarios instead of running them");
    command->callback([&] { code = hunt(options); });
}

void add_tables(CLI::App& app, bool& markdown, int& code) {
    CLI::App* faults = app.add_subcommand("faults", "the table of faults");
    faults->add_flag("--markdown", markdown, "as in scenarios/README.md");
    faults->callback([&] { code = print_faults(markdown); });
    CLI::App* problems = app.add_subcommand("problems", "the core's table of problems");
    problems->add_flag("--markdown", markdown, "as a table for the manual");
    problems->callback([&] { code = print_problems(markdown); });
}

#ifdef FIXPOINT_CANARIES
void add_canaries(CLI::App& app, CanariesCommand& options, int& code) {
    CLI::App* command = app.add_subcommand("canaries", "plants each known weakness: does the suite find it?");
    command->add_option("paths", options.paths, "scenario files and folders");
    command->add_option("--seeds", options.seeds, "random cases after the scenarios");
    command->add_option("--first", options.first, "the first seed");
    command->add_option("--seconds", options.seconds_each, "for each weakness; 0: no limit");
    command->add_option("--only", options.only, "these weaknesses");
    command->add_flag("--list", options.list, "print the names");
    command->add_option("--jobs", options.jobs, "processes at a time")->check(CLI::Range(1, 64));
    command->add_option("--json", options.json, "write the scores as JSON");
    command->add_option("--save", options.save, "folder for the random cases that found one, minimised");
    command->callback([&] { code = canaries(options); });
}

// For whoever wants to see what a weakness does: before the command, so that every run of it has it.
void add_plant(CLI::App& app, std::vector<std::string>& names) {
    app.add_option("--plant", names, "plant these weaknesses")->allow_extra_args(false);
    app.parse_complete_callback([&] {
        std::vector<Canary> all;
        for (const std::string& name : names) {
            const auto canary = parse_canary(name);
            if (!canary) throw CLI::ValidationError("--plant", canary.error());
            all.push_back(*canary);
        }
        plant(std::move(all));
    });
}
#endif

int parse_and_run(int argc, char** argv) {
    CLI::App app{"Fixpoint's deterministic simulator: incidents as data, judged.", "fixpoint-sim"};
    app.require_subcommand(1);
    Options options;
    options.run.command = "fixpoint-sim";
    for (int i = 1; i < argc; ++i) options.run.command += std::string(" ") + argv[i];
    int code = own_fault;
    add_run(app, options.run, code);
    add_replay(app, options.replay, code);
    add_determinism(app, options.determinism, code);
    add_hunt(app, options.hunt, code);
    add_tables(app, options.markdown, code);
#ifdef FIXPOINT_CANARIES
    add_canaries(app, options.canaries, code);
    add_plant(app, options.planted);
#endif
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? all_passed : bad_input;
    }
    return code;
}

}  // namespace
}  // namespace fixpoint::sim

int main(int argc, char** argv) {
    try {
        return fixpoint::sim::parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fixpoint-sim: {}\n", error.what());
        return fixpoint::sim::own_fault;
    }
}
