// FIXPOINT_ASSERT(condition, "message"): what only a bug of ours can break.
// On in every build: a simulator that trusts a broken state proves nothing, and a manager that acts on one does harm.
// What MySQL, a store or a user can cause is never an assertion; it is a value or an exception.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace fixpoint {

[[noreturn]] inline void assertion_failed(const char* file, int line, const char* condition, const char* message) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, message, condition);
    std::fflush(stderr);
    std::abort();
}

}  // namespace fixpoint

#define FIXPOINT_ASSERT(condition, message)                                            \
    (static_cast<bool>(condition) ? static_cast<void>(0)                               \
                                  : ::fixpoint::assertion_failed(__FILE__, __LINE__, #condition, message))
