// One line of text reproduces a run: any scenario survives the way through a token, and a token that was cut
// off or mistyped is refused instead of running something else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/support/gen_scenario.hpp"
#include "sim/scenario/token.hpp"

namespace fixpoint::sim {
namespace {

RC_GTEST_PROP(Token, any_scenario_comes_back_whole, ()) {
    const Scenario scenario = *gen::scenario();
    const auto lost = *rc::gen::inRange<std::uint64_t>(0, 1000);
    const std::string text = print_token(scenario, lost);
    RC_ASSERT(text.find_first_of(" \n\t'\"$&|") == std::string::npos);
    const auto token = parse_token(text);
    RC_ASSERT(token.has_value());
    RC_ASSERT(token->scenario == scenario);
    RC_ASSERT(token->lose_notification == lost);
}

RC_GTEST_PROP(Token, any_bytes_survive_base64url, (const std::string& bytes)) {
    RC_ASSERT(from_base64url(base64url(bytes)).value() == bytes);
}

RC_GTEST_PROP(Token, one_that_was_cut_off_is_refused, ()) {
    const std::string text = print_token(*gen::scenario());
    const auto length = *rc::gen::inRange<std::size_t>(1, text.size());
    RC_ASSERT(!parse_token(text.substr(0, length)).has_value());
}

TEST(Token, a_file_with_a_seed_and_a_lost_notification) {
    const std::string file = std::string(FIXPOINT_SOURCE_DIR) + "/scenarios/audit/kill_primary.json";
    const auto plain = parse_token(file);
    ASSERT_TRUE(plain.has_value()) << plain.error().to_string();
    EXPECT_EQ(plain->scenario.name, "kill_primary");
    EXPECT_EQ(plain->lose_notification, 0u);
    const auto other = parse_token(file + "@42#17");
    ASSERT_TRUE(other.has_value()) << other.error().to_string();
    EXPECT_EQ(other->scenario.seed, 42u);
    EXPECT_EQ(other->lose_notification, 17u);
    EXPECT_EQ(print_short_token(other->scenario, 17), file + "@42#17");
}

TEST(Token, what_is_neither_a_file_nor_a_token) {
    for (const char* text : {"", "no such thing!", "missing.json", "missing.json@x", "eyJ9#x", "e30"}) {
        EXPECT_FALSE(parse_token(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace fixpoint::sim
