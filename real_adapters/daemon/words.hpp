// The runbook in words: what a recovery does, step by step, and what a person can do about a problem or a
// refusal. Text only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/engine/report.hpp"

namespace fixpoint::real {

std::vector<std::string_view> steps_of(Recovery recovery);
// What a person does about it; empty where the core does it.
std::string remedy_of(const ProblemReport& problem);
std::string remedy_of(Reason reason);
std::string remedy_of(const TabletReport& tablet);  // why it is not managed, or lets nobody in

// Whether the core has nothing left to do: what still stands is a person's matter, or takes time.
bool is_settled(const ShardReport& report);

}  // namespace fixpoint::real
