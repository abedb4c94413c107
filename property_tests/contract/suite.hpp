// What every contract test stands on: one body, run once on each arm. The arm outlives the tests (real
// servers cost seconds to start); a world does not (start_servers makes a new one).
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "property_tests/contract/arm.hpp"

namespace fixpoint::contract {

enum class ArmKind { fake, real };

// Made at its first use, ended when the program ends.
Arm& arm_of(ArmKind kind);

class Contract : public testing::TestWithParam<ArmKind> {
  protected:
    Arm& arm() { return arm_of(GetParam()); }
    Uuid server_uuid(Session& session) {
        return arm().run(session, sql::Look{{"any", "0"}}).server.server_uuid;
    }
};

}  // namespace fixpoint::contract
