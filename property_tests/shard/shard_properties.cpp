// The properties that all the rest exists for: random shards under random faults. A failure prints the shrunk
// scenario as a file: save it under scenarios/regressions, say in its `why` what was wrong, and fix the
// cause.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fixpoint/engine/record_codec.hpp"  // the world runs the core: it is linked by what is included
#include "fixpoint/sim/run.hpp"
#include "property_tests/support/gen_scenario.hpp"
#include "property_tests/support/run_text.hpp"

namespace fixpoint::sim {
namespace {

// Whatever strikes, however often, no invariant breaks.
RC_GTEST_PROP(Shard, stays_safe_whatever_strikes, ()) {
    const Scenario scenario = *gen::scenario();
    const Run run = simulate(scenario);
    RC_TAG(std::string(to_string(run.verdict)));
    if (!run.violations.empty()) RC_FAIL(told(scenario));
}

// Every run ends as declared, or with a refusal that the oracle confirms; and where the guard says that what
// struck was within the promise, nothing is excused.
RC_GTEST_PROP(Shard, converges_or_says_rightly_why_not, ()) {
    const Scenario scenario = *gen::scenario({.triggers = false});
    const Run run = simulate(scenario);
    RC_TAG(std::string(to_string(run.verdict)), std::string(to_string(run.reason)));
    if (run.verdict == Verdict::violation) RC_FAIL(told(scenario));
    if (run.verdict == Verdict::failed_justified && run.within_promise) RC_FAIL(told(scenario));
    if (run.verdict == Verdict::failed_justified) RC_ASSERT(run.reason != Reason::none);
}

// Nothing struck but one fault of the environment, which then ceases: a shard that can meet its policy is
// whole again.
RC_GTEST_PROP(Shard, is_whole_again_after_a_single_fault, ()) {
    const Scenario scenario =
        *gen::scenario({.most_faults = 1, .boots = false, .triggers = false, .permanent = false});
    const Run run = simulate(scenario);
    RC_TAG(std::string(to_string(run.verdict)), std::string(to_string(run.reason)));
    if (run.verdict == Verdict::violation) RC_FAIL(told(scenario));
}

RC_GTEST_PROP(Shard, does_the_same_again_to_the_very_event, ()) {
    const Scenario scenario = *gen::scenario();
    const Run first = simulate(scenario);
    const Run second = simulate(scenario, {.perturb_heap = 1000});
    RC_ASSERT(first.event_hash == second.event_hash);
    RC_ASSERT(first.events == second.events);
    RC_ASSERT(first.verdict == second.verdict);
    // Looking on changes nothing.
    const Run third = simulate(scenario, {.timeline = true});
    RC_ASSERT(first.event_hash == third.event_hash);
    RC_ASSERT(first.verdict == third.verdict);
    RC_ASSERT(first.statements == third.statements);
}

}  // namespace
}  // namespace fixpoint::sim
