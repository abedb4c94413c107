# Which compiler builds Fixpoint, chosen before project() looks for one.
# clang++-19 is the project's compiler because g++ 12 miscompiles coroutines (double frees in legal code).
# This file never overrides a compiler that was asked for; flags.cmake refuses the ones that are known to be wrong.
if(NOT DEFINED CMAKE_CXX_COMPILER AND "$ENV{CXX}" STREQUAL "")
    find_program(FIXPOINT_CLANG clang++-19)
    if(FIXPOINT_CLANG)
        set(CMAKE_CXX_COMPILER ${FIXPOINT_CLANG})
    endif()
endif()
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or Asan" FORCE)
endif()
