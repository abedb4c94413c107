// Aliases, types, addresses, policies, enumerations and statements as words: what is printed is parsed to the
// same value, every enumerator has a word, and what is no word is refused with the words that there are.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <set>

#include "fixpoint/model/durability.hpp"
#include "fixpoint/model/limits.hpp"
#include "fixpoint/model/problem.hpp"
#include "fixpoint/model/tablet.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint {
namespace {

Tablet tablet(std::string cell, std::uint32_t uid, TabletType type) {
    Tablet t;
    t.alias = {std::move(cell), uid};
    t.type = type;
    return t;
}

RC_GTEST_PROP(Words, an_alias_that_is_printed_is_parsed_to_the_same_alias, ()) {
    const TabletAlias alias{*rc::gen::element<std::string>("zone1", "us-east-1", "a.b_c", "-"),
                            *rc::gen::arbitrary<std::uint32_t>()};
    RC_ASSERT(TabletAlias::parse(alias.to_string()).value() == alias);
    RC_ASSERT(TabletAlias::parse(alias.to_topology()).value() == alias);
}

TEST(Words, an_alias_in_a_path_has_ten_digits) {
    EXPECT_EQ((TabletAlias{"zone1", 100}).to_topology(), "zone1-0000000100");
    EXPECT_EQ((TabletAlias{"zone1", 4294967295}).to_topology(), "zone1-4294967295");
    EXPECT_EQ((TabletAlias{"zone1", 100}).to_string(), "zone1-100");
}

TEST(Words, what_is_no_alias_is_refused_with_the_reason) {
    for (const char* text :
         {"", "zone1", "zone1-", "-1", "zone1-x", "zone1-1x", "zone1--1x", "zone1-4294967296", "z/1-1"}) {
        EXPECT_FALSE(TabletAlias::parse(text).has_value()) << text;
    }
    EXPECT_TRUE(TabletAlias::parse("zone1-4294967296").error().contains("greater than 4294967295"));
    EXPECT_TRUE(TabletAlias::parse("zone1").error().contains("'zone1'"));
}

TEST(Words, an_address_is_host_and_port) {
    EXPECT_EQ((MysqlAddress{"db1", 3306}).to_string(), "db1:3306");
    EXPECT_EQ((MysqlAddress{"::1", 3306}).to_string(), "[::1]:3306");
}

// Every value from 0 on has a word of its own, and the word gives the value back; the first that has none is
// `end`.
template <class E, class Parse>
void expect_words(E last, Parse parse) {
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        const auto value = static_cast<E>(i);
        const std::string_view word = to_string(value);
        EXPECT_TRUE(words.insert(word).second) << word;
        EXPECT_EQ(parse(word).value(), value) << word;
    }
    const auto unknown = parse("no such word");
    ASSERT_FALSE(unknown.has_value());
    EXPECT_TRUE(unknown.error().contains("'no such word'")) << unknown.error();
    for (const std::string_view word : words) EXPECT_TRUE(unknown.error().contains(word)) << word;
}

TEST(Words, every_enumerator_has_a_word) {
    expect_words(Problem::privileged_clients, parse_problem);
    expect_words(Recovery::clear_retired, parse_recovery);
    expect_words(Reason::answer_lost, parse_reason);
    expect_words(TabletType::drained, parse_tablet_type);
    expect_words(PromotionRule::must_not, parse_promotion_rule);
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(EventKind::lock_released); ++i)
        words.insert(to_string(static_cast<EventKind>(i)));
    EXPECT_EQ(words.size(), 10U);
    for (int i = 0; i <= static_cast<int>(sql::Variable::relay_log_recovery); ++i) {
        words.insert(to_string(static_cast<sql::Variable>(i)));
    }
    EXPECT_EQ(words.size(), 25U);
    EXPECT_EQ(parse_tablet_type("REPLICA"), TabletType::replica);
}

RC_GTEST_PROP(Durability, a_policy_that_is_printed_is_parsed_to_the_same_policy, ()) {
    DurabilityPolicy policy;
    policy.name = *rc::gen::element(DurabilityName::none, DurabilityName::semi_sync,
                                    DurabilityName::semi_sync_with_rdonly_ack, DurabilityName::cross_cell,
                                    DurabilityName::cross_cell_with_rdonly_ack);
    policy.ackers_needed = policy.name == DurabilityName::none ? 0 : *rc::gen::inRange(1, 65536);
    RC_ASSERT(DurabilityPolicy::parse(policy.to_string()).value() == policy);
}

TEST(Durability, a_policy_without_a_number_needs_one_acker) {
    EXPECT_EQ(DurabilityPolicy::parse("semi_sync")->ackers_needed, 1);
    EXPECT_EQ(DurabilityPolicy::parse("cross_cell:2")->to_string(), "cross_cell:2");
    EXPECT_EQ(DurabilityPolicy::parse("cross_cell:1")->to_string(), "cross_cell");
    EXPECT_TRUE(DurabilityPolicy::parse("none")->is_none());
    for (const char* text : {"", "semisync", "none:1", "semi_sync:", "semi_sync:0", "semi_sync:-1",
                             "semi_sync:65536", "semi_sync:1x", "semi_sync: 1", ":1"}) {
        EXPECT_FALSE(DurabilityPolicy::parse(text).has_value()) << text;
    }
}

TEST(Durability, who_may_acknowledge_is_decided_by_type_and_cell) {
    const TabletAlias primary{"zone1", 1};
    const auto policy = [](const char* text) { return DurabilityPolicy::parse(text).value(); };
    const Tablet here = tablet("zone1", 2, TabletType::replica);
    const Tablet there = tablet("zone2", 3, TabletType::replica);
    const Tablet reader = tablet("zone2", 4, TabletType::rdonly);

    EXPECT_FALSE(policy("none").may_ack(primary, here));
    EXPECT_TRUE(policy("semi_sync").may_ack(primary, here));
    EXPECT_TRUE(policy("semi_sync:2").may_ack(primary, there));
    EXPECT_FALSE(policy("semi_sync").may_ack(primary, reader));
    EXPECT_TRUE(policy("semi_sync_with_rdonly_ack").may_ack(primary, reader));
    EXPECT_FALSE(policy("cross_cell").may_ack(primary, here));
    EXPECT_TRUE(policy("cross_cell").may_ack(primary, there));
    EXPECT_FALSE(policy("cross_cell").may_ack(primary, reader));
    EXPECT_TRUE(policy("cross_cell_with_rdonly_ack").may_ack(primary, reader));
    EXPECT_FALSE(policy("semi_sync").may_ack(primary, tablet("zone1", 1, TabletType::replica)))
        << "nobody its own";
    EXPECT_TRUE(policy("semi_sync").may_ack(primary, tablet("zone1", 5, TabletType::primary)))
        << "an old primary";
    for (const TabletType type : {TabletType::unknown, TabletType::spare, TabletType::experimental,
                                  TabletType::backup, TabletType::restore, TabletType::drained}) {
        EXPECT_FALSE(policy("semi_sync_with_rdonly_ack").may_ack(primary, tablet("zone2", 6, type)));
    }
}

TEST(Durability, a_tablet_that_fixpoint_drained_counts_as_the_type_in_its_tag) {
    Tablet t = tablet("zone1", 2, TabletType::drained);
    EXPECT_EQ(t.declared_type(), TabletType::drained);
    t.tags["fixpoint_was"] = "REPLICA";
    EXPECT_EQ(t.declared_type(), TabletType::replica);
    t.tags["fixpoint_was"] = "rdonly";
    EXPECT_EQ(t.declared_type(), TabletType::rdonly);
    t.tags["fixpoint_was"] = "nonsense";
    EXPECT_EQ(t.declared_type(), TabletType::drained);
    t.type = TabletType::rdonly;
    t.tags["fixpoint_was"] = "replica";
    EXPECT_EQ(t.declared_type(), TabletType::rdonly) << "somebody has given it a type since";
    EXPECT_EQ(tablet("zone1", 2, TabletType::primary).declared_type(), TabletType::replica);
}

TEST(Statements, each_has_a_name_a_text_and_a_side) {
    using namespace sql;
    EXPECT_EQ(name_of(StopReceiver{}), "StopReceiver");
    EXPECT_EQ(name_of(Look{}), "Look");
    EXPECT_EQ(name_of(Nudge{}), "Nudge");
    EXPECT_EQ(name_of(WaitForExecuted{}), "WaitForExecuted");
    EXPECT_EQ(name_of(SemiSyncSourceOffIfOffline{}), "SemiSyncSourceOffIfOffline");
    EXPECT_EQ(to_string(Statement{SetGlobal{Variable::super_read_only, 1}}), "SET GLOBAL super_read_only=ON");
    EXPECT_EQ(to_string(Statement{SetPersistOnly{Variable::rpl_semi_sync_source_wait_point, 0}}),
              "SET PERSIST_ONLY rpl_semi_sync_source_wait_point=AFTER_SYNC");
    EXPECT_EQ(to_string(Statement{SetGlobal{Variable::server_id, 7}}), "SET GLOBAL server_id=7");
    EXPECT_EQ(to_string(Statement{Kill{42}}), "KILL 42");

    for (const Statement& reads :
         {Statement{Look{}}, Statement{ReadGtids{}}, Statement{ReadReplica{}}, Statement{ReadJournal{}},
          Statement{ReadSessions{}}, Statement{ReadMissingPrivileges{}}, Statement{ReadLockHolders{}},
          Statement{WaitForExecuted{}}, Statement{SetSessionLockWait{}}, Statement{GetLock{}},
          Statement{ReleaseLock{}}}) {
        EXPECT_FALSE(is_mutating(reads)) << name_of(reads);
    }
    for (const Statement& changes :
         {Statement{SetGlobal{}}, Statement{SetPersistOnly{}}, Statement{CloseInOnePacket{}},
          Statement{SemiSyncSourceOffIfOffline{}}, Statement{StopReceiver{}}, Statement{StopApplier{}},
          Statement{StartReceiver{}}, Statement{StartApplier{}}, Statement{ChangeSource{}},
          Statement{ResetReplica{}}, Statement{CreateJournal{}}, Statement{InsertJournalRow{}},
          Statement{Nudge{}}, Statement{Kill{}}}) {
        EXPECT_TRUE(is_mutating(changes)) << name_of(changes);
    }
}

TEST(LockNames, are_plain_for_short_shards) {
    const ShardName shard{"commerce", "-80"};
    EXPECT_EQ(sql::server_lock_name(shard), "fixpoint/commerce/-80");
    EXPECT_EQ(sql::helper_lock_name(shard), "fixpoint/commerce/-80/helper");
    EXPECT_EQ(sql::rebuild_lock_name(shard), "fixpoint/commerce/-80/rebuild");
}

RC_GTEST_PROP(LockNames, never_exceed_what_mysql_takes_and_differ_for_different_shards, ()) {
    const auto name = [] {
        return std::string(*rc::gen::inRange<std::size_t>(1, 80), 'k') + *rc::gen::element("x", "y");
    };
    const ShardName a{name(), "0"};
    const ShardName b{name(), "0"};
    std::set<std::string> names;
    for (const ShardName& shard : {a, b}) {
        for (const std::string& lock :
             {sql::server_lock_name(shard), sql::helper_lock_name(shard), sql::rebuild_lock_name(shard)}) {
            RC_ASSERT(lock.size() <= Limits::user_lock_name_length);
            names.insert(lock);
        }
    }
    RC_ASSERT(names.size() == (a == b ? 3U : 6U));
}

TEST(LockNames, a_long_one_ends_in_the_fnv_hash_of_the_whole) {
    const ShardName shard{std::string(60, 'k'), "0"};
    const std::string name = sql::server_lock_name(shard);
    EXPECT_EQ(name.size(), 64U);
    EXPECT_EQ(name.substr(0, 48), "fixpoint/" + std::string(38, 'k') + "#");
    EXPECT_EQ(name.substr(48), "68917cde318cb4b0");
}

TEST(Limits, a_stop_may_take_two_seconds_more_than_the_server_takes_for_it) {
    Limits limits;
    EXPECT_EQ(limits.stop(), 4s);
    limits.replica_net_timeout = 5s;
    EXPECT_EQ(limits.stop(), 7s);
}

}  // namespace
}  // namespace fixpoint
