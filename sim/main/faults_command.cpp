// fixpoint-sim faults: the fault table, as text or as the Markdown that stands in scenarios/README.md.
#include <fmt/format.h>

#include "sim/faults/fault_table.hpp"
#include "sim/main/commands.hpp"

namespace fixpoint::sim {

int print_faults(bool markdown) {
    if (markdown) {
        fmt::print("{}", fault_table_markdown());
        return 0;
    }
    for (const FaultRow& row : fault_table()) {
        std::string keys;
        for (const FaultParameter& parameter : row.parameters) {
            keys +=
                parameter.needed ? fmt::format(" {}", parameter.key) : fmt::format(" [{}]", parameter.key);
        }
        fmt::print("{:<12} {:<26}{}\n{:>13}{}\n", to_string(row.group), row.name, keys, "", row.meaning);
    }
    return 0;
}

}  // namespace fixpoint::sim
