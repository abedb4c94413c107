// Protocol 11: a shard without a record, with one that was set back, or reparented by others. One test for
// each clause.
#include <gtest/gtest.h>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

ShardRecord names(std::uint32_t uid, std::int64_t time = 7) {
    ShardRecord shard;
    shard.primary_alias = alias(uid);
    shard.primary_term_start_time.ns = time;
    return shard;
}

// A shard that works and that Fixpoint has never seen: 101 serves, 102 and 103 follow it.
Shard unrecorded() {
    Shard s = shard("semi_sync", {102, 103});
    s.record = {};
    s.primary_answers = false;
    for (TabletFacts& t : s.tablets) t.in_ackers = false;
    return s;
}

sql::JournalRow row(std::uint32_t uid, std::int64_t term) {
    return {{"commerce", "0"}, term, 0, alias(uid), uuid(uid), {}};
}

TEST(FirstContact, a_shard_that_works_is_adopted) {
    const Shard s = unrecorded();
    const FirstContactVerdict verdict = judge_first_contact(s, names(101), nullptr);
    EXPECT_EQ(verdict.kind, FirstContact::adopt);
    EXPECT_EQ(verdict.primary, alias(101));
    EXPECT_EQ(verdict.next_term, 1);
}

TEST(FirstContact, the_newest_journal_row_outweighs_shard) {
    Shard s = unrecorded();
    s[102].journal = {row(101, 6)};
    EXPECT_EQ(judge_first_contact(s, names(103), nullptr).primary, alias(101));
    EXPECT_EQ(judge_first_contact(s, names(103), nullptr).next_term, 7);
    s[102].journal = {row(103, 6)};
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::record_lost)
        << "103 does not serve";
}

TEST(FirstContact, of_two_that_are_writable_nobody_is_adopted_save_beside_a_mere_follower) {
    Shard s = unrecorded();
    s[102].writable = true;
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::adopt)
        << "it follows, and has nothing beyond";
    s[102].executed.add(by(102, 1, 1));
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::record_lost);
    s[102].executed.subtract(by(102, 1, 1));
    s[102].receives = false;
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::record_lost);
}

TEST(FirstContact,
     one_that_lost_its_own_transactions_is_not_adopted_but_a_foreign_one_elsewhere_is_no_obstacle) {
    Shard s = unrecorded();
    s[102].executed.add(by(102, 1, 1));
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::adopt);
    s[102].received.add(by(101, 11, 11));
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::record_lost);
    s[101].owned = by(101, 11, 11);
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::adopt);
}

TEST(FirstContact, one_that_does_not_serve_is_not_adopted) {
    Shard s = unrecorded();
    s[101].serves = false;
    EXPECT_EQ(judge_first_contact(s, names(101), nullptr).kind, FirstContact::record_lost);
    EXPECT_EQ(judge_first_contact(s, ShardRecord{}, nullptr).kind, FirstContact::never_had_a_primary);
}

TEST(FirstContact, never_had_is_not_lost) {
    Shard s = unrecorded();
    s[101].serves = s[101].writable = false;
    EXPECT_EQ(judge_first_contact(s, ShardRecord{}, nullptr).kind, FirstContact::never_had_a_primary);
    ShardRecord had;
    had.primary_term_start_time.ns = 1;
    EXPECT_EQ(judge_first_contact(s, had, nullptr).kind, FirstContact::record_lost)
        << "the time is never cleared";
    s[102].journal = {row(177, 2)};
    EXPECT_EQ(judge_first_contact(s, ShardRecord{}, nullptr).kind, FirstContact::record_lost)
        << "a row anywhere";
    s[102].journal.clear();
    s[102].executed.add(by(102, 1, 1));
    s[103].executed.add(by(103, 1, 1));
    EXPECT_EQ(judge_first_contact(s, ShardRecord{}, nullptr).kind, FirstContact::record_lost)
        << "nobody has all";
}

TEST(FirstContact, after_a_record_that_was_set_back_the_term_goes_on) {
    Shard s = shard("semi_sync", {102});
    s[102].journal = {row(102, 9)};
    s[101].serves = false;
    s[102].serves = true;
    const FirstContactVerdict verdict = judge_first_contact(s, names(101), &s.record);
    EXPECT_EQ(verdict.next_term, 10);
    EXPECT_EQ(verdict.kind, FirstContact::record_lost) << "101 is writable";
    s[101].writable = false;
    s[101].executed.subtract(by(101, 1, 10));
    EXPECT_EQ(judge_first_contact(s, names(101), &s.record).primary, alias(102));
}

TEST(ElectionWithoutRecord, needs_every_declared_tablet) {
    const Shard s = unrecorded();
    const Election election = elect_without_record(s, FirstContact::record_lost, {alias(104)});
    EXPECT_EQ(election.reason, Reason::record_lost_tablet_missing);
    EXPECT_TRUE(election.text.contains("zone1-104"));
}

TEST(ElectionWithoutRecord, wants_one_that_has_executed_all_that_any_has) {
    Shard s = unrecorded();
    EXPECT_EQ(elect_without_record(s, FirstContact::record_lost, {}).winner, alias(101));
    s[103].received = by(101, 11, 11);
    EXPECT_EQ(elect_without_record(s, FirstContact::record_lost, {}).reason, Reason::nobody_has_everything);
    s[103].executed.add(by(101, 11, 11));
    EXPECT_EQ(elect_without_record(s, FirstContact::record_lost, {}).winner, alias(103));
    s[103].tablet.type = TabletType::rdonly;
    EXPECT_EQ(elect_without_record(s, FirstContact::never_had_a_primary, {}).reason,
              Reason::nobody_has_everything);
    for (TabletFacts& t : s.tablets) t.tablet.type = TabletType::rdonly;
    EXPECT_EQ(elect_without_record(s, FirstContact::never_had_a_primary, {}).reason, Reason::no_candidate);
}

TEST(ElectionWithoutRecord, never_elects_one_that_lacks_what_is_retired_of_its_own) {
    Shard s = unrecorded();
    s.record.retired = {{by(101, 11, 12), {alias(109)}}};
    EXPECT_EQ(elect_without_record(s, FirstContact::record_lost, {}).winner, alias(102));
}

// Somebody moved the primary from 101 to 102 properly, under a record of ours.
Shard moved() {
    Shard s = shard("semi_sync", {102, 103});
    s.record.shard_time.ns = 5;
    s[101].writable = s[101].serves = false;
    s[102].writable = s[102].serves = true;
    s[103].source_uuid = uuid(102);
    return s;
}

TEST(ReparentedByOthers, is_seen_where_everything_fits) {
    Shard s = moved();
    EXPECT_EQ(reparented_by_others(s, names(102)), alias(102));
    s[102].executed.add(by(102, 1, 3));
    EXPECT_EQ(reparented_by_others(s, names(102)), alias(102));
    s[103].journal = {row(101, 3)};
    EXPECT_EQ(reparented_by_others(s, names(102)), alias(102));
}

TEST(ReparentedByOthers, is_a_mere_wish_where_anything_does_not) {
    const auto seen = [](auto change, const ShardRecord& record = names(102)) {
        Shard s = moved();
        change(s);
        return reparented_by_others(s, record).has_value();
    };
    EXPECT_FALSE(seen([](Shard&) {}, names(101)));
    EXPECT_FALSE(seen([](Shard&) {}, names(102, 5))) << "not later than what we wrote";
    EXPECT_FALSE(seen([](Shard&) {}, ShardRecord{}));
    EXPECT_FALSE(seen([](Shard& s) { s[102].serves = false; }));
    EXPECT_FALSE(seen([](Shard& s) { s[101].writable = true; }));
    EXPECT_FALSE(seen([](Shard& s) { s[101].owned = by(101, 11, 11); }));
    EXPECT_FALSE(seen([](Shard& s) { s[101].executed.add(by(101, 11, 11)); })) << "102 lacks it";
    EXPECT_FALSE(seen([](Shard& s) { s.kill_primary(); })) << "nobody knows what it has";
    EXPECT_FALSE(seen([](Shard& s) { s[103].writable = true, s[103].receives = false; }));
    EXPECT_FALSE(seen([](Shard& s) { s[103].received = by(102, 1, 1); }))
        << "102 lost a transaction of its own";
    EXPECT_FALSE(seen([](Shard& s) { s[103].journal = {row(103, 9)}; }));
}

}  // namespace
}  // namespace fixpoint
