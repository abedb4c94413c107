// I11: no step lets a receiver acknowledge that the record does not name; by hand it may, until
// a step points it.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

TEST(I11, AReceiverWithAcknowledgementsThatTheRecordDoesNotName) {
    Stage s;
    s.b.record().ackers.pop_back();
    s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
    EXPECT_EQ(s.violated(), "I11");
}

TEST(I11, NamedOrWithoutAcknowledgementsOrByHandIsLegal) {
    Stage s;
    s.b.record().ackers.pop_back();
    s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
    s.play(ReceiverConnected{alias_of(2), alias_of(1), true, false});
    s.play(ReceiverConnected{alias_of(3), alias_of(1), false, false});
    s.play(ReceiverConnected{alias_of(3), alias_of(2), true, false});  // not the primary in force
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, true});
    s.fault(FaultKind::semi_sync_replica_on, 3);
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
    EXPECT_EQ(s.violated(), "");
    s.statement(sql::StartReceiver{}, 3, 1);  // a step points it there
    s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
    EXPECT_EQ(s.violated(), "I11");
}

TEST(I11, NobodyNamesATabletWhoseBothRecordsPeopleDeleted) {
    using enum FaultKind;
    for (const std::string left : {"neither", "the one in force", "its own", "its own, deleted by nobody",
                                   "the one in force, which named it no more"}) {
        Stage s;
        const bool named_no_more = left == "the one in force, which named it no more";
        const auto made_anew = [&] {
            s.b.record().ackers.pop_back();
            s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
        };
        if (named_no_more) made_anew();
        if (left != "its own, deleted by nobody") s.fault(delete_tablet_record, 3);
        if (left != "its own") s.b.state.store.tablets.erase(alias_of(3));
        if (left != "the one in force") s.fault(delete_fixpoint_record, 1);
        if (!named_no_more) made_anew();
        s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
        EXPECT_EQ(s.violated(), left == "neither" ? "" : "I11") << left;
    }
}

TEST(I11, WhoAcknowledgesByARecordThatPeopleChangedGoesOnUntilAStepComes) {
    for (const bool by_hand : {true, false}) {
        Stage s;
        s.b.record().ackers.pop_back();
        const std::optional<FixpointRecord> without = s.b.state.store.fixpoint;
        if (by_hand) s.play(RecordWritten{"", 0, without, without, false, false});
        s.play(RecordWritten{"m1", 1, without, without, false, false});
        s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
        EXPECT_EQ(s.violated(), by_hand ? "" : "I11");
        s.statement(sql::SetGlobal{sql::Variable::rpl_semi_sync_replica_enabled, 0}, 3, 1);
        s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
        EXPECT_EQ(s.violated(), "I11");
    }
}

TEST(I11, WhoHasJustSetThemNeedNotForeseeAHandBeforeTheStart) {
    for (const bool set_before_the_hand : {true, false}) {
        Stage s;
        s.b.record().ackers.pop_back();
        s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
        if (set_before_the_hand)
            s.statement(sql::SetGlobal{sql::Variable::rpl_semi_sync_replica_enabled, 0}, 3, 1);
        s.fault(FaultKind::semi_sync_replica_on, 3);
        s.statement(sql::StartReceiver{}, 3, 1);
        s.play(ReceiverConnected{alias_of(3), alias_of(1), true, false});
        // (The statements themselves reach a shard that is not as declared.)
        EXPECT_EQ(s.violated(), set_before_the_hand ? "" : "I11");
    }
}

}  // namespace
}  // namespace fixpoint::sim
