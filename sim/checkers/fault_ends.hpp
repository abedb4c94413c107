// When a delivered fault was over: one rule for all of the judge. Why one: whether a tablet was still gone, a
// store still down or a transaction still open is asked in several places, and must have one answer.
// It refuses to know what a manager did: a drift by hand is over at once, curing it is the managers' work.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "fixpoint/model/records.hpp"
#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

// What was in force is shared, not copied, by all that refer to it.
using RecordInForce = std::shared_ptr<const FixpointRecord>;

struct DeliveredFault {
    Instant at;
    Fault fault;
    RecordInForce in_force;  // when it was delivered; null: nothing
};

// At once (a start: when it had taken its time), after its time, when a later one of `all` undid it, or with
// all faults (`ceased`; none: not known, or not yet): whichever came first. None: it goes on.
std::optional<Instant> over(const DeliveredFault& one, const std::vector<DeliveredFault>& all,
                            std::optional<Instant> ceased);

}  // namespace fixpoint::sim
