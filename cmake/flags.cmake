# Flags that hold for every target: the language, the warnings, the three build types, the compiler cache.
# Assertions are on in every build type, so none of them defines NDEBUG.
# Definitions that change the layout or inline code of a library stand here and nowhere else: one program, one meaning.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    message(FATAL_ERROR
        "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines (double free, use after free in legal code): "
        "use clang++-19 (cmake --preset release), or g++ 13 or newer.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_ASAN "-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer")
set(CMAKE_EXE_LINKER_FLAGS_ASAN "-fsanitize=address,undefined")

add_compile_options(
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
    -Wimplicit-fallthrough -Wfloat-conversion
    -Wno-missing-field-initializers  # members have defaults: naming some of them is how options are written here
    -ffp-contract=off                # the same numbers on every machine
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options(-Wshorten-64-to-32 -Wno-missing-designated-field-initializers)
    add_link_options(-fuse-ld=lld)
endif()
# Enough cached blocks that a round trip of the simulated world allocates nothing (measured).
add_compile_definitions(BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)

# Paths relative to the tree, so that all build directories of a tree (and its clones) share the cache.
find_program(FIXPOINT_CCACHE ccache)
if(FIXPOINT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${FIXPOINT_CCACHE})
endif()

# People look for the release binaries in build/bin; other build directories keep their own.
set(FIXPOINT_BIN ${CMAKE_BINARY_DIR}/bin)
if(CMAKE_BINARY_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build/release")
    set(FIXPOINT_BIN ${CMAKE_SOURCE_DIR}/build/bin)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${FIXPOINT_BIN})
