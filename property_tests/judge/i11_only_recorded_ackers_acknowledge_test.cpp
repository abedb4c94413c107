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

}  // namespace
}  // namespace fixpoint::sim
