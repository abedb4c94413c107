// The commands without servers: what they write into the store and what they refuse, each with its exit code.
// The store is one in memory, and no server answers.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "property_tests/commands/site.hpp"
#include "real_adapters/daemon/grants.hpp"
#include "real_adapters/daemon/pause_note.hpp"

namespace fixpoint::real {
namespace {

// ---- the command line

TEST_F(Commands, what_cannot_be_understood_is_refused) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    EXPECT_EQ(type({}), ExitCode::refused);
    EXPECT_EQ(type({"statsu"}), ExitCode::refused);
    EXPECT_EQ(type({"status", "--al"}), ExitCode::refused);
    EXPECT_EQ(type({"status", "commerce"}), ExitCode::refused);
    EXPECT_EQ(type({"status", "--output", "xml"}), ExitCode::refused);
    EXPECT_EQ(type({"init", "commerce/0"}), ExitCode::refused);
    EXPECT_EQ(type({"init", "commerce/0", "a:1", "--policy", "semy_sync"}), ExitCode::refused);
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--type", "zone1-100=primary"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--rule", "zone1-100=perhaps"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--limit", "poll_ms=soon"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-100", "--no-pin"}), ExitCode::refused);
    EXPECT_EQ(type({"--help"}), ExitCode::done);
    EXPECT_EQ(type({"run", "--help"}), ExitCode::done);
    testing::internal::GetCapturedStdout();
    EXPECT_NE(testing::internal::GetCapturedStderr(), "");
    EXPECT_TRUE(store_.cells.empty());
}

TEST_F(Commands, no_command_takes_a_password) {
    testing::internal::CaptureStdout();
    for (const char* command : {"init", "run", "check", "declare", "grants"}) {
        type({command, "--help"});
    }
    const std::string help = testing::internal::GetCapturedStdout();
    EXPECT_NE(help.find("--policy"), std::string::npos);
    EXPECT_EQ(help.find("--password"), std::string::npos);
}

// ---- init

TEST_F(Commands, init_refuses_servers_that_do_not_answer_and_makes_no_store) {
    there_ = false;
    EXPECT_EQ(type({"init", "--yes", "commerce/0", "a:3306", "b:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-100 (a:3306)") && said("zone1-101 (b:3306)") && said("2003")) << said_;
    EXPECT_FALSE(there_);
    EXPECT_TRUE(store_.cells.empty());
}

TEST_F(Commands, init_refuses_what_is_declared_and_what_is_typed_twice) {
    EXPECT_EQ(type({"init", "commerce/0", "a:3306", "a:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("a:3306 is there twice")) << said_;
    EXPECT_EQ(type({"init", "commerce/0", "zone1-1=a:3306", "zone1-1=b:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("zone1-1 is there twice")) << said_;
    declare_shard();
    EXPECT_EQ(type({"init", "--yes", "commerce/0", "a:3306"}), ExitCode::refused);
    EXPECT_TRUE(said("declared already")) << said_;
}

// ---- looking

TEST_F(Commands, a_store_that_is_not_there_is_1_and_a_shard_that_is_not_declared_2) {
    for (const char* command : {"status", "plan", "check", "run"}) {
        there_ = false;
        EXPECT_EQ(type({command}), ExitCode::own_fault) << command;
        EXPECT_TRUE(said("there is no store")) << said_;
    }
    there_ = true;
    for (const char* command : {"status", "plan", "run"}) {
        EXPECT_EQ(type({command}), ExitCode::refused) << command;
        EXPECT_TRUE(said("fixpoint init")) << said_;
    }
    configuration_.shards.clear();
    EXPECT_EQ(type({"status"}), ExitCode::refused);
    EXPECT_TRUE(said("no shard is named")) << said_;
}

TEST_F(Commands, what_is_abnormal_is_3_and_said_with_its_remedy) {
    declare_shard();
    put_in_force("zone1-100", 3);
    EXPECT_EQ(type({"status", "--all"}), ExitCode::not_converged);
    EXPECT_TRUE(said("dead_primary_and_all_replicas") && said("remedy: start the servers")) << said_;
    EXPECT_TRUE(said("primary zone1-100, term 3")) << said_;
    EXPECT_EQ(type({"plan"}), ExitCode::not_converged);
    EXPECT_EQ(type({"check"}), ExitCode::not_converged);
    EXPECT_TRUE(said("zone1-102: no answer: nobody (2003)")) << said_;
    EXPECT_EQ(type({"status", "--output", "json"}), ExitCode::not_converged);
    EXPECT_TRUE(said("\"problem\": \"dead_primary_and_all_replicas\"")) << said_;
}

TEST_F(Commands, topology_show_lists_every_record) {
    declare_shard();
    EXPECT_EQ(type({"topology", "show"}), ExitCode::done);
    EXPECT_TRUE(said("keyspaces/commerce/Keyspace") && said("durability semi_sync")) << said_;
    EXPECT_TRUE(said("tablets/zone1-0000000101/Tablet") && said("commerce/0, replica, b:3306")) << said_;
}

// ---- a person's word

TEST_F(Commands, declare_changes_what_it_names_and_nothing_else) {
    declare_shard();
    EXPECT_EQ(type({"declare", "commerce/0", "--dry-run", "--pin", "zone1-101"}), ExitCode::done);
    EXPECT_EQ(goal().pinned_primary, std::nullopt);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101", "--rule", "zone1-102=must_not", "--limit",
                    "poll_ms=250", "--policy", "semi_sync:2", "--type", "zone1-100=rdonly", "--add",
                    "zone2-1=d:3306"}),
              ExitCode::done);
    EXPECT_EQ(goal().pinned_primary, alias("zone1-101"));
    EXPECT_EQ(goal().rule_of(alias("zone1-102")), PromotionRule::must_not);
    EXPECT_EQ(goal().limits.poll, std::chrono::milliseconds(250));
    EXPECT_EQ(
        decode_keyspace(store_.listed("", keyspace_path("commerce")).front().value.bytes)->durability_policy,
        (DurabilityPolicy{DurabilityName::semi_sync, 2}));
    EXPECT_EQ(
        decode_tablet(store_.listed("zone1", tablet_path(alias("zone1-100"))).front().value.bytes)->type,
        TabletType::rdonly);
    EXPECT_EQ(store_.listed("zone2", "tablets/").size(), 1u);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::refused);
    EXPECT_TRUE(said("nothing would change")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--no-pin"}), ExitCode::done);
    EXPECT_EQ(goal().pinned_primary, std::nullopt);
    EXPECT_EQ(goal().limits.poll, std::chrono::milliseconds(250));
}

TEST_F(Commands, declare_refuses_what_does_not_exist) {
    declare_shard();
    const std::string before = contents();
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-109"}), ExitCode::refused);
    EXPECT_TRUE(said("did you mean zone1-10")) << said_;
    EXPECT_EQ(type({"declare", "commerce/0", "--limit", "pol_ms=1"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--add", "zone1-100=z:1"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/1", "--no-pin"}), ExitCode::refused);
    EXPECT_TRUE(said("not declared")) << said_;
    EXPECT_EQ(contents(), before);
}

TEST_F(Commands, a_write_whose_answer_is_lost_is_unknown_and_one_that_somebody_overtook_is_refused) {
    declare_shard();
    store_.writes_end_in = topo::ErrorKind::maybe;
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::unknown);
    EXPECT_EQ(type({"pause", "commerce/0"}), ExitCode::unknown);
    store_.writes_end_in = topo::ErrorKind::conflict;
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::refused);
    store_.writes_end_in = topo::ErrorKind::unreachable;
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-101"}), ExitCode::own_fault);
}

TEST_F(Commands, forget_shows_first_and_needs_a_yes) {
    declare_shard();
    put_in_force("zone1-100", 1);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102"}), ExitCode::refused);
    EXPECT_TRUE(said("with zone1-102 forgotten") && said("with --yes")) << said_;
    EXPECT_TRUE(goal().forgotten.empty());
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102", "--yes"}), ExitCode::done);
    ASSERT_EQ(goal().forgotten.size(), 1u);
    EXPECT_EQ(goal().forgotten[0].alias, alias("zone1-102"));
    EXPECT_FALSE(goal().forgotten[0].who.empty());
    EXPECT_GT(goal().forgotten[0].when.ns, 0);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102", "--yes"}), ExitCode::refused);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-109", "--yes"}), ExitCode::refused);
    EXPECT_EQ(type({"forget", "commerce/0", "zone1-102", "--undo"}), ExitCode::done);
    EXPECT_TRUE(goal().forgotten.empty());
}

TEST_F(Commands, pause_says_who_why_and_until_and_resume_takes_it_back) {
    declare_shard();
    const Goal before = goal();
    EXPECT_EQ(type({"resume", "commerce/0"}), ExitCode::refused);
    EXPECT_EQ(type({"pause", "commerce/0", "--why", "the disk is changed", "--for", "3600"}), ExitCode::done);
    EXPECT_TRUE(goal().paused);
    const auto note = pause_note(goal());
    ASSERT_TRUE(note.has_value());
    EXPECT_EQ(note->why, "the disk is changed");
    EXPECT_FALSE(note->who.empty());
    EXPECT_EQ(note->until.ns - note->since.ns, 3'600'000'000'000);
    type({"status"});
    EXPECT_TRUE(said("the disk is changed") && said("paused by")) << said_;
    EXPECT_EQ(type({"resume", "commerce/0"}), ExitCode::done);
    EXPECT_EQ(goal(), before);
}

TEST_F(Commands, allow_is_for_one_step_one_term_and_needs_a_yes) {
    declare_shard();
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion", "--yes"}), ExitCode::refused);
    put_in_force("zone1-100", 4);
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotoin", "--yes"}), ExitCode::refused);
    EXPECT_TRUE(said("did you mean unfenced_promotion")) << said_;
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion"}), ExitCode::refused);
    EXPECT_TRUE(goal().allowed.empty());
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion", "--yes"}), ExitCode::done);
    EXPECT_EQ(goal().allowed, (std::vector<AllowedStep>{{"unfenced_promotion", 4}}));
    EXPECT_EQ(type({"allow", "commerce/0", "unfenced_promotion", "--yes"}), ExitCode::refused);
}

TEST_F(Commands, what_people_did_stands_in_the_history) {
    declare_shard();
    type({"pause", "commerce/0", "--why", "a test"});
    type({"resume", "commerce/0"});
    EXPECT_EQ(type({"history"}), ExitCode::done);
    EXPECT_LT(said_.find("pause"), said_.find("resume")) << said_;
    EXPECT_TRUE(said("a test")) << said_;
    EXPECT_EQ(type({"history", "--last", "1"}), ExitCode::done);
    EXPECT_FALSE(said("a test")) << said_;
    EXPECT_EQ(type({"history", "other/0"}), ExitCode::done);
    EXPECT_TRUE(said("nothing has happened")) << said_;
    configuration_.history.clear();
    EXPECT_EQ(type({"history"}), ExitCode::refused);
}

TEST_F(Commands, reparent_refuses_before_anything_is_in_force_and_against_a_pin) {
    declare_shard();
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1-101"}), ExitCode::refused);
    put_in_force("zone1-100", 1);
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1-109"}), ExitCode::refused);
    EXPECT_EQ(type({"declare", "commerce/0", "--pin", "zone1-102"}), ExitCode::done);
    EXPECT_EQ(type({"reparent", "commerce/0", "--to", "zone1-101"}), ExitCode::refused);
    EXPECT_TRUE(said("pinned")) << said_;
    EXPECT_EQ(decode_shard(store_.listed("", shard_path(shard)).front().value.bytes)->primary_alias,
              std::nullopt);
}

// ---- slow servers

TEST_F(Commands, a_first_login_is_given_a_second_and_not_only_as_long_as_a_look) {
    declare_shard();
    login_takes_ = std::chrono::milliseconds(700);
    type({"status", "--all"});
    EXPECT_TRUE(said("lets us not in: not for you (1227)")) << said_;
    EXPECT_FALSE(said("nobody (2003)")) << said_;
    login_takes_ = std::chrono::milliseconds(1'200);
    type({"status", "--all"});
    EXPECT_TRUE(said("no answer: nobody (2003)")) << said_;
}

// ---- what goes out

TEST_F(Commands, the_log_as_json_has_one_id_for_each_operation_and_no_secret) {
    configuration_.log.format = LogFormat::json;
    MachineClock clock;
    const History history(configuration_.history);
    {
        Log log(configuration_.log, clock, Redactor(configuration_.secrets()));
        ShardEventLog events("m1", shard, log, history);
        Event looked;
        looked.kind = EventKind::looked;
        looked.problems = {{Problem::replica_is_writable, alias("zone1-101")}};
        events.append(looked);
        events.append(looked);  // nothing else than before: no line
        Event failed;
        failed.kind = EventKind::recovery_failed;
        failed.operation = "m1-7-1";
        failed.key = looked.problems[0];
        failed.recovery = Recovery::make_read_only;
        failed.text = "near 'SOURCE_PASSWORD = 'another secret''";
        events.append(failed);
        looked.problems.clear();
        events.append(looked);
    }
    std::ifstream file(configuration_.log.file);
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0].at("text"), "replica_is_writable(zone1-101)");
    EXPECT_EQ(lines[1].at("operation"), "m1-7-1");
    EXPECT_EQ(lines[1].at("level"), "warning");
    EXPECT_EQ(lines[1].at("shard"), "commerce/0");
    EXPECT_EQ(lines[1].at("recovery"), "make_read_only");
    EXPECT_EQ(lines[1].at("text"), "near 'SOURCE_PASSWORD = '***''");
    const auto kept = history.read();
    ASSERT_TRUE(kept.has_value());
    ASSERT_EQ(kept->entries.size(), 1u);  // looks are no deeds
    EXPECT_EQ(kept->entries[0].text, "near 'SOURCE_PASSWORD = '***''");
}

TEST_F(Commands, a_complaint_is_one_line_until_a_pass_has_none) {
    MachineClock clock;
    const History history(configuration_.history);
    Event looked, paused;
    looked.kind = EventKind::looked;
    paused.kind = EventKind::reported;
    paused.reason = Reason::paused;
    paused.text = "the shard is paused";
    {
        Log log(configuration_.log, clock, Redactor(configuration_.secrets()));
        ShardEventLog events("m1", shard, log, history);
        for (const Event& event : {looked, paused, looked, paused, looked, looked, paused})
            events.append(event);
    }
    const auto kept = history.read();
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->entries.size(), 2u);
}

TEST_F(Commands, grants_hold_no_password) {
    EXPECT_EQ(type({"grants"}), ExitCode::done);
    EXPECT_TRUE(said("'fixpoint'@'%'") && said("'repl'@'%'") && said(std::string(manager_placeholder)))
        << said_;
    EXPECT_FALSE(said("sql_log_bin")) << said_;
    EXPECT_EQ(type({"grants", "--without-primary", "--host", "10.0.0.%"}), ExitCode::done);
    EXPECT_TRUE(said("SET SESSION sql_log_bin = 0") && said("'repl'@'10.0.0.%'")) << said_;
    for (const std::string& secret : configuration_.secrets()) EXPECT_FALSE(said(secret)) << said_;
}

}  // namespace
}  // namespace fixpoint::real
