// What a run begins with: servers and records as a scenario's `boot` says (converged, unmanaged, blank),
// built by hand through the core's codecs, never by a recovery: a fixture that used the code under test would
// prove nothing about it.
#pragma once

#include <vector>

#include "fixpoint/sim/scenario.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"
#include "sim/world/topology.hpp"

namespace fixpoint::sim {

// The alias' server listens there.
MysqlAddress address_of(const TabletAlias& alias);

// How the scenario's i-th tablet is configured (its file and command line).
mysql::StartOptions start_options(const Scenario& scenario, std::size_t index);

// `servers`: in the order of scenario.tablets, blank and running.
void boot(const Scenario& scenario, const std::vector<mysql::FakeMysql*>& servers, Topology& topology,
          mysql::MysqlWorld& world);

}  // namespace fixpoint::sim
