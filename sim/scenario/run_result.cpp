// Whether a run has what its scenario expects. It compares and words the difference; what a run did is judged
// in sim/checkers, and no expectation can make a broken invariant pass unless the scenario says so by its
// verdict.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "fixpoint/sim/run.hpp"
#include "sim/faults/fault_table.hpp"
#include "sim/scenario/fields.hpp"

namespace fixpoint::sim {
namespace {

std::string words_of(const std::set<Recovery>& recoveries) {
    std::string text;
    for (const Recovery recovery : recoveries) {
        if (!text.empty()) text += ", ";
        text += to_string(recovery);
    }
    return text.empty() ? "none" : text;
}

std::string undelivered(const Run& run) {
    for (const auto& [kind, count] : run.faults) {
        if (count.delivered < count.requested) {
            return fmt::format("{} of {} {} were delivered", count.delivered, count.requested,
                               to_string(kind));
        }
    }
    return "a fault was not delivered";
}

std::string unmet(const Run& run) {
    const Expectation& expect = run.scenario.expect;
    if (expect.recoveries) {
        const std::set<Recovery> wanted(expect.recoveries->begin(), expect.recoveries->end());
        const std::set<Recovery> acted(run.recoveries.begin(), run.recoveries.end());
        if (wanted != acted)
            return fmt::format("recoveries: {} acted, expected: {}", words_of(acted), words_of(wanted));
    }
    if (expect.primary && run.primary_at_end != expect.primary) {
        return fmt::format("the primary is {}, expected: {}",
                           run.primary_at_end ? run.primary_at_end->to_string() : "nobody",
                           expect.primary->to_string());
    }
    if (expect.reason && run.reason != *expect.reason) {
        return fmt::format("the reason is {}, expected: {}", to_string(run.reason),
                           to_string(*expect.reason));
    }
    if (expect.writes_blocked_at_most && run.writes_blocked_longest > *expect.writes_blocked_at_most) {
        return fmt::format("writes were blocked {} ms, expected at most {} ms",
                           to_ms(run.writes_blocked_longest), to_ms(*expect.writes_blocked_at_most));
    }
    if (expect.commit_points_at_most && run.commit_points > *expect.commit_points_at_most) {
        return fmt::format("{} commit points, expected at most {}", run.commit_points,
                           *expect.commit_points_at_most);
    }
    if (expect.no_mutating_statement && run.mutating_statements != 0) {
        return fmt::format("{} mutating statements, expected none", run.mutating_statements);
    }
    return {};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
    return verdict_words[static_cast<std::size_t>(verdict)];
}

std::string Run::failure() const {
    if (verdict != scenario.expect.verdict) {
        std::string text =
            fmt::format("{}, expected: {}", to_string(verdict), to_string(scenario.expect.verdict));
        if (!violations.empty())
            return fmt::format("{}: {} at {} ms: {}", text, violations[0].invariant, to_ms(violations[0].at),
                               violations[0].text);
        return why.empty() ? text : text + ": " + why;
    }
    if (!every_fault_delivered) return undelivered(*this);
    return unmet(*this);
}

}  // namespace fixpoint::sim
