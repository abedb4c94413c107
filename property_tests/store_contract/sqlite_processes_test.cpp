// Several processes on one file: whoever dies loses its lock with its lease and no earlier, whoever is
// suspended inside a transaction is named, and two never have the same lock.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "property_tests/store_contract/child.hpp"
#include "property_tests/store_contract/faulty_vfs.hpp"
#include "property_tests/store_contract/solo.hpp"
#include "real_adapters/sqlite/writer.hpp"

namespace fixpoint::store_contract {
namespace {

using real::SqliteOptions;
using ::testing::HasSubstr;
using ::testing::StartsWith;

SqliteOptions faulty() {
    SqliteOptions options = creating();
    options.machine.vfs = FaultyVfs::name();
    return options;
}

std::string text_of(Duration time) {
    return std::to_string(time.count());
}
Duration duration_of(const std::optional<std::string>& line) {
    return Duration(std::stoll(line.value()));
}

TEST(SqliteProcesses, a_killed_holder_is_taken_over_after_its_lease_and_no_earlier) {
    const Directory directory;
    constexpr Duration lease = 400ms;
    Child holder([&](const Child::Parent& parent) {
        Solo solo(directory.file(), creating());
        const topo::LockKey key = solo.lock("shards/0", lease);
        parent.tell(text_of(key.taken_at.time_since_epoch()));
        parent.tell(std::to_string(key.id));
        parent.wait_for_word();  // never
    });
    const Duration taken_at = duration_of(holder.line());
    const std::int64_t id = std::stoll(holder.line().value());
    holder.signal(SIGKILL);
    ASSERT_EQ(holder.ended(), -SIGKILL);

    Solo heir(directory.file(), {});
    std::optional<topo::LockKey> key;
    int refused = 0;
    while (!key && boot_now() < taken_at + 20s) {
        auto taken = heir.await(heir.store().lock_shard("shards/0", "heir", lease, 2s));
        if (taken) {
            key = *taken;
        } else {
            ASSERT_EQ(taken.error().kind, topo::ErrorKind::held) << taken.error().text;
            ++refused;
        }
    }
    const Duration waited = boot_now() - taken_at;
    ASSERT_TRUE(key);
    EXPECT_GT(refused, 0) << "the dead one had it still";
    EXPECT_GE(waited, lease);
    EXPECT_LT(waited, lease + 2s);
    EXPECT_GT(key->id, id);
}

TEST(SqliteProcesses, a_holder_that_is_paused_finds_its_key_gone_when_it_wakes_up) {
    const Directory directory;
    Child sleeper([&](const Child::Parent& parent) {
        Solo solo(directory.file(), creating());
        const topo::LockKey key = solo.lock("shards/0", 200ms);
        parent.tell("locked");
        ::raise(SIGSTOP);
        const auto late = solo.await(solo.store().transact(key, {topo::Put{"a", "late", 0}}, 2s));
        parent.tell(!late && late.error().kind == topo::ErrorKind::lock_lost ? "lost" : "written");
    });
    ASSERT_EQ(sleeper.line(), "locked");
    sleeper.wait_until_stopped();
    {
        Solo heir(directory.file(), {});
        const Duration deadline = boot_now() + 20s;
        topo::Result<topo::LockKey> taken = std::unexpected(topo::Error{});
        while (!taken && boot_now() < deadline)
            taken = heir.await(heir.store().lock_shard("shards/0", "heir", 60s, 2s));
        ASSERT_TRUE(taken);
        ASSERT_TRUE(heir.await(heir.store().transact(*taken, {topo::Put{"a", "heir's", 0}}, 2s)));
    }
    sleeper.signal(SIGCONT);
    EXPECT_EQ(sleeper.line(), "lost");
    EXPECT_EQ(sleeper.ended(), 0);
}

TEST(SqliteProcesses, one_that_is_suspended_inside_a_transaction_is_named_and_nothing_hangs) {
    const Directory directory;
    Child stopped([&](const Child::Parent& parent) {
        Solo solo(directory.file(), faulty());
        const topo::LockKey key = solo.lock("shards/0", 60s);
        solo.put("a", "before", 0);
        FaultyVfs::hook([](DiskCall call) {
            if (call == DiskCall{DiskCall::What::sync, DiskCall::File::log}) ::raise(SIGSTOP);
            return 0;
        });
        parent.tell(std::to_string(key.id));
        const auto written = solo.await(solo.store().transact(key, {topo::Put{"b", "held up", 0}}, 30s));
        parent.tell(written ? "written" : written.error().text);
    });
    topo::LockKey key{"shards/0", std::stoll(stopped.line().value()), {}};
    stopped.wait_until_stopped();

    SqliteOptions options;
    options.store_locked_after = 1s;
    {
        Solo solo(directory.file(), options);
        const auto put = [&](Duration limit) {
            return solo.await(solo.store().put_declared(topo::Put{"c", "1", 0}, limit));
        };
        const Duration began = boot_now();
        const auto first = put(500ms);  // less than store_locked_after, and enough on a busy machine
        ASSERT_FALSE(first);
        EXPECT_EQ(first.error().kind, topo::ErrorKind::unreachable) << "nothing was written, for sure";
        EXPECT_FALSE(real::is_store_locked(first.error())) << first.error().text;
        EXPECT_THAT(first.error().text, HasSubstr("process " + std::to_string(stopped.pid())));
        const auto second = put(1500ms);
        ASSERT_FALSE(second);
        EXPECT_LT(boot_now() - began, 5s) << "bounded by their limits";
        EXPECT_TRUE(real::is_store_locked(second.error())) << second.error().text;
        EXPECT_THAT(second.error().text, StartsWith("store_locked: process " + std::to_string(stopped.pid()) +
                                                    " (test_store_cont), which is suspended"));

        const auto read = solo.await(solo.store().get("a", 2s));
        ASSERT_TRUE(read && *read) << "reads go on";
        EXPECT_EQ((*read)->bytes, "before");
        EXPECT_FALSE(*solo.await(solo.store().get("b", 2s))) << "not committed";
        EXPECT_TRUE(real::is_store_locked(put(200ms).error())) << "a read does not end it";

        // A lease is what whoever locks says, here the longer and then the shorter one.
        const auto lock = [&](Duration lease) {
            return solo.await(solo.store().lock_shard("shards/1", "m", lease, 200ms)).error();
        };
        EXPECT_FALSE(real::is_store_locked(lock(60s)));
        EXPECT_TRUE(real::is_store_locked(lock(1s)));

        stopped.signal(SIGCONT);
        const auto third = put(20s);
        ASSERT_TRUE(third) << third.error().text;
        EXPECT_EQ(solo.await(solo.store().get("b", 2s)).value()->bytes, "held up");
        ASSERT_TRUE(solo.await(solo.store().unlock(key, 2s)));
    }
    EXPECT_EQ(stopped.line(), "written");
    EXPECT_EQ(stopped.ended(), 0);
}

TEST(SqliteProcesses, one_that_is_suspended_and_then_killed_leaves_nothing_behind) {
    const Directory directory;
    Child stopped([&](const Child::Parent& parent) {
        Solo solo(directory.file(), faulty());
        solo.put("a", "before", 0);
        FaultyVfs::hook([](DiskCall call) {
            if (call == DiskCall{DiskCall::What::write, DiskCall::File::log}) ::raise(SIGSTOP);
            return 0;
        });
        parent.tell("ready");
        solo.put("b", "never", 0);
    });
    ASSERT_EQ(stopped.line(), "ready");
    stopped.wait_until_stopped();
    stopped.signal(SIGKILL);
    ASSERT_EQ(stopped.ended(), -SIGKILL);
    Solo solo(directory.file(), {});
    EXPECT_FALSE(*solo.await(solo.store().get("b", 2s)));
    EXPECT_GT(solo.put("b", "mine", 0), 0) << "the dead one's file lock went with it";
}

// Whoever has the lock makes a file that must not be there, and tells the lock's id to one pipe for all.
void race(const std::filesystem::path& directory, const std::filesystem::path& file, int rounds, int ids,
          const Child::Parent& parent) {
    Solo solo(file, creating());
    parent.wait_for_word();
    for (int round = 0; round < rounds;) {
        auto key = solo.await(solo.store().lock_shard("shards/0", "racer", 30s, 10s));
        if (!key && key.error().kind == topo::ErrorKind::held) continue;
        if (!key) throw std::runtime_error(key.error().text);
        const std::string mark = directory / "locked";
        const int alone = ::open(mark.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (alone < 0) throw std::runtime_error("two have the lock");
        const std::int64_t id = key->id;
        if (::write(ids, &id, sizeof id) != sizeof id) throw std::runtime_error("no pipe");
        auto read = solo.await(solo.store().get("n", 10s));
        const int n = *read ? std::stoi((*read)->bytes) : 0;
        topo::Put put{"n", std::to_string(n + 1), *read ? (*read)->version : 0};
        auto written = solo.await(solo.store().transact(*key, {put}, 10s));
        if (!written) throw std::runtime_error(written.error().text);
        ::close(alone);
        ::unlink(mark.c_str());
        if (!solo.await(solo.store().unlock(*key, 10s))) throw std::runtime_error("the lock was lost");
        ++round;
    }
}

TEST(SqliteProcesses, several_that_race_for_a_lock_never_have_it_together) {
    const Directory directory;
    constexpr int racers = 3, rounds = 40;
    int ids[2] = {};
    ASSERT_EQ(::pipe2(ids, O_CLOEXEC), 0);
    std::vector<Child> children;
    for (int i = 0; i < racers; ++i)
        children.emplace_back([&](const Child::Parent& parent) {
            race(directory.path(), directory.file(), rounds, ids[1], parent);
        });
    for (const Child& child : children) child.go();
    for (Child& child : children) EXPECT_EQ(child.ended(), 0);
    ::close(ids[1]);
    std::int64_t last = 0, id = 0;
    int taken = 0;
    for (; ::read(ids[0], &id, sizeof id) == sizeof id; last = id, ++taken)
        EXPECT_GT(id, last) << "ids grow in the order of the acquisitions";
    ::close(ids[0]);
    EXPECT_EQ(taken, racers * rounds);
    Solo solo(directory.file(), {});
    EXPECT_EQ(solo.await(solo.store().get("n", 2s)).value()->bytes, std::to_string(racers * rounds));
}

TEST(SqliteProcesses, several_that_make_the_file_at_once_make_one) {
    for (int round = 0; round < 20; ++round) {
        const Directory directory;
        std::vector<Child> children;
        for (int i = 0; i < 4; ++i)
            children.emplace_back([&, i](const Child::Parent& parent) {
                parent.wait_for_word();
                Solo solo(directory.file(), creating());
                solo.put("record" + std::to_string(i), "x", 0);
            });
        for (const Child& child : children) child.go();
        for (Child& child : children) EXPECT_EQ(child.ended(), 0);
        Solo solo(directory.file(), {});
        EXPECT_EQ(solo.await(solo.store().list("record", 2s)).value().size(), 4U);
    }
}

TEST(SqliteProcesses, a_change_of_another_process_is_noticed) {
    const Directory directory;
    Child writer([&](const Child::Parent& parent) {
        Solo solo(directory.file(), creating());
        solo.put("a", "1", 0);
        parent.tell("open");
        parent.wait_for_word();
        solo.put("b", "1", 0);
        parent.tell("written");
    });
    ASSERT_EQ(writer.line(), "open");
    SqliteOptions options;
    options.watch_interval = 5ms;
    Solo solo(directory.file(), options);
    int told = 0;
    solo.store().on_change([&] { ++told; });
    ASSERT_TRUE(solo.run_until([&] { return told > 0; })) << "what was there before is told once";
    told = 0;
    writer.go();
    EXPECT_TRUE(solo.run_until([&] { return told > 0; }));
    EXPECT_EQ(writer.line(), "written");
}

}  // namespace
}  // namespace fixpoint::store_contract
