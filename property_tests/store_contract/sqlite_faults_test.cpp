// What only this store can show: a disk that fails, stalls or is full, a boot that ends all leases, a file
// that is taken away, calls that nobody waits for any more.
#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <atomic>

#include "property_tests/store_contract/child.hpp"
#include "property_tests/store_contract/contract.hpp"
#include "property_tests/store_contract/faulty_vfs.hpp"
#include "property_tests/store_contract/solo.hpp"

namespace fixpoint::store_contract {
namespace {

using real::SqliteOptions;
using ::testing::HasSubstr;

constexpr DiskCall sync_of_log{DiskCall::What::sync, DiskCall::File::log};
constexpr DiskCall write_to_log{DiskCall::What::write, DiskCall::File::log};

class SqliteFaults : public testing::Test {
  protected:
    ~SqliteFaults() override { FaultyVfs::hook(nullptr); }
    static SqliteOptions options() {
        SqliteOptions options = creating();
        options.machine.vfs = FaultyVfs::name();
        return options;
    }
    static topo::Result<topo::Version> put(Solo& solo, const std::string& path, const std::string& bytes,
                                           topo::Version expected, Duration limit = 2s) {
        return solo.await(solo.store().put_declared(topo::Put{path, bytes, expected}, limit));
    }
    static std::string bytes_of(Solo& solo, const std::string& path) {
        const auto found = solo.await(solo.store().get(path, 5s)).value();
        return found ? found->bytes : "(nothing)";
    }

    Directory directory_;
};

TEST_F(SqliteFaults, a_full_disk_is_named_and_the_store_goes_on_when_there_is_room) {
    Solo solo(directory_.file(), options());
    const topo::Version first = solo.put("a", "1", 0);
    FaultyVfs::hook([](DiskCall call) { return call == write_to_log ? SQLITE_FULL : 0; });
    const auto full = put(solo, "a", "2", first);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind, topo::ErrorKind::maybe) << "it failed in its COMMIT";
    EXPECT_THAT(full.error().text, HasSubstr("is full"));
    EXPECT_THAT(full.error().text, HasSubstr(directory_.file().string()));
    EXPECT_EQ(bytes_of(solo, "a"), "1") << "reads go on";
    FaultyVfs::hook(nullptr);
    EXPECT_GT(solo.put("a", "3", first), first);
}

// A genuine one: a process that may not make any file longer.
TEST_F(SqliteFaults, a_limit_on_the_size_of_files_is_a_full_disk) {
    Child limited([&](const Child::Parent& parent) {
        Solo solo(directory_.file(), creating());
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit least{200'000, 200'000};
        if (::setrlimit(RLIMIT_FSIZE, &least) != 0) throw std::runtime_error("setrlimit");
        topo::Version version = solo.put("small", "x", 0);
        const auto full = put(solo, "large", std::string(500'000, 'x'), 0);
        parent.tell(full ? "written" : full.error().text);
        version = solo.put("small", "y", version);
        parent.tell(std::to_string(version));
    });
    EXPECT_THAT(limited.line().value(), HasSubstr("is full"));
    EXPECT_TRUE(limited.line()) << "small writes go on";
    EXPECT_EQ(limited.ended(), 0);
    Solo solo(directory_.file(), {});
    EXPECT_EQ(bytes_of(solo, "small"), "y");
    EXPECT_EQ(bytes_of(solo, "large"), "(nothing)");
}

TEST_F(SqliteFaults, a_disk_that_fails_in_a_commit_leaves_a_maybe) {
    Solo solo(directory_.file(), options());
    const topo::LockKey key = solo.lock("shards/0", 60s);
    FaultyVfs::hook([](DiskCall call) { return call == sync_of_log ? SQLITE_IOERR_FSYNC : 0; });
    const auto failed = solo.await(solo.store().transact(key, {topo::Put{"a", "1", 0}}, 2s));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, topo::ErrorKind::maybe);
    EXPECT_THAT(failed.error().text, HasSubstr(directory_.file().string()));
    FaultyVfs::hook(nullptr);
    EXPECT_TRUE(solo.await(solo.store().renew(key, 60s, 2s))) << "the store goes on";
}

TEST_F(SqliteFaults, each_commit_reaches_the_disk_before_it_is_confirmed) {
    Solo solo(directory_.file(), options());
    std::atomic<int> writes = 0, syncs = 0, unsynced = 0;
    FaultyVfs::hook([&](DiskCall call) {
        if (call == write_to_log) ++writes, ++unsynced;
        if (call == sync_of_log) ++syncs, unsynced = 0;
        return 0;
    });
    topo::Version version = 0;
    for (int i = 1; i <= 5; ++i) {
        version = solo.put("a", std::to_string(i), version);
        EXPECT_GE(syncs, i);
        EXPECT_EQ(unsynced, 0) << "synchronous=FULL";
    }
    EXPECT_GT(writes, 5);
}

TEST_F(SqliteFaults, a_stalled_disk_holds_up_its_thread_and_nothing_else) {
    Solo solo(directory_.file(), options());
    std::atomic<bool> stalled = true;
    FaultyVfs::hook([&](DiskCall call) {
        if (call == sync_of_log) stalled.wait(true);
        return 0;
    });
    const Duration began = boot_now();
    const auto lost = put(solo, "a", "1", 0, 100ms);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().kind, topo::ErrorKind::maybe) << "it may yet be written";
    const auto behind = put(solo, "b", "1", 0, 100ms);
    ASSERT_FALSE(behind);
    EXPECT_EQ(behind.error().kind, topo::ErrorKind::unreachable) << "not begun: nothing is written, for sure";
    EXPECT_EQ(solo.await(solo.store().get("a", 100ms)).error().kind, topo::ErrorKind::unreachable);
    EXPECT_LT(boot_now() - began, 5s);
    stalled = false;
    stalled.notify_all();
    EXPECT_EQ(bytes_of(solo, "a"), "1");
    EXPECT_EQ(bytes_of(solo, "b"), "(nothing)") << "what was given up is not done later";
}

// The limit passes inside the transaction, before its COMMIT.
TEST_F(SqliteFaults, a_call_that_is_given_up_before_its_commit_writes_nothing) {
    {
        Solo(directory_.file(), creating()).put("a", "0", 0);
    }
    Solo solo(directory_.file(), options());
    SqliteOptions slow = options();
    std::atomic<bool> armed = false, stalled = true;
    slow.machine.boot_time = [&] {
        if (armed.exchange(false)) stalled.wait(true);
        return boot_now();
    };
    Solo late(directory_.file(), slow);
    const topo::LockKey key = solo.lock("shards/0", 60s);
    armed = true;  // the next look at the clock: in the transaction, where it asks for its lock
    topo::Put put{"b", "1", 0};
    const auto given_up = late.await(late.store().transact(key, {put}, 100ms));
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().kind, topo::ErrorKind::unreachable) << given_up.error().text;
    stalled = false;
    stalled.notify_all();
    EXPECT_EQ(bytes_of(late, "b"), "(nothing)");
    EXPECT_GT(solo.put("c", "1", 0), 0) << "and the file's lock is free again";
}

// Another connection, by hand.
class ByHand {
  public:
    explicit ByHand(const std::filesystem::path& file) {
        EXPECT_EQ(sqlite3_open(file.c_str(), &connection_), SQLITE_OK);
    }
    ~ByHand() { sqlite3_close(connection_); }
    void run(const char* sql) {
        EXPECT_EQ(sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    }

  private:
    sqlite3* connection_ = nullptr;
};

TEST_F(SqliteFaults, a_file_that_is_busy_with_work_is_not_locked) {
    std::atomic<Duration> now{Duration(1000s)};
    SqliteOptions still = options();
    still.store_locked_after = 10s;
    still.machine.boot_time = [&] { return now.load(); };
    Solo solo(directory_.file(), still);
    ByHand other(directory_.file());
    const auto busy = [&](Duration later) {
        now = now.load() + later;
        const auto refused = put(solo, "a", "1", 0, 300ms);
        EXPECT_FALSE(refused);
        EXPECT_EQ(kind_of(refused), "unreachable");
        return refused ? topo::Error{} : refused.error();
    };
    for (int round = 0; round < 4; ++round) {
        other.run("BEGIN IMMEDIATE; UPDATE change_counter SET revision = revision + 1");
        const topo::Error error = busy(6s);
        EXPECT_THAT(error.text, HasSubstr("is busy"));
        EXPECT_FALSE(real::is_store_locked(error)) << error.text;
        other.run("COMMIT");
    }
    other.run("BEGIN IMMEDIATE");
    EXPECT_FALSE(real::is_store_locked(busy(1s)));
    EXPECT_FALSE(real::is_store_locked(busy(9s)));
    EXPECT_TRUE(real::is_store_locked(busy(2s))) << "nobody commits any more";
    other.run("ROLLBACK");
    EXPECT_TRUE(put(solo, "a", "1", 0));
    other.run("BEGIN IMMEDIATE");
    EXPECT_FALSE(real::is_store_locked(busy(1s))) << "that was another time";
    other.run("ROLLBACK");
}

TEST_F(SqliteFaults, a_file_that_is_busy_while_it_is_made_is_waited_for_a_second) {
    ByHand other(directory_.file());
    other.run("BEGIN EXCLUSIVE; CREATE TABLE half_made (x)");
    boost::asio::io_context loop;
    const BootClock clock(boot_now);
    const Duration began = boot_now();
    const auto opened = real::SqliteStore::open(loop.get_executor(), clock, directory_.file(), options());
    EXPECT_LT(boot_now() - began, 10s);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, real::SqliteFault::busy) << opened.error().text;
    EXPECT_THAT(opened.error().text, HasSubstr(directory_.file().string()));
    other.run("ROLLBACK");
    EXPECT_TRUE(real::SqliteStore::open(loop.get_executor(), clock, directory_.file(), options()));
}

TEST_F(SqliteFaults, a_cancelled_call_ends_at_once) {
    Solo solo(directory_.file(), options());
    std::atomic<bool> stalled = true;
    std::atomic<bool> reached = false;
    FaultyVfs::hook([&](DiskCall call) {
        if (call == sync_of_log) {
            reached = true;
            stalled.wait(true);
        }
        return 0;
    });
    boost::asio::cancellation_signal cancel;
    std::exception_ptr ended_by;
    bool ended = false;
    auto on_end = [&](std::exception_ptr error, topo::Result<topo::Version>) {
        ended_by = error;
        ended = true;
    };
    boost::asio::co_spawn(solo.loop(), solo.store().put_declared(topo::Put{"a", "1", 0}, 30s),
                          boost::asio::bind_cancellation_slot(cancel.slot(), on_end));
    ASSERT_TRUE(solo.run_until([&] { return reached.load(); }));
    cancel.emit(boost::asio::cancellation_type::terminal);
    EXPECT_TRUE(solo.run_until([&] { return ended; }, 5s));
    EXPECT_TRUE(ended_by) << "it throws operation_aborted";
    stalled = false;
    stalled.notify_all();
    EXPECT_EQ(bytes_of(solo, "a"), "1");
}

TEST_F(SqliteFaults, a_store_that_ends_lets_its_callers_end) {
    auto solo = std::make_unique<Solo>(directory_.file(), options());
    int ended = 0;
    auto on_end = [&](std::exception_ptr, topo::Result<topo::Version>) { ++ended; };
    for (int i = 0; i < 3; ++i)
        boost::asio::co_spawn(solo->loop(),
                              solo->store().put_declared(topo::Put{"r" + std::to_string(i), "1", 0}, 200ms),
                              on_end);
    solo->loop().poll();
    solo->store().on_change([] {});
    solo->end_store();
    EXPECT_TRUE(solo->run_until([&] { return ended == 3; }));
}

TEST_F(SqliteFaults, another_boot_ends_all_leases) {
    Solo before(directory_.file(), options());
    const topo::LockKey old = before.lock("shards/0", std::chrono::hours(1));
    SqliteOptions rebooted = options();
    rebooted.machine.boot_id = [] { return std::string("another boot"); };
    rebooted.machine.boot_time = [] { return Duration(5s); };  // far from the end of that lease
    Solo after(directory_.file(), rebooted);
    EXPECT_FALSE(*after.await(after.store().lock_holder("shards/0", 2s)));
    EXPECT_EQ(after.await(after.store().renew(old, 60s, 2s)).error().kind, topo::ErrorKind::lock_lost);
    const topo::LockKey now = after.lock("shards/0", 60s);
    EXPECT_GT(now.id, old.id) << "ids are not begun anew";
    EXPECT_TRUE(after.await(after.store().transact(now, {topo::Put{"a", "1", 0}}, 2s)));
}

TEST_F(SqliteFaults, a_lease_for_ever_is_a_long_one) {
    Solo solo(directory_.file(), options());
    const topo::LockKey key = solo.lock("shards/0", Duration::max());
    EXPECT_TRUE(solo.await(solo.store().renew(key, Duration::max(), 2s)));
    const auto contents = solo.await(solo.store().contents(2s)).value();
    EXPECT_GT(contents.locks.at(0).left, std::chrono::hours(24 * 365));
}

TEST_F(SqliteFaults, a_file_that_is_replaced_is_noticed) {
    Solo solo(directory_.file(), options());
    const topo::LockKey key = solo.lock("shards/0", 60s);
    std::filesystem::rename(directory_.file(), directory_.path() / "old.db");
    EXPECT_THAT(put(solo, "a", "1", 0).error().text, HasSubstr("removed or replaced"));
    // Somebody makes a new one, and takes the same lock there: the old holder must not go on.
    Solo other(directory_.file(), options());
    other.lock("shards/0", 60s);
    const auto late = solo.await(solo.store().transact(key, {topo::Put{"a", "1", 0}}, 2s));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, topo::ErrorKind::unreachable);
    EXPECT_THAT(late.error().text, HasSubstr("start the process again"));
    EXPECT_EQ(bytes_of(other, "a"), "(nothing)");
}

TEST_F(SqliteFaults, all_of_it_can_be_shown) {
    std::atomic<Duration> now{Duration(1000s)};
    SqliteOptions still = options();
    still.machine.boot_time = [&] { return now.load(); };
    Solo solo(directory_.file(), still);
    solo.put("cells/zone2/CellInfo", "", 0);
    const topo::Version info = solo.put("cells/zone1/CellInfo", "info", 0);
    const topo::Version shard = solo.put("keyspaces/commerce/shards/0/Shard", "shard", 0);
    const topo::Version tablet =
        solo.await(solo.store().put_cell("zone1", topo::Put{"tablets/t", "tablet", 0}, 2s)).value();
    solo.lock("keyspaces/commerce/shards/0", 10s);
    solo.lock("keyspaces/other/shards/0", 60s);
    now = Duration(1020s);
    const real::StoreContents all = solo.await(solo.store().contents(2s)).value();
    ASSERT_EQ(all.records.size(), 4U);
    EXPECT_EQ(all.records[0].path, "cells/zone1/CellInfo");
    EXPECT_EQ(all.records[0].value.version, info);
    EXPECT_EQ(all.records[2].path, "keyspaces/commerce/shards/0/Shard");
    EXPECT_EQ(all.records[2].value.version, shard);
    EXPECT_EQ(all.records[3].cell, "zone1");
    EXPECT_EQ(all.records[3].value.bytes, "tablet");
    EXPECT_EQ(all.records[3].value.version, tablet);
    ASSERT_EQ(all.locks.size(), 2U);
    EXPECT_EQ(all.locks[0].path, "keyspaces/commerce/shards/0");
    EXPECT_EQ(all.locks[0].holder.content, "me");
    EXPECT_EQ(all.locks[0].left, Duration(-10s)) << "expired, and still to be seen";
    EXPECT_EQ(all.locks[1].left, Duration(40s));
}

}  // namespace
}  // namespace fixpoint::store_contract
