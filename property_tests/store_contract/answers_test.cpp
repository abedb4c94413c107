// What is said when there is no answer, and what that leaves behind; and the hint that something has changed.
#include "property_tests/store_contract/contract.hpp"

namespace fixpoint::store_contract {
namespace {

TEST_P(StoreContract, what_could_not_be_reached_was_not_written) {
    const topo::LockKey key = locked(one, "shards/0");
    const topo::Version a = written(one, "a", "1");
    arm().cut_off();
    EXPECT_EQ(kind_of(get(one, "a")), "unreachable");
    EXPECT_EQ(kind_of(list(two, "")), "unreachable");
    EXPECT_EQ(kind_of(list_cell(two, "zone1", "")), "unreachable");
    EXPECT_EQ(kind_of(holder(two, "shards/0")), "unreachable");
    const std::string late = kind_of(transact(one, key, {{"a", "2", a}}));
    EXPECT_TRUE(late == "unreachable" || late == "maybe") << late;
    arm().mend();
    EXPECT_EQ(bytes_of("a"), "1");
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "3", a}})), "ok");
    EXPECT_EQ(bytes_of("a", two), "3");
}

TEST_P(StoreContract, a_lost_answer_is_a_maybe_and_here_it_was_written) {
    const topo::LockKey key = locked(one, "shards/0");
    arm().lose_next_answer(one);
    const auto lost = arm().await(one, arm().store(one).transact(key, {topo::Put{"a", "1", 0}}, 200ms));
    EXPECT_EQ(kind_of(lost), "maybe");
    EXPECT_EQ(bytes_of("a"), "1");
    EXPECT_EQ(kind_of(transact(one, key, {{"a", "2", version_of("a")}})), "ok");
}

TEST_P(StoreContract, a_lost_answer_to_a_declaration_is_a_maybe_too) {
    arm().lose_next_answer(one);
    const auto lost = arm().await(one, arm().store(one).put_declared(topo::Put{"Goal", "1", 0}, 200ms));
    EXPECT_EQ(kind_of(lost), "maybe");
    EXPECT_EQ(bytes_of("Goal"), "1");
}

TEST_P(StoreContract, whoever_listens_is_told_of_each_kind_of_write) {
    int told = 0;
    arm().store(one).on_change([&] { ++told; });
    arm().settle();
    const auto tells = [&](auto write) {
        told = 0;
        write();
        return arm().run_until(one, [&] { return told > 0; });
    };
    EXPECT_TRUE(tells([&] { written(two, "a", "1"); }));
    EXPECT_TRUE(tells([&] { written(one, "b", "1"); })) << "one's own change too";
    EXPECT_TRUE(tells([&] { put_cell(two, "zone1", "tablets/t", "1", 0).value(); }));
    const topo::LockKey key = locked(two, "shards/0");
    EXPECT_TRUE(tells([&] { transact(two, key, {{"c", "1", 0}}).value(); }));
}

TEST_P(StoreContract, a_lock_is_no_change_and_neither_is_a_refusal) {
    int told = 0;
    arm().store(one).on_change([&] { ++told; });
    arm().settle();
    told = 0;
    const topo::LockKey key = locked(two, "shards/0");
    EXPECT_EQ(kind_of(renew(two, key, 60s)), "ok");
    EXPECT_EQ(kind_of(put(two, "a", "1", 99)), "conflict");
    EXPECT_EQ(kind_of(unlock(two, key)), "ok");
    arm().settle();
    EXPECT_EQ(told, 0);
}

TEST_P(StoreContract, the_last_callback_is_the_one_that_is_called) {
    int first = 0, second = 0;
    arm().store(one).on_change([&] { ++first; });
    arm().store(one).on_change([&] { ++second; });
    arm().settle();
    first = second = 0;
    written(two, "a", "1");
    EXPECT_TRUE(arm().run_until(one, [&] { return second > 0; }));
    arm().settle();
    EXPECT_EQ(first, 0);
}

}  // namespace
}  // namespace fixpoint::store_contract
