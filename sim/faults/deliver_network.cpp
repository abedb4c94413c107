// Faults of links: laid over sets of endpoints, taken away again; observed when a packet was touched.
#include <algorithm>
#include <memory>

#include "sim/faults/nemesis.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

std::vector<std::string> everybody(World& world) {
    std::vector<std::string> names{"clients", "store"};
    for (const std::string& cell : world.cells()) names.push_back("store:" + cell);
    for (const auto& server : world.servers()) names.push_back(server->alias().to_string());
    for (const auto& manager : world.managers()) names.push_back(manager->name());
    return names;
}

// "*", or nothing: all that are not in `others`.
std::vector<Endpoint> endpoints(World& world, const std::vector<std::string>& names,
                                const std::vector<std::string>& others) {
    std::vector<Endpoint> found;
    const bool all = names.empty() || std::find(names.begin(), names.end(), "*") != names.end();
    for (const std::string& name : everybody(world)) {
        const bool named = std::find(names.begin(), names.end(), name) != names.end();
        const bool other = std::find(others.begin(), others.end(), name) != others.end();
        if (named || (all && !other)) found.push_back(world.network().endpoint(name));
    }
    return found;
}

LinkFaultKind link_kind(FaultKind kind) {
    switch (kind) {
        case FaultKind::loss:
            return LinkFaultKind::loss;
        case FaultKind::delay:
            return LinkFaultKind::delay;
        case FaultKind::duplicate:
            return LinkFaultKind::duplicate;
        case FaultKind::clog:
            return LinkFaultKind::clog;
        default:
            return LinkFaultKind::cut;
    }
}

}  // namespace

Delivery Nemesis::plan_network(const Fault& fault) {
    World& world = world_;
    Delivery plan;
    if (fault.kind == FaultKind::heal) {
        const auto healed = std::make_shared<bool>(false);
        plan.possible = true;
        plan.apply = [this, &fault, healed] { *healed = heal_network(fault); };
        plan.observed = [healed] { return *healed; };
        return plan;
    }
    LinkFault link;
    link.kind = link_kind(fault.kind);
    link.from = endpoints(world, fault.from_set, fault.to_set);
    link.to = endpoints(world, fault.to_set, fault.from_set);
    link.both_ways = fault.kind != FaultKind::cut_one_way;
    if (fault.permille > 0) link.permille = fault.permille;
    link.extra = fault.amount;
    const auto id = std::make_shared<LinkFaultId>();
    plan.possible = !link.from.empty() && !link.to.empty();
    plan.apply = [&world, link, id] { *id = world.network().add_fault(link); };
    plan.observed = [&world, id] { return world.network().touched(*id) > 0; };
    plan.undo = [&world, id] { world.network().heal(*id); };
    return plan;
}

}  // namespace fixpoint::sim
