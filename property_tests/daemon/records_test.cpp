// What people do to records on genuine servers: a tablet leaves the shard and comes back, and the history of
// a shard becomes a scenario that the simulator runs.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

class Records : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }
    static int another_than(int i) { return (i + 1) % 3; }
    static std::string acks(int i) { return stage().ask(i, "SELECT @@GLOBAL.rpl_semi_sync_replica_enabled"); }
};

TEST_F(Records, a_tablet_is_removed_and_added_again) {
    stage().converged();
    const int primary = stage().primary();
    const int leaving = another_than(primary);
    const std::string alias = stage().alias(leaving);
    const Said of_primary = stage().fixpoint({"declare", "commerce/0", "--remove", stage().alias(primary)});
    EXPECT_EQ(of_primary.code, 2) << of_primary.all();
    EXPECT_TRUE(of_primary.has("is the primary; `fixpoint reparent` the shard first")) << of_primary.all();
    EXPECT_EQ(stage().fixpoint({"declare", "commerce/0", "--remove", "zone1-999"}).code, 2);
    Daemon daemon(stage());
    ASSERT_TRUE(daemon.logs("nothing to do"));
    ASSERT_EQ(acks(leaving), "1");
    const Said removed = stage().fixpoint({"declare", "commerce/0", "--remove", alias});
    ASSERT_EQ(removed.code, 0) << removed.all();
    EXPECT_TRUE(eventually(15s, [&] { return acks(leaving) == "0"; })) << daemon.log();
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << daemon.log();
    EXPECT_FALSE(stage().fixpoint({"status", "--all"}).has(alias))
        << stage().fixpoint({"status", "--all"}).all();
    const Said twice = stage().fixpoint({"declare", "commerce/0", "--remove", alias});
    EXPECT_EQ(twice.code, 2) << twice.all();
    const Said added =
        stage().fixpoint({"declare", "commerce/0", "--add", alias + "=" + stage().address(leaving)});
    EXPECT_EQ(added.code, 0) << added.all();
    EXPECT_TRUE(eventually(15s, [&] { return acks(leaving) == "1"; })) << daemon.log();
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << daemon.log();
    EXPECT_EQ(daemon.stop(), 0);
}

// How many operations the history tells of.
int operations(const std::string& history) {
    int count = 0;
    for (std::size_t at = 0; (at = history.find("\"recovery_began\"", at)) != std::string::npos; ++at)
        ++count;
    return count;
}

TEST_F(Records, a_history_becomes_a_scenario_that_the_simulator_runs) {
    stage().converged();
    const auto history = stage().in_folder("history.jsonl");
    const int earlier = operations(text_of(history));
    const int from = stage().primary();
    const int to = another_than(from);
    const int replica = another_than(to);
    // What is done soon after a record is taken for its consequence.
    ASSERT_TRUE(eventually(5s, [&] {
        const auto now = std::filesystem::file_time_type::clock::now();
        return now - std::filesystem::last_write_time(history) > 1600ms;
    }));
    {
        Daemon daemon(stage());
        ASSERT_TRUE(daemon.logs("nothing to do"));
        stage().server(replica).as_root({"SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"});
        ASSERT_TRUE(daemon.logs("recovery_succeeded replica_is_writable"));
        stage().server(replica).as_root({"STOP REPLICA IO_THREAD"});
        ASSERT_TRUE(daemon.logs("recovery_succeeded receiver_stopped"));
        ASSERT_TRUE(stage().settles(40s));
        EXPECT_EQ(daemon.stop(), 0);
    }
    ASSERT_EQ(stage().fixpoint({"reparent", "commerce/0", "--to", stage().alias(to)}, 60s).code, 0);
    const int since = operations(text_of(history)) - earlier;
    const Said exported =
        stage().fixpoint({"history", "commerce/0", "--export", "--last", std::to_string(since)});
    ASSERT_EQ(exported.code, 0) << exported.all();
    const nlohmann::json scenario = nlohmann::json::parse(exported.out);
    std::vector<std::string> faults;
    for (const auto& fault : scenario.at("faults"))
        faults.push_back(fault.at("fault").get<std::string>() + " " + fault.at("tablet").get<std::string>());
    EXPECT_EQ(faults, (std::vector<std::string>{"set_writable " + stage().alias(replica),
                                                "stop_receiver " + stage().alias(replica),
                                                "declare_primary " + stage().alias(to)}))
        << exported.out;
    EXPECT_EQ(scenario.at("shard").at("tablets").at(static_cast<std::size_t>(from)).at("type"), "primary");
    // Both worlds: what was done to real servers is done to fake ones, and comes out the same.
    const auto file = stage().write("exported.json", exported.out);
    const auto report = stage().in_folder("exported.txt");
    const std::string command =
        fmt::format("{}/fixpoint-sim run {} > {} 2>&1", FIXPOINT_BIN_DIR, file.string(), report.string());
    EXPECT_EQ(std::system(command.c_str()), 0) << text_of(report);
    EXPECT_EQ(stage().fixpoint({"history", "nobody/0", "--export"}).code, 2);
}

}  // namespace
}  // namespace fixpoint::daemon_tests
