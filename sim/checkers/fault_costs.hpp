// What a kind of fault may cost a server, for all of the judge: a table of kinds, nothing of any run.
#pragma once

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

// What a kind of fault may cost. One row per kind.
enum class Cost {
    nothing,      // cured by the manager, or of no consequence for what is promised
    gone,         // the tablet does not answer: while it lasts, or for good where permanent
    unqualified,  // it came back, or lost what it had received: vouches for nothing until it is qualified
                  // anew
    unfit,        // errant or without part of its data: no candidate any more, but it still receives
    record,       // what is in force is lost: every tablet is needed
    store,        // a store that does not answer: of consequence where permanent
    manager,
    beyond,  // not promised at all
};
Cost cost_of(FaultKind kind);

// After this an acker's acknowledgements may be off, or its former ones be worth nothing.
bool takes_the_mark(FaultKind kind);

// What a server that has lost its own transactions writes then bears their numbers.
bool opens_by_hand(FaultKind kind);

// It may come back with less than it had.
bool may_lose_data(FaultKind kind);

// Its server runs after it, whether or not it ran before.
bool starts_again(FaultKind kind);

}  // namespace fixpoint::sim
