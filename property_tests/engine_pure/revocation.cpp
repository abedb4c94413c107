// Protocol 4.1 and 4.2: when P is revoked, and what its successor must have executed. One test for each
// clause.
#include <gtest/gtest.h>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

TEST(RevocationByCount, holds_when_fewer_than_k_ackers_are_not_stopped) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    EXPECT_TRUE(revocation(s).by_count);
    silence(s[103]);
    EXPECT_FALSE(revocation(s).holds()) << "103 may acknowledge still";
    EXPECT_EQ(revocation(s).missing, std::vector{alias(103)});
    EXPECT_TRUE(revocation(s).text.contains("zone1-103"));
}

TEST(RevocationByCount, lets_as_many_be_missing_as_cannot_acknowledge_alone) {
    Shard s = shard("semi_sync:2", {102, 103, 104}).kill_primary();
    silence(s[104]);
    EXPECT_TRUE(revocation(s).by_count) << "one acker is not two";
    silence(s[103]);
    EXPECT_FALSE(revocation(s).holds());
}

TEST(RevocationByCount, needs_each_part_of_reached_and_vouching) {
    const auto broken = [](auto change) {
        Shard s = shard("semi_sync", {102, 103}).kill_primary();
        change(s[103]);
        return !revocation(s).by_count;
    };
    EXPECT_TRUE(broken([](TabletFacts& t) { t.locked = false; }));
    EXPECT_TRUE(broken([](TabletFacts& t) { t.restart_safe = false; }));
    EXPECT_TRUE(broken([](TabletFacts& t) { t.privileges_ok = false; }));
    EXPECT_TRUE(broken([](TabletFacts& t) { t.receiver_stopped_or_elsewhere = false; }));
    EXPECT_TRUE(broken([](TabletFacts& t) { t.acks_on = false; }))
        << "it restarted: its acknowledgements count for nothing";
    EXPECT_TRUE(broken([](TabletFacts& t) { t.acks_persisted_off = false; }))
        << "anything may have switched it on";
    EXPECT_TRUE(broken([](TabletFacts& t) { t.uuid_as_recorded = false; }));
    EXPECT_TRUE(broken([](TabletFacts& t) {
        t.acks_on = false;
        t.durable_relay_log = true;
    })) << "OFF means OFF, whatever the settings say of durable relay logs";
}

TEST(RevocationByCount, counts_ackers_whose_records_are_gone) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    s.record.ackers.push_back(server(109));
    EXPECT_FALSE(revocation(s).holds());
    EXPECT_EQ(revocation(s).missing, std::vector{alias(109)});
}

TEST(RevocationByCount, looks_at_the_policy_in_force_and_not_at_the_declared_one) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    silence(s[103]);
    s.declared_policy = policy("semi_sync:2");
    EXPECT_FALSE(revocation(s).holds());
}

TEST(RevocationByCount, is_never_enough_without_acknowledgements) {
    Shard s = shard("none", {}).kill_primary();
    EXPECT_FALSE(revocation(s).holds());
    s.goal.allowed.push_back({"unfenced_promotion", 3});
    EXPECT_TRUE(revocation(s).by_waiver);
    s.goal.allowed = {{"unfenced_promotion", 2}, {"something_else", 3}};
    EXPECT_FALSE(revocation(s).holds()) << "spent with its term";
    Shard k1 = shard("semi_sync", {102}).kill_primary();
    silence(k1[102]);
    k1.goal.allowed.push_back({"unfenced_promotion", 3});
    EXPECT_FALSE(revocation(k1).holds()) << "the waiver is for the policy none only";
}

TEST(RevocationByClosing, needs_a_closed_locked_restart_safe_primary_of_the_recorded_uuid) {
    const auto closed = [](auto change) {
        Shard s = shard("semi_sync", {102}).close_primary();
        silence(s[102]);
        change(s);
        return revocation(s).by_closing;
    };
    EXPECT_TRUE(closed([](Shard&) {}));
    EXPECT_FALSE(closed([](Shard& s) { s[101].closed = false; }));
    EXPECT_FALSE(closed([](Shard& s) { s[101].locked = false; }));
    EXPECT_FALSE(closed([](Shard& s) { s[101].restart_safe = false; }));
    EXPECT_FALSE(closed([](Shard& s) {
        s[101].uuid = uuid(177);
        s.primary_answers = false;
    }));
}

TEST(RevocationByClosing, a_primary_that_is_behind_proves_nothing) {
    Shard s = shard("semi_sync", {102, 103}).close_primary();
    silence(s[103]);
    s[102].executed.add(by(101, 11, 11));  // P lost it
    EXPECT_FALSE(revocation(s).by_closing);
    EXPECT_FALSE(revocation(s).holds());
    s[101].owned = by(101, 11, 11);
    EXPECT_TRUE(revocation(s).by_closing) << "it is in P's log after all";
    s.record.high_water = by(101, 1, 12);
    EXPECT_FALSE(revocation(s).by_closing) << "below the mark";
}

TEST(RevocationByClosing, what_is_errant_on_a_replica_does_not_make_the_primary_behind) {
    Shard s = shard("semi_sync", {102}).close_primary();
    s[102].executed.add(by(102, 1, 3));
    EXPECT_TRUE(revocation(s).by_closing);
}

TEST(RevocationByClosing, without_acknowledgements_behind_or_not) {
    Shard s = shard("none", {}).close_primary();
    s.record.opened_at.add(by(99, 1, 1));
    EXPECT_TRUE(revocation(s).by_closing);
}

TEST(AsIfStopped, is_what_stopping_all_that_answer_could_reach) {
    Shard s = shard("semi_sync", {102, 103});
    for (TabletFacts& t : s.tablets) t.locked = t.receiver_stopped_or_elsewhere = false;
    s[102].received = by(101, 11, 12);
    EXPECT_FALSE(revocation(s).holds());
    const ShardFacts stopped = as_if_stopped(s);
    EXPECT_TRUE(revocation(stopped).by_count);
    EXPECT_EQ(stopped.find(alias(102))->executed, past() | by(101, 1, 12));

    silence(s[103]);
    EXPECT_FALSE(revocation(as_if_stopped(s)).by_count) << "a silent one stays unreached";
    s[101].executed.add(by(101, 11, 12));
    EXPECT_TRUE(revocation(as_if_stopped(s)).by_closing) << "P answers: it can be closed";
    s.kill_primary();
    EXPECT_FALSE(revocation(as_if_stopped(s)).holds()) << "refuse before anything is touched";
}

TEST(AsIfStopped, an_applier_on_an_error_applies_nothing_and_what_is_not_ours_to_touch_is_not_locked) {
    Shard s = shard("semi_sync", {102, 103});
    for (TabletFacts& t : s.tablets) t.locked = false;
    s[102].received = by(101, 11, 12);
    s[102].applier_failed = true;
    s[103].manageable = false;
    const ShardFacts stopped = as_if_stopped(s);
    EXPECT_EQ(stopped.find(alias(102))->executed, past() | by(101, 1, 10));
    EXPECT_FALSE(stopped.find(alias(103))->locked);
}

GtidSet demanded_of(const ShardFacts& s) {
    return demanded(s, revocation(s));
}

TEST(Demanded, is_what_acknowledging_tablets_have_that_is_attributable) {
    Shard s = shard("semi_sync", {102, 103}).kill_primary();
    s[103].received = by(101, 11, 11);
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 11))
        << "received counts: an acknowledgement means received";
    s[103].executed.add(by(103, 1, 1));
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 11)) << "errant transactions are no evidence";
}

TEST(Demanded, does_not_ask_readers_that_never_acknowledged) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    add_reader(s, 104);
    s[104].received = by(101, 11, 20);
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 10));
    s[104].acks_in_effect_at_first = true;
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 20)) << "switched off, but it went on acknowledging";
    s[104].acks_in_effect_at_first = false;
    s[104].acks_on = true;
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 20)) << "in A or not";
}

TEST(Demanded, asks_drained_and_rdonly_tablets_too) {
    for (const TabletType type : {TabletType::drained, TabletType::rdonly, TabletType::backup}) {
        Shard s = shard("semi_sync", {102}).kill_primary();
        add_reader(s, 104);
        s[104].acks_on = true;
        s[104].tablet.type = type;
        s[104].received = by(101, 11, 11);
        EXPECT_EQ(demanded_of(s), past() | by(101, 1, 11));
    }
}

TEST(Demanded, does_not_ask_the_primary_itself_where_the_count_suffices) {
    Shard s = shard("semi_sync", {102}).close_primary();
    s[101].executed.add(by(101, 11, 11));  // nobody acknowledged it
    EXPECT_TRUE(revocation(s).by_count && revocation(s).by_closing);
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 10));
}

TEST(Demanded, is_all_that_a_closed_primary_executed_where_only_its_closing_revokes_it) {
    Shard s = shard("semi_sync", {102, 103}).close_primary();
    silence(s[103]);
    s[101].executed.add(by(101, 11, 11));
    s[101].owned = by(101, 12, 12);
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 11)) << "commits that still wait: nobody was told of them";
}

TEST(Demanded, holds_the_opening_set_and_the_mark_whoever_has_them) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    s.record.opened_at.add(by(99, 1, 1));
    s.record.high_water = by(101, 1, 12);
    EXPECT_EQ(demanded_of(s), past() | by(99, 1, 1) | by(101, 1, 12));
}

TEST(Demanded, without_acknowledgements_is_everything_attributable_that_anybody_locked_has) {
    Shard s = shard("none", {}).close_primary();
    add_reader(s, 104);
    s[104].received = by(101, 11, 11);
    s[101].executed.add(by(101, 12, 12));
    s.record.high_water = by(101, 1, 50);
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 12)) << "no mark, P included";
    s[104].locked = false;
    s[104].executed = {};
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 10) | by(101, 12, 12));
}

TEST(Demanded, under_the_waiver_the_opening_set_is_not_demanded_of_those_who_lack_it) {
    Shard s = shard("none", {}).kill_primary();
    add_reader(s, 104);
    s.goal.allowed.push_back({"unfenced_promotion", 3});
    s.record.opened_at.add(by(99, 1, 1));
    EXPECT_EQ(demanded_of(s), past() | by(101, 1, 10));
}

}  // namespace
}  // namespace fixpoint
