// What a manager makes of an applier that reads and hands on nothing (M45): one that goes round in the index
// of its relay log does so in every look, and one that is held, delayed, busy or merely quick does not.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

#include "engine/view.hpp"
#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;
using namespace std::chrono_literals;

// A replica as one manager sees it look after look, each a poll after the one before.
class Watched {
  public:
    struct Seen {
        bool only_reads = true;
        std::int64_t executed = 10;
        bool applier_runs = true;
        Duration later = 1s;
    };

    Watched& look(const Seen& seen) {
        now_ += seen.later;
        auto look = std::make_shared<TabletLook>();
        look->asked = now_;
        look->answered = now_ + 1ms;
        look->answer.server.gtid_executed = by(101, 1, seen.executed);
        sql::ReplicaRow& channel = look->answer.channels.emplace_back();
        channel.receiver = sql::ThreadState::yes;
        channel.applier_running = seen.applier_runs;
        channel.applier_only_reads = seen.only_reads;
        channel.retrieved = by(101, 1, 20);
        t_.only_reads_since = only_reads_since(t_.only_reads_since, t_.now.get(), *look, view_.limits());
        t_.now = look;
        return *this;
    }
    Watched& looks(int count, const Seen& seen) {
        for (int i = 0; i < count; ++i) look(seen);
        return *this;
    }
    bool goes_round() const { return fixpoint::goes_round(view_, t_); }
    std::optional<Instant> since() const { return t_.only_reads_since; }

  private:
    View view_;
    TabletView t_;
    Instant now_ = Instant{} + 1h;
};

TEST(GoesRound, is_said_of_one_that_only_reads_for_as_long_as_stalled_says) {
    Watched t;
    t.looks(10, {});
    EXPECT_FALSE(t.goes_round()) << "nine seconds";
    t.look({});
    EXPECT_TRUE(t.goes_round());
}

TEST(GoesRound, is_not_said_while_a_worker_is_busy_or_held_or_the_coordinator_waits) {
    Watched t;
    t.looks(60, {.only_reads = false});
    EXPECT_FALSE(t.goes_round());
    EXPECT_FALSE(t.since().has_value());
}

TEST(GoesRound, one_look_at_a_busy_worker_begins_it_anew) {
    Watched t;
    t.looks(10, {}).look({.only_reads = false}).looks(10, {});
    EXPECT_FALSE(t.goes_round());
    t.look({});
    EXPECT_TRUE(t.goes_round());
}

TEST(GoesRound, whoever_executes_anything_does_not) {
    Watched t;
    for (int i = 0; i < 60; ++i) t.look({.executed = 10 + i / 5});
    EXPECT_FALSE(t.goes_round()) << "a transaction in five seconds is slow, and no more";
}

TEST(GoesRound, looks_that_are_far_apart_are_not_held_together) {
    Watched t;
    t.looks(2, {}).look({.later = 30s});
    EXPECT_FALSE(t.goes_round()) << "it was paused, and caught in its reading twice";
    t.looks(10, {});
    EXPECT_TRUE(t.goes_round());
}

TEST(GoesRound, one_whose_applier_was_stopped_and_started_begins_anew) {
    Watched t;
    t.looks(10, {}).look({.only_reads = false, .applier_runs = false}).looks(5, {});
    EXPECT_FALSE(t.goes_round());
}

}  // namespace
}  // namespace fixpoint
