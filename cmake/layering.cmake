# The layering, checked by the compiler and the linker: each public header compiles alone, each library links with
# only what it declares. Built with everything else, so a wrong arrow is a build error and not a review comment.
# Which folder may include which is the tidy test's affair (property_tests/tidy), what a binary mentions linkage's.

# Every public header as a source of its own.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/include include/*.hpp)
set(alone)
foreach(header ${headers})
    set(source ${CMAKE_BINARY_DIR}/generated/headers_alone/${header}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
    list(APPEND alone ${source})
endforeach()
add_library(headers_alone OBJECT ${alone})
target_link_libraries(headers_alone PRIVATE Boost::headers)

# Every library whole, with what it declares and nothing else: a symbol of another part stays undefined.
foreach(library model engine sim reports real_support real_mysql real_sqlite real_daemon)
    get_target_property(type fixpoint_${library} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
        add_executable(links_alone_${library} cmake/links_alone.cpp)
        target_link_libraries(links_alone_${library} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,fixpoint_${library}>)
        if(library STREQUAL "sim")  # its world runs the core, through the core's doors
            target_link_libraries(links_alone_sim PRIVATE fixpoint_engine)
        endif()
        set_target_properties(links_alone_${library} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/layering)
        list(APPEND archives "{\"${library}\", \"$<TARGET_FILE:fixpoint_${library}>\"},")
    endif()
endforeach()

# What the linkage test reads: the libraries, and the simulator's binary.
if(TARGET test_linkage)
    list(JOIN archives "\n" archives)
    file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/generated/linkage/archives.inc CONTENT "${archives}\n")
    target_include_directories(test_linkage PRIVATE ${CMAKE_BINARY_DIR}/generated/linkage)
    foreach(library model engine sim reports real_support real_mysql real_sqlite real_daemon)
        add_dependencies(test_linkage fixpoint_${library})
    endforeach()
    if(TARGET fixpoint-sim)
        add_dependencies(test_linkage fixpoint-sim)
    endif()
endif()
