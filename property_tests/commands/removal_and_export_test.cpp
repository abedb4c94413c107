// `declare --remove` on records alone, and the history of a shard as a scenario: values in, text out. With
// genuine servers both are in property_tests/daemon.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "property_tests/commands/site.hpp"
#include "real_adapters/daemon/scenario_export.hpp"

namespace fixpoint::real {
namespace {

// ---- declare --remove

TEST_F(Commands, a_tablet_leaves_the_shard_and_its_alias_may_be_used_again) {
    declare_shard();
    put_in_force("zone1-100", 3);
    const std::string before = contents();
    EXPECT_EQ(type({"declare", "commerce/0", "--remove", "zone1-101", "--dry-run"}), ExitCode::done);
    EXPECT_EQ(contents(), before);
    EXPECT_EQ(type({"declare", "commerce/0", "--remove", "zone1-101"}), ExitCode::done);
    EXPECT_TRUE(said("no tablet of commerce/0 any more")) << said_;
    type({"status", "--all"});
    EXPECT_TRUE(!said("zone1-101") && said("zone1-102")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--remove", "zone1-101"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-101 is no tablet of this shard")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--add", "zone1-101=elsewhere:3306"}), ExitCode::done);
    type({"status", "--all"});
    EXPECT_TRUE(said("zone1-101") && said("elsewhere:3306")) << said_;
}

TEST_F(Commands, who_is_or_is_to_be_the_primary_is_not_removed) {
    declare_shard();
    put_in_force("zone1-100", 3);
    ASSERT_EQ(type({"declare", "commerce/0", "--pin", "zone1-102"}), ExitCode::done);
    const std::string before = contents();
    EXPECT_EQ(type({"declare", "commerce/0", "--remove", "zone1-100"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-100 is the primary; `fixpoint reparent` the shard first")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--remove", "zone1-102"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-102 is pinned; `fixpoint declare --no-pin` first")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--remove", "nonsense"}), ExitCode::refused);
    EXPECT_EQ(contents(), before);
    EXPECT_EQ(type({"declare", "commerce/0", "--no-pin", "--remove", "zone1-102"}), ExitCode::done);
}

// ---- history --export

class Export : public testing::Test {
  protected:
    Export() {
        shard_.name = shard;
        shard_.policy = {DurabilityName::semi_sync, 1};
        for (const char* name : {"zone1-100", "zone1-101", "zone1-102"}) {
            Tablet t;
            t.alias = alias(name);
            t.type = TabletType::replica;
            shard_.tablets.push_back(t);
        }
    }
    // At that second of the day.
    void happens(double second, const std::string& operation, const std::string& kind,
                 const std::string& problem, const std::string& tablet = "", const std::string& text = "",
                 const std::string& recovery = "") {
        const auto ms = static_cast<int>(second * 1'000);
        HistoryEntry e;
        e.time = fmt::format("2026-01-02T03:{:02}:{:02}.{:03}Z", ms / 60'000, ms / 1'000 % 60, ms % 1'000);
        e.operation = operation;
        e.kind = kind;
        e.problem = problem;
        e.tablet = tablet;
        e.text = text;
        e.recovery = recovery;
        entries_.push_back(std::move(e));
    }
    void begins_with(const std::string& primary) {
        happens(0, "m1-1", "recovery_began", "shard_not_initialized");
        happens(0.5, "m1-1", "commit_point", "shard_not_initialized", "", primary + " term 1");
        happens(0.6, "m1-1", "recovery_succeeded", "shard_not_initialized", "", "", "initialize_shard");
    }
    nlohmann::json exported(const std::string& from = "") const {
        return nlohmann::json::parse(scenario_of(shard_, entries_, from));
    }
    static std::vector<std::string> faults(const nlohmann::json& scenario) {
        std::vector<std::string> all;
        for (const auto& f : scenario.at("faults"))
            all.push_back(fmt::format("{} {} {}", f.at("at_ms").get<int>(), f.at("fault").get<std::string>(),
                                      f.at("tablet").get<std::string>()));
        return all;
    }

    ExportedShard shard_;
    std::vector<HistoryEntry> entries_;
};

using Faults = std::vector<std::string>;

TEST_F(Export, each_operation_becomes_the_fault_that_asks_for_it_at_its_time) {
    begins_with("zone1-100");
    happens(10, "m1-2", "recovery_began", "replica_is_writable", "zone1-101");
    happens(10.1, "m1-2", "recovery_succeeded", "replica_is_writable", "zone1-101", "", "make_read_only");
    happens(13, "m1-3", "recovery_began", "receiver_stopped", "zone1-102");
    happens(900, "m1-4", "recovery_began", "primary_is_read_only");  // a long quiet time is cut short
    happens(903, "m1-5", "recovery_began", "dead_primary");
    happens(904, "m1-5", "commit_point", "dead_primary", "", "zone1-101 term 2");
    happens(904.5, "m1-6", "recovery_began", "not_vouching", "zone1-102");  // follows upon it by itself
    happens(904.9, "m1-6", "recovery_succeeded", "not_vouching", "zone1-102", "", "fix_replica");
    happens(920, "m1-7", "recovery_began", "wrong_primary");
    happens(921, "m1-7", "commit_point", "wrong_primary", "", "zone1-102 term 3");
    const nlohmann::json scenario = exported();
    EXPECT_EQ(faults(scenario), (Faults{"5000 set_writable zone1-101", "8000 stop_receiver zone1-102",
                                        "23000 set_read_only zone1-100", "26000 crash zone1-100",
                                        "33000 restart zone1-100", "41000 declare_primary zone1-102"}));
    EXPECT_EQ(scenario.at("shard").at("tablets").at(0).at("type"), "primary");
    EXPECT_EQ(scenario.at("shard").at("tablets").at(1).at("type"), "replica");
    EXPECT_EQ(scenario.at("shard").at("durability_policy"), "semi_sync");
    // The same is expected of both worlds.
    EXPECT_EQ(scenario.at("expect").at("recoveries"), nlohmann::json({"fix_replica", "make_read_only"}));
}

TEST_F(Export, the_last_ones_begin_with_the_primary_of_their_time) {
    begins_with("zone1-100");
    happens(10, "m1-2", "recovery_began", "wrong_primary");
    happens(11, "m1-2", "commit_point", "wrong_primary", "", "zone1-101 term 2");
    happens(30, "m1-3", "recovery_began", "dead_primary");
    const nlohmann::json scenario = exported("m1-3");
    EXPECT_EQ(faults(scenario), (Faults{"5000 crash zone1-101", "12000 restart zone1-101"}));
    EXPECT_EQ(scenario.at("shard").at("tablets").at(1).at("type"), "primary");
}

TEST_F(Export, a_wish_that_was_never_met_is_no_fault_and_what_no_fault_makes_is_named) {
    begins_with("zone1-100");
    happens(10, "m1-2", "recovery_began", "wrong_primary");
    happens(12, "m1-2", "recovery_refused", "wrong_primary");
    happens(20, "m1-3", "recovery_began", "foreign_server_lock", "zone1-101");
    happens(30, "m1-4", "recovery_began", "foreign_server_lock", "zone1-102");
    const nlohmann::json scenario = exported();
    EXPECT_TRUE(scenario.at("faults").empty());
    EXPECT_EQ(scenario.at("why"),
              "Exported from the history of commerce/0: 0 faults that ask for what was done. Left out: "
              "foreign_server_lock (2)");
}

TEST_F(Commands, what_cannot_be_exported_is_refused) {
    std::ofstream(configuration_.history).close();  // one that is empty
    there_ = false;
    EXPECT_EQ(type({"history", "commerce/0", "--export"}), ExitCode::own_fault);
    EXPECT_TRUE(said("there is no store")) << said_;
    there_ = true;
    declare_shard();
    EXPECT_EQ(type({"history", "nobody/0", "--export"}), ExitCode::refused);
    EXPECT_EQ(type({"history", "commerce/0", "--export"}), ExitCode::refused);
    EXPECT_TRUE(said("nothing has happened that a scenario could be made of")) << said_;
    EXPECT_EQ(type({"history", "commerce/0", "nobody/0", "--export"}), ExitCode::refused);
    EXPECT_TRUE(said("a scenario is of one shard: name it")) << said_;
}

}  // namespace
}  // namespace fixpoint::real
