// GTID sets as text: what MySQL prints is printed, what MySQL takes is taken, and what it refuses is refused
// with the place. The fixtures below are MySQL 9.7.4's own answers (GTID_SUBTRACT('<text>', '')).
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/support/gen_gtid.hpp"

namespace fixpoint {
namespace {

const std::string a_uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string b_uuid = "4350f323-7565-4e59-8763-4b1b83a0ce0e";

std::string normal(const std::string& text) {
    const auto set = GtidSet::parse(text);
    return set ? set->to_string() : "error: " + set.error();
}

RC_GTEST_PROP(GtidText, what_is_printed_is_parsed_to_the_same_set, ()) {
    const GtidSet set = *gen::gtid_set();
    const auto parsed = GtidSet::parse(set.to_string());
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == set);
}

RC_GTEST_PROP(GtidText, a_uuid_that_is_printed_is_parsed_to_the_same_uuid,
              (std::uint64_t high, std::uint64_t low)) {
    const Uuid uuid{high, low};
    const auto parsed = Uuid::parse(uuid.to_string());
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == uuid);
}

RC_GTEST_PROP(GtidText, order_and_white_space_do_not_matter, ()) {
    const auto members = *rc::gen::container<std::vector<Gtid>>(gen::gtid());
    const auto spaces = *rc::gen::container<std::vector<std::string>>(
        members.size(), rc::gen::element<std::string>("", " ", "\n", " \t\r\n"));
    std::string text;
    GtidSet set;
    for (std::size_t i = 0; i < members.size(); ++i) {
        text += spaces[i] + members[i].to_string() + "," + spaces[i];
        set.add(members[i]);
    }
    const auto parsed = GtidSet::parse(text);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == set);
}

RC_GTEST_PROP(GtidText, no_text_makes_the_parser_fail_otherwise_than_by_an_error, (std::string text)) {
    const auto parsed = GtidSet::parse(text);
    if (parsed) RC_ASSERT(GtidSet::parse(parsed->to_string()).value() == *parsed);
}

RC_GTEST_PROP(GtidText, a_character_that_is_changed_is_never_misread_silently, ()) {
    std::string text = (*gen::gtid_set()).to_string();
    RC_PRE(!text.empty());
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    const auto parsed = GtidSet::parse(text);
    if (parsed) RC_ASSERT(GtidSet::parse(parsed->to_string()).value() == *parsed);
    if (!parsed) RC_ASSERT(parsed.error().contains("at character "));
}

TEST(GtidText, a_uuid_is_printed_in_lower_case) {
    EXPECT_EQ(Uuid::parse("3E11FA47-71CA-11E1-9E33-C80AA9429562")->to_string(), a_uuid);
}

TEST(GtidText, intervals_are_sorted_and_merged) {
    EXPECT_EQ(normal(a_uuid + ":7:5:1-3:2-4"), a_uuid + ":1-5:7");
    EXPECT_EQ(normal(a_uuid + ":5-5"), a_uuid + ":5");
}

TEST(GtidText, uuids_are_sorted_and_joined_by_a_comma) {
    EXPECT_EQ(normal(b_uuid + ":1,\n" + a_uuid + ":2"), a_uuid + ":2," + b_uuid + ":1");
    EXPECT_EQ(normal(a_uuid + ":1-2, " + a_uuid + ":3"), a_uuid + ":1-3");
    EXPECT_EQ(normal(" " + a_uuid + " : 1 - 3 ,, " + b_uuid + ":02,"), a_uuid + ":1-3," + b_uuid + ":2");
    EXPECT_EQ(normal("{" + a_uuid + "}:1,3e11fa4771ca11e19e33c80aa9429562:2"), a_uuid + ":1-2");
}

TEST(GtidText, the_empty_set_is_the_empty_text) {
    EXPECT_EQ(normal(""), "");
    EXPECT_EQ(normal(" \n"), "");
    EXPECT_EQ(normal(","), "");
    EXPECT_EQ(normal(a_uuid), "");
    EXPECT_EQ(normal(a_uuid + ":tag"), "");
    EXPECT_EQ(normal(a_uuid + ":5-3"), "");
    EXPECT_EQ(normal(a_uuid + ":1-0"), "");
}

TEST(GtidText, tags_stand_behind_their_uuid) {
    EXPECT_EQ(normal(a_uuid + ":tag:1-3"), a_uuid + ":tag:1-3");
    EXPECT_EQ(normal(a_uuid + ":1-3:tag:1-2:other_1:7"), a_uuid + ":1-3:other_1:7:tag:1-2");
    EXPECT_EQ(normal(a_uuid + ":Tag:1-3"), a_uuid + ":tag:1-3");
    EXPECT_EQ(normal(a_uuid + ":tag:1," + a_uuid + ":5"), a_uuid + ":5:tag:1");
    EXPECT_EQ(normal(a_uuid + ":tag:1:5-6:1:tag2:3:tag:9"), a_uuid + ":tag:1:5-6:9:tag2:3");
    EXPECT_EQ(normal(a_uuid + ": t23456789012345678901234567890_2 : 1"),
              a_uuid + ":t23456789012345678901234567890_2:1");
}

TEST(GtidText, an_error_names_the_place_and_what_was_expected) {
    EXPECT_EQ(normal("nonsense"),
              "error: GTID set, at character 1: a server's UUID was expected: a UUID has 36 characters, "
              "'nonsense' has 8 "
              "(there stands 'nonsense')");
    for (const char* refused :
         {":", ":1-", ":0", ":tag:", ":1tag:2", ":t234567890123456789012345678901_3:1", ":t-a:1", ":1,tag:2",
          "::1", ":9223372036854775807", ":1-9223372036854775807"}) {
        EXPECT_FALSE(GtidSet::parse(a_uuid + refused).has_value()) << refused;
    }
    EXPECT_FALSE(GtidSet::parse("{" + a_uuid + ":1").has_value());
    EXPECT_FALSE(GtidSet::parse(a_uuid + ":1 " + b_uuid + ":2").has_value());
    EXPECT_EQ(normal(a_uuid + ":0"),
              "error: GTID set, at character 39: transaction numbers begin at 1 (the text ends there)");
    EXPECT_EQ(normal(a_uuid + ":1-"),
              "error: GTID set, at character 40: a transaction number was expected (the text ends there)");
    EXPECT_EQ(normal(a_uuid + ":1 x"),
              "error: GTID set, at character 40: ',' or the end was expected (there stands 'x')");
    EXPECT_EQ(normal(a_uuid + ":9223372036854775807"),
              "error: GTID set, at character 56: the transaction number is too great (there stands '7')");
}

}  // namespace
}  // namespace fixpoint
