// The table of faults: one row for each FaultKind, with its name in a scenario file, what it does, and which
// parameters it takes under which keys. The codec, the manual and the `faults` command read it, so a fault
// that is not described here can be neither written nor read. It refuses to say how a fault is delivered:
// that is the nemesis' work.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/sim/scenario.hpp"

namespace fixpoint::sim {

enum class FaultGroup { network, statement, tablet, drift, declaration, store, manager };
std::string_view to_string(FaultGroup group);

// Which member of Fault a parameter fills.
enum class FaultField {
    tablet,
    to_tablet,
    manager,
    cell,
    from_set,
    to_set,
    for_time,
    amount,
    permille,
    number,
    text
};

struct FaultParameter {
    FaultField field{};
    std::string_view key;  // in JSON; times end in _ms
    bool needed = false;
};

struct FaultRow {
    FaultKind kind{};
    std::string_view name;  // in JSON
    FaultGroup group{};
    std::vector<FaultParameter> parameters;
    std::string_view meaning;
};

// In the order of FaultKind, none missing.
std::span<const FaultRow> fault_table();
const FaultRow& fault_row(FaultKind kind);
std::string_view to_string(FaultKind kind);
std::optional<FaultKind> parse_fault_kind(std::string_view name);

// Of the environment: ceases when faults cease, unless permanent. Every other kind (drift, declarations, what
// was lost for good) is the managers' work to cure.
bool is_environment(FaultKind kind);

// `heal` undoes that fault of the network, if it is one of a link between the two sets (an empty one: any).
bool heals(const Fault& heal, const Fault& fault);

// The table as Markdown, for scenarios/README.md.
std::string fault_table_markdown();

}  // namespace fixpoint::sim
