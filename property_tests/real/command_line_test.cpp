// fixpoint-real on a machine where it can do nothing: said once, at once, with the remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "property_tests/support/run_program.hpp"

namespace fixpoint::real_shards {
namespace {

using ::testing::HasSubstr;

fixpoint::testing::Ran fixpoint_real(const std::string& variables, const std::string& arguments) {
    return fixpoint::testing::run_program("cd '" FIXPOINT_SOURCE_DIR "' && env " + variables +
                                          " '" FIXPOINT_BIN_DIR "/fixpoint-real' " + arguments);
}

TEST(FixpointReal, SaysOnceThatThereIsNoMySQL) {
    for (const char* arguments : {"campaign 300", "run scenarios/audit/kill_primary.json"}) {
        const auto ran = fixpoint_real("FIXPOINT_MYSQL_PREFIX=/no/such/folder", arguments);
        EXPECT_EQ(ran.code, 2) << arguments;
        EXPECT_EQ(ran.output, "fixpoint-real: there is no MySQL in /no/such/folder (./dev mysql)\n");
    }
}

TEST(FixpointReal, AsksForAFolderBeforeTheCampaign) {
    const auto ran = fixpoint_real("", "campaign 300 --save ./dev/findings");  // ./dev is a file
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.output, HasSubstr("./dev/findings: this folder cannot be made"));
    EXPECT_THAT(ran.output, HasSubstr("name a folder that you may write to"));
}

}  // namespace
}  // namespace fixpoint::real_shards
