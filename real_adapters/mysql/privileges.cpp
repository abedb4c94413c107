// Reads GRANT and REVOKE lines as the server prints them: GRANT a, b ON `db`.* TO `user`@`host` …
#include "real_adapters/mysql/privileges.hpp"

#include <array>
#include <optional>
#include <set>
#include <string_view>

namespace fixpoint::real {

namespace {

struct Needed {
    std::string_view privilege;
    std::string_view database;  // "*": on all
};

constexpr std::array<Needed, 12> needed{{
    {"PROCESS", "*"},
    {"RELOAD", "*"},
    {"REPLICATION CLIENT", "*"},
    {"SYSTEM_USER", "*"},
    {"CONNECTION_ADMIN", "*"},
    {"SYSTEM_VARIABLES_ADMIN", "*"},
    {"PERSIST_RO_VARIABLES_ADMIN", "*"},
    {"REPLICATION_SLAVE_ADMIN", "*"},
    {"SELECT", "fixpoint"},
    {"INSERT", "fixpoint"},
    {"CREATE", "fixpoint"},
    {"DROP", "fixpoint_nudge"},
}};

struct Line {
    bool revoke = false;
    std::set<std::string, std::less<>> privileges;
    std::string database;  // "*", or a pattern
};

// SQL's LIKE with its escape, as the server matches the database of a grant.
bool matches(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '%') {
        for (std::size_t skip = 0; skip <= text.size(); ++skip) {
            if (matches(pattern.substr(1), text.substr(skip))) return true;
        }
        return false;
    }
    if (text.empty()) return false;
    if (pattern[0] == '\\' && pattern.size() > 1) {
        return pattern[1] == text[0] && matches(pattern.substr(2), text.substr(1));
    }
    return (pattern[0] == '_' || pattern[0] == text[0]) && matches(pattern.substr(1), text.substr(1));
}

// Lines about single tables, routines and roles are none of ours: nothing.
std::optional<Line> read_line(std::string_view text) {
    Line line;
    if (text.starts_with("REVOKE ")) {
        line.revoke = true;
        text.remove_prefix(7);
    } else if (text.starts_with("GRANT ")) {
        text.remove_prefix(6);
    } else {
        return {};
    }
    const std::size_t on = text.find(" ON ");
    if (on == std::string_view::npos) return {};
    std::string_view list = text.substr(0, on);
    std::string_view object = text.substr(on + 4);
    if (list.find('(') != std::string_view::npos) return {};  // columns
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        std::string_view word = list.substr(0, comma);
        while (word.starts_with(' ')) word.remove_prefix(1);
        line.privileges.emplace(word);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    if (object.starts_with("*.* ")) {
        line.database = "*";
        return line;
    }
    if (!object.starts_with('`')) return {};
    const std::size_t end = object.find("`.* ", 1);
    if (end == std::string_view::npos) return {};
    line.database = object.substr(1, end - 1);
    return line;
}

bool names(const Line& line, std::string_view privilege) {
    return line.privileges.contains(privilege) ||
           (line.privileges.contains("ALL PRIVILEGES") && privilege != "SYSTEM_USER");
}

bool is_granted(const std::vector<Line>& lines, const Needed& need) {
    bool everywhere = false;
    bool here = false;
    bool revoked_here = false;
    for (const Line& line : lines) {
        if (!names(line, need.privilege)) continue;
        if (line.database == "*") {
            everywhere = everywhere || !line.revoke;
        } else if (need.database != "*" && matches(line.database, need.database)) {
            here = here || !line.revoke;
            revoked_here = revoked_here || line.revoke;
        }
    }
    return here || (everywhere && !revoked_here);
}

}  // namespace

std::vector<std::string> missing_privileges(const std::vector<std::string>& grants) {
    std::vector<Line> lines;
    for (const std::string& grant : grants) {
        if (std::optional<Line> line = read_line(grant)) lines.push_back(*std::move(line));
    }
    std::vector<std::string> missing;
    for (const Needed& need : needed) {
        if (is_granted(lines, need)) continue;
        const std::string object = need.database == "*" ? "*" : '`' + std::string(need.database) + '`';
        missing.push_back(std::string(need.privilege) + " ON " + object + ".*");
    }
    return missing;
}

}  // namespace fixpoint::real
