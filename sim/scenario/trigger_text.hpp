// `when` of a fault: a moment of the run in words, to and from FaultTrigger.
//   statement 3 of emergency_reparent was sent to zone2-200
//   statement 1 ChangeSource of fix_replica by m1 is about to be sent
//   record 2 by m1 was written              commit point 1 is about to be written
//   manager m1 is about to record_primary   notification 17
// "is about to be sent": before it leaves. "was sent": 1 microsecond later, while it is under way.
// "was answered": when its answer has been received.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

// The error says what is not understood and lists the forms.
std::expected<FaultTrigger, std::string> parse_trigger(std::string_view text);

// `was sent` is part of the words; any other `plus` is not (plus_ms beside it).
std::string trigger_text(const FaultTrigger& trigger);
bool plus_is_in_text(const FaultTrigger& trigger);

inline constexpr Duration just_sent = std::chrono::microseconds(1);

// Every name that a statement can be given by.
std::vector<std::string> statement_names();

}  // namespace fixpoint::sim
