// Each rule fires on a made-up file that breaks it and is silent on one that keeps it.
// Without this a rule could rot into one that never fires, and the tree would look clean for ever.
// The tree itself is looked at in tree_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "property_tests/tidy/rules.hpp"

namespace fixpoint::tidy {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(SourceText, CommentsAndStringsAreNotCode) {
    const std::string code = without_comments_and_strings(
        "int a; // steady_clock\n"
        "/* std::thread\n */ int b = 1'000;\n"
        "const char* c = \"io_context \\\" rand()\"; char d = '\"'; int e;\n");
    EXPECT_EQ(code.find("steady_clock"), std::string::npos);
    EXPECT_EQ(code.find("thread"), std::string::npos);
    EXPECT_EQ(code.find("io_context"), std::string::npos);
    EXPECT_NE(code.find("int b = 1'000;"), std::string::npos);
    EXPECT_NE(code.find("int e;"), std::string::npos);
    EXPECT_THAT(lines_of(code), SizeIs(4));
}

TEST(IncludeArrows, TheCoreDoesNotKnowTheSimulator) {
    EXPECT_THAT(check_include_arrows({"engine/steps/a.cpp", "#include \"sim/core/scheduler.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(check_include_arrows({"engine/steps/a.cpp", "#include \"fixpoint/sim/run.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(check_include_arrows({"engine/steps/a.cpp",
                                      "#include \"engine/steps/b.hpp\"\n"
                                      "#include \"fixpoint/ports/clock.hpp\"\n"
                                      "#include <map>\n"}),
                IsEmpty());
}

TEST(IncludeArrows, PublicHeadersPointOneWay) {
    EXPECT_THAT(
        check_include_arrows({"include/fixpoint/model/a.hpp", "#include \"fixpoint/ports/clock.hpp\"\n"}),
        SizeIs(1));
    EXPECT_THAT(
        check_include_arrows({"include/fixpoint/ports/a.hpp", "#include \"fixpoint/engine/goal.hpp\"\n"}),
        SizeIs(1));
    EXPECT_THAT(
        check_include_arrows({"include/fixpoint/engine/a.hpp", "#include \"fixpoint/sim/run.hpp\"\n"}),
        SizeIs(1));
    EXPECT_THAT(check_include_arrows({"include/fixpoint/model/a.hpp", "#include \"engine/model/b.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(
        check_include_arrows({"include/fixpoint/sim/a.hpp", "#include \"fixpoint/engine/goal.hpp\"\n"}),
        IsEmpty());
}

TEST(IncludeArrows, PartsMeetOnlyInMains) {
    const std::string text = "#include \"reports/html.hpp\"\n";
    EXPECT_THAT(check_include_arrows({"sim/checkers/a.cpp", text}), SizeIs(1));
    EXPECT_THAT(check_include_arrows({"sim/main/main.cpp", text}), IsEmpty());
    EXPECT_THAT(check_include_arrows({"reports/a.cpp", "#include \"sim/core/chooser.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(check_include_arrows({"real_adapters/mysql/a.cpp", "#include \"engine/steps/a.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(check_include_arrows({"sim/main/main.cpp", "#include \"property_tests/x/a.hpp\"\n"}),
                SizeIs(1));
}

TEST(IncludeArrows, TheSchedulerKnowsNothingOfMySql) {
    EXPECT_THAT(check_include_arrows({"sim/core/a.cpp", "#include \"sim/fakes/mysql.hpp\"\n"}), SizeIs(1));
}

TEST(IncludeArrows, AQuotedIncludeIsAPathFromTheTop) {
    EXPECT_THAT(check_include_arrows({"sim/core/a.cpp", "#include \"scheduler.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(check_include_arrows({"sim/core/a.cpp", "// #include \"scheduler.hpp\"\n"}), IsEmpty());
}

TEST(CostlyIncludes, JsonStaysInSourcesAndAsioIsNarrow) {
    EXPECT_THAT(check_costly_includes({"sim/asio/a.hpp", "#include <boost/asio.hpp>\n"}), SizeIs(1));
    EXPECT_THAT(check_costly_includes({"sim/asio/a.hpp", "#include <boost/asio/awaitable.hpp>\n"}),
                IsEmpty());
    EXPECT_THAT(check_costly_includes({"sim/scenario/a.hpp", "#include <nlohmann/json.hpp>\n"}), SizeIs(1));
    EXPECT_THAT(check_costly_includes({"sim/scenario/a.cpp", "#include <nlohmann/json.hpp>\n"}), IsEmpty());
}

TEST(AsioReach, TheFakesTheJudgesAndTheReportsDoNotMeetIt) {
    const std::string asio = "#include <boost/asio/awaitable.hpp>\n";
    for (const char* path : {"engine/model/a.cpp", "sim/fakes/a.hpp", "reports/a.cpp",
                             "include/fixpoint/sim/a.hpp", "sim/world/a.hpp"})
        EXPECT_THAT(check_asio_reach(std::vector<SourceFile>{{path, asio}}), SizeIs(1)) << path;
    for (const char* path :
         {"engine/steps/a.cpp", "sim/asio/a.hpp", "sim/world/a.cpp", "real_adapters/mysql/a.cpp"})
        EXPECT_THAT(check_asio_reach(std::vector<SourceFile>{{path, asio}}), IsEmpty()) << path;
}

TEST(AsioReach, NotEvenByWayOfAnotherHeader) {
    const std::vector<SourceFile> tree{
        {"include/fixpoint/ports/sql_session.hpp", "#include <boost/asio/awaitable.hpp>\n"},
        {"include/fixpoint/ports/names.hpp", "#include <string>\n"},
        {"sim/fakes/a.cpp", "#include \"sim/fakes/b.hpp\"\n"},
        {"sim/fakes/b.hpp",
         "#include \"fixpoint/ports/names.hpp\"\n#include \"fixpoint/ports/sql_session.hpp\"\n"},
        {"sim/fakes/c.cpp", "#include \"fixpoint/ports/names.hpp\"\n"}};
    const std::vector<Finding> findings = check_asio_reach(tree);
    ASSERT_THAT(findings, SizeIs(2));
    EXPECT_EQ(findings[0].what,
              "sim/fakes/a.cpp > sim/fakes/b.hpp > include/fixpoint/ports/sql_session.hpp > "
              "boost/asio/awaitable.hpp: Asio only where coroutines are");
}

class BannedWord : public ::testing::TestWithParam<const char*> {};

TEST_P(BannedWord, IsFoundInEngineAndSimAndNamesItsReplacement) {
    const std::string text = std::string("// why\n") + GetParam() + "\n";
    for (const char* path : {"engine/steps/a.cpp", "sim/core/a.hpp", "include/fixpoint/engine/a.hpp"}) {
        const std::vector<Finding> findings = check_banned_words({path, text});
        ASSERT_THAT(findings, SizeIs(1)) << path << ": " << GetParam();
        EXPECT_EQ(findings[0].line, 2U);
        EXPECT_NE(findings[0].what.find("use "), std::string::npos);
    }
    EXPECT_THAT(check_banned_words({"sim/core/a.cpp", std::string("// ") + GetParam() + "\n"}), IsEmpty());
    EXPECT_THAT(check_banned_words({"real_adapters/mysql/a.cpp", text}), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, BannedWord,
                         ::testing::Values("auto t = std::chrono::system_clock::now();",
                                           "std::chrono::steady_clock::time_point t;",
                                           "gettimeofday(&t, nullptr);",
                                           "asio::steady_timer timer(executor);", "std::random_device d;",
                                           "int x = rand();", "std::uniform_int_distribution<int> d;",
                                           "std::ranges::shuffle(v, g);", "std::thread t;", "std::mutex m;",
                                           "std::this_thread::yield();", "std::unordered_map<int, int> m;",
                                           "std::hash<int> h;", "std::map<const Tablet*, int> m;",
                                           "std::set<Tablet*> s;", "co_spawn(e, f(), asio::detached);",
                                           "asio::io_context io;"));

TEST(BannedWords, MainsOfTheSimulatorMayMeasureWallTimeButNotDrawFromChance) {
    EXPECT_THAT(check_banned_words({"sim/main/a.cpp", "std::chrono::steady_clock::now();\n"}), IsEmpty());
    EXPECT_THAT(check_banned_words({"sim/main/a.cpp", "std::random_device d;\n"}), SizeIs(1));
}

TEST(BannedWords, TheCoreHasNoFilesNoEnvironmentNoConsole) {
    for (const char* text : {"std::ifstream in(path);\n", "std::getenv(name);\n", "std::cout << 1;\n"}) {
        EXPECT_THAT(check_banned_words({"engine/a.cpp", text}), SizeIs(1)) << text;
        EXPECT_THAT(check_banned_words({"sim/scenario/a.cpp", text}), IsEmpty()) << text;
    }
}

TEST(BannedWords, ATokenThatStartsDetachedWorkIsNotAWordOfTheDomain) {
    EXPECT_THAT(check_banned_words({"engine/a.cpp", "co_spawn(e, f(), detached);\n"}), SizeIs(1));
    EXPECT_THAT(
        check_banned_words({"engine/a.cpp", "if (Outcome detached = stop(); detached.refused) return;\n"}),
        IsEmpty());
}

TEST(HonestTests, NoSkippedNoDisabledNoSleepingNoEmptyTests) {
    const auto findings = [](const char* path, const char* text) {
        return check_tests_are_honest({path, text});
    };
    EXPECT_THAT(findings("property_tests/x/a.cpp", "GTEST_SKIP();\n"), SizeIs(1));
    EXPECT_THAT(findings("property_tests/x/a.cpp", "TEST(A, DISABLED_b) {}\n"), SizeIs(1));
    EXPECT_THAT(findings("property_tests/x/a.cpp", "EXPECT_TRUE(true);\n"), SizeIs(1));
    EXPECT_THAT(findings("property_tests/x/a.cpp", "std::this_thread::sleep_for(1s);\n"), SizeIs(1));
    EXPECT_THAT(findings("property_tests/contract/a.cpp", "std::this_thread::sleep_for(1s);\n"), IsEmpty());
    EXPECT_THAT(findings("engine/a.cpp", "GTEST_SKIP();\n"), IsEmpty());
}

TEST(StandsAlone, NoMachinePathsNoFolderBesideItNoRegistry) {
    for (const char* text : {"/wo"
                             "rk/main/x\n",
                             "see ../sha"
                             "red for more\n",
                             "http://deb.deb"
                             "ian.org/debian\n",
                             "/tmp/f"
                             "p/x\n"}) {
        EXPECT_THAT(check_stands_alone({"README.md", text}), SizeIs(1)) << text;
    }
    EXPECT_THAT(check_stands_alone({"README.md", "a shared lock, a network of work\n"}), IsEmpty());
}

TEST(OpensWithComment, ASourceSaysWhatItIs) {
    EXPECT_THAT(check_opens_with_comment({"engine/a.cpp", "#include <map>\n"}), SizeIs(1));
    EXPECT_THAT(check_opens_with_comment({"engine/a.cpp", ""}), SizeIs(1));
    EXPECT_THAT(check_opens_with_comment({"engine/a.cpp", "// What it is.\n"}), IsEmpty());
    EXPECT_THAT(check_opens_with_comment({"tool", "#!/bin/sh\nset -e\n"}), SizeIs(1));
    EXPECT_THAT(check_opens_with_comment({"tool", "#!/bin/sh\n# What it is.\n"}), IsEmpty());
    EXPECT_THAT(check_opens_with_comment({"scenarios/a.json", "{}\n"}), IsEmpty());
}

TEST(Length, AFileThatAteTheSubsystemIsFound) {
    std::string text;
    for (std::size_t line = 0; line <= too_long_lines; ++line) text += "int x;\n";
    EXPECT_THAT(check_length({"engine/a.cpp", text}), SizeIs(1));
    text.resize(text.size() - 7);
    EXPECT_THAT(check_length({"engine/a.cpp", text}), IsEmpty());
}

}  // namespace
}  // namespace fixpoint::tidy
