// A program run as a person runs it, by a shell: what it says and what it returns.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace fixpoint::testing {

struct Ran {
    int code = -1;       // 128 and more: a signal ended it
    std::string output;  // both streams
};

inline Ran run_program(const std::string& command) {
    Ran ran;
    FILE* pipe = ::popen(("{ " + command + "; } 2>&1 </dev/null").c_str(), "r");
    if (pipe == nullptr) return ran;
    std::array<char, 4096> buffer{};
    for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        ran.output.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
}

}  // namespace fixpoint::testing
