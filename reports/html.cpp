// One page for a suite: the fixed parts and, between them, the runs as JSON in short arrays.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/html_parts.hpp"
#include "reports/report.hpp"

namespace fixpoint::reports {
namespace {

using json = nlohmann::ordered_json;

// Microseconds are fine enough to tell any two events apart that a person would.
double ms(Instant at) {
    return static_cast<double>(at.time_since_epoch().count() / 1000) / 1e3;
}
double ms(Duration d) {
    return static_cast<double>(d.count() / 1000) / 1e3;
}

// Lanes from top to bottom: faults, clients, store, managers, tablets; whatever else was named comes last.
class Lanes {
  public:
    explicit Lanes(const sim::Run& run) {
        for (const char* name : {"faults", "clients", "store"}) add(name, name);
        for (const sim::ScenarioManager& m : run.scenario.managers) add(m.name, "manager");
        for (const sim::ScenarioTablet& t : run.scenario.tablets) add(t.alias.to_string(), "tablet");
        for (const sim::TimelineEntry& entry : run.timeline) {
            if (!index_.contains(entry.lane)) add(entry.lane, "other");
        }
    }

    std::size_t index(const std::string& name) const {
        const auto it = index_.find(name);
        return it == index_.end() ? 0 : it->second;
    }
    const json& list() const { return list_; }

  private:
    void add(const std::string& name, const char* kind) {
        if (!index_.emplace(name, list_.size()).second) return;
        list_.push_back({{"name", name}, {"kind", kind}});
    }

    json list_ = json::array();
    std::map<std::string, std::size_t> index_;
};

json timeline_json(const sim::Run& run, const Lanes& lanes) {
    std::vector<const sim::TimelineEntry*> entries;
    for (const sim::TimelineEntry& entry : run.timeline) entries.push_back(&entry);
    std::ranges::sort(entries,
                      [](const auto* a, const auto* b) { return std::pair(a->at, a) < std::pair(b->at, b); });
    json list = json::array();
    for (const sim::TimelineEntry* entry : entries) {
        list.push_back({ms(entry->at), lanes.index(entry->lane), entry->kind, entry->text, ms(entry->lasts)});
    }
    return list;
}

json samples_json(const sim::Run& run, const Lanes& lanes) {
    json list = json::array();
    for (const sim::TabletSample& sample : run.samples) {
        list.push_back({ms(sample.at), lanes.index(sample.tablet), sample.state});
    }
    return list;
}

json case_json(const Case& one) {
    const sim::Run& run = one.run;
    const Lanes lanes(run);
    json violations = json::array();
    for (const sim::Violation& v : run.violations) violations.push_back({ms(v.at), v.invariant, v.text});
    json faults = json::array();
    for (const FaultLine& f : one.faults) {
        faults.push_back({f.name, f.count.requested, f.count.delivered, f.count.observed});
    }
    json tablets = json::array();
    for (const sim::ScenarioTablet& t : run.scenario.tablets) {
        tablets.push_back({t.alias.to_string(), to_string(t.type), to_string(t.promotion_rule)});
    }
    return {{"group", run.scenario.group},
            {"name", one.title()},
            {"incident", run.scenario.why},
            {"policy", run.scenario.policy.to_string()},
            {"tablets", std::move(tablets)},
            {"verdict", verdict_word(run.verdict)},
            {"why", run.why},
            {"reason", run.reason == Reason::none ? "" : to_string(run.reason)},
            {"passed", one.passed()},
            {"failure", one.failure},
            {"recoveries", recoveries_text(run)},
            {"violations", std::move(violations)},
            {"faults", std::move(faults)},
            {"writes",
             {run.writes_acknowledged, run.writes_judged, run.writes_failed, run.writes_unknown,
              run.writes_excused}},
            {"blocked", ms(run.writes_blocked_longest)},
            {"commits", run.commit_points},
            {"statements", {run.statements, run.mutating_statements}},
            {"events", run.events},
            {"hash", fmt::format("{:016x}", run.event_hash)},
            {"virtual", ms(run.virtual_time)},
            {"wall", run.wall_seconds * 1e3},
            {"token", one.token},
            {"lanes", lanes.list()},
            {"timeline", timeline_json(run, lanes)},
            {"samples", samples_json(run, lanes)}};
}

// Inside of a script element only "</" and "<!--" could end it; JSON may write '<' otherwise.
std::string for_script(const json& value) {
    const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    std::string safe;
    safe.reserve(text.size());
    for (const char c : text) {
        if (c == '<') {
            safe += "\\u003c";
        } else {
            safe += c;
        }
    }
    return safe;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') {
            out += "&lt;";
        } else if (c == '&') {
            out += "&amp;";
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

std::string html_report(const Suite& suite) {
    json cases = json::array();
    for (const Case& one : suite.cases) cases.push_back(case_json(one));
    const json data{{"title", suite.title},     {"command", suite.command},   {"passed", suite.passed()},
                    {"failed", suite.failed()}, {"wall", suite.wall_seconds}, {"cases", std::move(cases)}};
    std::string page =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
    page += escaped(suite.title);
    page += "</title>\n<style>";
    page += html_style();
    page += "</style>\n</head>\n<body>\n";
    page += html_body();
    page += "<script type=\"application/json\" id=\"data\">";
    page += for_script(data);
    page += "</script>\n<script>\n";
    page += html_timeline_script();
    page += html_script();
    page += "</script>\n</body>\n</html>\n";
    return page;
}

}  // namespace fixpoint::reports
