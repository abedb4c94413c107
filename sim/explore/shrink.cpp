// See shrink.hpp.
#include "sim/explore/shrink.hpp"

#include <algorithm>
#include <utility>

#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using Candidates = std::vector<Scenario>;

bool names(const Fault& fault, const std::string& endpoint) {
    return fault.when.tablet == endpoint || fault.when.manager == endpoint || fault.manager == endpoint ||
           (fault.tablet && fault.tablet->to_string() == endpoint) ||
           (fault.to && fault.to->to_string() == endpoint) ||
           std::ranges::find(fault.from_set, endpoint) != fault.from_set.end() ||
           std::ranges::find(fault.to_set, endpoint) != fault.to_set.end();
}

bool cell_exists(const Scenario& scenario, const std::string& cell) {
    return std::ranges::any_of(scenario.tablets,
                               [&](const ScenarioTablet& t) { return t.alias.cell == cell; });
}

// Takes away the faults that name somebody who is not there any more.
void forget_endpoint(Scenario& scenario, const std::string& endpoint) {
    std::erase_if(scenario.faults, [&](const Fault& f) {
        return names(f, endpoint) || (!f.cell.empty() && !cell_exists(scenario, f.cell));
    });
    if (scenario.pinned_primary && scenario.pinned_primary->to_string() == endpoint)
        scenario.pinned_primary.reset();
}

void fewer_faults(const Scenario& scenario, Candidates& candidates) {
    const std::size_t count = scenario.faults.size();
    for (std::size_t span = count / 2; span >= 1; span /= 2) {
        for (std::size_t from = 0; from < count; from += span) {
            Scenario simpler = scenario;
            const auto begin = simpler.faults.begin() + static_cast<std::ptrdiff_t>(from);
            simpler.faults.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(span, count - from)));
            candidates.push_back(std::move(simpler));
        }
    }
    if (count == 1 && scenario.boot != Boot::converged) {
        candidates.push_back(scenario);
        candidates.back().faults.clear();
    }
}

void fewer_processes(const Scenario& scenario, Candidates& candidates) {
    for (std::size_t i = scenario.tablets.size(); i-- > 0;) {
        if (scenario.tablets[i].type == TabletType::primary) continue;
        Scenario simpler = scenario;
        const std::string gone = scenario.tablets[i].alias.to_string();
        simpler.tablets.erase(simpler.tablets.begin() + static_cast<std::ptrdiff_t>(i));
        for (ScenarioManager& m : simpler.managers) {
            if (!cell_exists(simpler, m.cell)) m.cell = simpler.tablets.front().alias.cell;
        }
        forget_endpoint(simpler, gone);
        candidates.push_back(std::move(simpler));
    }
    for (std::size_t i = scenario.managers.size(); scenario.managers.size() > 1 && i-- > 0;) {
        Scenario simpler = scenario;
        const std::string gone = scenario.managers[i].name;
        simpler.managers.erase(simpler.managers.begin() + static_cast<std::ptrdiff_t>(i));
        forget_endpoint(simpler, gone);
        candidates.push_back(std::move(simpler));
    }
}

// One edit of one value; a candidate only if it changed something.
template <class Edit>
void try_edit(const Scenario& scenario, Candidates& candidates, Edit edit) {
    Scenario simpler = scenario;
    edit(simpler);
    if (simpler != scenario) candidates.push_back(std::move(simpler));
}

// Down to whole seconds, then halves of what is left.
Duration plainer(Duration value) {
    if (value % 1s != Duration{} && value > 1s) return value - value % 1s;
    if (value > 2s) return (value / 2) - (value / 2) % 1s;
    return value;
}

void plainer_faults(const Scenario& scenario, Candidates& candidates) {
    for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
        const auto edit = [&](auto change) {
            try_edit(scenario, candidates, [&](Scenario& s) { change(s.faults[i]); });
        };
        edit([](Fault& f) { f.permanent = false; });
        edit([](Fault& f) {
            if (f.when.at) f.when.at = plainer(*f.when.at);
        });
        edit([](Fault& f) { f.for_time = plainer(f.for_time); });
        edit([](Fault& f) { f.amount = plainer(f.amount); });
        edit([](Fault& f) {
            f.number = fault_row(f.kind).group == FaultGroup::drift ? std::min(f.number, 1) : f.number;
        });
        edit([](Fault& f) { f.when.nth = f.when.nth > 1 ? f.when.nth / 2 : 1; });
        edit([](Fault& f) { f.when.nth = std::max(1, f.when.nth - 1); });
    }
}

void plainer_rest(const Scenario& scenario, Candidates& candidates) {
    const auto edit = [&](auto change) { try_edit(scenario, candidates, change); };
    edit([](Scenario& s) { s.policy.ackers_needed = std::min(s.policy.ackers_needed, 1); });
    edit([](Scenario& s) { s.pinned_primary.reset(); });
    edit([](Scenario& s) { s.limits = Limits{}; });
    edit([](Scenario& s) { s.workload.clients = 1; });
    edit([](Scenario& s) { s.workload.writes_per_second = std::min(s.workload.writes_per_second, 2.0); });
    for (std::size_t i = 0; i < scenario.tablets.size(); ++i) {
        edit([i](Scenario& s) { s.tablets[i].promotion_rule = PromotionRule::neutral; });
        edit([i](Scenario& s) { s.tablets[i].apply_delay = {}; });
        edit([i](Scenario& s) { s.tablets[i].semi_sync_plugins = true; });
        edit([i](Scenario& s) {
            if (s.tablets[i].type == TabletType::rdonly) s.tablets[i].type = TabletType::replica;
        });
    }
    edit([](Scenario& s) { s.random_order = false; });
    edit([](Scenario& s) { s.seed = 1; });
}

}  // namespace

std::vector<Scenario> simpler_scenarios(const Scenario& scenario) {
    Candidates candidates;
    fewer_faults(scenario, candidates);
    fewer_processes(scenario, candidates);
    plainer_rest(scenario, candidates);
    plainer_faults(scenario, candidates);
    // No candidate may lose all that happens in it.
    std::erase_if(candidates, [&](const Scenario& s) {
        return s == scenario || (s.faults.empty() && s.boot == Boot::converged);
    });
    return candidates;
}

Shrunk shrink(const Scenario& scenario, const std::function<bool(const Scenario&)>& still_fails,
              int most_tries) {
    Shrunk result{scenario};
    for (bool progress = true; progress && result.tried < most_tries;) {
        progress = false;
        for (Scenario& candidate : simpler_scenarios(result.scenario)) {
            if (result.tried >= most_tries) break;
            ++result.tried;
            if (!still_fails(candidate)) continue;
            result.scenario = std::move(candidate);
            ++result.steps;
            progress = true;
            break;
        }
    }
    return result;
}

}  // namespace fixpoint::sim
