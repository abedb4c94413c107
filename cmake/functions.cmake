# The few words that CMakeLists.txt is written in: sources, library, protobuf, executable.
# Each tolerates a folder without sources: the library becomes an empty interface, the executable is skipped.
# Nothing here knows which library may link which; that stands in CMakeLists.txt.

# fixpoint_sources(<variable> <folder>... [EXCEPT <folder>...]): all .cpp below the folders.
function(fixpoint_sources variable)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXCEPT")
    set(found)
    foreach(folder ${arg_UNPARSED_ARGUMENTS})
        file(GLOB_RECURSE here CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
        list(APPEND found ${here})
    endforeach()
    foreach(folder ${arg_EXCEPT})
        list(FILTER found EXCLUDE REGEX "^${CMAKE_SOURCE_DIR}/${folder}/")
    endforeach()
    set(${variable} ${found} PARENT_SCOPE)
endfunction()

# fixpoint_library(<name> [CANARIES] SOURCES ... LINKS ...): static; CANARIES plants the weaknesses, built on demand.
function(fixpoint_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "CANARIES" "" "SOURCES;LINKS")
    if(NOT arg_SOURCES)
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${arg_LINKS})
        return()
    endif()
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC ${arg_LINKS})
    if(arg_CANARIES)
        target_compile_definitions(${name} PUBLIC FIXPOINT_CANARIES)
        set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endfunction()

# fixpoint_protobuf(<name> <folder>): records of other people's making; their generated code is not ours to warn about.
# A file imports another, and a source includes one, by its path from the top: "engine/records/proto/x.proto".
function(fixpoint_protobuf name folder)
    file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.proto)
    set(generated)
    foreach(proto ${protos})
        cmake_path(GET proto STEM stem)
        set(base ${CMAKE_BINARY_DIR}/generated/${folder}/${stem}.pb)
        add_custom_command(
            OUTPUT ${base}.cc ${base}.h
            COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
            COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR} --cpp_out=${CMAKE_BINARY_DIR}/generated ${proto}
            DEPENDS ${protos} VERBATIM)
        list(APPEND generated ${base}.cc ${base}.h)
    endforeach()
    fixpoint_library(${name} SOURCES ${generated} LINKS protobuf::libprotobuf)
    if(generated)
        target_compile_options(${name} PRIVATE -w)
        target_include_directories(${name} SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/generated)
    endif()
endfunction()

# fixpoint_executable(<name> [CANARIES] FROM <folder> LINKS ...)
function(fixpoint_executable name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "CANARIES" "FROM" "LINKS")
    fixpoint_sources(sources ${arg_FROM})
    if(NOT sources)
        return()
    endif()
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE ${arg_LINKS})
    if(arg_CANARIES)
        target_compile_definitions(${name} PRIVATE FIXPOINT_CANARIES)
        set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endfunction()

# The MySQL C API, whichever of the two client libraries the system has.
find_package(PkgConfig REQUIRED)
pkg_search_module(MYSQL_CLIENT REQUIRED IMPORTED_TARGET mysqlclient libmysqlclient libmariadb mariadb)
add_library(mysql_client ALIAS PkgConfig::MYSQL_CLIENT)
