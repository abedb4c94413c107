// fixpoint-sim: the simulator's command line. Wiring only: it reads the arguments and calls one command.
// It refuses to guess: an unknown option is bad input (2), never ignored.
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "sim/main/commands.hpp"
#include "sim/main/common.hpp"

namespace {

using namespace fixpoint::sim;

int parse_and_run(int argc, char** argv) {
    CLI::App app{"Fixpoint's deterministic simulator: incidents as data, judged.", "fixpoint-sim"};
    app.require_subcommand(1);
    int code = own_fault;

    RunCommand run_options;
    for (int i = 0; i < argc; ++i)
        run_options.command += (i == 0 ? "fixpoint-sim" : std::string(" ") + argv[i]);
    CLI::App* run_command =
        app.add_subcommand("run", "scenario files or folders (default: scenarios): a table of verdicts");
    run_command->add_option("paths", run_options.paths, "files and folders");
    run_command->add_option("--json", run_options.json, "write the results as JSON");
    run_command->add_option("--junit", run_options.junit, "write the results as JUnit XML");
    run_command->add_option("--html", run_options.html, "write one page with a timeline of each run");
    run_command->add_flag("--text", run_options.text, "print the timeline of each run");
    run_command->add_flag("--dropped-events,!--no-dropped-events", run_options.dropped_events,
                          "lose every single notification of the group `dropped` in turn (default)");
    run_command->add_option("--jobs", run_options.jobs, "processes at a time")->check(CLI::Range(1, 64));
    run_command->callback([&] { code = run(run_options); });

    ReplayCommand replay_options;
    CLI::App* replay_command =
        app.add_subcommand("replay", "one run again, to the very event, as a timeline");
    replay_command
        ->add_option("what", replay_options.what, "FILE.json[@seed][#n], or the token that was printed")
        ->required();
    replay_command->add_flag("--statements", replay_options.statements, "every statement and lock too");
    replay_command->add_option("--html", replay_options.html, "write the page of this run");
    replay_command->callback([&] { code = replay(replay_options); });

    DeterminismCommand determinism;
    CLI::App* determinism_command =
        app.add_subcommand("check-determinism", "each run twice; prints the first difference");
    determinism_command->add_option("paths", determinism.paths, "files and folders");
    determinism_command->add_option("--seeds", determinism.seeds, "of each scenario")
        ->check(CLI::PositiveNumber);
    determinism_command->add_flag("--print-hashes", determinism.print_hashes, "to compare builds");
    determinism_command->add_option("--jobs", determinism.jobs, "processes at a time")
        ->check(CLI::Range(1, 64));
    determinism_command->callback([&] { code = check_determinism(determinism); });

    HuntCommand hunting;
    CLI::App* hunt_command = app.add_subcommand("hunt", "random scenarios; what fails is minimised");
    hunt_command->add_option("--seeds", hunting.seeds, "how many")->check(CLI::PositiveNumber);
    hunt_command->add_option("--first", hunting.first, "the first seed");
    hunt_command->add_option("--jobs", hunting.jobs, "processes at a time")->check(CLI::Range(1, 64));
    hunt_command->add_option("--minutes", hunting.minutes, "stop after so long")
        ->check(CLI::NonNegativeNumber);
    hunt_command->add_option("--json", hunting.json, "write the statistics as JSON");
    hunt_command->add_option("--save", hunting.save, "folder for the minimised scenarios");
    hunt_command->callback([&] { code = hunt(hunting); });

    bool markdown = false;
    CLI::App* faults_command = app.add_subcommand("faults", "the table of faults");
    faults_command->add_flag("--markdown", markdown, "as in scenarios/README.md");
    faults_command->callback([&] { code = print_faults(markdown); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? all_passed : bad_input;
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return parse_and_run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fixpoint-sim: {}\n", error.what());
        return fixpoint::sim::own_fault;
    }
}
