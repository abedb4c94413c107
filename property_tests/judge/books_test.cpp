// The books: what a fault by hand makes weak, and what makes it whole again.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using testing::alias_of;
using testing::Stage;

bool is_weak(const Stage& s, int n) {
    return s.judge.books().weakened.contains(alias_of(n));
}

TEST(Books, SemiSyncTakenOffAPausedPrimaryWeakensItIfItIsOpen) {
    for (const FaultKind kind : {FaultKind::semi_sync_source_off, FaultKind::semi_sync_timeout}) {
        for (const std::string primary : {"open", "closed", "offline"}) {
            Stage s;
            s.b.server(1).paused = true;
            if (primary == "closed") s.b.row(1).read_only = s.b.row(1).super_read_only = true;
            if (primary == "offline") s.b.row(1).offline_mode = true;
            s.fault(kind, 1);
            EXPECT_EQ(is_weak(s, 1), primary == "open") << primary;
            s.write(11, 1, {1});
            EXPECT_EQ(s.judge.books().writes.at(11).by_hand.empty(), primary != "open");
        }
    }
}

TEST(Books, MadeWritableByHandIsWeakOnlyIfItWasNotOpen) {
    for (const FaultKind kind : {FaultKind::set_writable, FaultKind::second_primary}) {
        Stage s;
        s.fault(kind, 1);
        EXPECT_FALSE(is_weak(s, 1)) << "it was open already";
        s.fault(kind, 2);
        EXPECT_TRUE(is_weak(s, 2));
    }
}

TEST(Books, WhatMakesItWholeAgain) {
    const auto weak_after = [](auto&& what) {
        Stage s;
        s.fault(FaultKind::set_writable, 2);
        what(s);
        return is_weak(s, 2);
    };
    EXPECT_TRUE(weak_after([](Stage& s) { s.statement(sql::StopReceiver{}, 2, 1); }));
    EXPECT_FALSE(weak_after([](Stage& s) { s.statement(sql::CloseInOnePacket{}, 2, 1); }));
    EXPECT_TRUE(weak_after([](Stage& s) { s.statement(sql::CloseInOnePacket{}, 3, 1); }));
    EXPECT_FALSE(weak_after([](Stage& s) { s.play(ServerStopped{alias_of(2), false}); }));
    EXPECT_FALSE(weak_after([](Stage& s) { s.record_primary(2); }));
    EXPECT_TRUE(weak_after([](Stage& s) { s.record_primary(3); }));
}

TEST(Books, WhatAStepHasSetIsWholeOnlyIfItReadsSo) {
    for (const bool took : {true, false}) {
        Stage s;
        s.fault(FaultKind::semi_sync_timeout, 1);
        s.b.row(1).semi_sync_source_timeout_ms = 1;
        s.statement(sql::SetGlobal{sql::Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms},
                    1, 1);
        if (took) s.b.row(1).semi_sync_source_timeout_ms = Limits::semi_sync_timeout_ms;
        s.write(11, 1, {1});
        EXPECT_EQ(s.judge.books().writes.at(11).by_hand.empty(), took);
    }
}

TEST(Books, WhoStrikesThePrimaryTouchesWhomAnOperationIsAtWorkOn) {
    for (const int struck : {1, 3}) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::not_vouching, 2);
        s.fault(FaultKind::pause, struck);
        EXPECT_EQ(s.judge.books().touched.contains(alias_of(2)), struck == 1);
    }
}

TEST(Books, OfARecordThatWasSetBackOnlyARowThatCountsSays) {
    for (const std::string row_of : {"a server of ours", "a stranger", "another shard", "a dead one"}) {
        Stage s;
        s.write(11, 1, {1, 2});
        sql::JournalRow row = s.b.server(2).journal.front();
        row.term = s.b.record().term;
        row.revision = s.b.record().revision;
        if (row_of == "a stranger") row.alias = {"zone9", 900};
        if (row_of == "another shard") row.shard.shard = "1";
        for (int n = 1; n <= 3; ++n) s.b.server(n).journal = {row};
        if (row_of == "a dead one") {
            for (int n = 1; n <= 3; ++n) s.b.kill(n);
        }
        RecordWritten e;
        e.before = e.after = s.b.state.store.fixpoint;
        --e.after->term;
        s.play(e);
        const bool known = row_of == "a server of ours";
        EXPECT_EQ(s.judge.books().writes.at(11).by_hand.empty(), known) << row_of;
        EXPECT_EQ(s.judge.books().in_force->term, known ? e.before->term : e.after->term) << row_of;
    }
}

}  // namespace
}  // namespace fixpoint::sim
