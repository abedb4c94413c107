// The timeline as a person reads it in a terminal:
//      t_ms  zone1-100   zone1-101   event
//      5000  dead        r  1-248    fault: crash zone1-100
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "reports/report.hpp"

namespace fixpoint::reports {
namespace {

using sim::Run;
using sim::TabletSample;
using sim::TimelineEntry;

constexpr std::size_t widest_column = 24;

// What a reader of the short form does not need.
bool is_detail(const TimelineEntry& entry) {
    static const std::set<std::string, std::less<>> details{"statement", "lock", "write"};
    return details.contains(entry.kind);
}

std::string cut(const std::string& text) {
    return text.size() <= widest_column ? text : text.substr(0, widest_column - 1) + "~";
}

class Columns {
  public:
    explicit Columns(const Run& run) : samples_(run.samples) {
        for (const sim::ScenarioTablet& t : run.scenario.tablets) {
            names_.push_back(t.alias.to_string());
            widths_.push_back(names_.back().size());
            states_.emplace_back("?");
        }
        for (const TabletSample& sample : samples_) {
            if (const std::size_t i = index(sample.tablet); i < names_.size()) {
                widths_[i] = std::max(widths_[i], cut(sample.state).size());
            }
        }
    }

    std::string header() const { return line(names_); }

    std::string at(Instant when) {
        for (; next_ < samples_.size() && samples_[next_].at <= when; ++next_) {
            if (const std::size_t i = index(samples_[next_].tablet); i < names_.size())
                states_[i] = cut(samples_[next_].state);
        }
        return line(states_);
    }

  private:
    std::size_t index(const std::string& tablet) const {
        return static_cast<std::size_t>(std::ranges::find(names_, tablet) - names_.begin());
    }

    std::string line(const std::vector<std::string>& texts) const {
        std::string text;
        for (std::size_t i = 0; i < texts.size(); ++i) text += fmt::format("{:<{}}  ", texts[i], widths_[i]);
        return text;
    }

    const std::vector<TabletSample>& samples_;
    std::size_t next_ = 0;
    std::vector<std::string> names_, states_;
    std::vector<std::size_t> widths_;
};

std::string event_text(const TimelineEntry& entry) {
    std::string text =
        entry.lane.empty() || entry.lane == "faults" ? entry.text : entry.lane + ": " + entry.text;
    if (entry.kind == "fault" && entry.lane == "faults") text = "fault: " + text;
    if (entry.kind == "phase") text = "--- " + entry.text;
    if (entry.kind == "commit_point") text += "       <- commit point";
    if (entry.lasts != Duration{}) text += fmt::format("  (for {} ms)", to_ms(entry.lasts));
    return text;
}

}  // namespace

std::string_view verdict_word(sim::Verdict verdict) {
    switch (verdict) {
        case sim::Verdict::converged:
            return "converged";
        case sim::Verdict::failed_justified:
            return "failed_justified";
        case sim::Verdict::unknown:
            return "unknown";
        case sim::Verdict::violation:
            return "violation";
    }
    return "?";
}

std::string recoveries_text(const Run& run) {
    std::string text;
    for (const Recovery recovery : run.recoveries) {
        if (!text.empty()) text += ", ";
        text += to_string(recovery);
    }
    return text.empty() ? "-" : text;
}

std::size_t Suite::passed() const {
    return more_passed + static_cast<std::size_t>(std::ranges::count_if(cases, &Case::passed));
}

std::size_t Suite::failed() const {
    return cases.size() - static_cast<std::size_t>(std::ranges::count_if(cases, &Case::passed));
}

std::string text_timeline(const Run& run, const TextOptions& options) {
    Columns columns(run);
    std::string text = fmt::format("{:>9}  {}event\n", "t_ms", columns.header());
    std::vector<std::pair<Instant, std::size_t>> order;  // of one instant: as recorded
    for (std::size_t i = 0; i < run.timeline.size(); ++i) {
        const TimelineEntry& entry = run.timeline[i];
        if (options.statements || !is_detail(entry)) order.emplace_back(entry.at, i);
    }
    std::ranges::sort(order);
    for (const auto& [at, i] : order) {
        text += fmt::format("{:>9}  {}{}\n", to_ms(at), columns.at(at), event_text(run.timeline[i]));
    }
    return text;
}

std::string text_summary(const Case& one) {
    const Run& run = one.run;
    std::string text =
        fmt::format("verdict     {}{}\n", verdict_word(run.verdict), run.why.empty() ? "" : ": " + run.why);
    for (const sim::Violation& v : run.violations) {
        text += fmt::format("violation   {} at {} ms: {}\n", v.invariant, to_ms(v.at), v.text);
    }
    text += fmt::format("recoveries  {}\n", recoveries_text(run));
    if (run.reason != Reason::none) text += fmt::format("reason      {}\n", to_string(run.reason));
    for (const FaultLine& fault : one.faults) {
        text += fmt::format("fault       {}: requested {}, delivered {}, observed {}\n", fault.name,
                            fault.count.requested, fault.count.delivered, fault.count.observed);
    }
    text += fmt::format(
        "writes      {} acknowledged, {} judged, {} failed, {} unknown, {} excused; blocked {} ms at most\n",
        run.writes_acknowledged, run.writes_judged, run.writes_failed, run.writes_unknown, run.writes_excused,
        to_ms(run.writes_blocked_longest));
    text +=
        fmt::format("events      {} (hash {:016x}), {} statements, {} of them mutating, {} notifications\n",
                    run.events, run.event_hash, run.statements, run.mutating_statements, run.notifications);
    text += fmt::format("time        {:.3f} s virtual, {:.1f} ms wall\n",
                        static_cast<double>(to_ms(run.virtual_time)) / 1e3, run.wall_seconds * 1e3);
    text += fmt::format("token       {}\n", one.token);
    text += one.passed() ? "passed\n" : fmt::format("FAILED      {}\n", one.failure);
    return text;
}

}  // namespace fixpoint::reports
