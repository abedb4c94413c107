// Protocol 8: attributable, errant, foreign, retired, and server_ids. One test for each clause.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

TEST(Errant, is_what_is_in_nobodys_term) {
    Shard s = shard("semi_sync", {102});
    EXPECT_TRUE(errant_on(s, s[102]).empty());
    s[102].executed.add(by(102, 1, 2));
    s[102].received.add(by(100, 6, 6));
    EXPECT_EQ(errant_on(s, s[102]), by(102, 1, 2) | by(100, 6, 6)) << "a leftover of the older primary, too";
}

TEST(Errant, what_the_primarys_uuid_numbers_never_is_tagged_or_not) {
    Shard s = shard("semi_sync", {102});
    s[102].executed.add(by(101, 11, 99));
    s[102].executed.add(Tsid{uuid(101), "tag"}, {1, 7});
    EXPECT_TRUE(errant_on(s, s[102]).empty()) << "P may still wait with it";
    s.kill_primary();
    EXPECT_TRUE(errant_on(s, s[102]).empty());
}

TEST(Errant, what_was_adopted_is_not_and_what_the_primary_executed_is_not_while_it_answers) {
    Shard s = shard("semi_sync", {102});
    s[101].executed.add(by(90, 1, 3));
    s[102].executed.add(by(90, 1, 3));
    EXPECT_TRUE(errant_on(s, s[102]).empty());
    EXPECT_EQ(foreign_on_primary(s), by(90, 1, 3)) << "to be written down before P dies";
    Shard dead = s;
    dead.kill_primary();
    EXPECT_EQ(errant_on(dead, dead[102]), by(90, 1, 3));
    EXPECT_TRUE(foreign_on_primary(dead).empty());
    s.record.adopted = by(90, 1, 3);
    s.kill_primary();
    EXPECT_TRUE(errant_on(s, s[102]).empty());
}

TEST(Errant, the_primary_itself_has_none_but_another_server_under_its_alias_may) {
    Shard s = shard("semi_sync", {102});
    s[101].executed.add(by(90, 1, 3));
    EXPECT_TRUE(errant_on(s, s[101]).empty());
    s[101].uuid = uuid(177);
    s.primary_answers = false;
    EXPECT_EQ(s.primary(), nullptr);
    EXPECT_EQ(errant_on(s, s[101]), by(90, 1, 3));
}

RC_GTEST_PROP(Errant, and_attributable_are_a_partition, ()) {
    Shard s = shard("semi_sync", {102});
    s.record.opened_at = *gen::gtid_set();
    s.record.adopted = *gen::gtid_set();
    s.record.primary.uuid = s[101].uuid = gen::uuid_number(0);
    s[101].executed = *gen::gtid_set();
    s.primary_answers = *rc::gen::arbitrary<bool>();
    if (!s.primary_answers) silence(s[101]);
    const GtidSet set = *gen::gtid_set();
    s[102].executed = set;
    const GtidSet attributable = attributable_part(s, set);
    const GtidSet errant = errant_on(s, s[102]);
    RC_ASSERT((attributable | errant) == set);
    RC_ASSERT(!attributable.intersects(errant));
    RC_ASSERT(!errant.intersects(set.of_uuid(gen::uuid_number(0))));
    RC_ASSERT(!errant.intersects(s.record.opened_at | s.record.adopted));
}

TEST(OwnTransactions, that_anybody_else_has_and_it_lacks_make_a_tablet_no_primary) {
    Shard s = shard("semi_sync", {102, 103});
    EXPECT_TRUE(own_transactions_missing(s, s[102]).empty());
    s.record.retired = {{by(102, 4, 4), {alias(102)}}};
    EXPECT_EQ(own_transactions_missing(s, s[102]), by(102, 4, 4));
    s.record.retired = {};
    s[103].executed.add(by(102, 1, 2));
    EXPECT_EQ(own_transactions_missing(s, s[102]), by(102, 1, 2)) << "103 holds what 102 has lost";
    s[101].executed.add(by(102, 1, 3));
    EXPECT_EQ(own_transactions_missing(s, s[102]), by(102, 1, 3));
    s[102].executed.add(by(102, 1, 3));
    EXPECT_TRUE(own_transactions_missing(s, s[102]).empty());
}

TEST(Retired, remembers_what_was_seen_and_where) {
    std::vector<RetiredGtids> retired = retired_with({}, by(102, 1, 2), alias(102));
    retired = retired_with(retired, by(102, 2, 4), alias(102));
    retired = retired_with(retired, by(102, 1, 1), alias(103));
    retired = retired_with(retired, {}, alias(104));
    ASSERT_EQ(retired.size(), 2U);
    EXPECT_EQ(retired[0], (RetiredGtids{by(102, 1, 4), {alias(102)}}));
    EXPECT_EQ(retired[1], (RetiredGtids{by(102, 1, 1), {alias(103)}}));
    EXPECT_EQ(retired_without(retired, by(102, 1, 1)),
              (std::vector<RetiredGtids>{{by(102, 2, 4), {alias(102)}}}));
}

TEST(Retired, is_cleared_when_every_tablet_was_seen_without_it) {
    Shard s = shard("semi_sync", {102, 103});
    s.record.retired = {{by(102, 1, 4), {alias(102)}}};
    EXPECT_EQ(retired_to_clear(s), by(102, 1, 4));
    s[103].executed.add(by(102, 2, 2));
    EXPECT_TRUE(retired_to_clear(s).empty()) << "103 still has some of it";
    silence(s[103]);
    EXPECT_TRUE(retired_to_clear(s).empty()) << "nobody knows what 103 has";
    s.goal.forgotten.push_back({alias(103), uuid(103), "anna", {}});
    EXPECT_EQ(retired_to_clear(s), by(102, 1, 4)) << "a person says that the server is gone";
}

TEST(Retired, is_kept_while_a_tablet_that_had_it_is_out_of_sight_or_to_be_rebuilt) {
    Shard s = shard("semi_sync", {102, 103});
    s.record.retired = {{by(102, 1, 4), {alias(109)}}, {by(103, 1, 1), {alias(103)}}};
    EXPECT_EQ(retired_to_clear(s), by(103, 1, 1))
        << "109 is no longer declared, and nobody said that it is gone";
    s.goal.rebuild_by_clone = true;
    s[103].executed.add(by(90, 1, 1));
    EXPECT_TRUE(retired_to_clear(s).empty()) << "103 will be rebuilt, and number anew";
}

TEST(ServerId, is_renewed_for_a_blank_tablet) {
    Shard s = shard("semi_sync", {102});
    s[102].executed = {};
    std::string why;
    EXPECT_TRUE(server_id_to_renew(s, s[102], &why));
    EXPECT_TRUE(why.contains("blank"));
}

TEST(ServerId, is_renewed_where_its_own_transactions_would_be_skipped) {
    Shard s = shard("semi_sync", {102});
    s[101].executed.add(by(102, 1, 3));
    EXPECT_TRUE(server_id_to_renew(s, s[102]));
    s[102].received = by(102, 1, 3);
    EXPECT_FALSE(server_id_to_renew(s, s[102])) << "it has them already";
}

TEST(ServerId, is_renewed_where_a_primary_of_another_uuid_bore_it) {
    Shard s = shard("semi_sync", {102});
    s[102].server_id = 100;
    EXPECT_TRUE(server_id_to_renew(s, s[102])) << "100 was primary once";
    s[102].server_id = 101;
    EXPECT_TRUE(server_id_to_renew(s, s[102]));
    s[102].server_id = 102;
    EXPECT_FALSE(server_id_to_renew(s, s[102]));
    s.record.past_primaries.push_back(server(102));
    EXPECT_FALSE(server_id_to_renew(s, s[102])) << "it was primary itself, under this uuid";
}

TEST(ServerId, is_not_renewed_again_until_somebody_led_under_it) {
    Shard s = shard("semi_sync", {102});
    s[102].executed = {};
    s[102].server_id = 7;
    s.record.server_ids_given = {{uuid(102), 7}};
    EXPECT_FALSE(server_id_to_renew(s, s[102]));
    s.record.server_ids_given = {{uuid(103), 7}};
    EXPECT_TRUE(server_id_to_renew(s, s[102])) << "given to somebody else";
    s.record.server_ids_given = {{uuid(102), 7}};
    s.record.past_primaries.push_back({alias(102), {}, uuid(102), 7});
    EXPECT_TRUE(server_id_to_renew(s, s[102])) << "it led under it since: its events may be in a log";
}

TEST(ServerId, of_the_primary_in_force_and_of_a_silent_tablet_is_left_alone) {
    Shard s = shard("semi_sync", {102});
    s[101].executed = {};
    EXPECT_FALSE(server_id_to_renew(s, s[101]));
    silence(s[102]);
    EXPECT_FALSE(server_id_to_renew(s, s[102]));
}

TEST(ServerId, a_fresh_one_was_never_seen_or_given) {
    Shard s = shard("semi_sync", {102});
    EXPECT_EQ(fresh_server_id(s), 103);
    s.record.server_ids_given = {{uuid(9), 500}};
    EXPECT_EQ(fresh_server_id(s), 501);
    s.record.past_primaries.push_back({alias(100), {}, uuid(100), 4294967295});
    EXPECT_EQ(fresh_server_id(s), 1) << "the greatest is taken: the first gap";
    s[102].server_id = 1;
    EXPECT_EQ(fresh_server_id(s), 2);
}

}  // namespace
}  // namespace fixpoint
