// The problem table: one row per problem, in the order of urgency. `diagnose` is pure and returns every row
// that holds, so nothing is shadowed. Adding a recovery is adding a row here and a file in engine/recoveries.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "engine/operation.hpp"
#include "engine/view.hpp"
#include "fixpoint/ports/event_log.hpp"

namespace fixpoint {

struct ProblemRow {
    Problem problem;
    int priority;  // 0: the whole shard; it pre-empts the rest. 4: reported only
    Recovery recovery;
    std::string_view meaning;
    // The tablets of which it holds; one empty alias for a row of the whole shard.
    std::vector<TabletAlias> (*holds)(const View&);
    awaitable<Outcome> (*recover)(Operation&);  // null: reported, never chosen
    bool without_record = false;                // may act although there is no record in force
};

std::span<const ProblemRow> problem_table();
const ProblemRow& row_of(Problem problem);

std::vector<ProblemKey> diagnose(const View& view);
bool still_holds(const View& view, const ProblemKey& key);

}  // namespace fixpoint
