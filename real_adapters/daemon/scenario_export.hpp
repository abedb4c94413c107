// The history of a shard as a scenario for the simulator: each operation becomes the fault that asks for it,
// at the time at which it was asked for (long quiet times are cut short). What no fault of the simulator
// makes is left out and named. Values in, text out; the servers are not asked.
#pragma once

#include <string>
#include <vector>

#include "fixpoint/model/durability.hpp"
#include "fixpoint/model/records.hpp"
#include "real_adapters/daemon/history.hpp"

namespace fixpoint::real {

struct ExportedShard {
    ShardName name;
    DurabilityPolicy policy;
    std::vector<Tablet> tablets;
    Goal goal;
};

// `entries` of that shard, from its beginning, oldest first; exported are the operations from `from` on.
std::string scenario_of(const ExportedShard& shard, const std::vector<HistoryEntry>& entries,
                        const std::string& from);

}  // namespace fixpoint::real
