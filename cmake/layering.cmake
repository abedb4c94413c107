# The layering, checked by the compiler and the linker: each public header compiles alone, each library links with
# only what it declares. Built with everything else, so a wrong arrow is a build error and not a review comment.
# What these cannot see (which folder includes which) is in property_tests/tidy.
