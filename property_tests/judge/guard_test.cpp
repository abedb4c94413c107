// The guard: what is within the promise of a policy, and what goes beyond.
#include <gtest/gtest.h>

#include "property_tests/support/state_builder.hpp"
#include "sim/checkers/fault_costs.hpp"
#include "sim/checkers/guard.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using testing::alias_of;
using testing::semi_sync;
using testing::StateBuilder;
using enum FaultKind;

class Faults {
  public:
    explicit Faults(int tablets = 3, DurabilityPolicy policy = semi_sync(1)) {
        input.policy = policy;
        input.managers = {"m1", "m2"};
        input.recovering = 60s;
        StateBuilder b(tablets, policy);
        in_force = std::make_shared<const FixpointRecord>(b.record());
        for (int n = 1; n <= tablets; ++n) {
            ScenarioTablet t;
            t.alias = alias_of(n);
            t.type = n == 1 ? TabletType::primary : TabletType::replica;
            input.tablets.push_back(t);
        }
    }
    Faults& at(Duration when, FaultKind kind, int n, bool permanent = false, Duration for_time = {}) {
        Fault f;
        f.kind = kind;
        if (n > 0) f.tablet = alias_of(n);
        f.permanent = permanent;
        f.for_time = for_time;
        return at(when, f);
    }
    Faults& at(Duration when, const Fault& f) {
        input.faults.push_back({Instant(when), f, in_force});
        return *this;
    }
    std::string beyond() const { return guard(input).beyond; }
    GuardInput input;
    RecordInForce in_force;
};

TEST(Guard, EveryKindHasACost) {
    for (int number = 0; number <= static_cast<int>(manager_clock_jump); ++number) {
        const auto kind = static_cast<FaultKind>(number);
        EXPECT_TRUE(cost_of(kind) != Cost::beyond || kind == pause_shard || kind == long_transaction)
            << number;
    }
}

TEST(Guard, NothingHappened) {
    EXPECT_EQ(Faults().beyond(), "");
}

TEST(Guard, OneTabletOfThreeMayFailForGood) {
    for (int n = 1; n <= 3; ++n) EXPECT_EQ(Faults().at(1s, crash, n, true).beyond(), "");
}

TEST(Guard, ARestartBringsNobodyBackWhoIsCutOff) {
    Faults f(2);
    Fault c;
    c.kind = cut;
    c.from_set = {alias_of(2).to_string()};
    c.permanent = true;
    EXPECT_NE(f.at(1s, c).at(2s, relay_log_lost, 2).beyond(), "");
}

TEST(Guard, APrimaryWithoutThePluginsMeetsNoPolicy) {
    Faults f(3, DurabilityPolicy{});
    f.input.tablets[0].semi_sync_plugins = false;
    Fault declared;
    declared.kind = declare_policy;
    declared.text = "semi_sync";
    EXPECT_NE(f.at(1s, declared).beyond(), "");
}

TEST(Guard, WhoseApplierStandsMayNotBeNeeded) {
    EXPECT_EQ(Faults().at(1s, applier_error, 2).beyond(), "") << "the other one acknowledges";
    EXPECT_NE(Faults().at(1s, applier_error, 2).at(2s, crash, 3, true).beyond(), "")
        << "it stays in A, and nothing but people's hands mends it";
    EXPECT_EQ(Faults().at(1s, errant_transaction, 2).at(2s, crash, 3, true).beyond(), "")
        << "an errant one follows where it is needed";
}

TEST(Guard, BeforeThereIsARecordEveryTabletIsNeeded) {
    Faults f;
    f.in_force = nullptr;
    EXPECT_NE(f.at(1s, crash, 2).beyond(), "") << "the first contact asks every declared tablet";
}

TEST(Guard, AnAckerWhoseChannelWasChangedByHandCountsAsOne) {
    EXPECT_EQ(Faults().at(1s, wrong_heartbeat, 2).beyond(), "");
    EXPECT_NE(Faults().at(1s, wrong_heartbeat, 2).at(2s, crash, 1, true).beyond(), "")
        << "what it had received and not applied may have been dropped";
}

TEST(Guard, TwoAtOnceAreMoreThanOneAckerTolerates) {
    EXPECT_NE(Faults().at(1s, crash, 1, true).at(2s, crash, 2, true).beyond(), "");
    EXPECT_NE(Faults().at(1s, crash, 1).at(2s, pause, 2).beyond(), "");
    EXPECT_EQ(Faults(5, semi_sync(2)).at(1s, crash, 1, true).at(2s, crash, 2, true).beyond(), "");
}

TEST(Guard, OneAfterTheOtherIsWithinOnceTheFirstIsQualifiedAgain) {
    EXPECT_EQ(Faults().at(1s, restart, 2).at(200s, crash, 1, true).beyond(), "");
    EXPECT_NE(Faults().at(1s, restart, 2).at(20s, crash, 1, true).beyond(), "")
        << "an unqualified acker counts as one";
    EXPECT_NE(Faults().at(1s, crash, 2).at(200s, crash, 1, true).beyond(), "") << "it never came back";
    EXPECT_EQ(Faults().at(1s, crash, 2).at(5s, restart, 2).at(200s, crash, 1, true).beyond(), "");
    EXPECT_EQ(Faults().at(1s, pause, 2, false, 5s).at(200s, crash, 1, true).beyond(), "");
}

TEST(Guard, WhoIsDownFailsUntilSomebodyStartsIt) {
    for (const FaultKind kind : {crash, crash_before_durable, shutdown}) {
        EXPECT_NE(Faults().at(1s, kind, 2).at(200s, crash, 1, true).beyond(), "");
        EXPECT_NE(Faults().at(1s, kind, 2).at(5s, heal, 2).at(200s, crash, 1, true).beyond(), "")
            << "no network is healed for it";
        for (const FaultKind starts : {restart, new_uuid, relay_log_lost, equal_server_id})
            EXPECT_EQ(Faults().at(1s, kind, 2).at(5s, starts, 2).at(200s, crash, 1, true).beyond(), "");
    }
    EXPECT_NE(Faults().at(1s, equal_server_id, 2).at(2s, crash, 1, true).beyond(), "")
        << "it was restarted, and vouches for nothing yet";
}

TEST(Guard, NothingIsQualifiedAnewWhileNobodyCanAct) {
    Fault away;
    away.kind = store_unreachable;
    const auto struck = [&](Duration for_time) {
        Faults f;
        f.at(1s, restart, 2);
        away.for_time = for_time;
        f.at(2s, away);
        return f.at(200s, crash, 1, true).beyond();
    };
    EXPECT_NE(struck({}), "") << "until faults cease";
    EXPECT_NE(struck(190s), "");
    EXPECT_EQ(struck(5s), "");
    away.kind = cut;
    away.from_set = {"store"};
    EXPECT_NE(struck({}), "");
    away.from_set = {"zone3-300"};
    EXPECT_NE(struck({}), "") << "that one is gone itself";
    away.kind = manager_pause;
    EXPECT_NE(struck({}), "");
    away.manager = "m2";
    EXPECT_EQ(struck({}), "") << "another one acts";
}

TEST(Guard, WhomNobodyCanKnowIsNotLeft) {
    for (const bool forgot : {false, true}) {
        Faults f(2, {DurabilityName::none, 0});
        Fault down;
        down.kind = cell_store_down;
        down.cell = alias_of(2).cell;
        down.permanent = true;
        Fault declared;
        declared.kind = declare_policy;
        declared.text = "semi_sync";
        f.at(1s, down).at(2s, declared);
        if (forgot) f.at(3s, manager_restart, 0);
        EXPECT_EQ(f.beyond().empty(), !forgot);
    }
}

TEST(Guard, WhoIsNeitherPrimaryNorAckerDoesNotCount) {
    Faults f(4);
    FixpointRecord record = *f.in_force;
    record.ackers.pop_back();
    f.in_force = std::make_shared<const FixpointRecord>(record);
    EXPECT_EQ(f.at(1s, crash, 4, true).at(2s, crash, 1, true).beyond(), "");
}

TEST(Guard, WhatIsLeftMustBeAbleToBeAShard) {
    EXPECT_NE(Faults(2).at(1s, crash, 2, true).beyond(), "") << "nobody could acknowledge";
    EXPECT_EQ(Faults(2).at(1s, crash, 2, false, 5s).beyond(), "");
    Faults none(2, {DurabilityName::none, 0});
    EXPECT_NE(none.at(1s, crash, 1, true).beyond(), "");
    Faults cross(3, {DurabilityName::cross_cell, 1});
    cross.input.tablets[2].alias.cell = "zone2";
    EXPECT_NE(cross.at(1s, crash, 1, true).beyond(), "") << "both that are left are in one cell";
}

TEST(Guard, WhoIsForgottenDeletedOrNotRestartSafeIsNotLeft) {
    for (const FaultKind kind : {forget, delete_tablet_record, restart_without_persisted}) {
        EXPECT_NE(Faults(2).at(1s, kind, 2).beyond(), "");
        EXPECT_EQ(Faults(3).at(1s, kind, 2).beyond(), "");
    }
    EXPECT_EQ(Faults(2).at(1s, restart_without_persisted, 2).at(2s, restart, 2).beyond(), "");
    EXPECT_NE(Faults(2).at(1s, forget, 2).at(2s, restart, 2).beyond(), "");
}

TEST(Guard, ADeclaredPolicyThatNobodyCanMeet) {
    Fault declare;
    declare.kind = declare_policy;
    declare.text = "semi_sync:2";
    EXPECT_EQ(Faults().at(1s, declare).beyond(), "");
    declare.text = "semi_sync:3";
    EXPECT_NE(Faults().at(1s, declare).beyond(), "");
}

TEST(Guard, DriftByHandIsTheManagersWork) {
    Faults f;
    for (const FaultKind kind : {set_read_only, set_offline_mode, stop_replication, semi_sync_source_off,
                                 wrong_heartbeat, equal_server_id})
        f.at(1s, kind, 2);
    f.at(2s, clear_shard_primary, 0).at(3s, declare_primary, 2);
    EXPECT_EQ(f.beyond(), "");
}

TEST(Guard, ALostRecordNeedsEveryTablet) {
    EXPECT_EQ(Faults().at(1s, delete_fixpoint_record, 0).beyond(), "");
    EXPECT_NE(Faults().at(1s, delete_fixpoint_record, 0).at(2s, crash, 3).beyond(), "");
}

TEST(Guard, AManagerMustBeLeftAndTheStoreMustAnswer) {
    Fault crash_manager;
    crash_manager.kind = manager_crash;
    crash_manager.manager = "m1";
    crash_manager.permanent = true;
    EXPECT_EQ(Faults().at(1s, crash_manager).beyond(), "");
    crash_manager.manager = "";
    EXPECT_NE(Faults().at(1s, crash_manager).beyond(), "");
    EXPECT_NE(Faults().at(1s, store_unreachable, 0, true).beyond(), "");
    EXPECT_EQ(Faults().at(1s, store_unreachable, 0).beyond(), "");
}

TEST(Guard, WhoComesLateMayFindThePrimaryFull) {
    const auto gone_for = [](Duration time) {
        Faults f;
        f.at(1s, crash, 2).at(2s, manager_crash, 0, false, time);
        return f.beyond();
    };
    EXPECT_EQ(gone_for(1s), "");
    EXPECT_NE(gone_for(5s), "") << "commits that wait have used up its connections";
}

TEST(Guard, ACutCountsItsSmallerSide) {
    Fault c;
    c.kind = cut;
    c.from_set = {"zone1-100"};
    c.to_set = {"zone2-200", "zone3-300", "m1", "store"};
    c.permanent = true;
    EXPECT_EQ(Faults().at(1s, c).beyond(), "");
    EXPECT_NE(Faults().at(1s, c).at(2s, crash, 2).beyond(), "");
}

TEST(Guard, AnErrantTabletIsNoCandidateButStillReceives) {
    EXPECT_EQ(Faults().at(1s, errant_transaction, 2).at(2s, crash, 1, true).beyond(), "");
    EXPECT_NE(
        Faults().at(1s, errant_transaction, 2).at(1s, errant_transaction, 3).at(2s, crash, 1, true).beyond(),
        "");
}

TEST(Guard, WhatIsNotPromisedAtAll) {
    EXPECT_NE(Faults().at(1s, pause_shard, 0).beyond(), "");
}

TEST(Guard, APrimaryThatComesBackAsAnotherServerIsReplacedByOneThatMayLead) {
    // The one in force may be forgotten, the other one cannot lead.
    const auto beyond = [](FaultKind kind, int n, int tablets = 2) {
        Faults f(tablets, {DurabilityName::semi_sync_with_rdonly_ack, 1});
        f.input.tablets[0].promotion_rule = PromotionRule::must_not;
        f.input.tablets[1].type = TabletType::rdonly;
        return f.at(1s, forget, 1).at(2s, kind, n).beyond();
    };
    EXPECT_NE(beyond(new_uuid, 1), "");
    EXPECT_EQ(beyond(restart, 1), "") << "it serves on";
    EXPECT_EQ(beyond(new_uuid, 2), "") << "not of the one in force";
    EXPECT_EQ(beyond(new_uuid, 1, 3), "") << "a third one may lead";
}

TEST(Guard, WhomTheRecordOrItsCellTellsOfIsKnown) {
    const auto beyond = [](const std::string& what) {
        Faults f(2, {DurabilityName::none, 0});
        FixpointRecord record = *f.in_force;
        if (what == "an acker") record.ackers = {testing::recorded(2)};
        f.in_force = std::make_shared<const FixpointRecord>(record);
        Fault down;
        down.kind = cell_store_down;
        down.cell = alias_of(what == "another cell" ? 3 : 2).cell;
        down.permanent = what != "for a time";
        Fault declared;
        declared.kind = declare_policy;
        declared.text = "semi_sync";
        return f.at(1s, down).at(2s, declared).at(3s, manager_restart, 0).beyond();
    };
    EXPECT_NE(beyond("nobody knows"), "");
    for (const std::string what : {"an acker", "another cell", "for a time"})
        EXPECT_EQ(beyond(what), "") << what;
}

TEST(Guard, WhoStopsAReceiverMustHaveAManagerToStartIt) {
    for (const FaultKind stops : {stop_receiver, stop_replication}) {
        EXPECT_NE(Faults().at(1s, stops, 2).at(2s, manager_crash, 0).beyond(), "");
        EXPECT_EQ(Faults().at(1s, manager_crash, 0).at(2s, stops, 2).beyond(), "") << "afterwards";
        EXPECT_EQ(Faults().at(1s, stops, 2).at(2s, manager_pause, 0).beyond(), "");
        Fault one;
        one.kind = manager_crash;
        one.manager = "m2";
        EXPECT_EQ(Faults().at(1s, stops, 2).at(2s, one).beyond(), "") << "another one acts";
    }
    EXPECT_EQ(Faults().at(1s, stop_applier, 2).at(2s, manager_crash, 0).beyond(), "");
}

TEST(Guard, NobodyCanActUntilTheyAreBack) {
    const auto beyond = [](FaultKind gone, FaultKind back) {
        return Faults().at(1s, restart, 2).at(2s, gone, 0).at(5s, back, 0).at(200s, crash, 1, true).beyond();
    };
    EXPECT_EQ(beyond(store_unreachable, store_reachable), "");
    EXPECT_EQ(beyond(manager_pause, manager_resume), "");
    EXPECT_EQ(beyond(manager_pause, manager_restart), "");
    EXPECT_EQ(beyond(manager_crash, manager_restart), "");
    EXPECT_NE(beyond(store_unreachable, cell_store_up), "");
    EXPECT_NE(beyond(manager_pause, store_reachable), "");
    EXPECT_NE(beyond(manager_crash, manager_resume), "");
}

TEST(Guard, APrimaryThatMustNotBePromotedMayGoOnServing) {
    Faults f;
    f.input.tablets.front().promotion_rule = PromotionRule::must_not;
    EXPECT_EQ(f.beyond(), "");
    f.input.recorded = false;
    EXPECT_NE(f.beyond(), "") << "the first one is elected";
}

TEST(Guard, AServerThatTakesLongToStartHasFailedSoMuchLonger) {
    for (const Duration takes : {0s, 30s}) {
        Faults f(2);
        Fault slow;
        slow.kind = restart;
        slow.tablet = alias_of(2);
        slow.amount = takes;
        f.at(1s, slow).at(80s, crash, 1, false, 5s);
        EXPECT_EQ(f.beyond().empty(), takes == 0s);
    }
}

TEST(Guard, ACutEndsWhenThatLinkIsHealed) {
    const auto beyond = [](const std::string& healed, Duration lasts) {
        Fault c;
        c.kind = cut;
        c.from_set = {alias_of(2).to_string()};
        c.for_time = lasts;
        Fault h;
        h.kind = heal;
        if (healed != "all") h.from_set = {healed};
        return Faults().at(1s, c).at(5s, h).at(200s, crash, 1, true).beyond();
    };
    for (const Duration lasts : {0s, 150s}) {
        EXPECT_EQ(beyond("all", lasts), "");
        EXPECT_EQ(beyond(alias_of(2).to_string(), lasts), "");
        EXPECT_NE(beyond(alias_of(3).to_string(), lasts), "") << "another link";
    }
}

TEST(Guard, WhatIsForGoodEndsWhereALaterFaultUndoesIt) {
    EXPECT_EQ(Faults().at(1s, crash, 2, true).at(5s, restart, 2).at(200s, crash, 1, true).beyond(), "");
    EXPECT_NE(Faults().at(1s, crash, 2, true).at(5s, restart, 3).at(200s, crash, 1, true).beyond(), "");
    EXPECT_NE(Faults().at(1s, wrong_password, 2, true).at(5s, restart, 2).at(200s, crash, 1, true).beyond(),
              "")
        << "it lets nobody in yet";
}

TEST(Guard, AReceiverThatWasStartedLongSinceNeedsNoManager) {
    const auto beyond = [](Duration crashed, Duration paused_for = {}) {
        Faults f;
        f.at(1s, stop_receiver, 2);
        if (paused_for > Duration{}) f.at(2s, manager_pause, 0, false, paused_for);
        return f.at(crashed, manager_crash, 0).beyond();
    };
    EXPECT_NE(beyond(60s), "");
    EXPECT_EQ(beyond(62s), "");
    EXPECT_NE(beyond(100s, 50s), "") << "nobody could act for as long";
    EXPECT_EQ(beyond(120s, 50s), "");
}

}  // namespace
}  // namespace fixpoint::sim
