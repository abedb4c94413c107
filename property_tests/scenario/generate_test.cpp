// The generator and the shrinker: the same seed makes the same scenario, what is made can be run and printed,
// the kinds of faults all occur, and shrinking ends in something simpler.
#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/support/gen_scenario.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

RC_GTEST_PROP(Generator, the_same_seed_makes_the_same_scenario, (std::uint64_t seed)) {
    RC_ASSERT(generate_scenario(seed) == generate_scenario(seed));
}

RC_GTEST_PROP(Generator, what_it_makes_is_within_its_bounds, ()) {
    const Scenario scenario = *gen::scenario();
    std::set<std::string> cells;
    for (const ScenarioTablet& t : scenario.tablets) cells.insert(t.alias.cell);
    RC_ASSERT(scenario.tablets.size() >= 1 && scenario.tablets.size() <= 7);
    RC_ASSERT(cells.size() <= 4);
    RC_ASSERT(std::ranges::count(scenario.tablets, TabletType::primary, &ScenarioTablet::type) == 1);
    RC_ASSERT(!scenario.managers.empty());
    RC_ASSERT(scenario.boot != Boot::converged || !scenario.faults.empty());
}

// RapidCheck's own sizes must not narrow it: a generator that nearly always draws the same is no generator.
TEST(Generator, what_rapidcheck_draws_is_as_various_as_the_seeds) {
    std::set<std::string> names;
    std::set<FaultKind> kinds;
    const rc::Gen<Scenario> generator = gen::scenario();
    rc::Random random(7);
    for (int i = 0; i < 300; ++i) {
        const Scenario scenario = generator(random.split(), i % 101).value();
        names.insert(scenario.name);
        for (const Fault& fault : scenario.faults) kinds.insert(fault.kind);
    }
    EXPECT_GE(names.size(), 299u);
    EXPECT_GE(kinds.size(), 70u);
}

TEST(Generator, every_kind_of_fault_policy_and_boot_occurs) {
    std::map<FaultKind, int> kinds;
    std::set<std::string> policies;
    std::set<Boot> boots;
    std::set<std::size_t> sizes;
    for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
        const Scenario scenario = generate_scenario(seed);
        for (const Fault& fault : scenario.faults) ++kinds[fault.kind];
        policies.insert(scenario.policy.to_string());
        boots.insert(scenario.boot);
        sizes.insert(scenario.tablets.size());
    }
    for (const FaultRow& row : fault_table()) EXPECT_GT(kinds[row.kind], 0) << row.name;
    EXPECT_GE(policies.size(), 9u);
    EXPECT_EQ(boots.size(), 3u);
    EXPECT_EQ(sizes.size(), 7u);
}

// Nobody is favoured: within one group, the commonest kind is not far from the rarest (one that another
// undoes is drawn with it, too).
// Equally likely within what is possible; and some come along, so that the event happens that another waits
// for.
TEST(Generator, no_kind_is_weighted) {
    std::map<FaultGroup, std::map<FaultKind, int>> counts;
    for (std::uint64_t seed = 1; seed <= 6000; ++seed) {
        for (const Fault& fault : generate_scenario(seed).faults)
            ++counts[fault_row(fault.kind).group][fault.kind];
    }
    for (const auto& [group, kinds] : counts) {
        const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
        const auto [rarest, commonest] = std::minmax_element(kinds.begin(), kinds.end(), fewer);
        EXPECT_LT(commonest->second, 8 * rarest->second)
            << to_string(group) << ": " << to_string(commonest->first) << " and " << to_string(rarest->first);
    }
}

RC_GTEST_PROP(Shrinker, each_step_is_a_valid_scenario_and_another_one, ()) {
    const Scenario scenario = *gen::scenario();
    for (const Scenario& simpler : simpler_scenarios(scenario)) {
        RC_ASSERT(simpler != scenario);
        RC_ASSERT(read_scenario(print_scenario(simpler), "").value() == simpler);
    }
}

RC_GTEST_PROP(Shrinker, it_ends_at_the_one_fault_that_matters, ()) {
    const Scenario scenario = *gen::scenario();
    if (scenario.faults.empty()) RC_DISCARD("nothing happens");
    const FaultKind culprit = scenario.faults.back().kind;
    const Shrunk shrunk = shrink(
        scenario,
        [&](const Scenario& s) {
            return std::ranges::find(s.faults, culprit, &Fault::kind) != s.faults.end();
        },
        5000);
    RC_ASSERT(shrunk.tried < 5000);
    RC_ASSERT(shrunk.scenario.faults.size() == 1u);
    RC_ASSERT(shrunk.scenario.managers.size() == 1u);
    RC_ASSERT(shrunk.scenario.tablets.size() <= 3u);
}

}  // namespace
}  // namespace fixpoint::sim
