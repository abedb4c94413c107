// The nearest known word to a misspelt one, for error messages. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fixpoint::sim {

// Insertions, deletions, replacements and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);

// `did you mean "x"?`, or `known: a, b, c` where nothing is near.
std::string suggest(std::string_view word, const std::vector<std::string>& known);

}  // namespace fixpoint::sim
