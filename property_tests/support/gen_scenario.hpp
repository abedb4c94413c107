// The simulator's own generator of scenarios for RapidCheck: it draws one seed, everything else follows from
// it, and a failing scenario is shrunk by the same steps as in the hunt. A counterexample is printed as a
// scenario file.
#pragma once

#include <ostream>

#include <rapidcheck.h>

#include "sim/explore/generate.hpp"
#include "sim/explore/shrink.hpp"
#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::sim {

inline std::ostream& operator<<(std::ostream& out, const Scenario& scenario) {
    return out << print_scenario(scenario);
}

}  // namespace fixpoint::sim

namespace fixpoint::gen {

inline rc::Gen<sim::Scenario> scenario(sim::GenerateOptions options = {}) {
    const rc::Gen<sim::Scenario> drawn =
        rc::gen::map(rc::gen::resize(1000, rc::gen::arbitrary<std::uint64_t>()),
                     [options](std::uint64_t seed) { return sim::generate_scenario(seed, options); });
    // The seed itself is not shrunk: a smaller seed is not a simpler scenario.
    return rc::gen::shrink(rc::gen::noShrink(drawn), [](sim::Scenario&& failing) {
        return rc::seq::fromContainer(sim::simpler_scenarios(failing));
    });
}

}  // namespace fixpoint::gen
