// fixpoint-sim problems: the core's problem table, as text or as Markdown for the manual.
#include <fmt/format.h>

#include "engine/problem_table.hpp"
#include "sim/main/commands.hpp"

namespace fixpoint::sim {

int print_problems(bool markdown) {
    if (markdown) fmt::print("| priority | problem | holds when | recovery |\n|---|---|---|---|\n");
    for (const ProblemRow& row : problem_table()) {
        const std::string_view recovery =
            row.recovery == Recovery::none ? "reported" : to_string(row.recovery);
        if (markdown) {
            fmt::print("| {} | `{}` | {} | {} |\n", row.priority, to_string(row.problem), row.meaning,
                       recovery);
        } else {
            fmt::print("{} {:<30} {:<26} {}\n", row.priority, to_string(row.problem), recovery, row.meaning);
        }
    }
    return 0;
}

}  // namespace fixpoint::sim
