// The excuses that stand only with a confirmed reason why the primary, or the policy, fails; each beside the
// like state that it does not excuse.
#include <gtest/gtest.h>

#include "property_tests/judge/ending.hpp"

namespace fixpoint::sim {
namespace {

using sql::ThreadState;
using testing::alias_of;
using testing::gtids;
using testing::semi_sync;
using testing::Stage;
using testing::two_dead;
using namespace sql::error_number;

// The primary and an acker are dead for good, and that is the reason.
Stage& primary_fails(Stage& s) {
    two_dead(s).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    return s;
}
// An acker is dead for good, and the policy wants it.
Stage& policy_fails(Stage& s) {
    s.write(11, 1, {1, 2});
    s.fault(FaultKind::crash, 2, true);
    s.b.kill(2);
    s.play(PhaseBegan{Phase::faults_ceased});
    s.say(EventKind::reported, Problem::acker_gone, 2, Reason::dead_acker_blocks);
    return s;
}
void equal_server_id(Stage& s, int n, int to) {
    Fault f;
    f.kind = FaultKind::equal_server_id;
    f.tablet = alias_of(n);
    f.to = alias_of(to);
    s.play(FaultHappened{f, FaultStage::delivered});
}

TEST(ExcusesOfThePrimary, RelayLogRecoveryIsPersistedWhenAPrimaryAnswers) {
    for (const bool reason : {true, false}) {
        for (const bool more_is_missing : {false, true}) {
            Stage s;
            reason ? primary_fails(s) : two_dead(s);
            s.b.server(2).persisted[sql::Variable::relay_log_recovery] = 1;
            if (more_is_missing) s.b.server(2).persisted.erase(sql::Variable::skip_replica_start);
            EXPECT_EQ(s.judge.failure_is_justified(), reason && !more_is_missing);
        }
    }
    Stage of_the_policy(2);
    EXPECT_TRUE(policy_fails(of_the_policy).judge.settled());
    of_the_policy.b.server(1).persisted[sql::Variable::relay_log_recovery] = 1;
    EXPECT_FALSE(of_the_policy.judge.settled());
    EXPECT_FALSE(of_the_policy.judge.failure_is_justified()) << "its primary answers";
}

TEST(ExcusesOfThePrimary, AReceiverWaitsForItsServerId) {
    for (const std::string tablet :
         {"has the id of another", "has the id of a past primary", "has a new id", "lends it", "lent it",
          "set back", "set back, and has a new id", "set back, and another has", "blank", "untouched"}) {
        Stage s;
        const auto given = [&](int n, int to) {
            s.b.row(to).server_id = 9;
            s.b.record().server_ids_given.push_back({testing::uuid_of(n), 9});
        };
        if (tablet.starts_with("has ")) equal_server_id(s, 2, 1);
        if (tablet == "has the id of another") s.b.row(2).server_id = s.b.row(1).server_id;
        if (tablet == "has the id of a past primary") {
            RecordedServer past = testing::recorded(3);
            past.server_id = s.b.row(2).server_id = 8;
            s.b.record().past_primaries.push_back(past);
        }
        if (tablet == "lends it" || tablet == "lent it") equal_server_id(s, 3, 2);
        if (tablet == "lends it") s.b.row(3).server_id = s.b.row(2).server_id;
        if (tablet.starts_with("set back")) s.fault(FaultKind::restore_older_state, 2);
        if (tablet == "has a new id" || tablet == "set back, and has a new id") given(2, 2);
        if (tablet == "set back, and another has") given(3, 3);
        if (tablet == "untouched") equal_server_id(s, 3, 1), s.fault(FaultKind::restore_older_state, 3);
        two_dead(s);
        if (tablet == "blank") {
            s.b.row(2).gtid_executed = {};
            s.b.server(2).channels.clear();
        } else {
            s.b.channel(2).receiver = ThreadState::no;
        }
        EXPECT_FALSE(s.judge.failure_is_justified()) << "no reason is given: " << tablet;
        s.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
        const bool needs_none = tablet == "untouched" || tablet == "lent it" || tablet == "has a new id" ||
                                tablet == "set back, and has a new id";
        EXPECT_EQ(s.judge.failure_is_justified(), !needs_none) << tablet;
    }
}

TEST(ExcusesOfThePrimary, AReceiverThatItsSourceRefused) {
    for (const int error :
         {receiver_purged, receiver_equal_server_ids, too_many_connections, cannot_connect, 0}) {
        Stage s;
        two_dead(s);
        s.b.channel(2).receiver = ThreadState::no;
        s.b.channel(2).receiver_errno = error;
        EXPECT_FALSE(s.judge.failure_is_justified());
        s.say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
        const bool refused = error != cannot_connect && error != 0;
        EXPECT_EQ(s.judge.failure_is_justified(), refused) << error;
        s.b.channel(2).applier_running = false;
        EXPECT_FALSE(s.judge.failure_is_justified()) << "nobody has stopped its applier";
    }
}

TEST(ExcusesOfThePrimary, NobodyIsToFollowAStranger) {
    for (const std::string primary : {"another server", "another server, and no reason", "dead"}) {
        Stage s(3, {DurabilityName::none, 0});
        s.fault(FaultKind::pause_shard, 1);  // beyond the promise
        if (primary == "dead")
            s.b.kill_primary();
        else
            s.b.row(1).server_uuid = testing::uuid_of(9);
        s.b.channel(2).receiver = ThreadState::no;
        if (primary != "another server, and no reason")
            s.say(EventKind::recovery_refused, Problem::primary_is_another_server, 0,
                  Reason::unfenced_promotion_not_allowed);
        EXPECT_EQ(s.judge.failure_is_justified(), primary == "another server") << primary;
        s.b.channel(2).receiver = ThreadState::yes;
        EXPECT_EQ(s.judge.failure_is_justified(), primary != "another server, and no reason") << primary;
    }
}

TEST(ExcusesOfThePrimary, StrictAlreadyForAPolicyThatIsNotInForceYet) {
    const auto declared = [](Stage& s) {
        Fault f;
        f.kind = FaultKind::declare_policy;
        f.text = "semi_sync";
        s.play(FaultHappened{f, FaultStage::delivered});
        s.b.state.store.keyspace->durability_policy = semi_sync(1);
    };
    for (const bool reason : {true, false}) {
        Stage s(2, {DurabilityName::none, 0});
        declared(s);
        policy_fails(s);
        if (reason)
            s.say(EventKind::recovery_refused, Problem::policy_not_in_force, 0, Reason::too_few_ackers);
        s.b.row(1).semi_sync_source_enabled = true;
        EXPECT_EQ(s.judge.failure_is_justified(), reason);
    }
    Stage weak(2);  // the declared one is in force
    EXPECT_TRUE(policy_fails(weak).judge.settled());
    weak.b.row(1).semi_sync_source_enabled = false;
    EXPECT_FALSE(weak.judge.failure_is_justified());
    EXPECT_FALSE(weak.judge.settled());
}

// A fourth tablet that the record in force does not name; those of the two dead are 1 and 3.
Stage& beside_it(Stage& s) {
    s.b.record().ackers.pop_back();
    s.b.row(4).semi_sync_replica_enabled = s.b.server(4).semi_sync.replica_status = false;
    return s;
}

TEST(ExcusesOfThePrimary, WhichErrantOneIsNeededOnlyAPrimaryThatAnswersShows) {
    for (const std::string tablet : {"errant", "not reported", "clean"}) {
        for (const bool stopped : {true, false}) {
            Stage s(4);
            primary_fails(beside_it(s));
            EXPECT_TRUE(s.judge.failure_is_justified());
            if (tablet != "clean") s.b.row(4).gtid_executed.add(gtids(4, 1, 1));
            if (tablet != "not reported") s.say(EventKind::reported, Problem::errant_transactions, 4);
            if (stopped)
                s.b.channel(4).receiver = ThreadState::no;
            else
                s.b.row(4).semi_sync_source_enabled = true;
            EXPECT_EQ(s.judge.failure_is_justified(), tablet == "errant") << tablet;
        }
    }
}

TEST(ExcusesOfThePrimary, WhatOnlyAPrimaryThatAnswersCures) {
    const auto justified = [](auto&& spoil, bool reason = true) {
        Stage s;
        reason ? primary_fails(s) : two_dead(s);
        spoil(s);
        return s.judge.failure_is_justified();
    };
    const auto acks = [](Stage& s) { s.b.row(2).semi_sync_replica_enabled = false; };
    const auto channel = [](Stage& s) { s.b.channel(2).retry_count = 1; };
    const auto id = [](Stage& s) { s.b.row(2).server_id = 1; };
    const auto errant = [](Stage& s) { s.b.row(2).gtid_executed.add(gtids(2, 1, 1)); };
    const auto closed = [](Stage& s) { s.b.row(2).super_read_only = false; };
    const auto setting = [](Stage& s) { s.b.row(2).replica_net_timeout_s = 60; };
    const auto record = [](Stage& s) { s.b.tablet(2).type = TabletType::primary; };
    EXPECT_TRUE(justified(acks));
    EXPECT_TRUE(justified(channel));
    EXPECT_TRUE(justified(id));
    EXPECT_TRUE(justified(errant));
    EXPECT_FALSE(justified(channel, false));
    EXPECT_FALSE(justified(id, false));
    EXPECT_FALSE(justified(closed)) << "no primary is needed for that";
    EXPECT_FALSE(justified(setting));
    EXPECT_FALSE(justified(record));
}

TEST(ExcusesOfThePrimary, APausedShardExcusesEverythingButALock) {
    const auto justified = [](auto&& say) {
        Stage s;
        s.fault(FaultKind::pause_shard, 1);
        s.b.goal().paused = true;
        s.b.row(2).super_read_only = false;
        s.play(PhaseBegan{Phase::faults_ceased});
        say(s);
        return s.judge.failure_is_justified();
    };
    const auto paused = [](Stage& s) {
        s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::paused);
    };
    EXPECT_TRUE(justified(paused));
    EXPECT_FALSE(justified([](Stage&) {}));
    EXPECT_FALSE(justified([](Stage& s) {
        s.say(EventKind::recovery_refused, Problem::acks_wrong, 3, Reason::paused);
    })) << "of another tablet";
    EXPECT_FALSE(justified([&](Stage& s) {
        paused(s);
        s.b.goal().paused = false;
    })) << "it is not paused any more";
    EXPECT_FALSE(justified([&](Stage& s) {
        paused(s);
        s.b.state.store.shard_lock = LockState{5, "m9", false, false};
    }));
}

TEST(ExcusesOfThePrimary, AWishThatATransactionKeepsIsAFailureNotAConvergence) {
    for (const bool within : {false, true}) {
        Stage s;
        s.b.goal().pinned_primary = alias_of(2);
        if (!within) s.fault(FaultKind::long_transaction, 1);
        s.play(PhaseBegan{Phase::faults_ceased});
        s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::long_transaction);
        EXPECT_EQ(s.judge.failure_is_justified(), !within);
        EXPECT_FALSE(s.judge.settled());
    }
}

TEST(ExcusesOfThePrimary, ThatItMayNotAcknowledgeNobodyReadsWhereTheStoreIsSilent) {
    for (const bool silent : {true, false}) {
        Stage s;
        if (silent) std::erase(s.b.state.core.cells_with_store, "zone3");
        s.b.tablet(3).type = TabletType::rdonly;
        EXPECT_EQ(s.judge.settled(), silent);
    }
}

}  // namespace
}  // namespace fixpoint::sim
