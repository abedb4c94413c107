// Walking the tree and blanking out what is not code: see source_text.hpp.
// Blanks keep their place, so that a finding's line number is the line in the file.
// Files that hold a NUL byte are taken for binary and left out.
#include "property_tests/tidy/source_text.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace fixpoint::tidy {
namespace {

enum class State { code, line_comment, block_comment, string, character };

// A quote between digits (1'000) separates them and opens nothing.
bool is_digit_separator(std::string_view text, std::size_t at) {
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    return at > 0 && at + 1 < text.size() && is_word(text[at - 1]) && is_word(text[at + 1]) &&
           std::isdigit(static_cast<unsigned char>(text[at - 1])) != 0;
}

State after_code(std::string_view text, std::size_t at) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (c == '/' && next == '/') return State::line_comment;
    if (c == '/' && next == '*') return State::block_comment;
    if (c == '"') return State::string;
    if (c == '\'' && !is_digit_separator(text, at)) return State::character;
    return State::code;
}

std::string blank_out(std::string_view text, bool strings_too) {
    std::string out(text);
    State state = State::code;
    const auto blank = [&out](std::size_t at) {
        if (out[at] != '\n') out[at] = ' ';
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        switch (state) {
            case State::code:
                state = after_code(text, at);
                if (state == State::line_comment || state == State::block_comment) {
                    blank(at);
                    blank(++at);  // so that "/*/" does not close itself
                }
                break;
            case State::line_comment:
                blank(at);
                if (c == '\n') state = State::code;
                break;
            case State::block_comment:
                blank(at);
                if (c == '/' && text[at - 1] == '*') state = State::code;
                break;
            case State::string:
            case State::character: {
                const char quote = state == State::string ? '"' : '\'';
                if (c == quote || c == '\n') {
                    state = State::code;
                    break;
                }
                if (strings_too) blank(at);
                if (c == '\\' && at + 1 < text.size()) {
                    ++at;
                    if (strings_too) blank(at);
                }
                break;
            }
        }
    }
    return out;
}

bool is_left_out(const std::filesystem::path& relative) {
    static const std::set<std::string> folders{".git", "build", ".cache"};
    return folders.contains(relative.begin()->string());
}

}  // namespace

std::string without_comments_and_strings(std::string_view text) {
    return blank_out(text, true);
}

std::string without_comments(std::string_view text) {
    return blank_out(text, false);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return lines;
}

std::vector<SourceFile> read_tree(const std::filesystem::path& top) {
    std::vector<SourceFile> files;
    for (auto entry = std::filesystem::recursive_directory_iterator(top);
         entry != std::filesystem::recursive_directory_iterator(); ++entry) {
        const std::filesystem::path relative = std::filesystem::relative(entry->path(), top);
        if (is_left_out(relative)) {
            if (entry->is_directory()) entry.disable_recursion_pending();
            continue;
        }
        if (!entry->is_regular_file()) continue;
        std::ostringstream text;
        text << std::ifstream(entry->path(), std::ios::binary).rdbuf();
        if (text.str().find('\0') == std::string::npos)
            files.push_back({relative.generic_string(), text.str()});
    }
    std::ranges::sort(files);
    return files;
}

}  // namespace fixpoint::tidy
