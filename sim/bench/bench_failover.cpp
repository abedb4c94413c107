// Measures whole runs; the wall clock is read here only, outside of every run.
#include "sim/bench/bench_failover.hpp"

#include <chrono>
#include <string>

#include "fixpoint/model/gtid_set.hpp"
#include "fixpoint/sim/run.hpp"

namespace fixpoint::sim {
namespace {

using Wall = std::chrono::steady_clock;  // the bench is no part of any run
constexpr auto run_length = std::chrono::seconds(100);

double seconds_since(Wall::time_point began) {
    return std::chrono::duration<double>(Wall::now() - began).count();
}

}  // namespace

Scenario failover_scenario(double writes_per_second) {
    Scenario scenario;
    scenario.name = "bench_failover";
    scenario.why = "the run that speeds are compared by";
    scenario.policy = DurabilityPolicy{DurabilityName::semi_sync, 1};
    for (std::uint32_t i = 0; i < 5; ++i) {
        ScenarioTablet tablet;
        tablet.alias = TabletAlias{"zone" + std::to_string(i % 3 + 1), 100 + i};
        tablet.type = i == 0 ? TabletType::primary : TabletType::replica;
        scenario.tablets.push_back(tablet);
    }
    scenario.managers.push_back({"m1", "zone1"});
    scenario.workload.writes_per_second = writes_per_second;
    Fault kill;
    kill.kind = FaultKind::crash;
    kill.when.at = std::chrono::seconds(5);
    kill.tablet = scenario.tablets.front().alias;
    scenario.faults.push_back(kill);
    scenario.limits.backoff_greatest = std::chrono::seconds(20);
    scenario.fault_phase = std::chrono::seconds(60);
    return scenario;
}

FailoverFigures failover_figures(double writes_per_second, double seconds) {
    Scenario scenario = failover_scenario(writes_per_second);
    FailoverFigures figures;
    double virtual_seconds = 0, events = 0, statements = 0;
    const Wall::time_point began = Wall::now();
    while (figures.runs < 3 || seconds_since(began) < seconds) {
        scenario.seed = static_cast<std::uint64_t>(++figures.runs);
        const Run run = simulate(scenario);
        figures.converged += run.verdict == Verdict::converged ? 1 : 0;
        virtual_seconds += std::chrono::duration<double>(run.virtual_time).count();
        events += static_cast<double>(run.events);
        statements += static_cast<double>(run.statements);
    }
    const double wall = seconds_since(began);
    // Runs differ in length: a run counts by its share of a hundred virtual seconds.
    figures.runs_per_second = virtual_seconds / std::chrono::duration<double>(run_length).count() / wall;
    figures.events_per_second = events / wall;
    figures.virtual_per_wall = virtual_seconds / wall;
    figures.events_per_run = events / figures.runs;
    figures.statements_per_run = statements / figures.runs;
    return figures;
}

double gtid_operations_per_second() {
    GtidSet a, b;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        const Uuid uuid{0x3e11fa4771ca11e1ULL, i};
        a.add(GtidSet::interval(uuid, 1, 1000 * static_cast<std::int64_t>(i)));
        a.add(GtidSet::interval(uuid, 10000, 20000));
        b.add(GtidSet::interval(uuid, 500, 12000));
    }
    constexpr int rounds = 200'000;
    std::int64_t seen = 0;
    const Wall::time_point began = Wall::now();
    for (int i = 0; i < rounds; ++i) {
        GtidSet both = a;
        both.add(b);
        seen += both.contains(a) ? 1 : 0;
        both.subtract(b);
        seen += both.count() & 1;
    }
    const double wall = seconds_since(began);
    return seen > 0 ? 3.0 * rounds / wall : 0;
}

}  // namespace fixpoint::sim
