// See hunt_statistics.hpp.
#include "sim/main/hunt_statistics.hpp"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

double seconds(Duration d) {
    return static_cast<double>(to_ms(d)) / 1e3;
}

std::uint64_t positive(std::int64_t n) {
    return n > 0 ? static_cast<std::uint64_t>(n) : 0;
}

template <class Word>
std::string counts_text(const std::map<Word, std::uint64_t>& counts) {
    std::string text;
    for (const auto& [word, count] : counts) {
        if (!text.empty()) text += ", ";
        if constexpr (std::is_same_v<Word, std::string>) {
            text += fmt::format("{} {}", word, count);
        } else {
            text += fmt::format("{} {}", to_string(word), count);
        }
    }
    return text.empty() ? "none" : text;
}

template <class Word>
nlohmann::ordered_json counts_json(const std::map<Word, std::uint64_t>& counts) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const auto& [word, count] : counts) {
        if constexpr (std::is_same_v<Word, std::string>) {
            object[word] = count;
        } else {
            object[std::string(to_string(word))] = count;
        }
    }
    return object;
}

}  // namespace

void HuntStatistics::add(const Run& run) {
    ++cases;
    ++verdicts[run.verdict];
    if (run.verdict == Verdict::failed_justified) ++reasons[run.reason];
    for (const Recovery recovery : std::set<Recovery>(run.recoveries.begin(), run.recoveries.end()))
        ++recoveries[recovery];
    if (!run.violations.empty()) ++invariants[run.violations.front().invariant];
    for (const auto& [kind, count] : run.faults) {
        faults[kind].requested += count.requested;
        faults[kind].delivered += count.delivered;
        faults[kind].observed += count.observed;
    }
    within_promise += run.within_promise ? 1 : 0;
    writes_acknowledged += positive(run.writes_acknowledged);
    writes_judged += positive(run.writes_judged);
    writes_excused += positive(run.writes_excused);
    commit_points += positive(run.commit_points);
    events += run.events;
    statements += run.statements;
    mutating_statements += run.mutating_statements;
    virtual_seconds += seconds(run.virtual_time);
}

std::vector<FaultKind> HuntStatistics::never_delivered() const {
    std::vector<FaultKind> kinds;
    for (const auto& [kind, count] : faults) {
        if (count.requested > 0 && count.delivered == 0) kinds.push_back(kind);
    }
    return kinds;
}

std::vector<FaultKind> HuntStatistics::never_observed() const {
    std::vector<FaultKind> kinds;
    for (const auto& [kind, count] : faults) {
        if (count.delivered > 0 && count.observed == 0) kinds.push_back(kind);
    }
    return kinds;
}

std::string HuntStatistics::text(double wall_seconds) const {
    std::string text = fmt::format("cases        {}, {} within the promise, {:.1f} s, {:.1f} a second\n",
                                   cases, within_promise, wall_seconds,
                                   wall_seconds > 0 ? static_cast<double>(cases) / wall_seconds : 0.0);
    text += fmt::format("verdicts     {}\n", counts_text(verdicts));
    text += fmt::format("reasons      {}\n", counts_text(reasons));
    text += fmt::format("invariants   {} broken\n", counts_text(invariants));
    text += fmt::format("recoveries   {}\n", counts_text(recoveries));
    text += fmt::format("writes       {} acknowledged, {} of them judged, {} excused\n", writes_acknowledged,
                        writes_judged, writes_excused);
    text += fmt::format(
        "amount       {} commit points, {} events, {} statements ({} mutating), {:.0f} s virtual\n",
        commit_points, events, statements, mutating_statements, virtual_seconds);
    text += fmt::format("{:<28} {:>10} {:>10} {:>10}\n", "fault", "requested", "delivered", "observed");
    for (const auto& [kind, count] : faults) {
        text += fmt::format("{:<28} {:>10} {:>10} {:>10}{}\n", to_string(kind), count.requested,
                            count.delivered, count.observed,
                            count.delivered == 0  ? "  NEVER DELIVERED"
                            : count.observed == 0 ? "  never observed"
                                                  : "");
    }
    return text;
}

std::string HuntStatistics::json(double wall_seconds) const {
    nlohmann::ordered_json object;
    object["cases"] = cases;
    object["wall_seconds"] = wall_seconds;
    object["within_promise"] = within_promise;
    object["verdicts"] = counts_json(verdicts);
    object["reasons"] = counts_json(reasons);
    object["invariants"] = counts_json(invariants);
    object["recoveries"] = counts_json(recoveries);
    object["writes"] = {
        {"acknowledged", writes_acknowledged}, {"judged", writes_judged}, {"excused", writes_excused}};
    object["commit_points"] = commit_points;
    object["events"] = events;
    object["statements"] = statements;
    object["mutating_statements"] = mutating_statements;
    object["virtual_seconds"] = virtual_seconds;
    nlohmann::ordered_json kinds = nlohmann::ordered_json::object();
    for (const auto& [kind, count] : faults) {
        kinds[std::string(to_string(kind))] = {
            {"requested", count.requested}, {"delivered", count.delivered}, {"observed", count.observed}};
    }
    object["faults"] = std::move(kinds);
    return object.dump(2) + "\n";
}

}  // namespace fixpoint::sim
