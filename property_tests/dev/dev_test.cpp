// ./dev on machines that are not ready: what it asks for, what it touches, how it ends.
// The machine is made of scripts put first on the PATH (dpkg-query, apt-get, sudo, id), so that nothing is
// installed and every call to the package manager is written down. What ./dev builds and tests is judged by
// CI itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "property_tests/support/run_program.hpp"

namespace fixpoint {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Dev : public ::testing::Test {
  protected:
    void SetUp() override {
        folder =
            std::filesystem::path(::testing::TempDir()) /
            ("fixpoint-dev-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
        calls = folder / "calls";
        put("apt-get", "echo apt-get \"$@\" >>" + calls.string());
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    void put(const std::string& name, const std::string& body) {
        const std::filesystem::path script = folder / name;
        std::ofstream(script) << "#!/bin/sh\n" << body << "\n";
        std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    }

    testing::Ran dev(const std::string& arguments) {
        return testing::run_program(
            "cd '" FIXPOINT_SOURCE_DIR "' && env -u FIXPOINT_NO_INSTALL CI=true PATH='" + folder.string() +
            (bare_machine ? "'" : "':\"$PATH\"") + " ./dev " + arguments);
    }

    std::string apt_calls() const {
        std::ostringstream text;
        if (std::filesystem::exists(calls)) text << std::ifstream(calls).rdbuf();
        return text.str();
    }

    std::filesystem::path folder;
    std::filesystem::path calls;
    bool bare_machine = false;  // nothing on the PATH but the folder
};

TEST_F(Dev, AnUnknownCommandIsRefused) {
    const testing::Ran ran = dev("conquer");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("'conquer'"));
}

TEST_F(Dev, AReadyMachineIsAskedNothingMore) {
    put("dpkg-query", "echo installed");
    EXPECT_EQ(dev("install").code, 0);
    EXPECT_THAT(apt_calls(), IsEmpty());
}

TEST_F(Dev, RootInstallsOnlyWhatIsMissing) {
    put("dpkg-query", "case \"$*\" in *ninja-build*) exit 1 ;; *) echo installed ;; esac");
    put("id", "echo 0");
    EXPECT_EQ(dev("install").code, 0);
    EXPECT_THAT(apt_calls(), HasSubstr("--no-install-recommends ninja-build\n"));
    EXPECT_THAT(apt_calls(), Not(HasSubstr("cmake")));
}

TEST_F(Dev, AUserWithSudoInstallsThroughIt) {
    put("dpkg-query", "case \"$*\" in *ninja-build*) exit 1 ;; *) echo installed ;; esac");
    put("id", "echo 1000");
    put("sudo", "[ \"$1\" = -n ] && shift; exec \"$@\"");
    EXPECT_EQ(dev("install").code, 0);
    EXPECT_THAT(apt_calls(), HasSubstr("ninja-build"));
}

TEST_F(Dev, AUserWhoMayNotInstallIsToldTheOneLine) {
    put("dpkg-query", "case \"$*\" in *ninja-build*) exit 1 ;; *) echo installed ;; esac");
    put("id", "echo 1000");
    put("sudo", "exit 1");
    const testing::Ran ran = dev("run");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output,
                HasSubstr("apt-get update && apt-get install --no-install-recommends -y ninja-build"));
    EXPECT_THAT(apt_calls(), IsEmpty());
}

TEST_F(Dev, AnInstallationThatFailsEndsTheRun) {
    put("dpkg-query", "exit 1");
    put("id", "echo 0");
    put("apt-get", "exit 100");
    const testing::Ran ran = dev("run");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("clang-19"));
}

TEST_F(Dev, AnotherDistributionIsToldWhatItWouldNeed) {
    for (const char* tool : {"bash", "dirname"})
        std::filesystem::create_symlink(std::filesystem::path("/usr/bin") / tool, folder / tool);
    std::filesystem::remove(folder / "apt-get");
    bare_machine = true;
    const testing::Ran ran = dev("run");
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("not a Debian system"));
    EXPECT_THAT(ran.output, HasSubstr("librapidcheck-dev"));
}

}  // namespace
}  // namespace fixpoint
