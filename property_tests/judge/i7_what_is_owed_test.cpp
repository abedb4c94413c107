// I7: what an operation that did not succeed owes at the end, and of whom nothing is owed; whose success is
// still believed in the next look.
#include <gtest/gtest.h>

#include "property_tests/judge/stage.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using sql::ThreadState;
using testing::alias_of;
using testing::gtids;
using testing::Stage;

void began(Stage& s) {
    s.say(EventKind::recovery_began, Problem::wrong_primary);
}
void refused(Stage& s) {
    s.say(EventKind::recovery_refused, Problem::wrong_primary, 0, Reason::candidate_lagging);
}
void close_primary(Stage& s) {
    s.b.row(1).read_only = s.b.row(1).super_read_only = true;
}
// It stopped the receiver of tablet 2, and was refused.
void leaves_a_receiver_stopped(Stage& s) {
    began(s);
    s.b.channel(2).receiver = ThreadState::no;
    refused(s);
}
// It closed the primary, and was refused.
void leaves_the_primary_closed(Stage& s) {
    began(s);
    close_primary(s);
    refused(s);
}
void strikes(Stage& s, FaultKind kind) {
    Fault f;
    f.kind = kind;
    s.play(FaultHappened{f, FaultStage::delivered});
}

TEST(I7, InAPausedShardNothingIsOwed) {
    for (const bool paused : {true, false}) {
        for (const auto leaves : {leaves_a_receiver_stopped, leaves_the_primary_closed}) {
            Stage s;
            leaves(s);
            s.b.goal().paused = paused;
            EXPECT_EQ(s.violated_at_end(), paused ? "" : "I7");
        }
    }
}

TEST(I7, ALostRecordClearsWhatIsOwed) {
    using enum FaultKind;
    for (const FaultKind kind : {delete_fixpoint_record, set_back_fixpoint_record, clear_shard_primary}) {
        const std::string expected = kind == clear_shard_primary ? "I7" : "";
        for (const auto leaves : {leaves_a_receiver_stopped, leaves_the_primary_closed}) {
            Stage after;
            leaves(after);
            strikes(after, kind);
            EXPECT_EQ(after.violated_at_end(), expected);
        }
        Stage during;
        began(during);
        strikes(during, kind);
        close_primary(during);
        during.b.channel(2).receiver = ThreadState::no;
        refused(during);
        EXPECT_EQ(during.violated_at_end(), expected);
        Stage before;
        strikes(before, kind);
        leaves_a_receiver_stopped(before);
        EXPECT_EQ(before.violated_at_end(), "I7") << "it was recovered by then";
    }
}

TEST(I7, ATabletOfThisShardNoMoreIsOwedNothing) {
    for (const std::string record : {"deleted, and not in A", "deleted, and in A", "there, and not in A"}) {
        Stage s;
        leaves_a_receiver_stopped(s);
        if (record.starts_with("deleted")) s.b.state.store.tablets.erase(alias_of(2));
        if (record.ends_with("not in A")) s.b.record().ackers.erase(s.b.record().ackers.begin());
        EXPECT_EQ(s.violated_at_end(), record == "deleted, and not in A" ? "" : "I7") << record;
    }
}

TEST(I7, ATabletSetAsideIsOwedNothing) {
    for (const std::string what : {"quarantined", "drained by people", "errant", "adopted", "data error",
                                   "torn", "refused by its source", "dead", "primary by now"}) {
        Stage s;
        leaves_a_receiver_stopped(s);
        const bool drained = what == "quarantined" || what == "drained by people";
        if (drained) s.b.tablet(2).type = TabletType::drained;
        if (what == "quarantined") s.b.tablet(2).tags["fixpoint_was"] = "replica";
        if (what == "errant" || what == "adopted") s.b.row(2).gtid_executed.add(gtids(2, 1, 1));
        if (what == "adopted") s.b.record().adopted = gtids(2, 1, 1);
        if (what == "data error") s.b.channel(2).applier_errno = sql::error_number::duplicate_entry;
        if (what == "torn") s.b.channel(2).applier_errno = sql::error_number::relay_log_corrupt;
        if (what == "refused by its source")
            s.b.channel(2).receiver_errno = sql::error_number::receiver_purged;
        if (what == "dead") s.b.kill(2);
        if (what == "primary by now") s.record_primary(2);
        const bool owed = what == "drained by people" || what == "adopted" || what == "torn";
        EXPECT_EQ(s.violated_at_end(), owed ? "I7" : "") << what;
    }
}

TEST(I7, ThePrimaryOfARecordThatPeopleTookAwayNeedNotReceive) {
    for (const bool serves : {true, false}) {
        Stage s;
        leaves_a_receiver_stopped(s);
        s.b.state.store.fixpoint.reset();
        s.b.row(2).read_only = s.b.row(2).super_read_only = !serves;
        EXPECT_EQ(s.violated_at_end(), serves ? "" : "I7");
    }
}

TEST(I7, OnlyThePrimaryInForceThatCanServeOwesIt) {
    for (const std::string primary : {"can serve", "another server", "dead", "deposed"}) {
        Stage s;
        leaves_the_primary_closed(s);
        if (primary == "another server") s.b.row(1).server_uuid = testing::uuid_of(9);
        if (primary == "dead") s.b.kill_primary();
        if (primary == "deposed") s.record_primary(2);
        EXPECT_EQ(s.violated_at_end(), primary == "can serve" ? "I7" : "") << primary;
    }
}

TEST(I7, AServerThatStopsIsOwedNothing) {
    for (const int stopped : {2, 3}) {
        Stage s;
        leaves_a_receiver_stopped(s);
        s.play(ServerStopped{alias_of(stopped), true});
        EXPECT_EQ(s.violated_at_end(), stopped == 2 ? "" : "I7");
    }
}

TEST(I7, AnOperationMayStillBeUnderWay) {
    for (const Duration time : {10s, 600s}) {
        Stage s;
        began(s);
        s.after(time);
        EXPECT_EQ(s.violated_at_end(), time == 10s ? "" : "I7");
    }
}

// ---- successes

void succeeded(Stage& s, Problem problem) {
    s.say(EventKind::recovery_succeeded, problem, 2);
}

TEST(I7, TheEndOfAFaultChangesTheWorldAsWell) {
    const auto looks = [](Duration for_time, Duration success, Duration look) {
        Stage s;
        Fault f;
        f.kind = FaultKind::cut;
        f.for_time = for_time;
        s.play(FaultHappened{f, FaultStage::delivered});
        s.after(success);
        s.say(EventKind::recovery_began, Problem::receiver_stopped, 2);
        succeeded(s, Problem::receiver_stopped);
        s.after(look - success);
        s.looked({{Problem::receiver_stopped, alias_of(2)}});
        return s.violated();
    };
    EXPECT_EQ(looks(5s, 1s, 10s), "");
    EXPECT_EQ(looks(5s, 6s, 10s), "I7") << "it had ended before";
    EXPECT_EQ(looks(5s, 1s, 4s), "I7") << "it lasts";
    EXPECT_EQ(looks({}, 1s, 10s), "I7") << "it ends by no time";
}

TEST(I7, AnApplierThatStandsOnAnotherErrorIsAnotherRow) {
    using namespace sql::error_number;
    for (const Problem problem : {Problem::applier_failed, Problem::applier_stopped}) {
        for (const int error : {duplicate_entry, relay_log_corrupt}) {
            Stage s;
            s.say(EventKind::recovery_began, problem, 2);
            succeeded(s, problem);
            s.b.channel(2).applier_errno = error;
            s.looked({{problem, alias_of(2)}});
            const bool another = problem == Problem::applier_failed && error == duplicate_entry;
            EXPECT_EQ(s.violated(), another ? "" : "I7") << error;
        }
    }
}

TEST(I7, WhatWasDeclaredOrStruckAnewMeanwhileIsAnotherRow) {
    using enum FaultKind;
    const auto looks = [](FaultKind kind, int n, int operation_on) {
        Stage s;
        const TabletAlias tablet = operation_on == 0 ? TabletAlias{} : alias_of(operation_on);
        s.say(EventKind::recovery_began, Problem::replica_misconfigured, operation_on);
        s.fault(kind, n);
        s.say(EventKind::recovery_succeeded, Problem::replica_misconfigured, operation_on);
        s.looked({{Problem::replica_misconfigured, tablet}});
        return s.violated();
    };
    EXPECT_EQ(looks(wrong_heartbeat, 2, 2), "");
    EXPECT_EQ(looks(wrong_heartbeat, 3, 2), "I7") << "another tablet";
    EXPECT_EQ(looks(wrong_heartbeat, 3, 0), "") << "of the whole shard";
    EXPECT_EQ(looks(declare_type, 3, 2), "") << "a declaration";
}

TEST(I7, WhatAnotherManagerDoesMeanwhileIsAnotherRow) {
    const auto looks = [](auto&& meanwhile) {
        Stage s;
        s.say(EventKind::recovery_began, Problem::acks_wrong, 2);
        succeeded(s, Problem::acks_wrong);
        meanwhile(s);
        s.looked({{Problem::acks_wrong, alias_of(2)}});
        return s.violated();
    };
    const auto writes = [](const std::string& manager) {
        return [manager](Stage& s) {
            s.play(
                RecordWritten{manager, 5, s.b.state.store.fixpoint, s.b.state.store.fixpoint, false, false});
        };
    };
    EXPECT_EQ(looks([](Stage& s) { s.server_lock(2, 2, "m2"); }), "");
    EXPECT_EQ(looks([](Stage& s) { s.server_lock(2, 3, "m2"); }), "I7") << "at another tablet";
    EXPECT_EQ(looks([](Stage& s) { s.server_lock(2, 2, "m1"); }), "I7") << "its own";
    EXPECT_EQ(looks(writes("m2")), "");
    EXPECT_EQ(looks(writes("m1")), "I7");
    EXPECT_EQ(looks([](Stage& s) { s.play(ServerStarted{alias_of(2), 2}); }), "");
    EXPECT_EQ(looks([](Stage& s) { s.play(ServerStopped{alias_of(2), false}); }), "");
}

}  // namespace
}  // namespace fixpoint::sim
