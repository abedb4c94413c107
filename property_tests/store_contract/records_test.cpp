// Records: versions, conflicts, all or none, lists by prefix, cells, and bytes that come back as they went
// in.
#include "property_tests/store_contract/contract.hpp"

namespace fixpoint::store_contract {
namespace {

std::vector<std::string> paths(const std::vector<topo::Listed>& listed) {
    std::vector<std::string> names;
    for (const topo::Listed& item : listed) names.push_back(item.path);
    return names;
}

TEST_P(StoreContract, a_put_is_conditional_on_the_version) {
    const topo::Version first = written(one, "a", "1");
    EXPECT_GT(first, 0) << "0 means that there is none";
    EXPECT_EQ(kind_of(put(two, "a", "2", 0)), "conflict") << "it exists already";
    EXPECT_EQ(kind_of(put(two, "b", "2", first)), "conflict") << "it does not exist yet";
    EXPECT_EQ(bytes_of("a", two), "1");
    const auto second = put(two, "a", "2", first);
    ASSERT_EQ(kind_of(second), "ok");
    EXPECT_EQ(kind_of(put(one, "a", "3", first)), "conflict") << "somebody else has written meanwhile";
    EXPECT_EQ(bytes_of("a"), "2");
    EXPECT_EQ(version_of("a"), *second);
    EXPECT_EQ(bytes_of("b"), "(nothing)");
}

TEST_P(StoreContract, a_version_grows_and_names_its_record) {
    topo::Version last = 0;
    for (int i = 0; i < 5; ++i) {
        const topo::Version now = written(i % 2, "a", "same bytes", last);
        EXPECT_GT(now, last) << "the same bytes again are a new version";
        last = now;
        written(one, "other" + std::to_string(i), "x");
        EXPECT_EQ(version_of("a", two), last) << "other records change nothing of it";
    }
}

TEST_P(StoreContract, a_conflict_names_the_record) {
    const topo::LockKey key = locked(one, "shards/0");
    const topo::Version a = written(one, "a", "1");
    const auto refused = transact(one, key, {{"a", "2", a}, {"b", "2", 99}});
    ASSERT_EQ(kind_of(refused), "conflict");
    EXPECT_EQ(refused.error().text, "b");
}

TEST_P(StoreContract, a_transaction_writes_all_of_its_puts_or_none) {
    const topo::LockKey key = locked(one, "shards/0");
    const topo::Version b = written(one, "b", "old");
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "new", 0}, {"b", "new", b + 1}})), "conflict");
    EXPECT_EQ(kind_of(transact(one, key, {{"b", "new", b}, {"a", "new", 7}})), "conflict");
    EXPECT_EQ(bytes_of("a"), "(nothing)");
    EXPECT_EQ(bytes_of("b"), "old");
    EXPECT_EQ(version_of("b"), b);

    const auto done = transact(one, key, {{"a", "new", 0}, {"b", "newer", b}});
    ASSERT_EQ(kind_of(done), "ok");
    ASSERT_EQ(done->size(), 2U) << "one version a put, in their order";
    EXPECT_EQ(version_of("a", two), done->at(0));
    EXPECT_EQ(version_of("b", two), done->at(1));
    EXPECT_EQ(bytes_of("a", two), "new");
    EXPECT_EQ(bytes_of("b", two), "newer");
}

TEST_P(StoreContract, an_empty_transaction_asks_for_the_lock_all_the_same) {
    const topo::LockKey key = locked(one, "shards/0");
    const auto done = transact(one, key, {});
    ASSERT_EQ(kind_of(done), "ok");
    EXPECT_TRUE(done->empty());
    ASSERT_EQ(kind_of(unlock(one, key)), "ok");
    EXPECT_EQ(kind_of(transact(one, key, {})), "lock_lost");
}

TEST_P(StoreContract, what_people_declare_needs_no_lock) {
    const topo::LockKey key = locked(one, "shards/0");
    const topo::Version goal = written(two, "Goal", "declared");
    EXPECT_EQ(kind_of(transact(one, key, {{"Goal", "mine", 0}})), "conflict");
    EXPECT_EQ(kind_of(transact(one, key, {{"Goal", "mine", goal}})), "ok");
    EXPECT_EQ(kind_of(put(two, "Goal", "again", goal)), "conflict");
}

TEST_P(StoreContract, a_list_is_of_a_prefix_in_the_order_of_bytes) {
    for (const char* path : {"k/b", "k/a/y", "k/a", "k", "k/a/x", "l", "k0", "K/a", "k%", "k_", "k/\xc3\xbc"})
        written(one, path, path);
    EXPECT_EQ(paths(list(two, "k/").value()),
              (std::vector<std::string>{"k/a", "k/a/x", "k/a/y", "k/b", "k/\xc3\xbc"}));
    EXPECT_EQ(paths(list(two, "k/a").value()), (std::vector<std::string>{"k/a", "k/a/x", "k/a/y"}));
    EXPECT_EQ(paths(list(two, "k%").value()), std::vector<std::string>{"k%"}) << "no pattern";
    EXPECT_EQ(paths(list(two, "k_").value()), std::vector<std::string>{"k_"}) << "no pattern";
    EXPECT_EQ(paths(list(two, "none").value()), std::vector<std::string>{});
    EXPECT_EQ(list(two, "").value().size(), 11U + 2U) << "all of them, and the two cells";
    const auto listed = list(two, "k/a/").value();
    EXPECT_EQ(listed.at(0).value.bytes, "k/a/x");
    EXPECT_EQ(listed.at(0).value.version, version_of("k/a/x"));
}

TEST_P(StoreContract, each_cell_has_a_store_of_its_own) {
    const topo::Version in_one = put_cell(one, "zone1", "tablets/t", "one", 0).value();
    const topo::Version in_two = put_cell(two, "zone2", "tablets/t", "two", 0).value();
    EXPECT_EQ(bytes_of("tablets/t"), "(nothing)") << "the global store is another one";
    EXPECT_EQ(kind_of(put_cell(two, "zone1", "tablets/t", "new", 0)), "conflict");
    EXPECT_EQ(kind_of(put_cell(two, "zone1", "tablets/t", "new", in_one)), "ok");
    EXPECT_EQ(kind_of(put_cell(one, "zone1", "tablets/t", "newer", in_one)), "conflict");
    EXPECT_EQ(kind_of(put_cell(one, "zone1", "tablets/u", "x", 5)), "conflict");
    const auto listed = list_cell(one, "zone2", "tablets/").value();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].value.bytes, "two");
    EXPECT_EQ(listed[0].value.version, in_two);
    EXPECT_EQ(list_cell(one, "zone1", "tablets/").value().at(0).value.bytes, "new");
    EXPECT_TRUE(list_cell(one, "zone1", "keyspaces/").value().empty());
}

TEST_P(StoreContract, a_cell_that_nobody_declared_has_no_store) {
    const auto listed = list_cell(one, "zone9", "tablets/");
    EXPECT_EQ(kind_of(listed), "unreachable") << "its tablets are unknown, not gone";
    EXPECT_NE(listed.error().text.find("no such cell"), std::string::npos);
    EXPECT_EQ(kind_of(put_cell(one, "zone9", "tablets/t", "x", 0)), "unreachable");
}

// Bytes of a Vitess tablet record: lengths, varints with the high bit set, a field that nobody knows.
constexpr char tablet_bytes[] =
    "\x0a\x09\x0a\x05zone1\x10\x65\x12\x03"
    "db1\x22\x0a\x0a\x05mysql\x10\xea\x19\x2a\x08"
    "commerce\x32\x03-80\x3a\x03\x12\x01\x80\x40\x02\x52\x08\x0a\x04zone\x12\x00\x9a\x01\x02hi";
const std::string tablet_record(tablet_bytes, sizeof tablet_bytes - 1);

TEST_P(StoreContract, bytes_come_back_as_they_went_in) {
    std::string all;
    for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
    const std::string large(1'000'000, '\0');
    ASSERT_EQ(tablet_record.back(), 'i') << "a zero in it ends nothing";
    ASSERT_EQ(tablet_record.size(), 65U);
    int number = 0;
    for (const std::string& bytes : {std::string(), std::string(1, '\0'), all, tablet_record, large}) {
        const std::string path = "r" + std::to_string(number++);
        written(one, path, bytes);
        const auto found = get(two, path).value();
        ASSERT_TRUE(found) << "an empty record is a record";
        EXPECT_TRUE(found->bytes == bytes) << path;
        EXPECT_EQ(kind_of(put_cell(one, "zone1", path, bytes, 0)), "ok");
        EXPECT_TRUE(list_cell(two, "zone1", path).value().at(0).value.bytes == bytes) << path;
    }
}

}  // namespace
}  // namespace fixpoint::store_contract
