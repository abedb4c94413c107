// Every row of the oracle alone: confirmed where it should be, denied where a correct manager could have gone
// on.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "property_tests/judge/question.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::gtids;
using testing::Question;
using testing::semi_sync;
using testing::uuid_of;

TEST(Oracle, AReasonWithoutARowIsNeverConfirmed) {
    Question q;
    q.b.kill_primary();
    std::set<Reason> rows;
    for (const OracleRow& row : oracle_table())
        EXPECT_TRUE(rows.insert(row.reason).second) << row.permitted_if;
    EXPECT_EQ(rows.size(), 25u);
    for (const Reason reason : {Reason::none, Reason::problem_gone, Reason::not_caught_up,
                                Reason::newer_record, Reason::lock_lost, Reason::answer_lost}) {
        EXPECT_FALSE(rows.contains(reason));
        EXPECT_FALSE(q.confirms(reason));
    }
}

TEST(Oracle, NoRowIsConfirmedOfAConvergedShard) {
    Question q;
    for (const OracleRow& row : oracle_table()) {
        for (const int n : {0, 2})
            EXPECT_FALSE(q.confirms(row.reason, Problem::dead_primary, n)) << row.permitted_if;
    }
}

TEST(Oracle, RevocationImpossible) {
    Question q;
    q.b.kill_primary();
    EXPECT_FALSE(q.confirms(Reason::revocation_impossible)) << "both ackers are there";
    q.b.kill(3);
    EXPECT_TRUE(q.confirms(Reason::revocation_impossible));
    Question alive;
    alive.b.kill(3);
    EXPECT_FALSE(alive.confirms(Reason::revocation_impossible)) << "P can be closed";
    Question two(4, semi_sync(2));
    two.b.kill_primary();
    two.b.kill(3);
    EXPECT_FALSE(two.confirms(Reason::revocation_impossible)) << "k - 1 may be missing";
}

TEST(Oracle, AMarkThatTheManagerSpoiledIsNoExcuse) {
    Question q;
    q.b.kill_primary();
    q.b.row(3).semi_sync_replica_enabled = false;
    EXPECT_FALSE(q.confirms(Reason::revocation_impossible));
    q.stage.fault(FaultKind::restart, 3);
    EXPECT_TRUE(q.confirms(Reason::revocation_impossible));
}

TEST(Oracle, AMarkSpoiledByAFaultCountsAgainOnceTheTabletWasAsDeclared) {
    Question q;
    q.stage.fault(FaultKind::restart, 3);
    q.stage.lock(1);  // the judge looks
    q.b.kill_primary();
    q.b.row(3).semi_sync_replica_enabled = false;
    EXPECT_FALSE(q.confirms(Reason::revocation_impossible));
}

TEST(Oracle, DemandedMissing) {
    Question q;
    q.b.kill_primary();
    EXPECT_FALSE(q.confirms(Reason::demanded_missing));
    for (const int n : {2, 3}) q.b.row(n).gtid_executed = gtids(1, 1, 3), q.b.channel(n).retrieved = {};
    EXPECT_TRUE(q.confirms(Reason::demanded_missing)) << "opened_at was 1-4";
}

TEST(Oracle, WhatNobodyWillEverApplyIsOnNoDisk) {
    Question q;
    q.b.kill_primary();
    for (const int n : {2, 3}) q.b.row(n).gtid_executed = gtids(1, 1, 4);
    EXPECT_FALSE(q.confirms(Reason::demanded_missing)) << "received, and can be applied";
    for (const int n : {2, 3}) q.b.server(n).relay_log_readable = false;
    EXPECT_TRUE(q.confirms(Reason::demanded_missing));
}

TEST(Oracle, DemandedSetsThatNobodyCanBringTogether) {
    Question q;
    q.b.kill_primary();
    q.b.record().adopted = gtids(8, 1, 2);
    q.b.record().adopted.add(gtids(9, 1, 2));
    q.b.row(2).gtid_executed.add(gtids(8, 1, 2));
    q.b.row(3).gtid_executed.add(gtids(9, 1, 2));
    EXPECT_FALSE(q.confirms(Reason::demanded_missing)) << "one follows the other";
    q.b.row(2).gtid_purged = gtids(8, 1, 2);
    q.b.row(3).gtid_purged = gtids(9, 1, 2);
    EXPECT_TRUE(q.confirms(Reason::demanded_missing));
}

TEST(Oracle, OpenedAtIsBelievedOnlyAsFarAsThePrimaryBoreItOut) {
    Question q;
    FixpointRecord boasting = q.b.record();
    boasting.term = 4;
    boasting.opened_at = gtids(1, 1, 999);
    q.stage.play(RecordWritten{"m1", 1, q.b.state.store.fixpoint, boasting, false, false});
    q.b.state.store.fixpoint = boasting;
    q.b.kill_primary();
    EXPECT_FALSE(q.confirms(Reason::demanded_missing));
}

TEST(Oracle, NoCandidate) {
    Question q;
    q.b.kill_primary();
    q.b.row(2).semi_sync_plugins = false;
    EXPECT_FALSE(q.confirms(Reason::no_candidate));
    q.b.tablet(3).type = TabletType::rdonly;
    EXPECT_TRUE(q.confirms(Reason::no_candidate));
    q.b.tablet(3).type = TabletType::replica;
    q.b.goal().promotion_rules[alias_of(3)] = PromotionRule::must_not;
    EXPECT_TRUE(q.confirms(Reason::no_candidate));
    Question alive;
    alive.b.row(2).semi_sync_plugins = alive.b.row(3).semi_sync_plugins = false;
    EXPECT_FALSE(alive.confirms(Reason::no_candidate)) << "P itself can be opened";
}

TEST(Oracle, WhoLacksRetiredNumbersOfItsOwnIsNoCandidate) {
    Question q;
    FixpointRecord record = q.b.record();
    q.b.row(2).gtid_executed.add(gtids(2, 1, 3));
    record.retired = {{gtids(2, 1, 3), {alias_of(2)}}};
    q.stage.play(RecordWritten{"m1", 1, q.b.state.store.fixpoint, record, false, false});
    q.b.state.store.fixpoint = record;
    q.b.kill_primary();
    q.b.kill(3);
    EXPECT_FALSE(q.confirms(Reason::no_candidate));
    q.b.row(2).gtid_executed.subtract(gtids(2, 1, 3));
    EXPECT_TRUE(q.confirms(Reason::no_candidate));
}

TEST(Oracle, TooFewFollowers) {
    Question q;
    q.b.kill_primary();
    EXPECT_FALSE(q.confirms(Reason::too_few_followers));
    q.b.kill(3);
    EXPECT_TRUE(q.confirms(Reason::too_few_followers));
    Question purged;
    purged.b.kill_primary();
    for (const int n : {2, 3}) {
        purged.b.row(n).gtid_executed.add(gtids(n + 5, 1, 1));
        purged.b.row(n).gtid_purged = gtids(n + 5, 1, 1);
    }
    EXPECT_TRUE(purged.confirms(Reason::too_few_followers)) << "neither could follow the other";
}

TEST(Oracle, PrimaryUnreachableWhileItsReplicasHearIt) {
    Question q;
    std::erase(q.b.state.core.tablets, alias_of(1));
    EXPECT_TRUE(q.confirms(Reason::primary_unreachable, Problem::unreachable_primary));
    q.b.kill_primary();
    EXPECT_FALSE(q.confirms(Reason::primary_unreachable, Problem::unreachable_primary))
        << "they have lost it too";
    EXPECT_TRUE(q.confirms(Reason::primary_unreachable, Problem::acks_wrong, 2))
        << "a repair that needs its answer";
}

TEST(Oracle, UnfencedPromotionNotAllowed) {
    Question q(3, {DurabilityName::none, 0});
    q.b.kill_primary();
    EXPECT_TRUE(q.confirms(Reason::unfenced_promotion_not_allowed));
    q.b.goal().allowed = {{"unfenced_promotion", 2}};
    EXPECT_TRUE(q.confirms(Reason::unfenced_promotion_not_allowed)) << "another term's";
    q.b.goal().allowed = {{"unfenced_promotion", 3}};
    EXPECT_FALSE(q.confirms(Reason::unfenced_promotion_not_allowed));
    Question semi;
    semi.b.kill_primary();
    EXPECT_FALSE(semi.confirms(Reason::unfenced_promotion_not_allowed));
}

TEST(Oracle, RecordLost) {
    Question q;
    q.b.state.store.fixpoint.reset();
    EXPECT_FALSE(q.confirms(Reason::record_lost_tablet_missing)) << "every tablet is there";
    EXPECT_FALSE(q.confirms(Reason::nobody_has_everything));
    EXPECT_FALSE(q.confirms(Reason::several_writable));
    q.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    EXPECT_FALSE(q.confirms(Reason::nobody_has_everything)) << "one has";
    q.b.row(2).persisted_globals_load = false;
    EXPECT_TRUE(q.confirms(Reason::nobody_has_everything)) << "and it cannot be primary";
    q.b.row(2).persisted_globals_load = true;
    q.b.row(3).gtid_executed.add(gtids(3, 1, 1));
    EXPECT_TRUE(q.confirms(Reason::nobody_has_everything));
    q.b.row(2).super_read_only = false;
    EXPECT_TRUE(q.confirms(Reason::several_writable));
    q.b.kill(3);
    EXPECT_TRUE(q.confirms(Reason::record_lost_tablet_missing));
    q.b.goal().forgotten = {{alias_of(3), uuid_of(3), "somebody", {}}};
    EXPECT_FALSE(q.confirms(Reason::record_lost_tablet_missing));
}

TEST(Oracle, ARecordThatWasSetBackIsLost) {
    Question q;
    q.b.kill(3);
    EXPECT_FALSE(q.confirms(Reason::record_lost_tablet_missing));
    q.b.record().term = 2;
    EXPECT_TRUE(q.confirms(Reason::record_lost_tablet_missing)) << "a journal has term 3";
}

TEST(Oracle, DeadAckerBlocks) {
    Question q;
    q.b.server(3).up = false;
    EXPECT_FALSE(q.confirms(Reason::dead_acker_blocks)) << "of the core: it comes back";
    q.b.kill(3);
    EXPECT_TRUE(q.confirms(Reason::dead_acker_blocks));
    q.b.goal().forgotten = {{alias_of(3), uuid_of(3), "somebody", {}}};
    EXPECT_FALSE(q.confirms(Reason::dead_acker_blocks));
}

TEST(Oracle, TooFewAckers) {
    Question q;
    q.b.state.store.keyspace->durability_policy = semi_sync(2);
    EXPECT_FALSE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
    q.b.state.store.keyspace->durability_policy = semi_sync(3);
    EXPECT_TRUE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
}

TEST(Oracle, ForbiddenAndPaused) {
    Question q;
    q.b.state.store.keyspace->disable_emergency_reparent = true;
    EXPECT_TRUE(q.confirms(Reason::forbidden));
    EXPECT_FALSE(q.confirms(Reason::paused));
    q.b.goal().paused = true;
    EXPECT_TRUE(q.confirms(Reason::paused));
}

TEST(Oracle, AWishWhoseCandidateIsUnfit) {
    Question q;
    q.b.goal().pinned_primary = alias_of(2);
    const auto confirms = [&] { return q.confirms(Reason::candidate_unfit, Problem::wrong_primary); };
    EXPECT_FALSE(confirms());
    q.b.tablet(2).type = TabletType::rdonly;
    EXPECT_TRUE(confirms());
    q.b.tablet(2).type = TabletType::replica;
    q.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    EXPECT_TRUE(confirms()) << "errant";
    q.b.goal().pinned_primary = alias_of(1);
    EXPECT_FALSE(confirms()) << "met";
    Question few(2);
    few.b.goal().pinned_primary = alias_of(2);
    EXPECT_FALSE(few.confirms(Reason::candidate_unfit, Problem::wrong_primary))
        << "the old one would follow it";
    Question dead;
    dead.b.goal().pinned_primary = alias_of(2);
    dead.b.kill(2);
    EXPECT_TRUE(dead.confirms(Reason::candidate_unfit, Problem::wrong_primary));
    Question never_waits(3, {DurabilityName::none, 0});
    never_waits.b.goal().pinned_primary = alias_of(2);
    never_waits.b.row(2).semi_sync_plugins = false;
    EXPECT_FALSE(never_waits.confirms(Reason::candidate_unfit, Problem::wrong_primary));
    never_waits.b.state.store.keyspace->durability_policy = {DurabilityName::semi_sync, 1};
    EXPECT_TRUE(never_waits.confirms(Reason::candidate_unfit, Problem::wrong_primary))
        << "the declared policy would never be in force under it";
}

TEST(Oracle, AWishForOneWhosePastIsPurgedOrWhoseRecordNobodyCanRead) {
    Question q(3, {DurabilityName::none, 0});
    q.b.goal().pinned_primary = alias_of(2);
    const auto confirms = [&] { return q.confirms(Reason::candidate_unfit, Problem::wrong_primary); };
    EXPECT_FALSE(confirms());
    std::erase(q.b.state.core.cells_with_store, "zone2");
    EXPECT_TRUE(confirms());
    Question in_a;
    in_a.b.goal().pinned_primary = alias_of(2);
    std::erase(in_a.b.state.core.cells_with_store, "zone2");
    EXPECT_TRUE(in_a.confirms(Reason::candidate_unfit, Problem::wrong_primary))
        << "in A it is no candidate either";
    q.b.state.core.cells_with_store.push_back("zone2");
    q.b.row(1).gtid_executed.add(gtids(1, 1000, 1001));
    q.b.row(1).gtid_purged.add(gtids(1, 1000, 1001));
    EXPECT_TRUE(confirms());
}

TEST(Oracle, APrimarySetBackIsNotOpenedWithoutWhatAClientWasTold) {
    for (const bool set_back : {false, true}) {
        Question q;
        q.stage.write(7, 1, {1, 2, 3});
        q.b.row(2).semi_sync_replica_enabled = q.b.row(3).semi_sync_replica_enabled = false;
        for (const int n : {2, 3}) q.stage.fault(FaultKind::restart, n);
        if (set_back) {
            q.stage.fault(FaultKind::restore_older_state, 1);
            q.stage.forget(7, 1);
            q.stage.play(CopiesLost{alias_of(1), {7}, false});
        }
        EXPECT_EQ(q.confirms(Reason::revocation_impossible), set_back);
    }
}

TEST(Oracle, WhoseRecordNobodyCanReadJoinsNobody) {
    Question q(2, {DurabilityName::none, 0});
    q.b.state.store.keyspace->durability_policy = semi_sync(1);
    EXPECT_FALSE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
    std::erase(q.b.state.core.cells_with_store, "zone2");
    EXPECT_TRUE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
    q.b.record().ackers = {testing::recorded(2)};
    EXPECT_FALSE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force)) << "the record names it";
}

TEST(Oracle, APrimaryWithoutThePluginsWaitsForNobody) {
    Question q(3, {DurabilityName::none, 0});
    q.b.state.store.keyspace->durability_policy = semi_sync(1);
    EXPECT_FALSE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
    q.b.row(1).semi_sync_plugins = false;
    EXPECT_TRUE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
    q.b.state.store.keyspace->durability_policy = {DurabilityName::none, 0};
    EXPECT_FALSE(q.confirms(Reason::too_few_ackers, Problem::policy_not_in_force));
}

TEST(Oracle, AWishWhoseCandidateIsBehind) {
    Question q;
    q.b.goal().pinned_primary = alias_of(2);
    EXPECT_FALSE(q.confirms(Reason::candidate_lagging, Problem::wrong_primary));
    q.b.channel(2).seconds_behind = 3600;
    EXPECT_TRUE(q.confirms(Reason::candidate_lagging, Problem::wrong_primary));
    q.b.channel(2).seconds_behind = 1;
    EXPECT_FALSE(q.confirms(Reason::candidate_lagging, Problem::wrong_primary));
    q.b.server(2).applier_blocked = true;
    EXPECT_TRUE(q.confirms(Reason::candidate_lagging, Problem::wrong_primary));
}

TEST(Oracle, ATransactionThatNobodyEnds) {
    for (const Reason reason : {Reason::long_transaction, Reason::closing_timed_out}) {
        Question q;
        q.stage.fault(FaultKind::long_transaction, 1);
        EXPECT_TRUE(q.confirms(reason, Problem::wrong_primary));
        q.b.goal().kill_long_transactions = true;
        EXPECT_FALSE(q.confirms(reason, Problem::wrong_primary));
    }
}

TEST(Oracle, OneTabletsOwnTroubles) {
    Question q;
    q.b.row(2).gtid_executed.add(gtids(2, 1, 1));
    EXPECT_TRUE(q.confirms(Reason::errant, Problem::errant_transactions, 2));
    EXPECT_FALSE(q.confirms(Reason::errant, Problem::errant_transactions, 3));
    q.b.row(1).gtid_purged = gtids(1, 1, 20);
    EXPECT_TRUE(q.confirms(Reason::purged, Problem::past_purged, 3));
    q.b.kill(3);
    EXPECT_TRUE(q.confirms(Reason::tablet_unreachable, Problem::replica_dead, 3));
    EXPECT_FALSE(q.confirms(Reason::tablet_unreachable, Problem::replica_dead, 2));
    q.b.server(2).manageable = false;
    EXPECT_TRUE(q.confirms(Reason::not_manageable, Problem::not_manageable, 2));
    q.b.row(2).persisted_globals_load = false;
    EXPECT_TRUE(q.confirms(Reason::needs_restart, Problem::not_restart_safe, 2));
}

TEST(Oracle, WouldDiscard) {
    Question q;
    q.b.row(2).gtid_executed = gtids(1, 1, 4);
    EXPECT_FALSE(q.confirms(Reason::would_discard, Problem::replica_wrong_source, 2)) << "P has it";
    q.b.kill_primary();
    EXPECT_FALSE(q.confirms(Reason::would_discard, Problem::replica_wrong_source, 2))
        << "another replica has it";
    q.b.kill(3);
    EXPECT_TRUE(q.confirms(Reason::would_discard, Problem::replica_wrong_source, 2));
}

TEST(Oracle, TheStoreIsOutOfReachForGood) {
    Question q;
    std::erase(q.b.state.core.cells_with_store, "zone2");
    EXPECT_TRUE(q.confirms(Reason::store_unavailable, Problem::tablet_record_differs, 2));
    EXPECT_FALSE(q.confirms(Reason::store_unavailable, Problem::tablet_record_differs, 3));
    EXPECT_FALSE(q.confirms(Reason::store_unavailable));
    q.b.state.core.global_store = false;
    EXPECT_TRUE(q.confirms(Reason::store_unavailable));
}

TEST(Oracle, SomebodyElsesLockOnlyIfItsHolderIsSuspended) {
    Question q;
    q.b.state.managers.push_back({"m2", true, false, false, 0});
    q.b.state.store.shard_lock = LockState{5, "m2", true, false};
    EXPECT_FALSE(q.confirms(Reason::somebody_elses_lock));
    q.b.state.managers.back().paused = true;
    EXPECT_TRUE(q.confirms(Reason::somebody_elses_lock));
}

}  // namespace
}  // namespace fixpoint::sim
