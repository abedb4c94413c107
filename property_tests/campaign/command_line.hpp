// Runs the fixpoint-sim of this build and tells its output and its exit code.
#pragma once

#include <string>

#include "property_tests/support/run_program.hpp"

namespace fixpoint::sim {

using fixpoint::testing::Ran;

inline Ran fixpoint_sim(const std::string& arguments) {
    return fixpoint::testing::run_program(
        "cd '" FIXPOINT_SOURCE_DIR "' && '" FIXPOINT_BIN_DIR "/fixpoint-sim' " + arguments);
}

inline std::string last_line(const std::string& text) {
    const std::size_t end = text.find_last_not_of('\n');
    if (end == std::string::npos) return "";
    const std::size_t begin = text.rfind('\n', end);
    return text.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

}  // namespace fixpoint::sim
