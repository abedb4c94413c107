// The figures that the bench prints, each measured by one function. Wall time is read here and nowhere else
// in sim/: the bench is not part of any run.
#pragma once

namespace fixpoint::sim {

// Timed events per second of the scheduler alone: no coroutines, no network, no trace; event hash on.
double bare_scheduler_events_per_second();

// Round trips per second between two processes over the network, each an awaited operation with a time limit
// that is taken back: what a statement costs the simulator before anybody looks at it.
double round_trips_per_second();

}  // namespace fixpoint::sim
