// The oracle: does the final state bear out a refusal? A table of permitted refusals, one reason and one
// condition each. Why: a failed run is justified only if no correct manager could have converged. It refuses
// to believe the accused: a refusal's text is not read, records count as far as servers bore them out, and of
// what stays out of reach it knows the name only, not the disk.
#pragma once

#include <span>
#include <string_view>

#include "sim/checkers/books.hpp"

namespace fixpoint::sim {

struct OracleInput {
    const WorldState& state;
    const Books& books;
};

struct OracleRow {
    Reason reason{};
    std::string_view permitted_if;  // for people
    bool (*holds)(const OracleInput& input, const ProblemKey& key) = nullptr;
};

std::span<const OracleRow> oracle_table();

// True: the table has a row for the reason, and its condition holds. A reason without a row excuses nothing.
bool oracle_confirms(const OracleInput& input, const ProblemKey& key, Reason reason);

}  // namespace fixpoint::sim
