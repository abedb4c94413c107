// Runs the fixpoint-sim of this build and tells its output and its exit code.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace fixpoint::sim {

struct Ran {
    int code = -1;
    std::string output;  // both streams
};

inline Ran fixpoint_sim(const std::string& arguments) {
    const std::string command = "cd '" FIXPOINT_SOURCE_DIR "' && '" FIXPOINT_BIN_DIR "/fixpoint-sim' " +
                                arguments + " 2>&1 </dev/null";
    Ran ran;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return ran;
    std::array<char, 4096> buffer{};
    for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        ran.output.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
}

inline std::string last_line(const std::string& text) {
    const std::size_t end = text.find_last_not_of('\n');
    if (end == std::string::npos) return "";
    const std::size_t begin = text.rfind('\n', end);
    return text.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

}  // namespace fixpoint::sim
