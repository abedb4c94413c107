// Fixpoint's own two records: what is written is read again; what is damaged is refused with the place; what
// a newer version has added survives an older one.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fixpoint/engine/record_codec.hpp"
#include "property_tests/support/gen_gtid.hpp"

namespace fixpoint {
namespace {

using nlohmann::json;

rc::Gen<TabletAlias> alias() {
    return rc::gen::map(rc::gen::inRange(0, 6), [](int n) {
        return TabletAlias{n % 2 == 0 ? "zone1" : "us-east-2", 100 + static_cast<std::uint32_t>(n)};
    });
}

rc::Gen<RecordedServer> server() {
    return rc::gen::map(rc::gen::tuple(alias(), gen::uuid(), rc::gen::arbitrary<std::uint16_t>()),
                        [](const auto& t) {
                            const auto& [a, uuid, port] = t;
                            return RecordedServer{a, {"host\"\n", port}, uuid, port * 60'000LL};
                        });
}

rc::Gen<DurabilityPolicy> policy() {
    return rc::gen::map(rc::gen::element<std::string>("none", "semi_sync", "semi_sync:3", "cross_cell:2"),
                        [](const std::string& text) { return DurabilityPolicy::parse(text).value(); });
}

FixpointRecord a_record() {
    FixpointRecord record;
    record.term = *rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000);
    record.revision = *rc::gen::inRange<std::int64_t>(0, 5);
    record.primary = *server();
    record.opened_at = *gen::gtid_set();
    record.policy = *policy();
    record.ackers = *rc::gen::container<std::vector<RecordedServer>>(server());
    record.adopted = *gen::gtid_set();
    record.high_water = *gen::gtid_set();
    record.past_primaries = *rc::gen::container<std::vector<RecordedServer>>(server());
    if (*rc::gen::arbitrary<bool>()) record.server_ids_given.push_back({*gen::uuid(), 4294967295});
    if (*rc::gen::arbitrary<bool>()) record.retired.push_back({*gen::gtid_set(), {*alias(), *alias()}});
    record.shard_time.ns = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000'000);
    record.operation = *rc::gen::element<std::string>("", "m1-7", "ü");
    if (*rc::gen::arbitrary<bool>()) record.unknown_fields = R"({"newer":{"a":[1,null]}})";
    return record;
}

RC_GTEST_PROP(FixpointJson, what_is_written_is_read_again_and_written_the_same, ()) {
    const FixpointRecord record = a_record();
    const std::string text = encode_fixpoint(record);
    const auto read = decode_fixpoint(text);
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == record);
    RC_ASSERT(encode_fixpoint(*read) == text);
}

// Any field of a record as it is written.
std::string any_key(const json& record) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : record.items()) {
        if (key != "newer") keys.push_back(key);
    }
    return keys[*rc::gen::inRange<std::size_t>(0, keys.size())];
}

RC_GTEST_PROP(FixpointJson, a_field_that_is_absent_is_a_damaged_record_save_a_set, ()) {
    json damaged = json::parse(encode_fixpoint(a_record()));
    const std::string key = any_key(damaged);
    damaged.erase(key);
    const auto read = decode_fixpoint(damaged.dump());
    const std::set<std::string> sets = {"opened_at",      "adopted",          "high_water", "ackers",
                                        "past_primaries", "server_ids_given", "retired"};
    RC_ASSERT(read.has_value() == sets.contains(key));
    if (!read) RC_ASSERT(read.error() == "Fixpoint record: " + key + ": is absent");
}

RC_GTEST_PROP(FixpointJson, a_field_of_another_kind_is_refused_with_the_place, ()) {
    json damaged = json::parse(encode_fixpoint(a_record()));
    const std::string key = any_key(damaged);
    damaged[key] = *rc::gen::element(json(nullptr), json(1.5), json(true), json(-1), json::array({1}));
    const auto read = decode_fixpoint(damaged.dump());
    RC_ASSERT(!read.has_value());
    RC_ASSERT(read.error().starts_with("Fixpoint record: " + key));
}

FixpointRecord plain_record() {
    FixpointRecord record;
    record.term = 3;
    record.primary = {{"zone1", 101}, {"db1", 3306}, gen::uuid_number(0), 101};
    record.policy = DurabilityPolicy::parse("semi_sync:2").value();
    record.ackers = {{{"zone1", 102}, {"db2", 3306}, gen::uuid_number(1), 102}};
    record.operation = "m1-7";
    return record;
}

std::string error_with(const std::string& pointer, const json& value) {
    json damaged = json::parse(encode_fixpoint(plain_record()));
    damaged[json::json_pointer(pointer)] = value;
    const auto read = decode_fixpoint(damaged.dump());
    return read ? "no error" : read.error();
}

TEST(FixpointJson, errors_name_the_place) {
    EXPECT_EQ(error_with("/format", 2), "Fixpoint record: format: 2 is unknown (this program knows 1)");
    EXPECT_EQ(error_with("/term", 0),
              "Fixpoint record: term: should be a whole number from 1 to 9223372036854775807");
    EXPECT_EQ(error_with("/ackers/0/uuid", "x"),
              "Fixpoint record: ackers[0].uuid: a UUID has 36 characters, 'x' has 1");
    EXPECT_EQ(
        error_with("/ackers/0/alias", "x"),
        "Fixpoint record: ackers[0].alias: 'x' is no tablet alias like zone1-100: no cell before a '-'");
    EXPECT_EQ(error_with("/primary/address/port", 65536),
              "Fixpoint record: primary.address.port: should be a whole number from 0 to 65535");
    EXPECT_EQ(error_with("/policy/k", 0), "Fixpoint record: policy.k: 0 does not fit the policy semi_sync");
    EXPECT_EQ(error_with("/policy/name", "none"),
              "Fixpoint record: policy.name: durability policy 'none' takes no count: 'none:2'");
    EXPECT_TRUE(
        error_with("/opened_at", "x").starts_with("Fixpoint record: opened_at: GTID set, at character 1"));
    EXPECT_EQ(error_with("/shard_time", 9223372036854775808ULL),
              "Fixpoint record: shard_time: should be a whole number from 0 to 9223372036854775807");
    EXPECT_EQ(decode_fixpoint("[]").error(), "Fixpoint record: it should be a JSON object");
    EXPECT_TRUE(decode_fixpoint("").error().contains("parse error at line 1, column 1"))
        << decode_fixpoint("").error();
    EXPECT_TRUE(decode_fixpoint("{\"a\":\"\xff\"}").error().starts_with("Fixpoint record: ")) << "no UTF-8";
}

TEST(FixpointJson, an_unknown_format_is_refused_before_anything_else_is_asked_for) {
    EXPECT_EQ(decode_fixpoint(R"({"format": 9, "epoch": 4})").error(),
              "Fixpoint record: format: 9 is unknown (this program knows 1)");
}

RC_GTEST_PROP(GoalJson, what_is_written_is_read_again_and_written_the_same, ()) {
    Goal goal;
    if (*rc::gen::arbitrary<bool>()) goal.pinned_primary = *alias();
    for (const TabletAlias& a : *rc::gen::container<std::vector<TabletAlias>>(alias())) {
        goal.promotion_rules[a] = static_cast<PromotionRule>(*rc::gen::inRange(0, 5));
    }
    if (*rc::gen::arbitrary<bool>()) goal.limits.lease = 3s;
    if (*rc::gen::arbitrary<bool>()) goal.limits.caught_up_within = 7ms;
    goal.rebuild_by_clone = *rc::gen::arbitrary<bool>();
    goal.kill_long_transactions = *rc::gen::arbitrary<bool>();
    goal.paused = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) goal.forgotten.push_back({*alias(), *gen::uuid(), "anna", {5}});
    if (*rc::gen::arbitrary<bool>()) goal.allowed.push_back({"unfenced_promotion", 4});
    if (*rc::gen::arbitrary<bool>()) goal.unknown_fields = R"({"x":1})";
    const std::string text = encode_goal(goal);
    const auto read = decode_goal(text);
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == goal);
    RC_ASSERT(encode_goal(*read) == text);
}

TEST(GoalJson, every_key_may_be_absent) {
    EXPECT_EQ(decode_goal("{}").value(), Goal{});
}

TEST(GoalJson, every_limit_that_people_may_change_is_read_by_its_name) {
    const auto goal = decode_goal(R"({"limits": {
        "replica_net_timeout_ms": 1, "heartbeat_period_ms": 2, "lock_wait_timeout_of_closing_ms": 3, "connecting_ms": 4,
        "statement_ms": 5, "lease_ms": 6, "candidate_lag_ms": 7, "lagging_ms": 8, "stalled_ms": 9,
        "long_transaction_ms": 10, "poll_ms": 11, "poll_primary_silent_ms": 12, "look_without_locks_ms": 13,
        "backoff_greatest_ms": 14, "catching_up_ms": 15, "applying_ms": 16, "caught_up_within_ms": 17}})");
    ASSERT_TRUE(goal.has_value()) << goal.error();
    const Limits& l = goal->limits;
    const std::vector<Duration> read = {l.replica_net_timeout,
                                        l.heartbeat_period,
                                        l.lock_wait_timeout_of_closing,
                                        l.connecting,
                                        l.statement,
                                        l.lease,
                                        l.candidate_lag,
                                        l.lagging,
                                        l.stalled,
                                        l.long_transaction,
                                        l.poll,
                                        l.poll_primary_silent,
                                        l.look_without_locks,
                                        l.backoff_greatest,
                                        l.catching_up,
                                        l.applying,
                                        l.caught_up_within};
    for (std::size_t i = 0; i < read.size(); ++i)
        EXPECT_EQ(to_ms(read[i]), static_cast<std::int64_t>(i) + 1) << i;
}

TEST(GoalJson, what_makes_no_sense_is_refused_with_the_place) {
    const auto error = [](const char* text) {
        const auto goal = decode_goal(text);
        return goal ? "no error" : goal.error();
    };
    EXPECT_EQ(error(R"({"format": 2})"), "Goal: format: it is unknown (this program knows 1)");
    EXPECT_EQ(error(R"({"limits": {"lease_ms": 0}})"),
              "Goal: limits.lease_ms: should be a whole number from 1 to 1000000000");
    EXPECT_EQ(error(R"({"limits": {"lease": 5}})"), "Goal: limits: there is no such limit: {\"lease\":5}");
    EXPECT_EQ(error(R"({"promotion_rules": {"zone1-1": "maybe"}})"),
              "Goal: promotion_rules.zone1-1: 'maybe' is no promotion rule; known: must, prefer, neutral, "
              "prefer_not, must_not");
    EXPECT_TRUE(std::string(error(R"({"promotion_rules": {"zone1": "must"}})"))
                    .starts_with("Goal: promotion_rules.zone1: "));
    EXPECT_EQ(error(R"({"paused": "yes"})"), "Goal: paused: should be true or false");
    EXPECT_TRUE(std::string(error(R"({"forgotten": [{"alias": "zone1-1"}]})"))
                    .contains("forgotten[0].uuid: is absent"));
}

TEST(LockContent, is_laid_out_as_vitess_does) {
    const std::string text = encode_lock_content(
        {"EmergencyReparentShard(zone1-101)", "host1", "fixpoint", "2026-01-02T03:04:05Z"});
    EXPECT_EQ(text,
              "{\n"
              "  \"Action\": \"EmergencyReparentShard(zone1-101)\",\n"
              "  \"HostName\": \"host1\",\n"
              "  \"UserName\": \"fixpoint\",\n"
              "  \"Time\": \"2026-01-02T03:04:05Z\",\n"
              "  \"Options\": {},\n"
              "  \"Status\": \"Running\"\n"
              "}");
    EXPECT_EQ(decode_lock_content(text)->host_name, "host1");
    EXPECT_FALSE(decode_lock_content("{}").has_value());
}

}  // namespace
}  // namespace fixpoint
