// The parts that commands are made of: servers as they are typed, declarations, the history, ports that can
// only look, and the runbook in words.
#include <gtest/gtest.h>

#include <fstream>

#include "property_tests/commands/site.hpp"
#include "real_adapters/daemon/onlooker.hpp"
#include "real_adapters/daemon/words.hpp"

namespace fixpoint::real {
namespace {

// ---- servers as they are typed

TEST(ListedServers, are_read_with_what_stands_behind_them) {
    const TabletAlias next = alias("zone1-100");
    EXPECT_EQ(parse_listed_server("db1:3306", next), (ListedServer{next, {"db1", 3306}}));
    EXPECT_EQ(parse_listed_server("zone2-7=[::1]:3307,rdonly,must_not", next),
              (ListedServer{alias("zone2-7"), {"::1", 3307}, TabletType::rdonly, PromotionRule::must_not}));
    for (const char* bad : {"db1", "db1:", ":3306", "db1:0", "db1:70000", "db1:x", "=db1:3306",
                            "zone1=db1:3306", "db1:3306,rdonli", "db1:3306,,rdonly", ""}) {
        const auto server = parse_listed_server(bad, next);
        ASSERT_FALSE(server.has_value()) << bad;
        EXPECT_FALSE(server.error().empty()) << bad;
    }
}

TEST(Declarations, are_written_with_the_shard_last_and_stop_at_the_first_that_fails) {
    ShardDeclaration d;
    d.shard = shard;
    d.policy = {DurabilityName::semi_sync, 1};
    d.servers = {{alias("zone1-100"), {"a", 1}},
                 {alias("zone2-200"), {"b", 1}, TabletType::rdonly, PromotionRule::prefer}};
    const std::vector<ProposedRecord> records = records_of(d);
    EXPECT_EQ(records.back().path, shard_path(shard));
    MemoryStore store;
    store.cells["zone2"][tablet_path(alias("zone2-200"))] = {"somebody else's", 9};
    EXPECT_FALSE(run_to_end(write_records(store, records, std::chrono::seconds(1))).has_value());
    EXPECT_TRUE(store.listed("", shard_path(shard)).empty());
    // Again, when nothing is in the way: what is there already as proposed is left alone.
    store.cells["zone2"].clear();
    const auto left = run_to_end(without_existing(store, records, std::chrono::seconds(1)));
    ASSERT_TRUE(left.has_value());
    EXPECT_LT(left->size(), records.size());
    EXPECT_TRUE(run_to_end(write_records(store, *left, std::chrono::seconds(1))).has_value());
    EXPECT_EQ(
        decode_goal(store.listed("", goal_path(shard)).front().value.bytes)->rule_of(alias("zone2-200")),
        PromotionRule::prefer);
    // A tablet that is there and differs is nobody's to overwrite.
    d.servers[0].address.port = 2;
    EXPECT_FALSE(run_to_end(without_existing(store, records_of(d), std::chrono::seconds(1))).has_value());
}

// ---- history, onlookers, words

TEST(Histories, keep_what_they_were_given_and_leave_out_what_is_none_of_theirs) {
    const auto file =
        std::filesystem::temp_directory_path() / ("fixpoint-history-" + std::to_string(::getpid()));
    const History history(file);
    HistoryEntry entry;
    entry.time = "2026-11-25T20:00:00.000Z";
    entry.who = "m1";
    entry.shard = "commerce/0";
    entry.operation = "m1-1-1";
    entry.kind = "recovery_failed";
    entry.text = "a \"quoted\"\nline, and \xff no text at all";
    EXPECT_EQ(history.append(entry), "");
    std::ofstream(file, std::ios::app) << "no line of ours\n";
    EXPECT_EQ(history.append(entry), "");
    const auto read = history.read();
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->entries.size(), 2u);
    EXPECT_EQ(read->unreadable, 1u);
    EXPECT_EQ(read->entries[0].operation, "m1-1-1");
    EXPECT_TRUE(read->entries[0].text.starts_with("a \"quoted\"\nline"));
    std::filesystem::remove(file);
    EXPECT_NE(History("/nowhere/at/all").append(entry), "");
}

TEST(Onlookers, see_what_is_proposed_and_can_change_nothing) {
    MemoryStore base;
    base.put("", {"keyspaces/a/Keyspace", "old", 0});
    OnlookerStore store(&base, {{"", "keyspaces/a/Keyspace", "new", 1, ""},
                                {"zone9", "tablets/zone9-0000000001/Tablet", "t", 0, ""}});
    const auto limit = std::chrono::seconds(1);
    EXPECT_EQ(run_to_end(store.get("keyspaces/a/Keyspace", limit))->value().bytes, "new");
    EXPECT_EQ(run_to_end(store.list("keyspaces/", limit))->size(), 1u);
    EXPECT_EQ(run_to_end(store.list_cell("zone9", "tablets/", limit))->size(), 1u);
    EXPECT_FALSE(run_to_end(store.put_declared({"x", "y", 0}, limit)).has_value());
    EXPECT_FALSE(run_to_end(store.put_cell("zone9", {"x", "y", 0}, limit)).has_value());
    EXPECT_FALSE(run_to_end(store.lock_shard("x", "y", limit, limit)).has_value());
    EXPECT_FALSE(run_to_end(store.transact({}, {{"x", "y", 0}}, limit)).has_value());
    EXPECT_EQ(base.listed("", "").size(), 1u);
    EXPECT_EQ(base.listed("", "").front().value.bytes, "old");
}

TEST(Words, every_recovery_has_its_steps) {
    for (int i = 1; i <= static_cast<int>(Recovery::clear_retired); ++i) {
        const auto recovery = static_cast<Recovery>(i);
        EXPECT_FALSE(steps_of(recovery).empty()) << to_string(recovery);
    }
    EXPECT_TRUE(steps_of(Recovery::none).empty());
}

}  // namespace
}  // namespace fixpoint::real
