// The arms, and the tests' names: Arms/Contract.<sentence>/real.
#include "property_tests/contract/suite.hpp"

#include <map>

#include "fixpoint/model/assert.hpp"

// Until the fake has its arm.
#if __has_include("property_tests/contract/fake_arm.hpp")
#define FIXPOINT_HAS_FAKE_ARM 1
#else
#define FIXPOINT_HAS_FAKE_ARM 0
#endif

namespace fixpoint::contract {

Arm& arm_of(ArmKind kind) {
    static std::map<ArmKind, std::unique_ptr<Arm>> arms;
    std::unique_ptr<Arm>& arm = arms[kind];
#if FIXPOINT_HAS_FAKE_ARM
    if (!arm && kind == ArmKind::fake) arm = make_fake_arm();
#endif
    if (!arm && kind == ArmKind::real) arm = make_real_arm();
    FIXPOINT_ASSERT(arm, "an arm that does not exist");
    return *arm;
}

namespace {

std::string arm_name(const testing::TestParamInfo<ArmKind>& info) {
    return info.param == ArmKind::fake ? "fake" : "real";
}

#if FIXPOINT_HAS_FAKE_ARM
INSTANTIATE_TEST_SUITE_P(Arms, Contract, testing::Values(ArmKind::fake, ArmKind::real), arm_name);
#else
INSTANTIATE_TEST_SUITE_P(Arms, Contract, testing::Values(ArmKind::real), arm_name);
#endif

}  // namespace

}  // namespace fixpoint::contract
