// The rules, as tables where they are tables: see rules.hpp.
// Adding a ban is adding a row with its replacement. Exceptions are folders, never single files:
// a file that needs one is in the wrong folder.
#include "property_tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <regex>
#include <span>
#include <utility>

namespace fixpoint::tidy {
namespace {

bool in_folder(std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

bool in_any(std::string_view path, std::span<const std::string_view> folders) {
    return std::ranges::any_of(folders, [path](std::string_view folder) { return in_folder(path, folder); });
}

bool is_cpp(std::string_view path) {
    return path.ends_with(".hpp") || path.ends_with(".cpp");
}

// The mains that wire the parts together, and with them everything that may know more than one part.
bool is_wiring(std::string_view path) {
    static constexpr std::array<std::string_view, 4> folders{"sim/main", "sim/bench", "real_adapters/main",
                                                             "property_tests"};
    return in_any(path, folders);
}

struct Arrow {
    std::string_view from;
    std::vector<std::string_view> to;
};

// The first row whose folder holds the file applies, so the narrow rows come first.
const std::vector<Arrow>& arrows() {
    static const std::vector<Arrow> table{
        {"include/fixpoint/model", {"fixpoint/model"}},
        {"include/fixpoint/ports", {"fixpoint/model", "fixpoint/ports"}},
        {"include/fixpoint/engine", {"fixpoint/model", "fixpoint/ports", "fixpoint/engine"}},
        {"include/fixpoint/sim", {"fixpoint/model", "fixpoint/ports", "fixpoint/engine", "fixpoint/sim"}},
        {"engine/model", {"engine/model", "fixpoint/model", "fixpoint/ports"}},
        {"engine", {"engine", "fixpoint/model", "fixpoint/ports", "fixpoint/engine"}},
        {"sim/core", {"sim/core", "fixpoint/model", "fixpoint/sim"}},
        {"sim", {"sim", "fixpoint/model", "fixpoint/ports", "fixpoint/engine", "fixpoint/sim"}},
        {"reports", {"reports", "fixpoint/model", "fixpoint/engine", "fixpoint/sim"}},
        {"real_adapters", {"real_adapters", "fixpoint/model", "fixpoint/ports", "fixpoint/engine"}},
    };
    return table;
}

struct Ban {
    std::vector<std::string_view> words;  // whole words, in code without comments and strings
    std::string_view instead;
    bool mains_too = false;         // the mains of the simulator may measure wall time, fork and read files
    const char* pattern = nullptr;  // what the line must match as well, where a word is not enough
};

const std::vector<Ban>& bans() {
    static const std::vector<Ban> table{
        {{"system_clock", "steady_clock", "high_resolution_clock", "file_clock", "utc_clock", "gettimeofday",
          "clock_gettime", "std::time", "localtime", "gmtime"},
         "ports/clock is the only time there is"},
        {{"steady_timer", "system_timer", "high_resolution_timer", "waitable_timer", "basic_waitable_timer"},
         "the clock's sleep_until (an Asio timer starts a thread and uses wall time)"},
        {{"this_thread", "usleep", "nanosleep"}, "the clock's sleep_until"},
        {{"random_device", "rand(", "srand(", "drand48("}, "a named stream of the chooser", true},
        {{"std::shuffle", "std::sample", "ranges::shuffle", "ranges::sample"},
         "the chooser's own draws (the standard's differ between libraries)",
         true},
        {{"_distribution"},
         "the chooser's own draws (the standard's differ between libraries)",
         true,
         R"(\bstd::\w+_distribution\b)"},
        {{"std::thread", "std::jthread", "std::async", "std::mutex", "std::recursive_mutex",
          "std::shared_mutex", "std::condition_variable", "pthread_create"},
         "one thread: the executor orders the work"},
        {{"unordered_map", "unordered_set", "unordered_multimap", "unordered_multiset"},
         "std::map, std::set or a sorted vector (hash order is no order)",
         true},
        {{"std::hash"}, "the event hash of sim/core, or an ordered container", true},
        {{"std::map<", "std::set<", "std::multimap<", "std::multiset<"},
         "a key with an order of its own (addresses differ between runs)",
         true,
         R"(std::(multi)?(map|set)<\s*(const\s+)?[\w:]+(\s+const)?\s*\*)"},
        {{"detached"},
         "an operation that owns what it starts and joins it (detached work outlives its lock)",
         true,
         R"(asio::detached|[,(]\s*detached\s*\))"},
        {{"io_context"}, "the executor that was handed in"},
    };
    return table;
}

// Only the core: it has no files, no environment and no console.
const std::vector<Ban>& core_bans() {
    static const std::vector<Ban> table{
        {{"ifstream", "ofstream", "fstream", "fopen"}, "a port (the core reads and writes no files)"},
        {{"getenv", "secure_getenv"}, "the goal or the options that main hands in"},
        {{"std::cout", "std::cerr", "std::clog", "printf"}, "the event log port"},
    };
    return table;
}

bool is_word_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Where the word stands in the line on its own; a leading or trailing '_', '(' or '<' of the word is its own
// boundary.
bool has_word(std::string_view line, std::string_view word) {
    for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool begins = word.front() == '_' || at == 0 || !is_word_character(line[at - 1]);
        const bool ends = word.back() == '_' || !is_word_character(word.back()) || end == line.size() ||
                          !is_word_character(line[end]);
        if (begins && ends) return true;
    }
    return false;
}

void find_ban(const SourceFile& file, std::string_view code, const Ban& ban, std::vector<Finding>& findings) {
    for (const std::string_view word : ban.words) {
        if (code.find(word) == std::string_view::npos) continue;  // nearly always, and much faster than lines
        std::size_t number = 0;
        for (const std::string_view line : lines_of(code)) {
            ++number;
            if (!has_word(line, word)) continue;
            if (ban.pattern != nullptr &&
                !std::regex_search(line.begin(), line.end(), std::regex(ban.pattern)))
                continue;
            findings.push_back({file.path, number, std::string(word) + ": use " + std::string(ban.instead)});
        }
    }
}

struct Include {
    std::size_t line;
    std::string target;
    bool quoted;
};

std::vector<Include> includes_of(const SourceFile& file) {
    static const std::regex regex(R"(^\s*#\s*include\s*([<"])([^">]+)[">])");
    std::vector<Include> includes;
    const std::string code = without_comments(file.text);
    std::size_t number = 0;
    for (const std::string_view line : lines_of(code)) {
        ++number;
        std::match_results<std::string_view::const_iterator> match;
        if (line.find("include") != std::string_view::npos &&
            std::regex_search(line.begin(), line.end(), match, regex))
            includes.push_back({number, match[2].str(), match[1].str() == "\""});
    }
    return includes;
}

}  // namespace

std::vector<Finding> check_include_arrows(const SourceFile& file) {
    std::vector<Finding> findings;
    if (!is_cpp(file.path)) return findings;
    const auto arrow =
        std::ranges::find_if(arrows(), [&](const Arrow& row) { return in_folder(file.path, row.from); });
    for (const Include& include : includes_of(file)) {
        static constexpr std::array<std::string_view, 6> tops{"fixpoint",      "engine",  "sim",
                                                              "real_adapters", "reports", "property_tests"};
        const bool ours = in_any(include.target, tops);
        if (!ours) {
            if (include.quoted)
                findings.push_back(
                    {file.path, include.line,
                     include.target + ": a quoted include is a path from the top or from include/"});
            continue;
        }
        if (is_wiring(file.path)) {
            if (in_folder(include.target, "property_tests") && !in_folder(file.path, "property_tests"))
                findings.push_back({file.path, include.line, include.target + ": only tests include tests"});
            continue;
        }
        if (arrow == arrows().end()) continue;
        if (!std::ranges::any_of(arrow->to,
                                 [&](std::string_view to) { return in_folder(include.target, to); }))
            findings.push_back(
                {file.path, include.line,
                 include.target + ": " + std::string(arrow->from) +
                     " may not know this; move the shared part to include/, or wire it in a main"});
    }
    return findings;
}

std::vector<Finding> check_costly_includes(const SourceFile& file) {
    std::vector<Finding> findings;
    if (!is_cpp(file.path) || in_folder(file.path, "property_tests")) return findings;
    for (const Include& include : includes_of(file)) {
        if (include.target == "boost/asio.hpp")
            findings.push_back({file.path, include.line, "boost/asio.hpp: include the narrow headers"});
        if (include.target == "nlohmann/json.hpp" && file.path.ends_with(".hpp"))
            findings.push_back(
                {file.path, include.line, "json.hpp in a header: json_fwd.hpp, or move it to the .cpp"});
    }
    return findings;
}

namespace {

// Where Asio may not even arrive by way of another header. sim/world's sources start the managers'
// coroutines; its headers are read by everybody.
bool is_without_asio(std::string_view path) {
    static constexpr std::array<std::string_view, 5> folders{"include/fixpoint/model", "include/fixpoint/sim",
                                                             "engine/model", "reports", "sim"};
    static constexpr std::array<std::string_view, 3> sim_with_asio{"sim/asio", "sim/main", "sim/bench"};
    const bool starts_managers = in_folder(path, "sim/world") && path.ends_with(".cpp");
    return in_any(path, folders) && !in_any(path, sim_with_asio) && !starts_managers;
}

}  // namespace

std::vector<Finding> check_asio_reach(std::span<const SourceFile> tree) {
    std::map<std::string, std::vector<std::string>, std::less<>> includes;
    for (const SourceFile& file : tree) {
        if (!is_cpp(file.path)) continue;
        std::vector<std::string>& targets = includes[file.path];
        for (const Include& include : includes_of(file))
            targets.push_back(include.target.starts_with("fixpoint/") ? "include/" + include.target
                                                                      : include.target);
    }
    std::vector<Finding> findings;
    for (const SourceFile& file : tree) {
        if (!is_cpp(file.path) || !is_without_asio(file.path)) continue;
        std::map<std::string, std::string> came_from{{file.path, ""}};
        std::vector<std::string> queue{file.path};
        for (std::size_t at = 0; at < queue.size(); ++at) {
            const std::string here = queue[at];
            if (here.starts_with("boost/asio")) {
                std::string chain = here;
                for (std::string step = came_from[here]; !step.empty(); step = came_from[step])
                    chain.insert(0, step + " > ");
                findings.push_back({file.path, 0, chain + ": Asio only where coroutines are"});
                break;
            }
            for (const std::string& next : includes[here])
                if (came_from.try_emplace(next, here).second) queue.push_back(next);
        }
    }
    return findings;
}

std::vector<Finding> check_banned_words(const SourceFile& file) {
    std::vector<Finding> findings;
    const bool core = in_folder(file.path, "engine") || in_folder(file.path, "include/fixpoint");
    if (!is_cpp(file.path) || !(core || in_folder(file.path, "sim"))) return findings;
    const std::string code = without_comments_and_strings(file.text);
    for (const Ban& ban : bans())
        if (ban.mains_too || !is_wiring(file.path)) find_ban(file, code, ban, findings);
    if (core)
        for (const Ban& ban : core_bans()) find_ban(file, code, ban, findings);
    return findings;
}

std::vector<Finding> check_tests_are_honest(const SourceFile& file) {
    static constexpr std::array<std::string_view, 4> with_real_servers{
        "property_tests/contract", "property_tests/daemon", "property_tests/real",
        "property_tests/support/real_servers"};
    std::vector<Finding> findings;
    if (!is_cpp(file.path) || !in_folder(file.path, "property_tests")) return findings;
    const std::string code = without_comments_and_strings(file.text);
    find_ban(file, code, {{"GTEST_SKIP"}, "a test that runs (install what it needs)"}, findings);
    find_ban(file, code, {{"DISABLED_"}, "a test that runs, or none", false, R"(\bDISABLED_\w)"}, findings);
    find_ban(file, code,
             {{"EXPECT_TRUE(true)", "ASSERT_TRUE(true)", "RC_ASSERT(true)"}, "an assertion that can fail"},
             findings);
    if (!in_any(file.path, with_real_servers))
        find_ban(file, code,
                 {{"usleep", "nanosleep", "sleep(", "this_thread::sleep_for", "this_thread::sleep_until"},
                  "a wait for the condition itself"},
                 findings);
    return findings;
}

std::vector<Finding> check_stands_alone(const SourceFile& file) {
    // Written in halves, so that this file does not name what it looks for.
    static const std::vector<std::string> names = [] {
        std::vector<std::string> joined;
        for (const auto& [first, second] :
             std::initializer_list<std::pair<const char*, const char*>>{{"/wo", "rk/"},
                                                                        {"/tmp/f", "p/"},
                                                                        {"/tmp/mysql", "probe"},
                                                                        {"../sha", "red"},
                                                                        {"sha", "red/design"},
                                                                        {"sha", "red/prototype"},
                                                                        {"sha", "red/tools"},
                                                                        {"deb.deb", "ian.org"},
                                                                        {"archive.ubu", "ntu.com"},
                                                                        {"registry.npm", "js.org"},
                                                                        {"pypi.o", "rg"},
                                                                        {"proxy.gol", "ang.org"}})
            joined.push_back(std::string(first) + second);
        return joined;
    }();
    std::vector<Finding> findings;
    for (const std::string& name : names) {
        if (file.text.find(name) == std::string::npos) continue;
        std::size_t number = 0;
        for (const std::string_view line : lines_of(file.text)) {
            ++number;
            if (line.find(name) != std::string_view::npos)
                findings.push_back({file.path, number,
                                    std::string(name) +
                                        ": the project stands alone; name no machine, no folder beside it, "
                                        "no registry"});
        }
    }
    return findings;
}

std::vector<Finding> check_opens_with_comment(const SourceFile& file) {
    std::vector<Finding> findings;
    const std::vector<std::string_view> lines = lines_of(file.text);
    const auto line = [&](std::size_t at) { return at < lines.size() ? lines[at] : std::string_view{}; };
    const bool script = line(0).starts_with("#!");
    const bool hash = script || file.path.ends_with(".cmake") || file.path.ends_with("CMakeLists.txt");
    if (!hash && !is_cpp(file.path) && !file.path.ends_with(".proto")) return findings;
    const std::string_view first = line(script ? 1 : 0);
    if (!first.starts_with(hash ? "#" : "//"))
        findings.push_back({file.path, 1, "a source opens with what it is, why, and what it refuses to do"});
    return findings;
}

std::vector<Finding> check_length(const SourceFile& file) {
    std::vector<Finding> findings;
    const std::size_t lines = lines_of(file.text).size();
    if (is_cpp(file.path) && lines > too_long_lines)
        findings.push_back({file.path, 0, std::to_string(lines) + " lines: find the missing name and split"});
    return findings;
}

}  // namespace fixpoint::tidy
