// See text.hpp.
#include "real_adapters/daemon/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace fixpoint::real {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row[b.size()];
}

std::string escaped_as_literal(const std::string& secret) {
    std::string text;
    for (const char c : secret) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

void replace_all(std::string& text, const std::string& from) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 3))
        text.replace(at, from.size(), "***");
}

}  // namespace

std::string nearest(std::string_view text, const std::vector<std::string>& names) {
    std::string best;
    std::size_t least = std::max<std::size_t>(2, text.size() / 2) + 1;
    for (const std::string& name : names) {
        const std::size_t distance = edit_distance(text, name);
        if (distance < least) {
            least = distance;
            best = name;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view text, const std::vector<std::string>& names) {
    const std::string name = nearest(text, names);
    return name.empty() ? std::string() : fmt::format(" (did you mean {}?)", name);
}

std::string age_text(Duration age) {
    const std::int64_t ms = to_ms(age);
    if (ms < 1'000) return fmt::format("{} ms", ms);
    if (ms < 120'000) return fmt::format("{} s", ms / 1'000);
    if (ms < 7'200'000) return fmt::format("{} min", ms / 60'000);
    return fmt::format("{} h", ms / 3'600'000);
}

std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        if (row.size() > widths.size()) widths.resize(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line(indent);
        for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    return fmt::format("{}", fmt::join(words, separator));
}

Redactor::Redactor(std::vector<std::string> secrets) {
    for (std::string& secret : secrets) {
        if (secret.empty()) continue;
        const std::string escaped = escaped_as_literal(secret);
        if (escaped != secret) secrets_.push_back(escaped);
        secrets_.push_back(std::move(secret));
    }
}

std::string Redactor::operator()(std::string text) const {
    for (const std::string& secret : secrets_) replace_all(text, secret);
    return text;
}

}  // namespace fixpoint::real
