// The small structures that a server is made of, each against an obvious model of it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "fixpoint/sim/write_set.hpp"
#include "sim/fakes/mysql/global_read_lock.hpp"
#include "sim/fakes/mysql/semi_sync.hpp"
#include "sim/fakes/mysql/settings.hpp"
#include "sim/fakes/mysql/user_locks.hpp"

namespace fixpoint::sim::mysql {
namespace {

RC_GTEST_PROP(WriteSet, is_a_set, (const std::vector<std::pair<bool, std::uint8_t>>& steps)) {
    WriteSet writes;
    std::set<WriteId> model;
    for (const auto& [remove, number] : steps) {
        const WriteId id = number % 40U + 1U;
        if (remove) {
            RC_ASSERT(writes.erase(id) == (model.erase(id) == 1));
        } else {
            RC_ASSERT(writes.insert(id) == model.insert(id).second);
        }
        RC_ASSERT(writes.ids() == WriteIds(model.begin(), model.end()));
        for (WriteId probe = 0; probe <= 42; ++probe) RC_ASSERT(writes.has(probe) == model.contains(probe));
    }
}

RC_GTEST_PROP(AckTable, counts_how_many_servers_have_everything_up_to_a_position,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& acks)) {
    AckTable table;
    std::map<std::int64_t, BinaryLog::Position> model;
    for (const auto& [server, position] : acks) {
        table.acknowledge(server % 4, position);
        auto& best = model[server % 4];
        best = std::max<BinaryLog::Position>(best, position);
    }
    for (std::int64_t k = 1; k <= 5; ++k) {
        BinaryLog::Position expected = 0;
        for (BinaryLog::Position p = 1; p <= 255; ++p) {
            const auto have = std::count_if(model.begin(), model.end(),
                                            [&](const auto& entry) { return entry.second >= p; });
            if (have >= k) expected = p;
        }
        RC_ASSERT(table.acknowledged_by(k) == expected);
    }
}

TEST(GlobalReadLock, a_closer_that_waits_keeps_new_writers_out_and_lets_them_in_when_it_has_gone) {
    GlobalReadLock lock;
    std::string story;
    const auto note = [&](char c) { return [&story, c] { story += c; }; };
    EXPECT_EQ(lock.take_as_writer(note('?')), 0U);
    EXPECT_NE(lock.take_as_closer(note('c')), 0U);
    EXPECT_NE(lock.take_as_writer(note('w')), 0U);
    EXPECT_NE(lock.take_as_writer(note('v')), 0U);
    EXPECT_EQ(story, "");
    lock.release_writer();
    EXPECT_EQ(story, "c");
    lock.release_closer();
    EXPECT_EQ(story, "cwv");
}

TEST(GlobalReadLock, a_closer_that_gives_up_lets_the_writers_in) {
    GlobalReadLock lock;
    std::string story;
    EXPECT_EQ(lock.take_as_writer({}), 0U);
    const auto closer = lock.take_as_closer([&] { story += 'c'; });
    lock.take_as_writer([&] { story += 'w'; });
    EXPECT_TRUE(lock.cancel(closer));
    EXPECT_EQ(story, "w");
    EXPECT_FALSE(lock.cancel(closer));
}

TEST(UserLocks, pass_to_the_oldest_waiter_and_not_to_one_that_gave_up) {
    UserLocks locks;
    std::string story;
    EXPECT_TRUE(locks.take("l", 1));
    EXPECT_FALSE(locks.take("l", 2));
    locks.wait("l", 2, [&] { story += '2'; });
    locks.wait("l", 3, [&] { story += '3'; });
    locks.wait("l", 4, [&] { story += '4'; });
    locks.stop_waiting(2);
    locks.release_all(1);
    EXPECT_EQ(story, "3");
    EXPECT_EQ(locks.holder("l"), 3U);
    EXPECT_FALSE(locks.release("l", 1));
    EXPECT_TRUE(locks.release("l", 3));
    EXPECT_EQ(locks.holder("l"), 4U);
}

TEST(Settings, what_is_persisted_beats_the_configuration_where_it_is_loaded) {
    StartOptions options;
    options.super_read_only = false;
    const sql::PersistedVariables persisted{{sql::Variable::super_read_only, 1},
                                            {sql::Variable::rpl_semi_sync_source_wait_for_replica_count, 0}};
    const Settings loaded = settings_at_start(options, persisted);
    EXPECT_TRUE(loaded.on(sql::Variable::super_read_only) && loaded.on(sql::Variable::read_only));
    EXPECT_EQ(loaded.get(sql::Variable::rpl_semi_sync_source_wait_for_replica_count), 1);
    options.persisted_globals_load = false;
    EXPECT_FALSE(settings_at_start(options, persisted).on(sql::Variable::super_read_only));
}

}  // namespace
}  // namespace fixpoint::sim::mysql
