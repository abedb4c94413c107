// See timeline.hpp. A phase begins with the first moment that only it has, and ends where the next begins.
#include "property_tests/daemon/bench/timeline.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iomanip>
#include <optional>
#include <sstream>

#include "real_adapters/daemon/history.hpp"

namespace fixpoint::daemon_tests {

namespace {

using Time = std::chrono::system_clock::time_point;

struct Mark {
    const char* phase;
    std::function<bool(const Moment&)> begins;
};

bool says(const Moment& m, const char* words) {
    return m.kind == "step" && m.text.find(words) != std::string::npos;
}

bool is_reparent(const Moment& m) {
    return m.recovery == "emergency_reparent" || m.recovery == "planned_reparent";
}

}  // namespace

Time instant_of(const std::string& text) {
    std::tm utc{};
    int ms = 0;
    char dot = 0;
    std::istringstream in(text);
    in >> std::get_time(&utc, "%Y-%m-%dT%H:%M:%S") >> dot >> ms;
    return std::chrono::system_clock::from_time_t(::timegm(&utc)) + std::chrono::milliseconds(ms);
}

double ms_between(Time a, Time b) {
    return std::chrono::duration<double, std::milli>(b - a).count();
}

std::vector<Moment> moments_since(const std::filesystem::path& history, Time since) {
    std::vector<Moment> moments;
    std::ifstream in(history);
    for (std::string line; std::getline(in, line);) {
        const auto entry = real::from_json_line(line);
        if (!entry) continue;
        const Time at = instant_of(entry->time);
        if (at + std::chrono::milliseconds(1) < since) continue;
        moments.push_back({at, entry->operation, entry->kind, entry->recovery, entry->text});
    }
    return moments;
}

std::vector<Phase> phases(const std::vector<Moment>& moments, Time from, Time to) {
    std::string operation;
    for (const Moment& m : moments) {
        if (m.kind == "commit_point" && m.at <= to) operation = m.operation;
    }
    // In the order in which an operation has them; one that it has not is stepped over.
    const std::vector<Mark> marks{
        {"lock", [](const Moment& m) { return m.kind == "recovery_began" && is_reparent(m); }},
        {"close", [](const Moment& m) { return says(m, "read_only = 1") || says(m, "read_only=ON"); }},
        {"revoke", [](const Moment& m) { return says(m, "STOP REPLICA IO_THREAD"); }},
        {"apply", [](const Moment& m) { return says(m, "is revoked"); }},
        {"record", [](const Moment& m) { return says(m, "is to be recorded"); }},
        {"open", [](const Moment& m) { return m.kind == "commit_point"; }},
        {"write", [](const Moment& m) { return says(m, "is open for writes"); }},
    };
    std::vector<Phase> found{{"detect", 0}};
    Time began = from;
    std::size_t next = 0;
    for (const Moment& m : moments) {
        if (m.operation != operation || m.at > to) continue;
        for (std::size_t i = next; i < marks.size(); ++i) {
            if (!marks[i].begins(m)) continue;
            found.back().ms = ms_between(began, std::max(m.at, from));
            found.push_back({marks[i].phase, 0});
            began = std::max(m.at, from);
            next = i + 1;
            break;
        }
    }
    found.back().ms = ms_between(began, to);
    return found;
}

}  // namespace fixpoint::daemon_tests
