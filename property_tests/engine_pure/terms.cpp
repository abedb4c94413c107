// Protocol 4 (the record of a new term, journals) and 10 (opening). One test for each clause.
#include <gtest/gtest.h>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

std::vector<TabletAlias> aliases(const std::vector<RecordedServer>& servers) {
    std::vector<TabletAlias> list;
    for (const RecordedServer& server : servers) list.push_back(server.alias);
    return list;
}

TEST(AckersOfNewTerm, are_those_of_the_old_one_less_the_winner) {
    const Shard s = shard("semi_sync", {102, 103, 104}).kill_primary();
    EXPECT_EQ(aliases(ackers_of_new_term(s, alias(102))), (std::vector{alias(103), alias(104)}));
}

TEST(AckersOfNewTerm, leave_out_locked_ones_that_do_not_vouch_and_keep_those_out_of_reach) {
    Shard s = shard("semi_sync", {102, 103, 104, 105}).kill_primary();
    s[103].acks_on = false;
    silence(s[104]);
    EXPECT_EQ(aliases(ackers_of_new_term(s, alias(102))), (std::vector{alias(104), alias(105)}))
        << "104 may follow the winner already";
    s[105].uuid_as_recorded = false;
    EXPECT_EQ(aliases(ackers_of_new_term(s, alias(102))), std::vector{alias(104)});
}

TEST(AckersOfNewTerm, leave_out_whoever_may_not_acknowledge_for_the_winner) {
    Shard s = shard("cross_cell", {201, 202, 301}).kill_primary();
    EXPECT_EQ(aliases(ackers_of_new_term(s, alias(201))), std::vector{alias(301)});
    silence(s[202]);
    EXPECT_EQ(aliases(ackers_of_new_term(s, alias(201))), (std::vector{alias(202), alias(301)}));
}

TEST(AckersOfNewTerm, never_hold_the_old_primary) {
    Shard s = shard("semi_sync", {102}).close_primary();
    s[101].acks_on = true;
    s.record.ackers.push_back(server(101));
    EXPECT_TRUE(ackers_of_new_term(s, alias(102)).empty());
}

TEST(NewTerm, begins_with_what_its_primary_has_and_forgets_the_state_of_the_old_one) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s.record.revision = 4;
    s.record.adopted = by(90, 1, 1);
    s.record.high_water = by(101, 1, 9);
    s.record.retired = {{by(102, 1, 2) | by(101, 10, 10), {alias(103)}}};
    s.record.server_ids_given = {{uuid(9), 500}};
    s.record.unknown_fields = R"({"x":1})";
    s[102].server_id = 7;
    const FixpointRecord record = record_of_new_term(s, alias(102), 4);
    EXPECT_EQ(record.term, 4);
    EXPECT_EQ(record.revision, 0);
    EXPECT_EQ(record.primary, (RecordedServer{alias(102), {"db102", 3306}, uuid(102), 7}));
    EXPECT_EQ(record.opened_at, past() | by(101, 1, 10));
    EXPECT_EQ(record.policy, s.record.policy);
    EXPECT_TRUE(record.adopted.empty());
    EXPECT_EQ(record.high_water, by(101, 1, 9));
    EXPECT_EQ(record.past_primaries, (std::vector{server(100), server(101)}));
    EXPECT_EQ(record.retired, (std::vector<RetiredGtids>{{by(102, 1, 2), {alias(103)}}}))
        << "what is opened with is nobody's error";
    EXPECT_EQ(record.server_ids_given, s.record.server_ids_given);
    EXPECT_EQ(record.unknown_fields, s.record.unknown_fields);
}

TEST(NewTerm, remembers_each_past_primary_once) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    s.record.past_primaries = {server(101)};
    EXPECT_EQ(record_of_new_term(s, alias(102), 4).past_primaries, std::vector{server(101)});
}

TEST(NewTerm, without_acknowledgements_has_no_mark) {
    Shard s = shard("none", {});
    add_reader(s, 102);
    s.record.high_water = by(101, 1, 9);
    EXPECT_TRUE(record_of_new_term(s, alias(102), 4).high_water.empty());
}

TEST(FirstTerm, begins_with_the_declared_policy_and_without_ackers) {
    Shard s = shard("none", {});
    s.record = {};
    s.declared_policy = policy("semi_sync");
    const FixpointRecord record = record_of_first_term(s, alias(101), 1);
    EXPECT_EQ(record.policy, policy("semi_sync"));
    EXPECT_TRUE(record.ackers.empty());
    EXPECT_TRUE(record.past_primaries.empty());
    EXPECT_EQ(record.term, 1);
}

TEST(Adoption, records_policy_none_and_whose_acks_are_on_or_in_effect) {
    Shard s = shard("semi_sync", {102, 103});
    s.record = {};
    s[102].acks_on = false;
    s[103].acks_in_effect_at_first = s[103].acks_on = false;
    const FixpointRecord record = record_of_adoption(s, alias(101), 1);
    EXPECT_TRUE(record.policy.is_none());
    EXPECT_EQ(aliases(record.ackers), std::vector{alias(102)});
    EXPECT_EQ(record.opened_at, past() | by(101, 1, 10));
}

sql::JournalRow row(std::uint32_t uid, std::int64_t term, std::int64_t revision) {
    return {{"commerce", "0"}, term, revision, alias(uid), uuid(uid), {}};
}

TEST(Journal, a_later_term_or_revision_means_that_the_record_was_set_back) {
    Shard s = shard("semi_sync", {102});
    s.record.revision = 2;
    s[102].journal = {row(101, 3, 2), row(100, 2, 9)};
    EXPECT_FALSE(judge_journals(s).newer_than_record);
    EXPECT_EQ(judge_journals(s).newest, row(101, 3, 2));
    s[102].journal = {row(101, 3, 3)};
    EXPECT_TRUE(judge_journals(s).newer_than_record);
    s[102].journal = {row(102, 4, 0)};
    EXPECT_TRUE(judge_journals(s).newer_than_record);
    s[102].journal = {row(102, 3, 0)};
    EXPECT_TRUE(judge_journals(s).newer_than_record) << "the same term with another uuid";
}

TEST(Journal, a_row_of_a_server_that_was_never_of_this_shard_counts_for_nothing) {
    Shard s = shard("semi_sync", {102});
    s[102].journal = {row(177, 9, 0), row(101, 3, 0)};
    s[101].journal = {row(177, 9, 0)};
    const JournalVerdict verdict = judge_journals(s);
    EXPECT_FALSE(verdict.newer_than_record);
    EXPECT_EQ(verdict.newest, row(101, 3, 0));
    EXPECT_EQ(verdict.foreign, std::vector{row(177, 9, 0)}) << "reported, once";
    s[102].journal.front().shard.keyspace = "other";
    s[101].journal.clear();
    EXPECT_TRUE(judge_journals(s).foreign.empty());
    s[102].journal = {row(100, 9, 0)};
    EXPECT_TRUE(judge_journals(s).newer_than_record) << "a past primary's row counts";
}

TEST(Journal, a_row_counts_of_whom_shard_names_though_nobody_declares_it) {
    Shard s = shard("none", {102});
    s[102].journal = {row(177, 4, 0)};
    s.named_by_shard = alias(177);
    EXPECT_TRUE(judge_journals(s).newer_than_record) << "it may be serving";
    s.named_by_shard = alias(101);
    EXPECT_FALSE(judge_journals(s).newer_than_record);
    s[102].journal.front().alias = alias(101);
    EXPECT_FALSE(judge_journals(s).newer_than_record) << "a declared tablet is asked for its uuid";
}

TEST(Journal, a_row_counts_that_names_a_tablet_that_cannot_be_asked) {
    Shard s = shard("none", {102, 103});
    s[102].journal = {row(103, 4, 0)};
    s[103].answered = false;
    s[103].uuid = Uuid{};
    EXPECT_TRUE(judge_journals(s).newer_than_record) << "it may be serving";
    s[103].answered = true;
    s[103].uuid = uuid(177);
    EXPECT_FALSE(judge_journals(s).newer_than_record) << "another server answers there";
}

TEST(Journal, a_row_counts_of_a_tablet_that_a_person_has_forgotten) {
    Shard s = shard("none", {102});
    s[102].journal = {row(177, 4, 0)};
    EXPECT_FALSE(judge_journals(s).newer_than_record);
    s.goal.forgotten.push_back({alias(177), uuid(177), "a person", {}});
    EXPECT_TRUE(judge_journals(s).newer_than_record) << "its server was this shard's";
}

TEST(Opening, is_allowed_where_nothing_speaks_against_it) {
    const Shard s = shard("semi_sync", {102, 103});
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open);
}

TEST(Opening, needs_the_recorded_server_locked) {
    Shard s = shard("semi_sync", {102});
    s[101].locked = false;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::not_locked);
    s[101].locked = true;
    s[101].uuid = uuid(177);
    s.primary_answers = false;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::another_server);
}

TEST(Opening, of_one_that_is_behind_is_refused_with_what_it_lacks) {
    Shard s = shard("semi_sync", {102});
    s[102].received = by(101, 11, 11);
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::behind);
    EXPECT_EQ(may_open(s).missing, by(101, 11, 11));
    s[101].owned = by(101, 11, 11);
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open) << "it is in its log";
    s.record.high_water = by(101, 1, 12);
    EXPECT_EQ(may_open(s).missing, by(101, 12, 12));
    s.record.policy = policy("none");
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open) << "the mark is for k ≥ 1 only";
    s.record.opened_at.add(by(99, 1, 1));
    EXPECT_EQ(may_open(s).missing, by(99, 1, 1));
    EXPECT_EQ(primary_lacks(s), by(99, 1, 1));
}

TEST(Opening, what_a_silent_one_was_seen_to_have_counts) {
    Shard s = shard("semi_sync", {102});
    s[102].answered = s[102].locked = false;
    s[102].executed = s[102].received = {};
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open);
    s[102].last_seen = by(101, 1, 11);
    EXPECT_EQ(may_open(s).missing, by(101, 11, 11));
    s[102].answered = true;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open) << "what it says now is newer";
}

TEST(Opening, errant_transactions_of_others_do_not_make_it_behind) {
    Shard s = shard("semi_sync", {102});
    s[102].executed.add(by(102, 1, 1));
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open);
}

TEST(Opening, is_refused_where_a_journal_is_newer) {
    Shard s = shard("semi_sync", {102});
    s[102].journal = {row(102, 4, 0)};
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::newer_journal);
}

TEST(Opening, waits_until_nobody_else_is_writable) {
    Shard s = shard("semi_sync", {102, 103});
    s[103].writable = true;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::other_is_writable);
    EXPECT_EQ(may_open(s).other, alias(103));
    s[103].locked = false;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open) << "what is out of reach holds nobody up";
}

TEST(Opening, does_not_wait_for_a_past_primary_whose_closing_hangs_harmlessly) {
    Shard s = shard("semi_sync", {102});
    s.tablets.push_back(replica(100, past()));
    s[100].writable = s[100].closing_pending = true;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::other_is_writable) << "it would acknowledge alone";
    s[100].offline_mode = true;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open);
    s[100].offline_mode = false;
    s[100].source_semi_sync_on = true;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::may_open);
    s[100].closing_pending = false;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::other_is_writable) << "nobody has closed it yet";
}

TEST(Opening, never_happens_under_a_pending_closing) {
    Shard s = shard("semi_sync", {102});
    s[101].closing_pending = true;
    EXPECT_EQ(may_open(s).verdict, OpeningVerdict::closing_pending);
}

}  // namespace
}  // namespace fixpoint
