// The words for a moment of a run: each form is understood, prints again as it was, and a wrong one says what
// is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/trigger_text.hpp"

namespace fixpoint::sim {
namespace {

using ::testing::HasSubstr;

FaultTrigger parsed(std::string_view text) {
    const auto trigger = parse_trigger(text);
    EXPECT_TRUE(trigger.has_value()) << text << ": " << (trigger ? "" : trigger.error());
    return trigger.value_or(FaultTrigger{});
}

TEST(Trigger, a_statement_about_to_be_sent_under_way_and_answered) {
    const FaultTrigger sent = parsed("statement 3 of emergency_reparent was sent to zone2-200");
    EXPECT_EQ(sent, (FaultTrigger{.event = "statement",
                                  .tablet = "zone2-200",
                                  .recovery = "emergency_reparent",
                                  .nth = 3,
                                  .before = true,
                                  .plus = just_sent}));
    const FaultTrigger before = parsed("statement 1 ChangeSource by m1 is about to be sent");
    EXPECT_EQ(before,
              (FaultTrigger{
                  .event = "statement", .manager = "m1", .what = "ChangeSource", .nth = 1, .before = true}));
    const FaultTrigger after = parsed("statement 2 was answered by zone1-100");
    EXPECT_EQ(after, (FaultTrigger{.event = "statement", .tablet = "zone1-100", .nth = 2, .before = false}));
}

TEST(Trigger, the_commit_point_has_a_name_of_its_own) {
    EXPECT_EQ(parsed("manager m1 is about to record_primary"),
              (FaultTrigger{.event = "commit_point", .manager = "m1"}));
    EXPECT_EQ(parsed("manager m1 is about to write_record"),
              (FaultTrigger{.event = "record", .manager = "m1"}));
    EXPECT_EQ(
        parsed("manager m2 is about to StopReceiver to zone1-101"),
        (FaultTrigger{.event = "statement", .manager = "m2", .tablet = "zone1-101", .what = "StopReceiver"}));
}

TEST(Trigger, every_form_prints_as_it_was_read) {
    for (const char* text : {"statement 3 of emergency_reparent was sent to zone2-200",
                             "statement 1 ChangeSource of fix_replica by m1 is about to be sent",
                             "statement 12 was answered by zone1-100", "record 2 by m1 was written",
                             "record 1 is about to be written", "commit point 1 is about to be written",
                             "commit point 2 by m1 was written", "manager m1 is about to record_primary",
                             "notification 17", "notification 17 of m2"}) {
        EXPECT_EQ(trigger_text(parsed(text)), text);
    }
}

TEST(Trigger, what_is_not_understood_says_the_forms) {
    for (const char* text : {"", "later", "statement", "statement 0 was sent", "statement x was sent",
                             "record 1", "commit point 1 was sent", "notification 17 was lost",
                             "manager m1 records", "statement 1 was sent to zone1-100 twice"}) {
        const auto trigger = parse_trigger(text);
        ASSERT_FALSE(trigger.has_value()) << text;
        EXPECT_THAT(trigger.error(), HasSubstr("forms:")) << text;
    }
}

TEST(Trigger, a_misspelt_statement_gets_the_nearest_name) {
    EXPECT_THAT(parse_trigger("statement 1 StopReciever was sent").error(),
                HasSubstr("did you mean \"StopReceiver\"?"));
    EXPECT_THAT(parse_trigger("manager m1 is about to record_primry").error(),
                HasSubstr("did you mean \"record_primary\"?"));
    EXPECT_THAT(parse_trigger("statement 1 of emergency was sent").error(),
                HasSubstr("no recovery is called"));
}

}  // namespace
}  // namespace fixpoint::sim
