// The source tree keeps the project's rules: one test a rule, so that a broken one is named by its test.
// Also what the linker leaves behind: which library mentions what it may not know.
// It reads the tree that was built (FIXPOINT_SOURCE_DIR) and changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "property_tests/tidy/rules.hpp"

namespace fixpoint::tidy {
namespace {

const std::vector<SourceFile>& tree() {
    static const std::vector<SourceFile> files = read_tree(FIXPOINT_SOURCE_DIR);
    return files;
}

using Rule = std::vector<Finding> (*)(const SourceFile&);

void expect_clean(Rule rule) {
    ASSERT_GT(tree().size(), 20U) << "this is not the source tree: " << FIXPOINT_SOURCE_DIR;
    for (const SourceFile& file : tree())
        for (const Finding& finding : rule(file))
            ADD_FAILURE() << finding.path << ":" << finding.line << ": " << finding.what;
}

TEST(Tree, IncludesPointOneWay) {
    expect_clean(check_include_arrows);
}
TEST(Tree, AsioStaysWhereCoroutinesAre) {
    for (const Finding& finding : check_asio_reach(tree())) ADD_FAILURE() << finding.what;
}
TEST(Tree, JsonStaysInSourcesAndAsioIsNarrow) {
    expect_clean(check_costly_includes);
}
TEST(Tree, EngineAndSimUseNothingThatBreaksDeterminism) {
    expect_clean(check_banned_words);
}
TEST(Tree, TestsAreHonest) {
    expect_clean(check_tests_are_honest);
}
TEST(Tree, StandsAlone) {
    expect_clean(check_stands_alone);
}
TEST(Tree, SourcesOpenWithWhatTheyAre) {
    expect_clean(check_opens_with_comment);
}

TEST(Tree, NoFileAteTheSubsystem) {
    for (const SourceFile& file : tree()) {
        const std::size_t lines = lines_of(file.text).size();
        if (lines > long_file_lines && (file.path.ends_with(".cpp") || file.path.ends_with(".hpp")))
            std::cout << "worth a look: " << file.path << " has " << lines << " lines\n";
    }
    expect_clean(check_length);
}

}  // namespace
}  // namespace fixpoint::tidy
