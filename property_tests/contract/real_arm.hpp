// What tests of the real adapter itself need of the real arm, beyond the face that it shares with the fake.
#pragma once

#include "property_tests/contract/arm.hpp"
#include "real_adapters/mysql/blocking_session.hpp"

namespace fixpoint::contract {

// `arm` is one that make_real_arm() made.
real::BlockingSession root_at(Arm& arm, int server);
real::Login login_of(Arm& arm, Account account);
real::ReplicationCredentials replication_of(Arm& arm);

}  // namespace fixpoint::contract
