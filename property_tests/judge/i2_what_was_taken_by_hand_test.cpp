// I2 at the end of a run: what somebody still holds, what faults by hand took, and whose number was given
// twice. Every excuse is seen beside the like end that it does not cover.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

void close(Stage& s, int n) {
    s.b.row(n).read_only = s.b.row(n).super_read_only = true;
}

TEST(I2, WhoStandsStillForAWriteThatSomebodyHoldsHasNotLostIt) {
    for (const std::string end : {"stands still", "serves", "nobody holds it"}) {
        Stage s;
        s.write(11, 1, {1, 2});
        s.forget(11, 1);
        if (end != "serves") close(s, 1);
        if (end == "nobody holds it") s.forget(11, 2);
        EXPECT_EQ(s.violated_at_end(), end == "stands still" ? "" : "I2") << end;
    }
}

TEST(I2, WhatWasReceivedIsHeldAsLongAsItCanBeRead) {
    for (const bool readable : {true, false}) {
        Stage s;
        s.write(11, 1, {1});
        s.forget(11, 1);
        close(s, 1);
        s.b.server(2).writes_received.insert(11);
        s.b.server(2).relay_log_readable = readable;
        EXPECT_EQ(s.violated_at_end(), readable ? "" : "I2");
    }
}

TEST(I2, APrimaryThatLostItsCopyWithAnAckerThatStaysBroken) {
    for (const std::string end : {"both lost it", "the acker is there", "the primary was not struck"}) {
        Stage s;
        s.write(11, 1, {1, 3});
        const int struck = end == "the primary was not struck" ? 2 : 1;
        s.play(CopiesLost{alias_of(struck), {11}, false});
        s.forget(11, 1);
        if (end != "the acker is there") s.b.kill(3);
        EXPECT_EQ(s.violated_at_end(), end == "both lost it" ? "" : "I2") << end;
    }
}

TEST(I2, ANumberGivenAgainByHandIsNotLookedFor) {
    for (const FaultKind kind : {FaultKind::set_writable, FaultKind::errant_transaction,
                                 FaultKind::restart_writable, FaultKind::restart}) {
        Stage s;
        s.write(11, 1, {1, 2, 3});
        s.play(CopiesLost{alias_of(2), {11}, false});
        s.forget(11, 2);
        s.fault(kind, 2);
        s.forget(11, 1);
        EXPECT_EQ(s.violated_at_end(), kind == FaultKind::restart ? "I2" : "");
    }
}

TEST(I2, NoNumberIsGivenAgainWhereTheCopyWasNotLost) {
    for (const bool opened_before_the_loss : {true, false}) {
        Stage s;
        s.write(11, 1, {1, 2, 3});
        if (opened_before_the_loss) s.fault(FaultKind::set_writable, 2);
        s.play(CopiesLost{alias_of(2), {11}, false});
        s.forget(11, 2);
        if (!opened_before_the_loss) s.fault(FaultKind::set_writable, 3);  // another one
        s.forget(11, 1);
        EXPECT_EQ(s.violated_at_end(), "I2");
    }
}

TEST(I2, WhoWasSetBackAndThenOpenedByHandHoldsWhatNobodyCanSee) {
    using enum FaultKind;
    const auto ends = [](std::vector<std::pair<FaultKind, int>> faults) {
        Stage s;
        for (const auto& [kind, n] : faults) s.fault(kind, n);
        s.write(11, 3, {3});
        return s.violated_at_end();
    };
    EXPECT_EQ(ends({{restore_older_state, 3}, {set_writable, 3}}), "");
    EXPECT_EQ(ends({{set_writable, 3}, {restore_older_state, 3}}), "I2") << "opened before";
    EXPECT_EQ(ends({{restore_older_state, 2}, {set_writable, 3}}), "I2") << "another one was set back";
}

TEST(I2, HeldSilentlyIsOnlyWhatATabletOfThisShardHolds) {
    for (const std::string holder : {"declared", "quarantined", "drained by people", "deleted", "dead"}) {
        Stage s;
        s.fault(FaultKind::set_writable, 3);
        s.write(11, 3, {3});
        if (holder == "quarantined" || holder == "drained by people")
            s.b.tablet(3).type = TabletType::drained;
        if (holder == "quarantined") s.b.tablet(3).tags["fixpoint_was"] = "replica";
        if (holder == "deleted") s.b.state.store.tablets.erase(alias_of(3));
        if (holder == "dead") s.b.kill(3);
        EXPECT_EQ(s.violated_at_end(), holder == "declared" || holder == "drained by people" ? "I2" : "")
            << holder;
    }
}

TEST(I2, WhoIsMadeToVouchByHandForWhatItHadLost) {
    for (const int vouches : {2, 3}) {
        Stage s;
        s.write(11, 1, {1, 2, 3});
        s.play(CopiesLost{alias_of(2), {11}, false});
        s.forget(11, 2);
        s.fault(FaultKind::semi_sync_replica_on, vouches);
        s.record_primary(2);
        EXPECT_EQ(s.violated(), vouches == 2 ? "" : "I2");
    }
}

TEST(I2, AnUnfencedPromotionThatTheGoalAllowedExcusesWhatCameBefore) {
    for (const std::int64_t allowed_in : {3, 2}) {
        Stage s;
        s.write(11, 1, {1});
        s.b.record().policy = {DurabilityName::none, 0};
        s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
        s.b.goal().allowed = {{"unfenced_promotion", allowed_in}};
        s.record_primary(2);
        EXPECT_EQ(s.violated(), allowed_in == 3 ? "" : "I2") << "allowed in term " << allowed_in;
    }
}

}  // namespace
}  // namespace fixpoint::sim
