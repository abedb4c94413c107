// See scenario_files.hpp.
#include "sim/scenario/scenario_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "sim/scenario/scenario_json.hpp"

namespace fixpoint::sim {
namespace {

namespace fs = std::filesystem;

struct Found {
    std::set<std::string> files;
    std::vector<ScenarioError> errors;
};

void find_in_folder(const std::string& folder, Found& found) {
    std::error_code error;
    bool any = false;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (it->is_regular_file(error) && it->path().extension() == ".json") {
            found.files.insert(it->path().lexically_normal().string());
            any = true;
        }
    }
    if (error) {
        found.errors.push_back({folder, "", "cannot be read: " + error.message(), ""});
    } else if (!any) {
        found.errors.push_back({folder, "", "a folder without scenarios", "scenarios are *.json files"});
    }
}

}  // namespace

std::expected<std::string, ScenarioError> read_text_file(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error))
        return std::unexpected(ScenarioError{path, "", "there is no such file", ""});
    if (!fs::is_regular_file(path, error))
        return std::unexpected(ScenarioError{path, "", "this is no file", ""});
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    // An empty file sets failbit on the output side only: reading it is no failure.
    if (!in) return std::unexpected(ScenarioError{path, "", "cannot be read", "look at its permissions"});
    return text.str();
}

std::expected<void, ScenarioError> make_folder(const std::string& path) {
    const auto refused = [&](const std::string& what) {
        return std::unexpected(ScenarioError{path, "", what, "name a folder that you may write to"});
    };
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return refused("this folder cannot be made: " + error.message());
    if (::access(path.c_str(), W_OK | X_OK) != 0) return refused("nothing can be written to this folder");
    return {};
}

std::expected<std::vector<Scenario>, std::vector<ScenarioError>> read_scenarios(
    const std::vector<std::string>& paths) {
    Found found;
    for (const std::string& path : paths) {
        std::error_code error;
        if (fs::is_directory(path, error)) {
            find_in_folder(path, found);
        } else {
            found.files.insert(fs::path(path).lexically_normal().string());
        }
    }
    std::vector<Scenario> scenarios;
    for (const std::string& file : found.files) {
        const auto text = read_text_file(file);
        if (!text) {
            found.errors.push_back(text.error());
            continue;
        }
        auto scenario = read_scenario(*text, file);
        if (scenario) {
            scenarios.push_back(std::move(*scenario));
        } else {
            found.errors.push_back(scenario.error());
        }
    }
    if (!found.errors.empty()) return std::unexpected(std::move(found.errors));
    return scenarios;
}

}  // namespace fixpoint::sim
