// What a command tells the shell that called it. Scripts rest on these numbers: they are never given another
// meaning.
#pragma once

namespace fixpoint::real {

enum class ExitCode {
    done = 0,           // and verified: converged (plan, status, check: nothing abnormal)
    own_fault = 1,      // the store cannot be reached, or a fault of our own
    refused = 2,        // before any change: bad input, bad configuration, a precondition, somebody's lock
    not_converged = 3,  // in time (plan, status, check: something is abnormal)
    led_back = 4,       // failed, and the shard is verified to be as it was
    unknown = 5,        // an answer was lost, or a limit passed: look at `status`
};

}  // namespace fixpoint::real
