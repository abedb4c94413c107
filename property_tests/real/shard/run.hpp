// The door of the harness: one scenario on real servers, from boot to verdict, in the simulator's phases and
// judged by the simulator's judge. A Run, as the simulator gives one, its timeline recorded.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "fixpoint/sim/run.hpp"
#include "property_tests/support/real_servers/real_server.hpp"

namespace fixpoint::real_shards {

struct RealOptions {
    // Called just before the verdict, with everybody's servers: a test of the judge spoils something there.
    std::function<void(const std::vector<contract::RealServer*>&)> meddle = {};
    std::filesystem::path folder;  // of this run alone; "": a temporary one. Removed at the end
    bool keep = false;             // … unless wanted
    Duration hold_at_most = std::chrono::seconds(5);  // the simulator's is longer than the greatest back-off
    Duration refusal_stands = std::chrono::seconds(15);  // likewise, for a justified failure
};

sim::Run run_for_real(const sim::Scenario& scenario, const RealOptions& options = {});

}  // namespace fixpoint::real_shards
