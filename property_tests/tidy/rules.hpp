// The project's rules about its own source, one function each: what a file may include, what it may not use,
// how it begins, how long it may get. A rule is a pure function of a file, so each is tested on a made-up
// one. A rule that cannot say what to do instead is no rule: every finding names the way out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "property_tests/tidy/source_text.hpp"

namespace fixpoint::tidy {

struct Finding {
    std::string path;
    std::size_t line = 0;  // from 1; 0 where the whole file is meant
    std::string what;
};

// A folder includes its own headers and include/; inside include/fixpoint: model <- ports <- engine <- sim.
// Only main files (sim/main, sim/bench, real_adapters/main) and tests wire the parts together.
std::vector<Finding> check_include_arrows(const SourceFile& file);

// Narrow Asio headers, and json.hpp in .cpp files: both cost every includer seconds.
std::vector<Finding> check_costly_includes(const SourceFile& file);

// Asio stays where coroutines are: the values, the fakes, the judges and the reports do not meet it, not even
// by way of another header. A finding shows the way.
std::vector<Finding> check_asio_reach(std::span<const SourceFile> tree);

// Wall clocks, chance, threads, hash order, address order, detached work: not in engine, sim and their
// headers.
std::vector<Finding> check_banned_words(const SourceFile& file);

// A test that is skipped or switched off, or that sleeps where it could wait for a condition, tests nothing.
std::vector<Finding> check_tests_are_honest(const SourceFile& file);

// Nothing names the machine it was written on, or where its packages came from.
std::vector<Finding> check_stands_alone(const SourceFile& file);

// A source opens with a comment that says what it is.
std::vector<Finding> check_opens_with_comment(const SourceFile& file);

inline constexpr std::size_t long_file_lines = 400;  // worth a look
inline constexpr std::size_t too_long_lines = 700;   // a finding
std::vector<Finding> check_length(const SourceFile& file);

}  // namespace fixpoint::tidy
