// fixpoint-real campaign: random small runs, drawn by the simulator's own generator and restricted to what
// can be done for real; each also simulated. Counts verdicts and faults; what is not as it should be leaves
// its scenario and its story behind.
#pragma once

#include <cstdint>
#include <string>

namespace fixpoint::real_shards {

struct CampaignCommand {
    std::uint64_t runs = 10;
    std::uint64_t first = 1;
    int jobs = 2;
    double minutes = 0;  // 0: no limit
    std::string save;    // a folder that is there
};

// 0: no violation; 5: some; 1: the harness itself failed.
int campaign(const CampaignCommand& command);

}  // namespace fixpoint::real_shards
