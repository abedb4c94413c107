// A question to the oracle about a state made by hand.
#pragma once

#include "property_tests/judge/stage.hpp"
#include "sim/checkers/oracle.hpp"

namespace fixpoint::sim::testing {

// The stage's judge has read the record at the beginning, when every server bore it out.
class Question {
  public:
    explicit Question(int tablets = 3, DurabilityPolicy policy = semi_sync(1)) : stage(tablets, policy) {}
    bool confirms(Reason reason, Problem problem = Problem::dead_primary, int n = 0) const {
        return oracle_confirms({stage.b.state, stage.judge.books()},
                               {problem, n == 0 ? TabletAlias{} : alias_of(n)}, reason);
    }
    Stage stage;
    StateBuilder& b = stage.b;
};

}  // namespace fixpoint::sim::testing
