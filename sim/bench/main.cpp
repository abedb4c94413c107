// How fast the simulator is, on this machine: prints each figure beside what it is measured against, and
// writes them as JSON. A figure of failover runs that do not converge is an error, not a figure.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sim/bench/bench.hpp"
#include "sim/bench/bench_failover.hpp"

namespace {

using fixpoint::sim::FailoverFigures;

void line(std::string_view what, double value, double beside, std::string_view beside_what) {
    fmt::print("{:<44} {:>14.0f}   {:>14.0f} {}\n", what, value, beside, beside_what);
}

void failover_lines(std::string_view name, const FailoverFigures& f) {
    fmt::print("{}: {} runs, {} converged, {:.0f} events and {:.0f} statements a run\n", name, f.runs,
               f.converged, f.events_per_run, f.statements_per_run);
}

}  // namespace

int main(int argc, char** argv) {
    std::string json_file;
    double seconds = 10;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--json" && i + 1 < argc) {
            json_file = argv[++i];
        } else if (argument == "--seconds" && i + 1 < argc) {
            seconds = std::stod(argv[++i]);
        } else {
            fmt::print(stderr, "usage: fixpoint-bench [--json FILE] [--seconds N]\n");
            return 2;
        }
    }
    const double ceiling = fixpoint::sim::bare_scheduler_events_per_second();
    const double round_trips = fixpoint::sim::round_trips_per_second();
    const double gtid = fixpoint::sim::gtid_operations_per_second();
    const FailoverFigures idle = fixpoint::sim::failover_figures(2, seconds);
    const FailoverFigures loaded = fixpoint::sim::failover_figures(50, seconds / 2);

    fmt::print("{:<44} {:>14}   {:>14}\n", "figure", "measured", "to compare");
    line("events per second, failover run", idle.events_per_second, ceiling, "bare scheduler, the ceiling");
    line("round trips per second, nothing else", round_trips, 2'500'000, "a prototype's");
    line("failover runs per second (100 virtual s)", idle.runs_per_second, 1000, "wanted");
    line("virtual per wall second", idle.virtual_per_wall, 10'000, "wanted");
    line("the same, 50 writes a second: runs per second", loaded.runs_per_second, 0, "not compared");
    line("GTID set operations per second", gtid, 0, "not compared");
    failover_lines("failover", idle);
    failover_lines("failover under load", loaded);

    if (!json_file.empty()) {
        nlohmann::json figures;
        figures["events_per_second"] = idle.events_per_second;
        figures["events_per_second_ceiling"] = ceiling;
        figures["failover_runs_per_second"] = idle.runs_per_second;
        figures["virtual_per_wall"] = idle.virtual_per_wall;
        figures["loaded_failover_runs_per_second"] = loaded.runs_per_second;
        figures["round_trips_per_second"] = round_trips;
        figures["gtid_operations_per_second"] = gtid;
        std::ofstream out(json_file);
        out << figures.dump(2) << "\n";
        if (!out) {
            fmt::print(stderr, "fixpoint-bench: cannot write {}\n", json_file);
            return 1;
        }
    }
    if (idle.converged < idle.runs || loaded.converged < loaded.runs) {
        fmt::print(stderr, "fixpoint-bench: not every failover run converged: the figures mean nothing\n");
        return 1;
    }
    return 0;
}
