// ./dev on machines that are not ready: what it asks for, what it touches, how it ends.
// The machine is made of scripts put first on the PATH (dpkg-query, apt-get, sudo, id), so that nothing is
// installed and every call to the package manager is written down. What ./dev builds and tests is judged by
// CI itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fixpoint {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Outcome {
    int status = -1;
    std::string output;  // both streams
};

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

    Outcome dev(const std::string& arguments) {
        const std::string command =
            "cd '" FIXPOINT_SOURCE_DIR "' && env -u FIXPOINT_NO_INSTALL CI=true PATH='" + folder.string() +
            (bare_machine ? "'" : "':\"$PATH\"") + " ./dev " + arguments + " 2>&1 </dev/null";
        Outcome outcome;
        FILE* pipe = ::popen(command.c_str(), "r");
        std::array<char, 4096> buffer{};
        for (std::size_t read = 0; (read = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
            outcome.output.append(buffer.data(), read);
        outcome.status = WEXITSTATUS(::pclose(pipe));
        return outcome;
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
    const Outcome outcome = dev("conquer");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.output, HasSubstr("'conquer'"));
}

TEST_F(Dev, AReadyMachineIsAskedNothingMore) {
    put("dpkg-query", "echo installed");
    EXPECT_EQ(dev("install").status, 0);
    EXPECT_THAT(apt_calls(), IsEmpty());
}

TEST_F(Dev, RootInstallsOnlyWhatIsMissing) {
    put("dpkg-query", "case \"$*\" in *ninja-build*) exit 1 ;; *) echo installed ;; esac");
    put("id", "echo 0");
    EXPECT_EQ(dev("install").status, 0);
    EXPECT_THAT(apt_calls(), HasSubstr("--no-install-recommends ninja-build\n"));
    EXPECT_THAT(apt_calls(), Not(HasSubstr("cmake")));
}

TEST_F(Dev, AUserWithSudoInstallsThroughIt) {
    put("dpkg-query", "case \"$*\" in *ninja-build*) exit 1 ;; *) echo installed ;; esac");
    put("id", "echo 1000");
    put("sudo", "[ \"$1\" = -n ] && shift; exec \"$@\"");
    EXPECT_EQ(dev("install").status, 0);
    EXPECT_THAT(apt_calls(), HasSubstr("ninja-build"));
}

TEST_F(Dev, AUserWhoMayNotInstallIsToldTheOneLine) {
    put("dpkg-query", "case \"$*\" in *ninja-build*) exit 1 ;; *) echo installed ;; esac");
    put("id", "echo 1000");
    put("sudo", "exit 1");
    const Outcome outcome = dev("run");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.output,
                HasSubstr("apt-get update && apt-get install --no-install-recommends -y ninja-build"));
    EXPECT_THAT(apt_calls(), IsEmpty());
}

TEST_F(Dev, AnInstallationThatFailsEndsTheRun) {
    put("dpkg-query", "exit 1");
    put("id", "echo 0");
    put("apt-get", "exit 100");
    const Outcome outcome = dev("run");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.output, HasSubstr("clang-19"));
}

TEST_F(Dev, AnotherDistributionIsToldWhatItWouldNeed) {
    for (const char* tool : {"bash", "dirname"})
        std::filesystem::create_symlink(std::filesystem::path("/usr/bin") / tool, folder / tool);
    std::filesystem::remove(folder / "apt-get");
    bare_machine = true;
    const Outcome outcome = dev("run");
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.output, HasSubstr("not a Debian system"));
    EXPECT_THAT(outcome.output, HasSubstr("librapidcheck-dev"));
}

}  // namespace
}  // namespace fixpoint
