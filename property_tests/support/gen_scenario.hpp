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
    // At the nominal size a range is drawn whole. (Beyond it, arbitrary<std::uint64_t> is nearly a constant.)
    constexpr std::uint64_t seeds = std::uint64_t{1} << 62;
    const rc::Gen<sim::Scenario> drawn =
        rc::gen::map(rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint64_t>(0, seeds)),
                     [options](std::uint64_t seed) { return sim::generate_scenario(seed, options); });
    // The seed itself is not shrunk: a smaller seed is not a simpler scenario.
    return rc::gen::shrink(rc::gen::noShrink(drawn), [](sim::Scenario&& failing) {
        return rc::seq::fromContainer(sim::simpler_scenarios(failing));
    });
}

}  // namespace fixpoint::gen
