// Protocol 4.2–4.4: who is elected, from whom it catches up, and why nobody is. One test for each clause.
#include <gtest/gtest.h>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

TEST(Election, prefers_nobody_but_by_alias_where_all_are_equal) {
    const Shard s = shard("semi_sync", {102, 103, 104}).kill_primary();
    const Election election = elect(s);
    EXPECT_EQ(election.winner, alias(102));
    EXPECT_FALSE(election.catch_up_from.has_value());
    EXPECT_EQ(election.passed_over, (std::vector{alias(103), alias(104)}));
    EXPECT_EQ(election.demanded, past() | by(101, 1, 10));
}

TEST(Election, follows_wish_then_rule_then_cell_then_alias) {
    Shard s = shard("semi_sync", {102, 103, 201}).kill_primary();
    s.goal.promotion_rules[alias(102)] = PromotionRule::prefer_not;
    EXPECT_EQ(s.winner(), alias(103)) << "the rule before the alias, the cell of P before another";
    s.goal.promotion_rules[alias(201)] = PromotionRule::prefer;
    EXPECT_EQ(s.winner(), alias(201)) << "the rule before the cell";
    EXPECT_EQ(s.winner({.candidate = alias(102)}), alias(102)) << "the wish before the rule";
    s.goal.promotion_rules[alias(102)] = PromotionRule::must_not;
    EXPECT_EQ(s.winner({.candidate = alias(102)}), alias(201)) << "must_not excludes";
}

TEST(Election, a_preferred_candidate_that_is_behind_catches_up_from_one_that_is_not) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[103].executed.add(by(101, 11, 12));
    s.goal.promotion_rules[alias(102)] = PromotionRule::prefer;
    const Election election = elect(s);
    EXPECT_EQ(election.winner, alias(102)) << "rules never override data: it must have them first";
    EXPECT_EQ(election.catch_up_from, alias(103));
    EXPECT_EQ(election.to_fetch, by(101, 11, 12));
    s.goal.promotion_rules.clear();
    EXPECT_EQ(s.winner(), alias(103)) << "among equals the one that need not fetch";
}

// M40: its receiver passes over what bears its own server_id.
TEST(Election, one_that_bears_another_primarys_server_id_fetches_nothing) {
    for (const std::uint32_t id : {101u, 100u, 103u}) {
        Shard s = shard("semi_sync", {102, 103}).kill_primary();
        s[103].executed.add(by(101, 11, 12));
        s[102].server_id = id;
        EXPECT_EQ(s.winner({.candidate = alias(102)}), alias(103)) << id;
        s[102].executed.add(by(101, 11, 12));
        EXPECT_EQ(s.winner({.candidate = alias(102)}), alias(102)) << "that has everything is as good as any";
    }
}

TEST(Election, who_is_never_restart_safe_follows_but_is_no_acker_to_come) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[103].restart_safe = false;
    EXPECT_EQ(s.winner(), alias(102)) << "its settings can be persisted";
    s[103].loads_persisted = false;
    EXPECT_EQ(elect(s).reason, Reason::too_few_followers);
}

TEST(Election, under_none_who_could_never_wait_comes_last_where_the_declared_policy_waits) {
    Shard s = shard("none", {102, 103}).close_primary();
    s[102].semi_sync_plugins = false;
    EXPECT_EQ(s.winner(), alias(102)) << "nobody wants it to";
    s.declared_policy = policy("semi_sync");
    EXPECT_EQ(s.winner({.candidate = alias(102)}), alias(103));
    silence(s[103]);
    EXPECT_EQ(s.winner(), alias(102)) << "better than nobody";
}

TEST(Election, nobody_catches_up_from_one_that_has_purged_what_it_lacks) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[103].executed.add(by(101, 11, 12));
    s[103].purged = by(101, 1, 11);
    s.goal.promotion_rules[alias(102)] = PromotionRule::prefer;
    EXPECT_EQ(s.winner(), std::nullopt) << "102 cannot fetch it, and 102 could not follow 103";
    s.goal.rebuild_by_clone = true;
    EXPECT_EQ(s.winner(), alias(103));
}

TEST(Election, what_is_demanded_may_come_from_several) {
    Shard s = shard("semi_sync", {102, 103, 104}).kill_primary();
    s.record.high_water = by(101, 1, 12);
    s[103].executed.add(by(101, 11, 11));
    s[104].executed.add(by(101, 12, 12));
    s.goal.promotion_rules[alias(102)] = PromotionRule::prefer;
    const Election election = elect(s);
    EXPECT_EQ(election.winner, alias(102));
    EXPECT_EQ(election.catch_up_from, alias(103));
    EXPECT_EQ(election.to_fetch, by(101, 11, 11));
}

TEST(Election, what_nobody_in_reach_has_is_split_brain_or_loss_and_refused) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s.record.high_water = by(101, 1, 12);
    const Election election = elect(s);
    EXPECT_EQ(election.winner, std::nullopt);
    EXPECT_EQ(election.reason, Reason::demanded_missing);
    EXPECT_TRUE(election.text.contains(by(101, 11, 12).to_string())) << election.text;
    EXPECT_TRUE(election.text.contains("no tablet that answers has them")) << election.text;
}

TEST(Election, a_closed_primary_is_a_source_and_never_the_winner) {
    Shard s = shard("semi_sync", {102, 103}).close_primary();
    silence(s[103]);
    s[101].executed.add(by(101, 11, 11));
    Election election = elect(s);
    EXPECT_EQ(election.winner, alias(102));
    EXPECT_EQ(election.catch_up_from, alias(101));
    s[102].executed.add(by(101, 11, 11));
    election = elect(s);
    EXPECT_EQ(election.winner, alias(102));
    EXPECT_EQ(election.catch_up_from, std::nullopt);
    EXPECT_EQ(s.winner({.candidate = alias(101), .only_candidate = true}), std::nullopt);
}

TEST(Election, leaves_out_whoever_is_not_fit) {
    const auto fit = [](auto change) {
        Shard s = shard("semi_sync", {102, 103, 104}).kill_primary();
        change(s);
        const std::optional<TabletAlias> winner = s.winner();
        EXPECT_TRUE(winner == alias(102) || winner == alias(103));
        return winner == alias(102);
    };
    EXPECT_TRUE(fit([](Shard&) {}));
    EXPECT_FALSE(fit([](Shard& s) { s[102].tablet.type = TabletType::rdonly; }));
    EXPECT_FALSE(fit([](Shard& s) { s[102].tablet.type = TabletType::drained; }));
    EXPECT_TRUE(fit([](Shard& s) {
        s[102].tablet.type = TabletType::drained;
        s[102].tablet.tags["fixpoint_was"] = "replica";
    })) << "one that Fixpoint drained counts as what it was";
    EXPECT_FALSE(fit([](Shard& s) { s[102].manageable = false; }));
    EXPECT_FALSE(fit([](Shard& s) { s[102].semi_sync_plugins = false; }));
    EXPECT_FALSE(fit([](Shard& s) { s[102].applier_failed = true; }));
    EXPECT_FALSE(fit([](Shard& s) { s.record.retired = {{by(102, 1, 1), {alias(103)}}}; }));
    EXPECT_FALSE(fit([](Shard& s) {
        s.record.opened_at.add(by(102, 1, 1)), s[103].executed.add(by(102, 1, 1));
    })) << "it lacks transactions of its own uuid";
}

TEST(Election, a_candidate_that_is_not_restart_safe_or_not_locked_is_none) {
    Shard s = shard("semi_sync:2", {102, 103, 104}).kill_primary();
    s[102].restart_safe = false;
    EXPECT_EQ(s.winner(), alias(103));
    s[102].restart_safe = true;
    s[102].locked = false;
    s.goal.rebuild_by_clone = true;
    EXPECT_EQ(elect(s).reason, Reason::too_few_followers) << "103 would have 104 only";
}

TEST(Election, two_tablets_with_one_uuid_are_both_no_candidates) {
    Shard s = shard("semi_sync", {102, 103, 104}).kill_primary();
    s[103].uuid = s[102].uuid;
    EXPECT_EQ(s.winner(), alias(104));
}

TEST(Election, says_why_nobody_is_a_candidate) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    s[102].tablet.type = TabletType::rdonly;
    const Election election = elect(s);
    EXPECT_EQ(election.reason, Reason::no_candidate);
    EXPECT_TRUE(election.text.contains("zone1-101: it is the primary in force")) << election.text;
    EXPECT_TRUE(election.text.contains("zone1-102: its type is rdonly")) << election.text;
}

TEST(Election, of_a_wish_is_of_that_candidate_or_of_nobody) {
    Shard s = shard("semi_sync", {102, 103}).close_primary();
    const ElectionWish only{.candidate = alias(103), .only_candidate = true};
    EXPECT_EQ(s.winner(only), alias(103));
    s[103].tablet.type = TabletType::spare;
    EXPECT_EQ(elect(s, only).reason, Reason::candidate_unfit);
    EXPECT_TRUE(elect(s, only).text.contains("its type is spare"));
    EXPECT_EQ(elect(s, {.candidate = alias(999), .only_candidate = true}).reason, Reason::candidate_unfit);
}

TEST(Election, errant_tablets_come_last_but_they_come) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[102].executed.add(by(102, 1, 1));
    EXPECT_EQ(s.winner(), alias(103)) << "a clean one first";
    s[102].executed.add(by(101, 11, 11));
    const Election election = elect(s);
    EXPECT_EQ(election.winner, alias(102)) << "only it has the write, and it has all of it";
    EXPECT_TRUE(election.winner_is_errant);
}

TEST(Election, from_an_errant_tablet_is_fetched_only_where_it_cannot_be_elected_itself) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[102].executed.add(by(102, 1, 1) | by(101, 11, 11));
    s[102].tablet.type = TabletType::rdonly;
    add_reader(s, 104);
    const Election election = elect(s);
    EXPECT_EQ(election.winner, alias(103));
    EXPECT_EQ(election.catch_up_from, alias(102));
    EXPECT_FALSE(election.winner_is_errant) << "not yet: it is asked again after the fetch";
}

TEST(Election, another_server_under_the_primarys_alias_is_a_tablet_like_the_others) {
    Shard s = shard("semi_sync", {102, 103});
    s[101] = replica(101, past() | by(101, 1, 10));
    s[101].uuid = uuid(177);
    s.primary_answers = false;
    EXPECT_EQ(s.winner(), alias(101));
    EXPECT_TRUE(revocation(s).by_count);
}

TEST(CanEstablish, needs_k_tablets_in_reach_that_could_follow) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    std::string why;
    EXPECT_TRUE(can_establish(s, alias(102)));
    silence(s[103]);
    EXPECT_FALSE(can_establish(s, alias(102), &why));
    EXPECT_EQ(why, "0 tablets in reach could acknowledge for zone1-102, the policy semi_sync needs 1");
    EXPECT_FALSE(can_establish(s, alias(999), &why));
    s.record.policy = policy("none");
    EXPECT_TRUE(can_establish(s, alias(102))) << "nobody is needed";
}

TEST(CanEstablish, counts_the_former_primary_and_errant_ones_but_not_those_that_the_policy_excludes) {
    Shard s = shard("semi_sync", {102}).close_primary();
    EXPECT_TRUE(can_establish(s, alias(102))) << "a closed P can follow, its leftovers are its own";
    s[101].executed.add(by(101, 11, 11) | by(90, 1, 1));
    EXPECT_TRUE(can_establish(s, alias(102))) << "with errant transactions, too";
    s.record.policy = policy("cross_cell");
    EXPECT_FALSE(can_establish(s, alias(102))) << "it is in the candidate's cell";
}

TEST(CanEstablish, does_not_count_who_has_more_of_the_candidates_uuid_or_lacks_what_it_purged) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[103].executed.add(by(102, 1, 1));
    EXPECT_FALSE(can_establish(s, alias(102)));
    s[102].executed.add(by(102, 1, 1));
    EXPECT_TRUE(can_establish(s, alias(102)));
    s[102].purged = past() | by(101, 1, 10);
    EXPECT_TRUE(can_establish(s, alias(102)));
    s[103].executed.subtract(by(101, 10, 10));
    EXPECT_FALSE(can_establish(s, alias(102)));
    s[103].received.add(by(101, 10, 10));
    EXPECT_TRUE(can_establish(s, alias(102))) << "received will do";
    s[103].received = {};
    s.goal.rebuild_by_clone = true;
    EXPECT_TRUE(can_establish(s, alias(102))) << "it may be rebuilt";
}

TEST(Election, a_clean_candidate_that_nobody_could_follow_gives_way) {
    Shard s = shard("cross_cell", {201, 202}).kill_primary();
    EXPECT_EQ(elect(s).reason, Reason::too_few_followers) << "both are in zone2";
    add_reader(s, 102);
    EXPECT_EQ(s.winner(), alias(102)) << "in P's cell, and 201 and 202 can acknowledge for it";
}

TEST(WorthFetching, is_what_others_have_beyond_what_was_demanded) {
    Shard s = shard("semi_sync", {102, 103}).close_primary();
    s[101].executed.add(by(101, 11, 11));
    add_reader(s, 104);
    s[104].executed.add(by(101, 12, 12));
    const std::vector<WorthFetching> worth = worth_fetching(s, alias(102));
    ASSERT_EQ(worth.size(), 2U);
    EXPECT_EQ(worth[0].from, alias(101));
    EXPECT_EQ(worth[0].gtids, by(101, 11, 11));
    EXPECT_EQ(worth[1].from, alias(104));
    s[104].executed.add(by(104, 1, 1));
    EXPECT_EQ(worth_fetching(s, alias(102)).size(), 1U) << "never from an errant one for nothing";
    s[101].closed = false;
    EXPECT_TRUE(worth_fetching(s, alias(102)).empty()) << "a P that is open still changes";
}

}  // namespace
}  // namespace fixpoint
