// What the built libraries and binaries mention: the values know no Asio, the core no simulator and no
// adapter, and the simulator's binary needs no MySQL client. The include arrows could all be right and this
// still be wrong, by a template or a declaration repeated by hand. It reads symbol names straight from the
// files and runs nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace fixpoint::tidy {
namespace {

const std::map<std::string, std::string>& archives() {
    static const std::map<std::string, std::string> paths{
#include <archives.inc>  // made by CMake: {name, path}
    };
    return paths;
}

std::string bytes_of(const std::filesystem::path& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

// Mangled pieces of names, as they stand in every symbol of the namespace.
const char* const asio = "5boost4asio";
const char* const simulator = "8fixpoint3sim";
const char* const adapters = "8fixpoint4real";
const char* const reports = "8fixpoint7reports";

// Whether the library is there and holds code of ours; a check of a file that is not there would find nothing
// wrong.
std::string library(const std::string& name) {
    const auto found = archives().find(name);
    return found == archives().end() ? std::string() : bytes_of(found->second);
}

void expect_without(const std::string& name, const std::vector<const char*>& words) {
    const std::string bytes = library(name);
    ASSERT_NE(bytes.find("8fixpoint"), std::string::npos) << "no code in library " << name;
    for (const char* word : words)
        EXPECT_EQ(bytes.find(word), std::string::npos) << "library " << name << " mentions " << word;
}

TEST(Linkage, TheValuesKnowNothingElse) {
    expect_without("model", {asio, simulator, adapters, reports});
}
TEST(Linkage, TheCoreKnowsNoSimulatorNoAdapterNoReport) {
    expect_without("engine", {simulator, adapters, reports});
}
TEST(Linkage, TheSimulatorKnowsNoAdapterNoReport) {
    expect_without("sim", {adapters, reports});
}
TEST(Linkage, ReportsKnowNoAsioNoAdapter) {
    expect_without("reports", {asio, adapters});
}
TEST(Linkage, AdaptersKnowNoSimulatorNoReport) {
    for (const char* library : {"real_support", "real_mysql", "real_sqlite", "real_daemon"})
        expect_without(library, {simulator, reports});
}

// The search itself: the core's coroutines are Asio's, so the word must be found where it belongs.
TEST(Linkage, TheSearchFindsAsioInTheCore) {
    EXPECT_NE(library("engine").find(asio), std::string::npos);
}

TEST(Linkage, TheSimulatorNeedsNoMySqlClient) {
    const std::string bytes = bytes_of(std::filesystem::path(FIXPOINT_BIN_DIR) / "fixpoint-sim");
    ASSERT_NE(bytes.find("libc.so"), std::string::npos) << "no fixpoint-sim in " << FIXPOINT_BIN_DIR;
    for (const char* client : {"libmysqlclient", "libmariadb", "mysql_real_connect"})
        EXPECT_EQ(bytes.find(client), std::string::npos) << client;
}

}  // namespace
}  // namespace fixpoint::tidy
