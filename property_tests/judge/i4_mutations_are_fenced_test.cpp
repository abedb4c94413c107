// I4: no statement of an older holder of the lock takes effect after a newer one has looked, and none kills
// the newer one's session.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

TEST(I4, AnOlderHoldersStatementTakesEffectAfterANewerOneHasLooked) {
    Stage s;
    s.server_lock(1, 2, "m1");
    s.server_lock(2, 2, "m2");
    s.statement(sql::Look{}, 2, 2, "m2");
    s.statement(sql::StopReceiver{}, 2, 1, "m1");
    EXPECT_EQ(s.violated(), "I4");
}

TEST(I4, BeforeTheNewerOneHasLookedItIsLegal) {
    Stage s;
    s.server_lock(1, 2, "m1");
    s.server_lock(2, 2, "m2");
    s.statement(sql::StopReceiver{}, 2, 1, "m1");
    s.statement(sql::Look{}, 2, 2, "m2");
    s.statement(sql::StopReceiver{}, 2, 2, "m2");
    s.statement(sql::StopReceiver{}, 3, 1, "m1");  // another tablet
    EXPECT_EQ(s.violated(), "");
}

TEST(I4, AStatementUnderNoLockIsOlderThanAny) {
    Stage s;
    s.server_lock(2, 2);
    s.statement(sql::Look{}, 2, 2);
    s.statement(sql::StartReceiver{}, 2, 0);
    EXPECT_EQ(s.violated(), "I4");
}

TEST(I4, TheJournalAndTheNudgeAreOrdinaryWrites) {
    Stage s;
    s.server_lock(2, 1, "m2");
    s.statement(sql::Look{}, 1, 2, "m2");
    s.statement(sql::InsertJournalRow{}, 1, 1, "m1");
    s.statement(sql::Nudge{"n1"}, 1, 1, "m1");
    EXPECT_EQ(s.violated(), "");
}

TEST(I4, AStaleManagerKillsItsSuccessorsSession) {
    for (const std::int64_t mine : {1, 3}) {
        Stage s;
        s.server_lock(2, 2, "m2");
        StatementTookEffect kill;
        kill.manager = "m1";
        kill.tablet = alias_of(2);
        kill.lock_id = mine;
        kill.kills_manager_session = true;
        kill.killed_manager = "m2";
        kill.killed_lock_id = 2;
        kill.statement = sql::Kill{7};
        s.play(kill);
        EXPECT_EQ(s.violated(), mine == 1 ? "I4" : "");
    }
}

}  // namespace
}  // namespace fixpoint::sim
