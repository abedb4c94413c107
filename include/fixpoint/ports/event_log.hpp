// What a manager says about what it does: the history for operators, and what the judge reads of it (I7, I9).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fixpoint/model/problem.hpp"
#include "fixpoint/model/tablet.hpp"
#include "fixpoint/model/time.hpp"

namespace fixpoint {

// (row, tablet): the key of back-off, of success and of refusal. A shard-wide row has no tablet.
struct ProblemKey {
    Problem problem{};
    TabletAlias tablet;
    auto operator<=>(const ProblemKey&) const = default;
};

enum class EventKind {
    looked,            // `problems` holds all rows that hold; text: a digest
    recovery_began,
    step,              // text: the step in words
    recovery_succeeded,
    recovery_refused,  // reason and text
    recovery_failed,   // an error; text
    commit_point,      // Fixpoint has recorded a new primary: text "zone1-101 term 3"
    reported,          // something for a person: text
    lock_taken,
    lock_released,
};
std::string_view to_string(EventKind kind);

struct Event {
    EventKind kind{};
    std::string operation;              // id, one per operation, "" outside of one
    ProblemKey key;
    Recovery recovery = Recovery::none;
    Reason reason = Reason::none;
    std::string text;
    std::vector<ProblemKey> problems;   // `looked` only
};

class EventLog {
  public:
    virtual ~EventLog() = default;
    virtual void append(Event event) = 0;
    // False: `step` and `looked` texts need not be made (a campaign).
    virtual bool wants_text() const { return true; }
};

}  // namespace fixpoint
