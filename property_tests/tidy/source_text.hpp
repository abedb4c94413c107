// The source tree as text, for the tidy test: which files there are, and their code without comments and
// strings. Rules look at code, so a comment that explains why a clock is banned does not trip over the ban.
// It is no parser: raw strings and line splices inside tokens are beyond it, and no rule needs them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint::tidy {

struct SourceFile {
    std::string path;  // relative to the top of the tree, with forward slashes
    std::string text;

    auto operator<=>(const SourceFile&) const = default;
};

// Every text file of the project, in order of path. What is built (build/) and what git keeps (.git/) is not
// in it.
std::vector<SourceFile> read_tree(const std::filesystem::path& top);

// The same number of lines, with comments and the insides of string and character literals blanked out.
std::string without_comments_and_strings(std::string_view text);

// The same number of lines, with comments blanked out and strings kept (an include is a string).
std::string without_comments(std::string_view text);

std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace fixpoint::tidy
