// Protocol 6 (qualifying, CHANGE, the mark) and 9 (barrier, leaving, tightening). One test for each clause.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

sql::GtidsAnswer log_of(const TabletFacts& t) {
    return {t.owned, t.executed};
}

TEST(Complete, is_a_tablet_that_has_the_primarys_whole_log) {
    Shard s = shard("semi_sync", {102});
    EXPECT_TRUE(is_complete(s, s[102], log_of(s[101]), {}));
    s[101].owned = by(101, 11, 11);
    EXPECT_FALSE(is_complete(s, s[102], log_of(s[101]), {}))
        << "P may count its former acknowledgement for 11";
    s[102].received = by(101, 11, 11);
    EXPECT_TRUE(is_complete(s, s[102], log_of(s[101]), {}));
    s[102].executed.subtract(by(101, 1, 1));
    EXPECT_FALSE(is_complete(s, s[102], log_of(s[101]), {}));
}

TEST(Complete, needs_a_receiver_that_runs_from_the_primary) {
    Shard s = shard("semi_sync", {102});
    s[102].receives = false;
    EXPECT_FALSE(is_complete(s, s[102], log_of(s[101]), {}));
    s[102].receives = true;
    s[102].source_uuid = uuid(100);
    EXPECT_FALSE(is_complete(s, s[102], log_of(s[101]), {}));
}

TEST(Complete, what_counted_as_received_at_its_boot_must_be_executed) {
    Shard s = shard("semi_sync", {102});
    s[102].received = by(101, 10, 10);
    s[102].executed.subtract(by(101, 10, 10));
    EXPECT_TRUE(is_complete(s, s[102], log_of(s[101]), {}));
    EXPECT_FALSE(is_complete(s, s[102], log_of(s[101]), by(101, 10, 10))) << "it may be a phantom";
}

TEST(Change, keeps_acks_where_nothing_unapplied_can_be_lost) {
    Shard s = shard("semi_sync", {102}).kill_primary();
    s[102].received = by(101, 5, 10);
    EXPECT_EQ(plan_change(s, s[102], false), ChangePlan::keeps_acks) << "all applied: P may be dead";
    s[102].executed.subtract(past());
    s[102].received = past();
    EXPECT_EQ(plan_change(s, s[102], false), ChangePlan::refused);
    EXPECT_EQ(plan_change(s, s[102], true), ChangePlan::keeps_acks)
        << "in opened_at, and P was seen to have it";
}

TEST(Change, goes_round_with_acks_off_only_while_the_primary_has_what_may_be_dropped) {
    Shard s = shard("semi_sync", {102});
    s[102].received = by(101, 11, 11);
    EXPECT_EQ(plan_change(s, s[102], false), ChangePlan::refused);
    s[101].executed.add(by(101, 11, 11));
    EXPECT_EQ(plan_change(s, s[102], false), ChangePlan::acks_off_around);
    EXPECT_EQ(plan_change(s, s[102], true), ChangePlan::acks_off_around) << "not in opened_at";
    s.kill_primary();
    EXPECT_EQ(plan_change(s, s[102], true), ChangePlan::refused)
        << "acks switched off with P dead never come on again";
}

TEST(HighWater, is_what_the_primary_executed_and_k_vouching_ackers_have) {
    Shard s = shard("semi_sync:2", {102, 103, 104});
    s[101].executed.add(by(101, 11, 13));
    s[102].received = by(101, 11, 13);
    s[103].received = by(101, 11, 12);
    EXPECT_EQ(next_high_water(s), past() | by(101, 1, 12));
    s[103].acks_on = false;
    EXPECT_EQ(next_high_water(s), past() | by(101, 1, 10));
    s.record.high_water = by(101, 1, 13);
    EXPECT_EQ(next_high_water(s), past() | by(101, 1, 13)) << "what was seen stays seen";
}

TEST(HighWater, is_not_what_a_crash_recovered_and_nobody_acknowledged) {
    Shard s = shard("semi_sync", {102});
    s[101].executed.add(by(101, 11, 11));
    EXPECT_EQ(next_high_water(s), past() | by(101, 1, 10));
    s[102].received = by(101, 11, 12);
    EXPECT_EQ(next_high_water(s), past() | by(101, 1, 11)) << "12 is not executed on P";
}

TEST(HighWater, is_empty_without_acknowledgements_and_stands_still_without_a_primary) {
    Shard s = shard("none", {});
    s.record.high_water = by(101, 1, 3);
    EXPECT_TRUE(next_high_water(s).empty());
    Shard k1 = shard("semi_sync", {102}).kill_primary();
    k1.record.high_water = by(101, 1, 3);
    EXPECT_EQ(next_high_water(k1), by(101, 1, 3));
}

RC_GTEST_PROP(HighWater, counts_each_transaction_by_hand, ()) {
    const int k = *rc::gen::inRange(1, 4);
    Shard s = shard(("semi_sync:" + std::to_string(k)).c_str(), {102, 103, 104});
    s[101].executed = *gen::gtid_set();
    for (const std::uint32_t uid : {102U, 103U, 104U}) {
        s[uid].executed = *gen::gtid_set();
        s[uid].received = *gen::gtid_set();
        s[uid].acks_on = *rc::gen::weightedElement<bool>({{3, true}, {1, false}});
    }
    GtidSet expected;
    for (const GtidSet::Entry& entry : s[101].executed.entries()) {
        for (std::int64_t n = 1; n < 20; ++n) {
            const Gtid gtid{entry.tsid, n};
            if (!s[101].executed.contains(gtid)) continue;
            int holders = 0;
            for (const std::uint32_t uid : {102U, 103U, 104U})
                holders += s[uid].acks_on && s[uid].has().contains(gtid);
            if (holders >= k) expected.add(gtid);
        }
    }
    RC_ASSERT(next_high_water(s) == expected);
}

TEST(Barrier, is_met_when_as_many_as_the_greater_policy_needs_have_the_log) {
    Shard s = shard("semi_sync", {102, 103});
    const GtidSet log = s[101].log();
    EXPECT_TRUE(barrier_met(s, {}, 1, log));
    EXPECT_TRUE(barrier_met(s, {}, 2, log));
    s[103].executed.subtract(by(101, 10, 10));
    EXPECT_FALSE(barrier_met(s, {}, 2, log)) << "tightening";
    EXPECT_TRUE(barrier_met(s, {}, 1, log));
    s.record.policy = policy("semi_sync:2");
    EXPECT_FALSE(barrier_met(s, {}, 1, log)) << "loosening: the old count is the greater";
}

TEST(Barrier, does_not_count_whoever_leaves_or_does_not_vouch_or_is_no_acker) {
    Shard s = shard("semi_sync", {102});
    const GtidSet log = s[101].log();
    EXPECT_FALSE(barrier_met(s, alias(102), 1, log));
    add_reader(s, 103);
    s[103].acks_on = true;
    EXPECT_FALSE(barrier_met(s, alias(102), 1, log)) << "103 is not in A";
    s[103].in_ackers = true;
    EXPECT_TRUE(barrier_met(s, alias(102), 1, log));
    s[103].acks_on = false;
    EXPECT_FALSE(barrier_met(s, alias(102), 1, log));
}

TEST(Leaving, needs_k_others_that_vouch_and_receive) {
    Shard s = shard("semi_sync", {102, 103});
    EXPECT_TRUE(may_leave(s, alias(102)));
    s[103].receives = false;
    EXPECT_FALSE(may_leave(s, alias(102)));
    s[103].receives = true;
    s[101].source_wait_count = 2;
    EXPECT_FALSE(may_leave(s, alias(102))) << "the server waits for two";
    s[101].source_semi_sync_on = false;
    EXPECT_TRUE(may_leave(s, alias(102)));
}

TEST(Tightening, needs_as_many_as_the_new_count_that_vouch_and_receive) {
    Shard s = shard("semi_sync", {102, 103});
    EXPECT_TRUE(may_tighten(s, 2));
    EXPECT_FALSE(may_tighten(s, 3));
    s[102].source_uuid = uuid(100);
    EXPECT_FALSE(may_tighten(s, 2));
}

}  // namespace
}  // namespace fixpoint
