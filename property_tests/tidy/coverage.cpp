// Reading enumerations and looking for their names: see coverage.hpp.
// An enumerator is an identifier before a comma, an equals sign or the closing brace; that is all the grammar
// needed. Comments are taken out before an enumeration is read.
#include "property_tests/tidy/coverage.hpp"

#include <algorithm>
#include <cctype>

namespace fixpoint::tidy {
namespace {

bool is_word_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

bool mentions(std::string_view text, std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = word.front() == ':' || at == 0 || !is_word_character(text[at - 1]);
        const bool ends = end == text.size() || !is_word_character(text[end]);
        if (begins && ends) return true;
    }
    return false;
}

std::vector<std::string> enumerators(std::string_view text, std::string_view name) {
    const std::string code = without_comments_and_strings(text);
    std::vector<std::string> names;
    const std::size_t head = code.find("enum class " + std::string(name) + " {");
    if (head == std::string::npos) return names;
    const std::size_t open = code.find('{', head);
    const std::size_t close = code.find('}', open);
    std::size_t at = open + 1;
    while (at < close) {
        const std::size_t end = std::min(code.find(',', at), close);
        while (at < end && !is_word_character(code[at])) ++at;
        std::size_t last = at;
        while (last < end && is_word_character(code[last])) ++last;
        if (last > at) names.push_back(code.substr(at, last - at));
        at = end + 1;
    }
    return names;
}

bool uses(std::string_view text, std::string_view enumerator) {
    return text.find('"' + std::string(enumerator) + '"') != std::string_view::npos ||
           (text.find("::" + std::string(enumerator)) != std::string_view::npos &&
            mentions(text, "::" + std::string(enumerator)));
}

namespace {

std::vector<std::string> without(const std::vector<std::string>& names, std::span<const SourceFile> tree,
                                 const std::vector<std::string_view>& folders,
                                 bool (*found_in)(std::string_view, std::string_view)) {
    std::vector<std::string> missing;
    for (const std::string& name : names) {
        const bool found = std::ranges::any_of(tree, [&](const SourceFile& file) {
            const bool here = std::ranges::any_of(
                folders, [&](std::string_view folder) { return file.path.starts_with(folder); });
            return here && found_in(file.text, name);
        });
        if (!found) missing.push_back(name);
    }
    return missing;
}

}  // namespace

std::vector<std::string> unused(const std::vector<std::string>& names, std::span<const SourceFile> tree,
                                const std::vector<std::string_view>& folders) {
    return without(names, tree, folders, uses);
}

std::vector<std::string> unmentioned(const std::vector<std::string>& names, std::span<const SourceFile> tree,
                                     const std::vector<std::string_view>& folders) {
    return without(names, tree, folders, mentions);
}

}  // namespace fixpoint::tidy
