// Each name that the project promises to test is named by a test; and the search for names itself works.
// A name counts where a scenario or a test writes it: a loop over all of them tests that they exist, not what
// they do. The suite must not know the names of the planted weaknesses, or it would prove nothing by finding
// them.
#include "property_tests/tidy/coverage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fixpoint::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Coverage, ReadsAnEnumeration) {
    EXPECT_THAT(
        enumerators("enum class Other { x };\nenum class Kind {\n  // cut, it\n  cut, heal = 2,\n  loss,\n};",
                    "Kind"),
        ElementsAre("cut", "heal", "loss"));
    EXPECT_THAT(enumerators("enum class Kind { a, b };", "Kinds"), IsEmpty());
}

TEST(Coverage, FindsWhatNobodyUses) {
    const std::vector<SourceFile> files{
        {"scenarios/a.json", "{\"fault\": \"cut\"}"},
        {"property_tests/x/a.cpp", "// heal\nFaultKind::heal_all; FaultKind::loss;"},
        {"sim/a.cpp", "FaultKind::heal"}};
    const std::vector<std::string_view> folders{"scenarios/", "property_tests/"};
    EXPECT_THAT(unused({"cut", "heal", "loss"}, files, folders), ElementsAre("heal"));
    EXPECT_THAT(unmentioned({"cut", "heal", "hea"}, files, folders), ElementsAre("hea"));
}

const std::vector<SourceFile>& tree() {
    static const std::vector<SourceFile> files = read_tree(FIXPOINT_SOURCE_DIR);
    return files;
}

std::vector<std::string> names_in(std::string_view path, std::string_view enumeration) {
    for (const SourceFile& file : tree())
        if (file.path == path) return enumerators(file.text, enumeration);
    return {};
}

TEST(Coverage, EveryKindOfFaultIsUsedByAScenarioOrATest) {
    const std::vector<std::string> kinds = names_in("include/fixpoint/sim/scenario.hpp", "FaultKind");
    ASSERT_FALSE(kinds.empty());
    EXPECT_THAT(unused(kinds, tree(), {"scenarios/", "property_tests/"}), IsEmpty());
}

// Scenarios say which recoveries act, and a problem is seen by the recovery that it calls for. What no
// scenario brings about is a gap, and a gap is named in the roadmap until it is closed.
TEST(Coverage, EveryRecoveryIsUsedByAScenarioOrATestOrNamedAsAGap) {
    std::vector<std::string> recoveries = names_in("include/fixpoint/model/problem.hpp", "Recovery");
    ASSERT_FALSE(recoveries.empty());
    std::erase(recoveries, "none");
    const std::vector<std::string> gaps = unused(recoveries, tree(), {"scenarios/", "property_tests/"});
    EXPECT_THAT(unmentioned(gaps, tree(), {"ROADMAP.md"}), IsEmpty())
        << "needs a scenario, or a line in ROADMAP.md";
    EXPECT_EQ(unmentioned(recoveries, tree(), {"ROADMAP.md"}).size(), recoveries.size() - gaps.size())
        << "ROADMAP.md names a recovery as a gap that has its scenario";
}

TEST(Coverage, EveryInvariantHasACheckerAndATestInWhichItFires) {
    const std::vector<std::string> invariants{"I1", "I2", "I3", "I4",  "I5", "I6",
                                              "I7", "I8", "I9", "I10", "I11"};
    EXPECT_THAT(unmentioned(invariants, tree(), {"sim/checkers/"}), IsEmpty());
    EXPECT_THAT(unmentioned(invariants, tree(), {"property_tests/judge/"}), IsEmpty());
    EXPECT_THAT(unmentioned(invariants, tree(), {"engine/INVARIANTS.md"}), IsEmpty());
}

// A name in the list of canaries that weakens nothing would look like a tooth. Those that wait for their
// part, or for somebody's time, stand in a list of their own, and leave it when they are planted.
TEST(Coverage, EveryCanaryIsPlantedOrListedAsMissing) {
    const std::vector<std::string> canaries = names_in("include/fixpoint/engine/canary.hpp", "Canary");
    ASSERT_FALSE(canaries.empty());
    const std::vector<std::string> idle =
        unused(canaries, tree(),
               {"engine/steps/", "engine/decide/", "engine/recoveries/", "engine/op", "engine/s", "engine/v",
                "engine/p", "engine/r", "sim/checkers/oracle.cpp", "sim/fakes/mysql/"});
    const std::vector<std::string> unlisted = unmentioned(idle, tree(), {"engine/canaries/NOT_PLANTED.md"});
    EXPECT_THAT(unlisted, IsEmpty()) << "plant them, or list them in engine/canaries/NOT_PLANTED.md";
    EXPECT_EQ(unmentioned(canaries, tree(), {"engine/canaries/NOT_PLANTED.md"}).size(),
              canaries.size() - idle.size())
        << "engine/canaries/NOT_PLANTED.md lists some that are planted";
}

TEST(Coverage, NoScenarioGeneratorOrCheckerKnowsACanary) {
    for (const std::string& canary : names_in("include/fixpoint/engine/canary.hpp", "Canary"))
        for (const SourceFile& file : tree())
            if ((file.path.starts_with("scenarios/") || file.path.starts_with("sim/checkers/") ||
                 file.path.starts_with("property_tests/support/")) &&
                !file.path.ends_with(".md") &&
                !(file.path == "sim/checkers/oracle.cpp" && canary == "oracle_excuses_everything"))
                EXPECT_FALSE(mentions(file.text, canary)) << file.path << " knows " << canary;
}

}  // namespace
}  // namespace fixpoint::tidy
