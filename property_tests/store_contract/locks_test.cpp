// The shard lock: a key of its own for each acquisition, never used twice, bound to a lease; nobody has it
// before the last one's lease has ended, and whoever had it is told so by everything that asks for the key.
#include "property_tests/store_contract/contract.hpp"

namespace fixpoint::store_contract {
namespace {

TEST_P(StoreContract, one_holds_the_lock_and_the_other_is_told_who) {
    const auto taken = lock(one, "shards/0", 60s, R"({"Action":"fix_replica","HostName":"m1"})");
    ASSERT_EQ(kind_of(taken), "ok");
    EXPECT_EQ(taken->path, "shards/0");
    const auto refused = lock(two, "shards/0");
    ASSERT_EQ(kind_of(refused), "held");
    EXPECT_EQ(refused.error().text, R"({"Action":"fix_replica","HostName":"m1"})");
    EXPECT_EQ(kind_of(lock(one, "shards/0")), "held") << "not even to its holder a second time";
    const auto seen = holder(two, "shards/0").value();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->id, taken->id);
    EXPECT_EQ(seen->content, R"({"Action":"fix_replica","HostName":"m1"})");
    EXPECT_FALSE(holder(two, "shards/1").value());
}

TEST_P(StoreContract, the_lease_is_counted_from_before_the_request) {
    const Instant before = arm().clock(one).now();
    const topo::LockKey key = locked(one, "shards/0");
    EXPECT_GE(key.taken_at, before);
    EXPECT_LE(key.taken_at, arm().clock(one).now());
    arm().pass(5s);
    EXPECT_GE(arm().clock(one).now() - key.taken_at, 5s);
}

TEST_P(StoreContract, two_shards_have_two_locks) {
    const topo::LockKey first = locked(one, "shards/-80");
    const topo::LockKey second = locked(two, "shards/80-");
    EXPECT_NE(first.id, second.id);
    EXPECT_EQ(kind_of(unlock(one, first)), "ok");
    EXPECT_EQ(kind_of(transact(two, second, {{"a", "1", 0}})), "ok");
    EXPECT_EQ(kind_of(transact(one, first, {{"b", "1", 0}})), "lock_lost");
}

TEST_P(StoreContract, a_key_is_gone_with_its_release_and_never_comes_back) {
    std::int64_t last = 0;
    for (int round = 0; round < 4; ++round) {
        const topo::LockKey key = locked(round % 2, "shards/0");
        EXPECT_GT(key.id, last) << "a greater one is newer";
        last = key.id;
        ASSERT_EQ(kind_of(transact(round % 2, key, {{"n" + std::to_string(round), "1", 0}})), "ok");
        ASSERT_EQ(kind_of(unlock(round % 2, key)), "ok");
        EXPECT_EQ(kind_of(unlock(round % 2, key)), "lock_lost");
        EXPECT_EQ(kind_of(renew(round % 2, key, 60s)), "lock_lost");
        EXPECT_EQ(kind_of(transact(round % 2, key, {{"late", "1", 0}})), "lock_lost");
        EXPECT_FALSE(holder(one, "shards/0").value());
    }
    EXPECT_EQ(bytes_of("late"), "(nothing)");
}

TEST_P(StoreContract, nobody_takes_over_before_the_lease_has_ended) {
    const topo::LockKey old = locked(one, "shards/0", 10s);
    arm().pass(9s);
    EXPECT_EQ(kind_of(lock(two, "shards/0")), "held");
    EXPECT_EQ(kind_of(transact(one, old, {{"a", "1", 0}})), "ok");
    arm().pass(2s);
    EXPECT_FALSE(holder(two, "shards/0").value());
    const auto taken = lock(two, "shards/0");
    ASSERT_EQ(kind_of(taken), "ok");
    EXPECT_GT(taken->id, old.id);
}

TEST_P(StoreContract, a_lease_that_has_ended_is_no_lock_even_if_nobody_wants_it) {
    const topo::LockKey key = locked(one, "shards/0", 10s);
    arm().pass(11s);
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "1", 0}})), "lock_lost");
    EXPECT_EQ(kind_of(renew(one, key, 60s)), "lock_lost");
    EXPECT_EQ(kind_of(unlock(one, key)), "lock_lost");
    EXPECT_FALSE(holder(one, "shards/0").value());
    EXPECT_EQ(bytes_of("a"), "(nothing)");
}

TEST_P(StoreContract, a_holder_that_was_taken_over_harms_nobody) {
    const topo::LockKey old = locked(one, "shards/0", 10s);
    arm().pass(11s);
    const topo::LockKey now = locked(two, "shards/0");
    EXPECT_EQ(kind_of(transact(one, old, {{"a", "old", 0}})), "lock_lost");
    EXPECT_EQ(kind_of(renew(one, old, 60s)), "lock_lost");
    EXPECT_EQ(kind_of(unlock(one, old)), "lock_lost");
    EXPECT_EQ(kind_of(lock(one, "shards/0")), "held");
    EXPECT_EQ(kind_of(transact(two, now, {{"a", "new", 0}})), "ok");
    EXPECT_EQ(bytes_of("a"), "new");
}

TEST_P(StoreContract, a_renewal_counts_from_itself) {
    const topo::LockKey key = locked(one, "shards/0", 10s);
    for (int i = 0; i < 3; ++i) {
        arm().pass(8s);
        ASSERT_EQ(kind_of(renew(one, key, 10s)), "ok");
    }
    arm().pass(8s);
    EXPECT_EQ(kind_of(lock(two, "shards/0")), "held") << "32 seconds after a lease of ten";
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "1", 0}})), "ok") << "a renewed key is the same key";
    arm().pass(3s);
    EXPECT_EQ(kind_of(lock(two, "shards/0")), "ok");
}

TEST_P(StoreContract, a_renewal_may_end_the_lease_sooner) {
    const topo::LockKey key = locked(one, "shards/0", 60s);
    ASSERT_EQ(kind_of(renew(one, key, 10s)), "ok");
    arm().pass(8s);
    EXPECT_EQ(kind_of(lock(two, "shards/0")), "held");
    arm().pass(4s);
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "1", 0}})), "lock_lost");
    EXPECT_EQ(kind_of(lock(two, "shards/0")), "ok");
}

TEST_P(StoreContract, the_wrong_key_is_asked_for_before_the_versions) {
    const topo::LockKey key = locked(one, "shards/0");
    ASSERT_EQ(kind_of(unlock(one, key)), "ok");
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "1", 99}})), "lock_lost");
}

TEST_P(StoreContract, a_key_of_one_shard_opens_no_other) {
    topo::LockKey key = locked(one, "shards/0");
    key.path = "shards/1";
    EXPECT_EQ(kind_of(renew(one, key, 60s)), "lock_lost");
    EXPECT_EQ(kind_of(unlock(one, key)), "lock_lost");
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "1", 0}})), "lock_lost");
}

}  // namespace
}  // namespace fixpoint::store_contract
