// Which names of the project are used by its tests: a kind of fault that no scenario and no test uses, an
// invariant that no test breaks, would be dead without anybody noticing. Names are read from the enumerations
// themselves, so a new one is asked for at once. Whether a test is any good cannot be seen here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "property_tests/tidy/source_text.hpp"

namespace fixpoint::tidy {

// The enumerators of `enum class <name>` in the text, in order; empty where there is no such enumeration.
std::vector<std::string> enumerators(std::string_view text, std::string_view name);

// Whether the word stands in the text on its own (comments count: what a JSON file says is no code).
bool mentions(std::string_view text, std::string_view word);

// Whether the text uses the enumerator: written in quotes (a scenario, a table) or with its scope (code).
bool uses(std::string_view text, std::string_view enumerator);

// The enumerators that no file of these folders uses, in order.
std::vector<std::string> unused(const std::vector<std::string>& names, std::span<const SourceFile> tree,
                                const std::vector<std::string_view>& folders);

// The names that no file of these folders mentions, in order.
std::vector<std::string> unmentioned(const std::vector<std::string>& names, std::span<const SourceFile> tree,
                                     const std::vector<std::string_view>& folders);

}  // namespace fixpoint::tidy
