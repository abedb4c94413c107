// Vitess's records byte for byte: the fixtures are wire format written out by hand from the field numbers, so
// that a wrong number or a wrong type cannot agree with itself. And what we do not know survives us.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fixpoint/engine/record_codec.hpp"

namespace fixpoint {
namespace {

// "0a 05" → two bytes; anything that is no hexadecimal digit is ignored.
std::string bytes(std::string_view hex) {
    std::string out;
    int high = -1;
    for (const char c : hex) {
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) continue;
        if (high < 0) {
            high = digit;
        } else {
            out.push_back(static_cast<char>(high * 16 + digit));
            high = -1;
        }
    }
    return out;
}

// alias { cell "zone1" uid 101 }
const std::string alias_1 = "0a 09 0a 05 7a6f6e6531 10 65 ";
const std::string hostname_2 = "12 03 646231 ";  // "db1"
const std::string port_map_4 =
    "22 0a 0a 05 6d7973716c 10 ea 19 "                     // "mysql" → 3306
    "22 07 0a 02 7674 10 fd 75 ";                          // "vt" → 15101
const std::string keyspace_5 = "2a 08 636f6d6d65726365 ";  // "commerce"
const std::string shard_6 = "32 03 2d3830 ";               // "-80"
const std::string key_range_7 = "3a 03 12 01 80 ";         // end 0x80
const std::string type_8 = "40 02 ";                       // REPLICA
const std::string tags_10 =
    "52 0c 0a 04 7261636b 12 04 72312d32 "                                   // "rack" → "r1-2"
    "52 08 0a 04 7a6f6e65 12 00 ";                                           // "zone" → ""
const std::string mysql_hostname_12 = "62 07 31302e302e302e ";               // "10.0.0."
const std::string mysql_port_13 = "68 eb 19 ";                               // 3307
const std::string primary_time_14 = "72 0a 08 80 92 b8 c3 06 10 80 94 23 ";  // 1752041728 s, 576000 ns
const std::string collation_16 = "80 01 ff 01 ";                             // 255
const std::string start_17 = "8a 01 02 08 07 ";                              // 7 s
const std::string unknown_19 = "9a 01 02 6869 ";                             // nobody's field

const std::string whole_tablet = alias_1 + hostname_2 + port_map_4 + keyspace_5 + shard_6 + key_range_7 +
                                 type_8 + tags_10 + mysql_hostname_12 + mysql_port_13 + primary_time_14 +
                                 collation_16 + start_17 + unknown_19;

TEST(VitessTablet, is_read_field_by_field) {
    const auto tablet = decode_tablet(bytes(whole_tablet));
    ASSERT_TRUE(tablet.has_value()) << tablet.error();
    EXPECT_EQ(tablet->alias, (TabletAlias{"zone1", 101}));
    EXPECT_EQ(tablet->keyspace, "commerce");
    EXPECT_EQ(tablet->shard, "-80");
    EXPECT_EQ(tablet->type, TabletType::replica);
    EXPECT_EQ(tablet->mysql, (MysqlAddress{"10.0.0.", 3307}));
    EXPECT_EQ(tablet->tags, (std::map<std::string, std::string>{{"rack", "r1-2"}, {"zone", ""}}));
    EXPECT_EQ(tablet->primary_term_start_time.ns, 1752041728'000576000);
}

TEST(VitessTablet, is_written_back_byte_for_byte_unknown_fields_included) {
    EXPECT_EQ(encode_tablet(*decode_tablet(bytes(whole_tablet))), bytes(whole_tablet));
}

TEST(VitessTablet, only_what_was_changed_changes) {
    auto tablet = *decode_tablet(bytes(whole_tablet));
    tablet.type = TabletType::drained;
    tablet.tags["fixpoint_was"] = "replica";
    const std::string changed = alias_1 + hostname_2 + port_map_4 + keyspace_5 + shard_6 + key_range_7 +
                                "40 08 " + "52 17 0a 0c 666978706f696e745f776173 12 07 7265706c696361 " +
                                tags_10 + mysql_hostname_12 + mysql_port_13 + primary_time_14 + collation_16 +
                                start_17 + unknown_19;
    EXPECT_EQ(encode_tablet(tablet), bytes(changed));
    tablet.tags.erase("fixpoint_was");
    tablet.type = TabletType::replica;
    EXPECT_EQ(encode_tablet(tablet), bytes(whole_tablet));
}

TEST(VitessTablet, an_older_record_has_its_address_in_hostname_and_port_map) {
    const std::string older = alias_1 + hostname_2 + port_map_4 + keyspace_5 + shard_6;
    auto tablet = *decode_tablet(bytes(older));
    EXPECT_EQ(tablet.mysql, (MysqlAddress{"db1", 3306}));
    EXPECT_EQ(tablet.type, TabletType::unknown);
    EXPECT_EQ(encode_tablet(tablet), bytes(older)) << "no field is invented";
    tablet.mysql = {"db2", 3306};
    EXPECT_EQ(encode_tablet(tablet), bytes(older + "62 03 646232 "))
        << "mysql_hostname, because it differs now";
}

TEST(VitessTablet, a_type_that_is_not_known_is_kept) {
    const std::string newer = alias_1 + keyspace_5 + shard_6 + "40 63 ";
    const auto tablet = decode_tablet(bytes(newer));
    ASSERT_TRUE(tablet.has_value());
    EXPECT_EQ(tablet->type, TabletType::unknown);
    EXPECT_EQ(encode_tablet(*tablet), bytes(newer));
}

TEST(VitessTablet, unknown_fields_of_its_parts_are_kept_too) {
    // alias with a field 3
    const std::string newer = "0a 0d 0a 05 7a6f6e6531 10 65 1a 02 6869 " + keyspace_5 + shard_6;
    EXPECT_EQ(encode_tablet(*decode_tablet(bytes(newer))), bytes(newer));
}

TEST(VitessTablet, what_makes_no_sense_is_refused_with_the_place) {
    EXPECT_TRUE(decode_tablet("").error().contains("alias"));
    EXPECT_TRUE(decode_tablet(bytes(keyspace_5)).error().contains("alias"));
    EXPECT_TRUE(decode_tablet(bytes(alias_1 + "68 80 80 04 ")).error().contains("65536 is no port"));
    EXPECT_TRUE(decode_tablet(bytes(alias_1 + "72 02 10 ff ")).error().contains("no such protobuf message"));
    EXPECT_TRUE(decode_tablet(bytes("0a 7f 0a 05 ")).error().contains("Tablet"));
    // -1 second
    EXPECT_TRUE(decode_tablet(bytes(alias_1 + "72 0b 08 ff ff ff ff ff ff ff ff ff 01 "))
                    .error()
                    .contains("primary_term_start_time"));
}

TEST(VitessShard, is_read_and_written_byte_for_byte) {
    const std::string hex =
        "0a 09 0a 05 7a6f6e6531 10 65  12 03 12 01 80  38 01  42 02 08 07  4a 02 08 01  32 02 08 01 ";
    const auto shard = decode_shard(bytes(hex));
    ASSERT_TRUE(shard.has_value()) << shard.error();
    EXPECT_EQ(shard->primary_alias, (TabletAlias{"zone1", 101}));
    EXPECT_TRUE(shard->is_primary_serving);
    EXPECT_EQ(shard->primary_term_start_time.ns, 7'000'000'000);
    EXPECT_TRUE(shard->disable_emergency_reparent);
    EXPECT_EQ(encode_shard(*shard), bytes(hex)) << "field 6, which is not ours, follows ours";
}

TEST(VitessShard, the_switch_that_is_taken_back_leaves_its_neighbours) {
    auto shard = *decode_shard(bytes("4a 04 08 01 10 05 "));
    shard.disable_emergency_reparent = false;
    EXPECT_EQ(encode_shard(shard), bytes("4a 02 10 05 "));
    auto bare = *decode_shard(bytes("4a 02 08 01 "));
    bare.disable_emergency_reparent = false;
    EXPECT_EQ(encode_shard(bare), "");
}

TEST(VitessShard, one_that_was_never_written_has_no_primary) {
    const auto shard = decode_shard("");
    ASSERT_TRUE(shard.has_value());
    EXPECT_EQ(*shard, ShardRecord{});
    EXPECT_EQ(encode_shard(*shard), "");
    EXPECT_FALSE(decode_shard(bytes("0a 00 "))->primary_alias.has_value())
        << "an alias without a cell is none";
}

TEST(VitessKeyspace, is_read_and_written_byte_for_byte) {
    // keyspace_type SNAPSHOT, durability_policy "semi_sync", sidecar_db_name "_vt", vtorc_state, and a field
    // 7 of theirs
    const std::string hex = "28 01  42 09 73656d695f73796e63  52 03 5f7674  5a 02 08 01  3a 02 6869 ";
    const auto keyspace = decode_keyspace(bytes(hex));
    ASSERT_TRUE(keyspace.has_value()) << keyspace.error();
    EXPECT_EQ(keyspace->durability_policy, DurabilityPolicy::parse("semi_sync").value());
    EXPECT_TRUE(keyspace->disable_emergency_reparent);
    EXPECT_EQ(encode_keyspace(*keyspace), bytes(hex));
}

TEST(VitessKeyspace, without_a_policy_it_is_none_and_an_unknown_one_is_refused) {
    EXPECT_TRUE(decode_keyspace("")->durability_policy.is_none());
    const auto unknown = decode_keyspace(bytes("42 03 616263 "));
    ASSERT_FALSE(unknown.has_value());
    EXPECT_TRUE(unknown.error().contains("durability_policy: 'abc'")) << unknown.error();
}

TEST(VitessCellInfo, is_an_address_and_a_root) {
    const std::string hex = "0a 02 613a 12 06 2f7a6f6e6531 ";
    EXPECT_EQ(*decode_cell_info(bytes(hex)), (CellInfo{"a:", "/zone1"}));
    EXPECT_EQ(encode_cell_info({"a:", "/zone1"}), bytes(hex));
}

rc::Gen<std::string> word() {
    return rc::gen::element<std::string>("", "a", "commerce", "-80", "x_y", "zone1");
}

RC_GTEST_PROP(VitessRecords, what_is_written_is_read_again, ()) {
    Tablet tablet;
    tablet.alias = {"zone" + *word(), *rc::gen::arbitrary<std::uint32_t>()};
    tablet.keyspace = *word();
    tablet.shard = *word();
    tablet.type = static_cast<TabletType>(*rc::gen::inRange(0, 9));
    tablet.mysql = {*word(), *rc::gen::arbitrary<std::uint16_t>()};
    tablet.tags = *rc::gen::container<std::map<std::string, std::string>>(word(), word());
    tablet.primary_term_start_time.ns = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000'000);
    Tablet read = decode_tablet(encode_tablet(tablet)).value();
    read.unknown_fields.clear();  // the address lies there
    RC_ASSERT(read == tablet);

    ShardRecord shard;
    if (*rc::gen::arbitrary<bool>()) shard.primary_alias = tablet.alias;
    shard.primary_term_start_time = tablet.primary_term_start_time;
    shard.is_primary_serving = *rc::gen::arbitrary<bool>();
    shard.disable_emergency_reparent = *rc::gen::arbitrary<bool>();
    RC_ASSERT(decode_shard(encode_shard(shard)).value() == shard);
}

RC_GTEST_PROP(VitessRecords, no_bytes_do_anything_but_decode_or_give_an_error, (std::string garbage)) {
    if (const auto tablet = decode_tablet(garbage))
        RC_ASSERT(decode_tablet(encode_tablet(*tablet)).value() == *tablet);
    if (const auto shard = decode_shard(garbage))
        RC_ASSERT(decode_shard(encode_shard(*shard)).value() == *shard);
    if (const auto ks = decode_keyspace(garbage))
        RC_ASSERT(decode_keyspace(encode_keyspace(*ks)).value() == *ks);
}

TEST(Paths, are_those_of_vitess) {
    const ShardName shard{"commerce", "-80"};
    EXPECT_EQ(keyspace_path("commerce"), "keyspaces/commerce/Keyspace");
    EXPECT_EQ(shard_path(shard), "keyspaces/commerce/shards/-80/Shard");
    EXPECT_EQ(fixpoint_path(shard), "keyspaces/commerce/shards/-80/Fixpoint");
    EXPECT_EQ(goal_path(shard), "keyspaces/commerce/shards/-80/Goal");
    EXPECT_EQ(shard_lock_path(shard), "keyspaces/commerce/shards/-80");
    EXPECT_EQ(tablet_path({"zone1", 101}), "tablets/zone1-0000000101/Tablet");
    EXPECT_EQ(cell_info_path("zone1"), "cells/zone1/CellInfo");
}

}  // namespace
}  // namespace fixpoint
