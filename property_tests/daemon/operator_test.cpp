// What a person does with genuine servers: look without touching, check accounts, reparent, pause; and what
// each command tells the shell.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <signal.h>

#include <sstream>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

class Operator : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }
    static int another_than(int i) { return (i + 1) % 3; }
    static bool is_open(int i) {
        return stage().ask(i, "SELECT @@GLOBAL.read_only OR @@GLOBAL.super_read_only") == "0";
    }
    static std::string states() { return stage().states(); }
};

TEST_F(Operator, plan_status_and_check_look_and_change_nothing) {
    stage().converged();
    const int replica = another_than(stage().primary());
    stage().server(replica).as_root({"SET GLOBAL super_read_only = OFF"});
    stage().server(another_than(replica)).as_root({"STOP REPLICA IO_THREAD"});
    const std::string before = states();
    const Said topology = stage().fixpoint({"topology", "show"});
    const Said plan = stage().fixpoint({"plan"});
    EXPECT_EQ(plan.code, 3) << plan.all();
    EXPECT_TRUE(plan.has("replica_is_writable " + stage().alias(replica)) &&
                plan.has("next: make_read_only") && plan.has("read_only=ON, then super_read_only=ON"))
        << plan.all();
    EXPECT_TRUE(plan.has("receiver_stopped " + stage().alias(another_than(replica)))) << plan.all();
    EXPECT_EQ(stage().fixpoint({"status", "--all"}).code, 3);
    EXPECT_EQ(stage().fixpoint({"check"}).code, 0);
    EXPECT_EQ(states(), before);
    EXPECT_EQ(stage().fixpoint({"topology", "show"}).out, topology.out);
    Daemon daemon(stage());
    EXPECT_TRUE(stage().settles(15s));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Operator, a_planned_reparent_is_shown_then_done) {
    stage().converged();
    const int from = stage().primary();
    const int to = another_than(from);
    const std::string before = states();
    const Said shown = stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(to), "--dry-run"});
    EXPECT_EQ(shown.code, 0) << shown.all();
    EXPECT_TRUE(shown.has("planned_reparent: " + stage().alias(from) + " -> " + stage().alias(to)))
        << shown.all();
    EXPECT_EQ(states(), before);
    Writer writer(stage(), 3'000'000);
    ASSERT_TRUE(eventually(10s, [&] { return writer.acknowledged() > 20; }));
    const Said done = stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(to)}, 60s);
    EXPECT_EQ(done.code, 0) << done.all();
    EXPECT_EQ(stage().primary(), to);
    EXPECT_TRUE(is_open(to) && !is_open(from));
    writer.point_at(to);
    const std::size_t told = writer.acknowledged();
    EXPECT_TRUE(eventually(10s, [&] { return writer.acknowledged() > told + 20; }));
    const std::vector<std::int64_t> all = writer.end();
    EXPECT_EQ(stage().lost(to, all), std::vector<std::int64_t>{});
    EXPECT_TRUE(stage().settles(10s));
    // Nobody named: the best of the others. And with a daemon at work, whoever is first does it.
    Daemon daemon(stage());
    const Said again = stage().fixpoint({"reparent", "commerce/0"}, 60s);
    EXPECT_EQ(again.code, 0) << again.all();
    EXPECT_NE(stage().primary(), to);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Operator, a_reparent_that_cannot_be_is_refused_and_leaves_no_wish) {
    stage().converged();
    const int from = stage().primary();
    const int to = another_than(from);
    stage().server(to).as_root({"STOP REPLICA IO_THREAD"});
    const std::string before = states();
    const Said topology = stage().fixpoint({"topology", "show"});
    const Said refused = stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(to)});
    EXPECT_EQ(refused.code, 2) << refused.all();
    EXPECT_TRUE(refused.has("candidate_unfit")) << refused.all();
    EXPECT_EQ(states(), before);
    EXPECT_EQ(stage().fixpoint({"topology", "show"}).out, topology.out);
    EXPECT_EQ(stage().fixpoint({"reparent", "commerce/0", "--to", "zone1-999"}).code, 2);
    EXPECT_EQ(stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(from)}).code,
              3);  // is it; not settled
    stage().server(to).as_root({"START REPLICA IO_THREAD"});
    EXPECT_TRUE(stage().settles(10s));
    EXPECT_EQ(stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(from)}).code, 0);
}

TEST_F(Operator, a_reparent_that_fails_half_way_is_led_back) {
    stage().converged();
    const int from = stage().primary();
    const int to = another_than(from);
    // A table lock of a session that seems idle: no transaction to wait for, and no closing gets past it.
    real::BlockingSession holder = stage().server(from).root();
    ASSERT_FALSE(holder.query("LOCK TABLES contract.`rows` WRITE").error.has_value());
    const Said failed = stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(to)}, 90s);
    EXPECT_EQ(failed.code, 4) << failed.all();
    EXPECT_TRUE(failed.has(stage().alias(from) + " stays the primary")) << failed.all();
    ASSERT_FALSE(holder.query("UNLOCK TABLES").error.has_value());
    EXPECT_EQ(stage().primary(), from);
    EXPECT_TRUE(is_open(from));
    EXPECT_TRUE(stage().settles(10s));
}

TEST_F(Operator, a_wrong_configuration_is_2_with_its_place_and_changes_nothing) {
    stage().converged();
    const std::string before = states();
    std::string text = stage().configuration_text();
    text.replace(text.find("\"shards\""), 8, "\"shard\"");
    const auto file = stage().write("wrong.json", text);
    for (const char* command : {"run", "plan", "check", "status"}) {
        const Said said = stage().fixpoint_with(file, {command});
        EXPECT_EQ(said.code, 2) << said.all();
        EXPECT_TRUE(said.has("wrong.json:6: shard") && said.has("did you mean shards?")) << said.all();
    }
    EXPECT_EQ(stage().fixpoint_with(stage().in_folder("absent.json"), {"status"}).code, 2);
    EXPECT_EQ(stage().fixpoint({"--store", stage().in_folder("absent.db").string(), "status"}).code, 1);
    EXPECT_EQ(states(), before);
}

TEST_F(Operator, a_paused_shard_is_reported_and_left_alone_until_it_is_resumed) {
    stage().converged();
    const int replica = another_than(stage().primary());
    EXPECT_EQ(stage().fixpoint({"pause", "commerce/0", "--why", "a drill"}).code, 0);
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("paused"));
    stage().server(replica).as_root({"SET GLOBAL super_read_only = OFF"});
    EXPECT_TRUE(daemon.logs("replica_is_writable"));
    EXPECT_TRUE(stage().fixpoint({"status"}).has("a drill"));
    EXPECT_EQ(stage().ask(replica, "SELECT @@GLOBAL.super_read_only"), "0");
    EXPECT_EQ(stage().fixpoint({"resume", "commerce/0"}).code, 0);
    EXPECT_TRUE(eventually(10s, [&] {
        return stage().ask(replica, "SELECT @@GLOBAL.super_read_only") == "1";
    })) << daemon.log();
    EXPECT_TRUE(stage().settles(10s));
    // One that was declared for a while only ends by itself.
    EXPECT_EQ(stage().fixpoint({"pause", "commerce/0", "--for", "2"}).code, 0);
    EXPECT_TRUE(eventually(15s, [&] { return !stage().fixpoint({"status"}).has("paused by"); }));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Operator, sigterm_in_mid_operation_leaves_no_lock_behind_and_the_next_one_finishes) {
    stage().converged();
    const int from = stage().primary();
    const int to = another_than(from);
    real::BlockingSession holder = stage().server(from).root();
    ASSERT_FALSE(holder.query("LOCK TABLES contract.`rows` WRITE").error.has_value());
    Daemon daemon(stage(), {"run", "--grace", "0"});
    ASSERT_TRUE(daemon.logs("nothing to do"));
    ASSERT_EQ(stage().fixpoint({"declare", "commerce/0", "--pin", stage().alias(to)}).code, 0);
    ASSERT_TRUE(daemon.logs("recovery_began wrong_primary"));
    EXPECT_EQ(daemon.stop(15s), 0) << daemon.log();
    const Said status = stage().fixpoint({"status"});
    EXPECT_TRUE(status.has("lock: nobody")) << status.all();
    ASSERT_FALSE(holder.query("UNLOCK TABLES").error.has_value());
    Daemon next(stage());
    EXPECT_TRUE(eventually(20s, [&] { return is_open(to) && !is_open(from); })) << next.log();
    EXPECT_EQ(stage().fixpoint({"declare", "commerce/0", "--no-pin"}).code, 0);
    EXPECT_TRUE(stage().settles(15s));
    EXPECT_EQ(next.stop(), 0);
}

TEST_F(Operator, one_process_leads_many_shards) {
    stage().blank();
    ASSERT_EQ(
        stage()
            .fixpoint({"init", "--yes", "lone/0", "zone1-7=" + stage().address(0), "--policy", "none"}, 60s)
            .code,
        0);
    ASSERT_EQ(
        stage()
            .fixpoint({"init", "--yes", "pair/0", stage().address(1), "zone2-9=" + stage().address(2)}, 60s)
            .code,
        0);
    Daemon daemon(stage(), {"run", "lone/0", "pair/0"});
    ASSERT_TRUE(daemon.logs("lone/0 looked") && daemon.logs("pair/0 looked"));
    const int replica = is_open(1) ? 2 : 1;
    stage().server(0).as_root({"SET GLOBAL super_read_only = ON"});
    stage().server(replica).as_root({"SET GLOBAL super_read_only = OFF"});
    EXPECT_TRUE(eventually(15s, [&] {
        return is_open(0) && stage().ask(replica, "SELECT @@GLOBAL.super_read_only") == "1";
    })) << daemon.log();
    EXPECT_TRUE(eventually(10s, [] { return stage().fixpoint({"status", "lone/0", "pair/0"}).code == 0; }));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Operator, a_manager_that_is_killed_is_followed_by_another) {
    stage().converged();
    const int primary = stage().primary();
    const int lone = another_than(primary);
    Daemon first(stage());
    ASSERT_TRUE(first.logs("nothing to do"));
    stage().server(lone).as_root({"STOP REPLICA", "RESET REPLICA ALL"});
    ASSERT_TRUE(first.logs("recovery_began"));
    first.signal(SIGKILL);
    Daemon second(stage());
    EXPECT_TRUE(stage().settles(20s)) << second.log();
    EXPECT_EQ(second.stop(), 0);
}

TEST_F(Operator, the_history_tells_what_was_done_step_by_step) {
    stage().converged();
    const Said history = stage().fixpoint({"history", "--last", "100"});
    EXPECT_EQ(history.code, 0);
    EXPECT_TRUE(history.has("initialize_shard: succeeded") || history.has("planned_reparent: succeeded"))
        << history.all();
    const Said steps = stage().fixpoint({"history", "--last", "100", "--steps"});
    EXPECT_TRUE(steps.has("SET GLOBAL") && steps.has("recovery_began")) << steps.all();
}

}  // namespace
}  // namespace fixpoint::daemon_tests
