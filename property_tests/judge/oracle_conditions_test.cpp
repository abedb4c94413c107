// Single conditions within rows of the oracle, each with the like state that the row denies.
#include <gtest/gtest.h>

#include "property_tests/judge/question.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::address_of;
using testing::alias_of;
using testing::gtids;
using testing::Question;
using testing::uuid_of;

TEST(Oracle, AWishWhereOnlyAClosedPrimaryIsRevokedAndItWouldStartWritable) {
    for (const std::string what : {"both", "the ackers are there", "it starts closed"}) {
        Question q;
        q.b.goal().pinned_primary = alias_of(2);
        if (what != "it starts closed") q.b.row(1).persisted_globals_load = false;
        if (what != "the ackers are there") q.b.kill(3);
        EXPECT_EQ(q.confirms(Reason::needs_restart, Problem::wrong_primary), what == "both") << what;
        EXPECT_FALSE(q.confirms(Reason::needs_restart, Problem::dead_primary)) << "no wish";
    }
}

TEST(Oracle, AWishForOneThatNeedsARestartItself) {
    for (const int spoiled : {2, 3}) {
        Question q;
        q.b.goal().pinned_primary = alias_of(2);
        q.b.row(spoiled).semi_sync_plugins = false;
        EXPECT_EQ(q.confirms(Reason::needs_restart, Problem::wrong_primary), spoiled == 2);
    }
}

TEST(Oracle, OnlyWhatWasAcknowledgedAndLostToASettingBackKeepsAPrimaryClosed) {
    const auto closed = [](const std::string& what) {
        Question q;
        q.stage.begin(7, 1);
        for (int n = 1; n <= 3; ++n) q.stage.execute(7, n);
        if (what != "nobody was told") q.stage.acknowledge(7, 1);
        for (const int n : {2, 3}) {
            q.b.row(n).semi_sync_replica_enabled = false;
            q.stage.fault(FaultKind::restart, n);
        }
        q.stage.fault(what == "a crash" ? FaultKind::crash : FaultKind::restore_older_state,
                      what == "another one" ? 2 : 1);
        q.stage.forget(7, 1);
        q.stage.play(CopiesLost{alias_of(1), {7}, what == "by hand"});
        if (what == "fetched again") q.stage.execute(7, 1);
        if (what == "in its log") q.b.server(1).writes_in_log.insert(7);
        return q.confirms(Reason::revocation_impossible);
    };
    EXPECT_TRUE(closed("set back"));
    for (const std::string what :
         {"nobody was told", "a crash", "another one", "by hand", "fetched again", "in its log"})
        EXPECT_FALSE(closed(what)) << what;
}

TEST(Oracle, APrimaryThatLacksWhatItsReplicasHaveOfItIsNotOpened) {
    for (const std::int64_t has : {12, 14}) {
        Question q;
        q.b.row(1).gtid_executed = gtids(1, 1, has);
        q.b.kill(3);
        EXPECT_EQ(q.confirms(Reason::revocation_impossible), has == 12);
    }
}

TEST(Oracle, APrimaryThatHasNoConnectionLeft) {
    using namespace sql::error_number;
    for (const int error : {too_many_connections, cannot_connect}) {
        Question q;
        q.b.channel(2).receiver_errno = error;
        EXPECT_EQ(q.confirms(Reason::tablet_unreachable), error == too_many_connections);
        EXPECT_FALSE(q.confirms(Reason::tablet_unreachable, Problem::replica_dead, 3)) << "another one";
        q.b.channel(2).source = address_of(3);
        EXPECT_FALSE(q.confirms(Reason::tablet_unreachable)) << "its replica is told so by another";
    }
}

TEST(Oracle, ATransactionThatEndsByItselfUnlessTheNetworkKeepsItsCommit) {
    const auto confirmed = [](FaultKind kind, Duration later) {
        Question q;
        Fault f;
        f.kind = FaultKind::long_transaction;
        f.tablet = alias_of(1);
        f.for_time = 5s;
        q.stage.play(FaultHappened{f, FaultStage::delivered});
        q.stage.after(later);
        q.stage.fault(kind, 1);
        return q.confirms(Reason::long_transaction, Problem::wrong_primary);
    };
    EXPECT_TRUE(confirmed(FaultKind::cut, 3s));
    EXPECT_FALSE(confirmed(FaultKind::cut, 6s)) << "it had ended";
    EXPECT_FALSE(confirmed(FaultKind::restart, 3s)) << "not of the network";
}

TEST(Oracle, WhoPassesOverWhatIsDemandedCannotBringItTogether) {
    const auto missing = [](auto&& spoil) {
        Question q;
        q.b.kill_primary();
        q.b.tablet(3).type = TabletType::rdonly;  // has what 2 lacks, and cannot lead
        q.b.row(2).gtid_executed = gtids(1, 1, 4);
        q.b.channel(2).retrieved = {};
        spoil(q.b);
        return q.confirms(Reason::demanded_missing);
    };
    EXPECT_FALSE(missing([](auto&) {})) << "2 follows 3";
    EXPECT_TRUE(missing([](auto& b) { b.row(2).server_id = 1; })) << "the id of the recorded server";
    EXPECT_FALSE(missing([](auto& b) { b.row(2).server_id = 9; }));
    EXPECT_TRUE(missing([](auto& b) { b.row(2).gtid_executed.add(gtids(2, 1, 1)); })) << "errant";
    EXPECT_TRUE(missing([](auto& b) { b.row(3).gtid_purged = gtids(1, 1, 9); })) << "purged";
}

TEST(Oracle, WhoStandsOnADataErrorFollowsOnlyIfItAcknowledgesAlready) {
    for (const bool marked : {true, false}) {
        Question q;
        q.b.kill_primary();
        q.b.channel(3).applier_errno = sql::error_number::duplicate_entry;
        q.b.row(3).semi_sync_replica_enabled = marked;
        EXPECT_EQ(q.confirms(Reason::too_few_followers), !marked);
    }
}

TEST(Oracle, WithALostRecordWhomNobodyDeclaresMayBeServing) {
    const auto confirms = [](auto&& spoil) {
        Question q;
        q.b.state.store.fixpoint.reset();
        spoil(q.b);
        return q.confirms(Reason::record_lost_tablet_missing);
    };
    const auto undeclared = [](auto& b) { b.state.store.tablets.erase(alias_of(1)); };
    EXPECT_TRUE(confirms(undeclared)) << "Shard and the journals name it";
    EXPECT_FALSE(confirms([&](auto& b) {
        undeclared(b);
        b.goal().forgotten = {{alias_of(1), uuid_of(1), "somebody", {}}};
        for (const int n : {2, 3}) b.channel(n).receiver = sql::ThreadState::no;
    }));
    EXPECT_FALSE(confirms([](auto& b) { b.state.store.tablets.erase(alias_of(3)); })) << "nothing names it";
    for (const auto receiver : {sql::ThreadState::yes, sql::ThreadState::connecting}) {
        EXPECT_EQ(confirms([&](auto& b) {
                      b.channel(2).source = address_of(9);
                      b.channel(2).receiver = receiver;
                  }),
                  receiver == sql::ThreadState::yes);
    }
}

TEST(Oracle, WhatWaitsOnAServerThatCannotLeadIsHadByNobodyElse) {
    for (const bool can_lead : {true, false}) {
        Question q;
        q.b.state.store.fixpoint.reset();
        q.b.row(1).gtid_owned = gtids(1, 15, 15);
        q.b.row(1).persisted_globals_load = can_lead;
        EXPECT_EQ(q.confirms(Reason::nobody_has_everything), !can_lead);
    }
}

TEST(Oracle, ACutThatWasOverBeforeTheTransactionKeepsNoCommit) {
    for (const Duration cut_for : {1s, 101s}) {
        Question q;
        Fault c;
        c.kind = FaultKind::cut;
        c.for_time = cut_for;
        q.stage.play(FaultHappened{c, FaultStage::delivered});
        q.stage.after(100s);
        c.kind = FaultKind::long_transaction;
        c.tablet = alias_of(1);
        c.for_time = 5s;
        q.stage.play(FaultHappened{c, FaultStage::delivered});
        EXPECT_EQ(q.confirms(Reason::long_transaction, Problem::wrong_primary), cut_for > 100s);
    }
}

TEST(Oracle, ATransactionHoldsUpTheServerThatItIsOn) {
    for (const int where : {1, 3}) {
        Question q;
        q.stage.fault(FaultKind::long_transaction, where);
        EXPECT_EQ(q.confirms(Reason::long_transaction, Problem::wrong_primary), where == 1);
    }
}

TEST(Oracle, ACutThatWasHealedBeforeItKeepsNoTransaction) {
    for (const std::string healed : {"before", "during", "another link", "never"}) {
        Question q;
        Fault c;
        c.kind = FaultKind::cut;
        c.from_set = {"clients"};
        q.stage.play(FaultHappened{c, FaultStage::delivered});
        q.stage.after(1s);
        Fault heal;
        heal.kind = FaultKind::heal;
        heal.from_set = {healed == "another link" ? "m1" : "clients"};
        if (healed == "before" || healed == "another link")
            q.stage.play(FaultHappened{heal, FaultStage::delivered});
        q.stage.after(1s);
        Fault t;
        t.kind = FaultKind::long_transaction;
        t.tablet = alias_of(1);
        t.for_time = 5s;
        q.stage.play(FaultHappened{t, FaultStage::delivered});
        q.stage.after(1s);
        if (healed == "during") q.stage.play(FaultHappened{heal, FaultStage::delivered});
        EXPECT_EQ(q.confirms(Reason::long_transaction, Problem::wrong_primary), healed != "before") << healed;
    }
}

TEST(Oracle, ATransactionEndsWithItsServer) {
    for (const int stopped : {1, 2}) {
        Question q;
        q.stage.fault(FaultKind::long_transaction, 1);
        q.stage.after(1s);
        q.stage.fault(FaultKind::crash, stopped);
        EXPECT_EQ(q.confirms(Reason::long_transaction, Problem::wrong_primary), stopped == 2);
    }
}

}  // namespace
}  // namespace fixpoint::sim
