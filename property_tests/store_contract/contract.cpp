// The two arms, under the names that the tests carry.
#include "property_tests/store_contract/contract.hpp"

namespace fixpoint::store_contract {

std::unique_ptr<Arm> make_arm(ArmKind kind) {
    return kind == ArmKind::fake ? fake_arm() : sqlite_arm();
}

INSTANTIATE_TEST_SUITE_P(Both, StoreContract, testing::Values(ArmKind::fake, ArmKind::sqlite),
                         [](const auto& chosen) {
                             return std::string(chosen.param == ArmKind::fake ? "fake" : "sqlite");
                         });

}  // namespace fixpoint::store_contract
