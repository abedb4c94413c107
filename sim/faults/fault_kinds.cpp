// What is asked about a kind of fault: its row, its words, whether it ceases; and the table as a manual shows
// it. The rows themselves are in fault_table.cpp.
#include <algorithm>
#include <array>

#include "fixpoint/model/assert.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {

using enum FaultKind;

std::string_view to_string(FaultGroup group) {
    static constexpr std::array<std::string_view, 7> words{"network",     "statement", "tablet", "drift",
                                                           "declaration", "store",     "manager"};
    return words[static_cast<std::size_t>(group)];
}

const FaultRow& fault_row(FaultKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    FIXPOINT_ASSERT(index < fault_table().size() && fault_table()[index].kind == kind,
                    "the fault table has a row for each kind, in order");
    return fault_table()[index];
}

std::string_view to_string(FaultKind kind) {
    return fault_row(kind).name;
}

std::optional<FaultKind> parse_fault_kind(std::string_view name) {
    for (const FaultRow& row : fault_table()) {
        if (row.name == name) return row.kind;
    }
    return std::nullopt;
}

bool is_environment(FaultKind kind) {
    switch (fault_row(kind).group) {
        case FaultGroup::network:
        case FaultGroup::statement:
        case FaultGroup::store:
        case FaultGroup::manager:
            return true;
        case FaultGroup::drift:
        case FaultGroup::declaration:
            return false;
        case FaultGroup::tablet:
            break;
    }
    switch (kind) {
        case relay_log_lost:
        case relay_log_hole:
        case torn_relay_log:
        case applier_error:
        case restart_without_persisted:
            return false;  // their traces stay
        default:
            return true;
    }
}

bool heals(const Fault& heal, const Fault& fault) {
    const auto touches = [&](const std::vector<std::string>& names) {
        const auto is_named = [&](const std::string& name) {
            return std::ranges::find(names, name) != names.end();
        };
        return names.empty() || std::ranges::any_of(fault.from_set, is_named) ||
               std::ranges::any_of(fault.to_set, is_named);
    };
    return heal.kind == FaultKind::heal && fault_row(fault.kind).group == FaultGroup::network &&
           touches(heal.from_set) && touches(heal.to_set);
}

std::string fault_table_markdown() {
    std::string text;
    std::optional<FaultGroup> group;
    for (const FaultRow& row : fault_table()) {
        if (row.group != group) {
            if (group) text += "\n";
            text += "**" + std::string(to_string(row.group)) +
                    "**\n\n| fault | parameters | what it does |\n|---|---|---|\n";
        }
        group = row.group;
        std::string keys;
        for (const FaultParameter& parameter : row.parameters) {
            if (!keys.empty()) keys += ", ";
            keys += "`" + std::string(parameter.key) + "`" + (parameter.needed ? "" : "?");
        }
        text += "| `" + std::string(row.name) + "` | " + keys + " | " + std::string(row.meaning) + " |\n";
    }
    return text;
}

}  // namespace fixpoint::sim
