// How long clients cannot write when a real shard changes its primary: three genuine servers, semi-sync with
// one acknowledgement, TLS, `fixpoint run` polling each second, clients that write. Every run is printed, and
// where its time went. Figures never decide anything; an acknowledged write that is lost does.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "property_tests/daemon/bench/load.hpp"
#include "property_tests/daemon/bench/timeline.hpp"

namespace fixpoint::daemon_tests {
namespace {

struct Figure {
    double blocked_ms = -1;    // -1: no write within the limit
    double operation_ms = -1;  // from its begin to its end, which is later than the first write
    std::vector<Phase> phases;
    std::size_t acknowledged = 0, lost = 0;
};

struct Measure {
    const char* name;
    const char* what;
    double wanted_ms;
    int runs;
    std::function<Figure(Stage&, int run, int runs)> once;
    bool only_when_named = false;
};

bool show_log = false;

// As MySQL ships it: what a restart might take from a relay log counts for nothing here anyway (protocol 6),
// and the test servers' 1 would measure the disk, at each event. All else stays durable, as MySQL ships it
// too.
void as_shipped(Stage& stage) {
    for (int i = 0; i < 3; ++i) stage.as_administrator(i, {"SET GLOBAL sync_relay_log = 10000"});
}

// MySQL ships 4 appliers (replica_parallel_workers): where more clients than that write at once, the
// replica's coordinator spins for a free one, and on a small machine that is busy without it the replica
// falls behind for as long as they write. An operator sets as many as there are writers.
constexpr int shipped_appliers = 4, appliers_for_all = 16;

// Clients share the machine with the servers: those that hardly pause measure the machine.
constexpr auto thinking = 20ms, hardly_pausing = 5ms;

void with_appliers(Stage& stage, int number) {
    const int primary = stage.primary();
    for (int i = 0; i < 3; ++i) {
        stage.as_administrator(i, {fmt::format("SET GLOBAL replica_parallel_workers = {}", number)});
        if (i != primary) stage.as_administrator(i, {"STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD"});
    }
}

int another_than(int i, int run) {
    return (i + 1 + run % 2) % 3;
}

double operation_of(const std::vector<Moment>& moments) {
    std::string operation;
    std::optional<std::chrono::system_clock::time_point> began;  // a planned one may begin long before
    for (const Moment& m : moments) {
        if (m.kind == "commit_point") operation = m.operation;
    }
    for (const Moment& m : moments) {
        if (m.operation != operation || operation.empty()) continue;
        if (m.kind == "recovery_began") began = m.at;
        if (m.kind == "recovery_succeeded" && began) return ms_between(*began, m.at);
    }
    return -1;
}

// What the program itself said at that time, its looks too, with the time in milliseconds.
void print_log(const std::string& log, Instant from) {
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        const double at = ms_between(from, instant_of(line.substr(0, line.find(' '))));
        if (at > -500) fmt::print("    {:>7.0f} ms {}\n", at, line.substr(line.find(' ') + 1));
    }
}

// `from`: as told, or (planned) the last write that the old primary took before another took its first.
Figure judge(Stage& stage, int old_primary, Load& load, const Daemon& daemon, std::optional<Instant> from) {
    Figure figure;
    const std::vector<Acknowledged> all = load.end();
    figure.acknowledged = all.size();
    const auto first = std::ranges::find_if(
        all, [&](const Acknowledged& a) { return a.server != old_primary && (!from || a.at > *from); });
    if (first == all.end() || first == all.begin()) return figure;
    if (!from) from = std::prev(first)->at;
    const std::vector<Moment> moments =
        moments_since(stage.in_folder("history.jsonl"), *from - std::chrono::seconds(60));
    figure.blocked_ms = ms_between(*from, first->at);
    figure.operation_ms = operation_of(moments);
    figure.phases = phases(moments, *from, first->at);
    std::vector<std::int64_t> rows;
    for (const Acknowledged& a : all) rows.push_back(a.row);
    figure.lost = stage.lost(first->server, rows).size();
    if (show_log) print_log(daemon.log(), *from);
    return figure;
}

// The instant of the fault is spread over the poll interval, whatever the loop is at.
Figure lose_the_primary(Stage& stage, int run, int runs, int writers, bool paused) {
    stage.spoil();
    stage.converged();
    as_shipped(stage);
    const int primary = stage.primary();
    Daemon daemon(stage);
    if (!daemon.logs("nothing to do")) throw std::runtime_error("the shard does not settle: " + daemon.log());
    Load load(stage, writers, hardly_pausing, 1'000'000 * (run + 1));
    eventually(10s, [&] { return load.count(primary) > 50; });
    std::this_thread::sleep_for(1s + 1s * run / runs);
    const Instant at = std::chrono::system_clock::now();
    if (paused) {
        stage.server(primary).pause();
    } else {
        stage.server(primary).kill();
    }
    eventually(20s, [&] { return load.count((primary + 1) % 3) + load.count((primary + 2) % 3) > 50; });
    eventually(5s, [&] { return operation_of(moments_since(stage.in_folder("history.jsonl"), at)) > 0; });
    const Figure figure = judge(stage, primary, load, daemon, at);
    daemon.stop();
    if (paused) stage.server(primary).resume();
    return figure;
}

Figure reparent(Stage& stage, int run, int appliers, std::chrono::milliseconds think) {
    constexpr int writers = 8;  // and the one that stays at the primary
    stage.converged();
    as_shipped(stage);
    with_appliers(stage, appliers);
    const int from = stage.primary();
    const int to = another_than(from, run);
    Daemon daemon(stage);
    if (!daemon.logs("nothing to do")) throw std::runtime_error("the shard does not settle: " + daemon.log());
    Load load(stage, writers, think, 100'000'000 + 1'000'000 * run);
    eventually(10s, [&] { return load.count(from) > 200; });
    const Instant began = std::chrono::system_clock::now();
    const Said said = stage.fixpoint({"declare", "commerce/0", "--pin", stage.alias(to)});
    if (said.code != 0) throw std::runtime_error("declare: " + said.all());
    eventually(60s, [&] { return load.count(to) > 50; });
    eventually(5s, [&] { return operation_of(moments_since(stage.in_folder("history.jsonl"), began)) > 0; });
    const Figure figure = judge(stage, from, load, daemon, std::nullopt);
    daemon.stop();
    return figure;
}

std::string text_of(const std::vector<Phase>& phases) {
    std::string text;
    for (const Phase& p : phases) text += fmt::format(" {} {:.0f}", p.name, p.ms);
    return text;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t n = values.size();
    return n == 0 ? -1 : n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// False: something that is no matter of time went wrong.
bool measure(Stage& stage, const Measure& m, nlohmann::json& out) {
    std::vector<double> blocked;
    std::map<std::string, std::vector<double>> by_phase;
    bool good = true;
    nlohmann::json list = nlohmann::json::array();
    fmt::print("{}: {}\n", m.name, m.what);
    for (int run = 0; run < m.runs; ++run) {
        const Figure f = m.once(stage, run, m.runs);
        fmt::print("  run {:>2}: {:>6.0f} ms ({} ), operation {:.0f} ms, {} writes acknowledged, {} lost\n",
                   run + 1, f.blocked_ms, text_of(f.phases), f.operation_ms, f.acknowledged, f.lost);
        std::fflush(stdout);
        good = good && f.lost == 0 && f.blocked_ms >= 0;
        blocked.push_back(f.blocked_ms);
        nlohmann::json one{{"blocked_ms", f.blocked_ms}, {"operation_ms", f.operation_ms}, {"lost", f.lost}};
        for (const Phase& p : f.phases) {
            by_phase[p.name].push_back(p.ms);
            one["phases"][p.name] = p.ms;
        }
        list.push_back(std::move(one));
    }
    std::string middle;
    for (const char* name : {"detect", "lock", "close", "revoke", "apply", "record", "open", "write"}) {
        if (by_phase.contains(name)) middle += fmt::format(" {} {:.0f}", name, median(by_phase[name]));
    }
    fmt::print("  median {:.0f} ms ({} ), {:.0f} to {:.0f}; wanted: under {:.0f}\n", median(blocked), middle,
               std::ranges::min(blocked), std::ranges::max(blocked), m.wanted_ms);
    out[m.name] = {{"runs", list}, {"median_ms", median(blocked)}, {"wanted_ms", m.wanted_ms}};
    return good;
}

std::vector<Measure> all_measures() {
    return {
        {"kill", "kill -9 of the primary to the first acknowledged write on the next, poll 1 s", 600, 10,
         [](Stage& s, int run, int all) { return lose_the_primary(s, run, all, 4, false); }},
        {"pause", "SIGSTOP of the primary to the first acknowledged write on the next", 4000, 5,
         [](Stage& s, int run, int all) { return lose_the_primary(s, run, all, 4, true); }},
        {"reparent",
         "planned, under 9 writers that pause for 20 ms, 4 appliers: from the last write on the old one "
         "to the first on the new",
         100, 10,
         [](Stage& s, int run, int /*all*/) { return reparent(s, run, shipped_appliers, thinking); }},
        {"reparent_saturated", "the same, pausing for 5 ms (two cores have no more to give), 16 appliers",
         100, 10,
         [](Stage& s, int run, int /*all*/) { return reparent(s, run, appliers_for_all, hardly_pausing); }},
        {"reparent_shipped", "the same with the 4 appliers that MySQL ships", 100, 10,
         [](Stage& s, int run, int /*all*/) { return reparent(s, run, shipped_appliers, hardly_pausing); },
         true},  // the candidate may never catch up, and is refused
    };
}

bool is_measure(std::string_view word) {
    return std::ranges::any_of(all_measures(), [&](const Measure& m) { return m.name == word; });
}

int run_all(const std::vector<std::string>& names, int runs, const std::string& json_file) {
    nlohmann::json out;
    bool good = true;
    for (Measure m : all_measures()) {
        if (names.empty() ? m.only_when_named : std::ranges::find(names, m.name) == names.end()) continue;
        if (runs > 0) m.runs = runs;
        good = measure(Stage::the(), m, out) && good;
    }
    if (!json_file.empty()) std::ofstream(json_file) << out.dump(2) << '\n';
    if (!good) fmt::print(stderr, "a write was lost, or none was taken any more\n");
    return good ? 0 : 1;
}

}  // namespace
}  // namespace fixpoint::daemon_tests

int main(int argc, char** argv) {
    std::vector<std::string> names;
    std::string json_file;
    int runs = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--json" && i + 1 < argc) {
            json_file = argv[++i];
        } else if (word == "--runs" && i + 1 < argc) {
            runs = std::atoi(argv[++i]);
        } else if (word == "--log") {
            fixpoint::daemon_tests::show_log = true;
        } else if (fixpoint::daemon_tests::is_measure(word)) {
            names.emplace_back(word);
        } else {
            std::string measures;
            for (const auto& m : fixpoint::daemon_tests::all_measures())
                measures += fmt::format(" [{}]", m.name);
            fmt::print(stderr, "usage: fixpoint-real-bench{} [--runs N] [--log] [--json FILE]\n", measures);
            return 2;
        }
    }
    try {
        return fixpoint::daemon_tests::run_all(names, runs, json_file);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fixpoint-real-bench: {}\n", error.what());
        return 1;
    }
}
