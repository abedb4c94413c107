// The guard: were the delivered faults within what the policies in force promise to survive?
// Why: where it says "within", no excuse is accepted for primary, policy, probe and acknowledged writes.
// It refuses to know what a manager did: only the faults, when they came, what was in force then, and the
// tablets. In doubt it says "beyond", which excuses nothing by itself: the oracle must confirm a reason then.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fixpoint/sim/scenario.hpp"
#include "sim/checkers/books.hpp"

namespace fixpoint::sim {

struct GuardInput {
    std::vector<ScenarioTablet> tablets;
    std::vector<std::string> managers;
    DurabilityPolicy policy;  // declared at the beginning
    bool recorded = true;     // it began with a record in force
    std::vector<DeliveredFault> faults;
    std::vector<TermBook> terms;
    Duration recovering{};  // how long a tablet that came back counts as failed: requalified by then
};

struct GuardVerdict {
    bool within = true;
    std::string beyond;  // what went beyond, for a person
};

GuardVerdict guard(const GuardInput& input);

}  // namespace fixpoint::sim
