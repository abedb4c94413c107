// Which clauses that do not hold are permitted not to: the last column but one of the table "as declared".
// Why apart: as_declared() says what is, this says what nobody could have helped, and needs reports and the
// oracle. It refuses to excuse what is not reported, and anything of primary and policy within the promise.
#pragma once

#include <vector>

#include "sim/checkers/as_declared.hpp"
#include "sim/checkers/books.hpp"
#include "sim/checkers/judge.hpp"

namespace fixpoint::sim {

// As declared with what is permitted: everything of Convergence but the probe.
Convergence excused(const WorldState& state, const std::vector<Clause>& unmet, const Books& books,
                    bool within_promise);

// The same with the probe, which must have been acknowledged, and executed on every tablet that is not
// excused.
Convergence with_probe(Convergence found, const WorldState& state, const std::optional<Probe>& probe,
                       const Books& books, bool within_promise);

}  // namespace fixpoint::sim
