// Livelocks: a state that recurs with statements in between, and what is none.
#include <gtest/gtest.h>

#include "property_tests/judge/ending.hpp"
#include "sim/checkers/livelock.hpp"

namespace fixpoint::sim {
namespace {

using testing::gtids;
using testing::Stage;
using testing::StateBuilder;
using testing::two_dead;

TEST(Livelock, TheThirdRecurrenceWithStatementsInBetween) {
    LivelockDetector d;
    EXPECT_FALSE(d.seen(7, 0));
    EXPECT_FALSE(d.seen(8, 1));
    EXPECT_FALSE(d.seen(7, 2));
    EXPECT_FALSE(d.seen(7, 3));
    EXPECT_FALSE(d.seen(7, 3)) << "nothing was sent";
    EXPECT_TRUE(d.seen(7, 4));
}

TEST(Livelock, StatesAreComparedRelativeToEachOther) {
    StateBuilder now, later;
    later.state.at = Instant(1h);
    later.record().term += 5;
    for (auto& server : later.state.servers) {
        server.server.gtid_executed.add(gtids(1, 15, 900));
        server.server.uptime_s += 900;
        server.journal[0].term += 5;
        for (auto& r : server.channels) r.retrieved.add(gtids(1, 15, 900));
    }
    EXPECT_EQ(state_hash(now.state), state_hash(later.state));
    later.row(2).super_read_only = false;
    EXPECT_NE(state_hash(now.state), state_hash(later.state));
    StateBuilder renewed;
    renewed.row(2).server_id = 77;
    EXPECT_EQ(state_hash(now.state), state_hash(renewed.state));
    renewed.row(2).server_id = 1;
    EXPECT_NE(state_hash(now.state), state_hash(renewed.state));
}

TEST(Livelock, IsSaidAtOnce) {
    Stage s;
    s.play(PhaseBegan{Phase::convergence});
    s.b.row(2).super_read_only = false;
    bool proven = false;
    for (int round = 0; round < 4; ++round) {
        EXPECT_FALSE(proven);
        s.statement(sql::StopReceiver{}, 2, 1);
        proven = s.judge.on_all_asleep(s.at());
    }
    EXPECT_TRUE(proven);
    EXPECT_EQ(s.violated(), "livelock");
}

TEST(Livelock, AConfirmedRefusalIsNone) {
    Stage s;
    two_dead(s).say(EventKind::recovery_refused, Problem::dead_primary, 0, Reason::revocation_impossible);
    s.play(PhaseBegan{Phase::convergence});
    for (int round = 0; round < 6; ++round) {
        s.statement(sql::StopReceiver{}, 2, 1);
        EXPECT_FALSE(s.judge.on_all_asleep(s.at()));
    }
}

}  // namespace
}  // namespace fixpoint::sim
