// I3: a deposed primary acknowledges nothing that was begun after its successor was recorded; what people
// opened by hand is excused until a step has closed it, and no longer.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

TEST(I3, TheDeposedAcknowledgesWhatWasBegunLater) {
    Stage s;
    s.record_primary(2);
    s.write(11, 1, {1, 2, 3});
    EXPECT_EQ(s.violated(), "I3");
}

TEST(I3, ARecordSetBackIsInForceAgainWhereNoJournalTells) {
    for (const bool journaled : {false, true}) {
        Stage s;
        const std::optional<FixpointRecord> before = s.b.state.store.fixpoint;
        s.record_primary(2);
        if (journaled) {
            sql::JournalRow row;
            row.shard = s.b.state.shard;
            row.term = s.b.record().term;
            row.alias = alias_of(2);
            s.b.server(2).journal.push_back(row);
        }
        s.play(RecordWritten{"", 0, s.b.state.store.fixpoint, before, false, false});
        s.b.state.store.fixpoint = before;
        s.write(11, 1, {1, 2, 3});
        EXPECT_EQ(s.violated(), journaled ? "I3" : "");
        if (journaled) continue;
        s.write(12, 2, {1, 2, 3});
        EXPECT_EQ(s.violated(), "") << "it serves until it is closed";
        s.statement(sql::CloseInOnePacket{}, 2, 1);
        s.write(13, 2, {1, 2, 3});
        EXPECT_EQ(s.violated(), "I1 I3");
    }
}

TEST(I3, APrivilegedClientIsNotJudged) {
    Stage s;
    s.record_primary(2);
    s.begin(11, 1, true);
    s.acknowledge(11, 1, true);
    EXPECT_EQ(s.violated(), "");
}

TEST(I3, AServerMadeWritableByHandIsExcusedUntilItIsClosed) {
    Stage s;
    s.fault(FaultKind::set_writable, 2);
    s.write(11, 2, {2});
    EXPECT_EQ(s.violated(), "");
    s.statement(sql::CloseInOnePacket{}, 2, 1);
    s.write(12, 2, {2});
    EXPECT_EQ(s.violated(), "I3");
}

TEST(I3, ByHandExcusesNothingThatAStepOpened) {
    Stage s;
    // It serves already: nothing is made writable by hand.
    s.fault(FaultKind::set_writable, 1);
    s.record_primary(2);
    s.write(11, 1, {1});
    EXPECT_EQ(s.violated(), "I3");
}

TEST(I3, AStartWithoutPersistedSettingsIsExcusedOnlyIfItCameUpWritable) {
    Stage s;
    s.fault(FaultKind::restart_without_persisted, 2);
    s.play(ServerStarted{alias_of(2), 2});  // read-only all the same
    s.write(11, 2, {2});
    EXPECT_EQ(s.violated(), "I3");
    Stage t;
    t.fault(FaultKind::restart_without_persisted, 2);
    t.b.row(2).read_only = t.b.row(2).super_read_only = false;
    t.play(ServerStarted{alias_of(2), 2});
    t.write(11, 2, {2});
    EXPECT_EQ(t.violated(), "");
}

TEST(I3, SemiSyncWeakenedByHandExcusesUntilAStepHasSetIt) {
    Stage s;
    s.fault(FaultKind::semi_sync_source_off, 1);
    s.b.row(1).semi_sync_source_enabled = false;
    s.write(11, 1, {1});
    EXPECT_EQ(s.judge.books().writes.at(11).by_hand, "semi-sync of zone1-100 was weakened by hand");
    s.statement(sql::SetGlobal{sql::Variable::rpl_semi_sync_source_enabled, 1}, 1, 1);
    s.b.row(1).semi_sync_source_enabled = true;
    s.write(12, 1, {1, 2});
    EXPECT_EQ(s.judge.books().writes.at(12).by_hand, "");
}

TEST(I3, BegunOnTheNewPrimaryWhileARecordSetBackNamedAnother) {
    for (const int acknowledges : {2, 3}) {
        Stage s;
        const std::optional<FixpointRecord> before = s.b.state.store.fixpoint;
        s.record_primary(2);
        s.play(RecordWritten{"", 0, s.b.state.store.fixpoint, before, false, false});
        s.b.state.store.fixpoint = before;
        s.begin(11, acknowledges);
        s.record_primary(2);
        s.acknowledge(11, acknowledges);
        EXPECT_EQ(s.violated(), acknowledges == 2 ? "" : "I3");
        s.write(12, 1, {1});  // the deposed, whom the record set back had named
        EXPECT_EQ(s.violated(), "I3");
    }
}

TEST(I3, APromotionThatTheGoalAllowedUnfencedIsNotJudged) {
    for (const bool allowed : {true, false}) {
        Stage s(3, {DurabilityName::none, 0});
        if (allowed) s.b.goal().allowed = {{"unfenced_promotion", s.b.record().term}};
        s.record_primary(2);
        s.b.record().policy = testing::semi_sync(1);
        s.play(RecordWritten{"m1", 1, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
        s.write(11, 1, {1});
        EXPECT_EQ(s.violated(), allowed ? "" : "I3");
    }
}

}  // namespace
}  // namespace fixpoint::sim
