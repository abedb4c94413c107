// A process that dies at any moment loses nothing that was confirmed and leaves no half of anything: killed
// at each single call of its disk, and killed from outside at instants of chance. (The machine's own end is
// another matter: that each commit reaches the disk before it is confirmed is asked in sqlite_faults_test.)
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <random>

#include "property_tests/store_contract/child.hpp"
#include "property_tests/store_contract/faulty_vfs.hpp"
#include "property_tests/store_contract/solo.hpp"

namespace fixpoint::store_contract {
namespace {

constexpr Duration limit = 20s;

// Counts the calls of the disk, and dies at the one.
void die_at(int call) {
    FaultyVfs::hook([left = std::make_shared<std::atomic<int>>(call)](DiskCall) {
        if (left->fetch_sub(1) == 1) ::raise(SIGKILL);
        return 0;
    });
}

int number(const std::optional<topo::Value>& value) {
    return value ? std::stoi(value->bytes) : 0;
}

int number_at(Solo& solo, const std::string& path) {
    return number(solo.await(solo.store().get(path, limit)).value());
}

// The two records are always written together, with the same number; the third in a cell, after them.
void write_pair(Solo& solo, const topo::LockKey& key, int n) {
    std::vector<topo::Put> puts;
    for (const char* path : {"left", "right"}) {
        const auto now = solo.await(solo.store().get(path, limit)).value();
        puts.push_back({path, std::to_string(n), now ? now->version : 0});
    }
    auto written = solo.await(solo.store().transact(key, puts, limit));
    if (!written) throw std::runtime_error(written.error().text);
}

void write_cell(Solo& solo, int n) {
    const auto now = solo.await(solo.store().list_cell("zone1", "t", limit)).value();
    topo::Put put{"t", std::to_string(n), now.empty() ? 0 : now[0].value.version};
    auto written = solo.await(solo.store().put_cell("zone1", put, limit));
    if (!written) throw std::runtime_error(written.error().text);
}

topo::LockKey take(Solo& solo, const std::string& path, Duration lease) {
    for (;;) {
        auto taken = solo.await(solo.store().lock_shard(path, "me", lease, limit));
        if (taken) return *taken;
        if (taken.error().kind != topo::ErrorKind::held) throw std::runtime_error(taken.error().text);
    }
}

// What is true of the file after a death: no half pair, nothing confirmed lost, nothing that nobody wrote.
void expect_whole(Solo& solo, int confirmed, int begun) {
    const int left = number_at(solo, "left"), right = number_at(solo, "right");
    EXPECT_EQ(left, right) << "half a transaction";
    EXPECT_GE(left, confirmed) << "a confirmed write is lost";
    EXPECT_LE(left, begun) << "a write that nobody began";
}

TEST(SqliteCrash, at_every_single_call_of_the_disk) {
    const Directory directory;
    real::SqliteOptions options = creating();
    options.machine.vfs = FaultyVfs::name();
    {
        Solo(directory.file(), options).put("cells/zone1/CellInfo", "", 0);
    }
    int begun = 0, deaths = 0;
    std::int64_t last_id = 0;
    for (int call = 1;; ++call) {
        ASSERT_LT(call, 500) << "a few transactions have no so many calls";
        const int first = begun + 1;
        Child victim([&](const Child::Parent& parent) {
            die_at(call);
            Solo solo(directory.file(), options);
            const topo::LockKey key = take(solo, "shards/0", 20ms);
            parent.tell("0 " + std::to_string(key.id));
            for (int n = first; n < first + 2; ++n) {
                const topo::LockKey mine = take(solo, "shards/" + std::to_string(call), limit);
                write_pair(solo, mine, n);
                parent.tell(std::to_string(n) + " " + std::to_string(mine.id));
                write_cell(solo, n);
                if (!solo.await(solo.store().unlock(mine, limit))) throw std::runtime_error("lock lost");
            }
        });  // and the last one who closes the file writes the log back into it
        int confirmed = begun;
        while (const std::optional<std::string> line = victim.line()) {
            confirmed = std::max(confirmed, std::stoi(*line));
            const std::int64_t id = std::stoll(line->substr(line->find(' ')));
            EXPECT_GT(id, last_id) << "an id was given twice";
            last_id = id;
        }
        begun = first + 1;
        const int code = victim.ended();
        deaths += code == -SIGKILL ? 1 : 0;
        Solo solo(directory.file(), options);
        expect_whole(solo, confirmed, begun);
        const int now = number_at(solo, "left");
        const auto cell = solo.await(solo.store().list_cell("zone1", "t", limit)).value();
        EXPECT_LE(cell.empty() ? 0 : number(cell[0].value), now) << "written after the pair";
        begun = now;
        if (code == 0) break;  // it has outlived all of its calls
        ASSERT_EQ(code, -SIGKILL);
    }
    EXPECT_GT(deaths, 20) << "the hook counts too few calls";
}

TEST(SqliteCrash, while_the_file_is_made) {
    real::SqliteOptions options = creating();
    options.machine.vfs = FaultyVfs::name();
    int deaths = 0, empty = 0;
    for (int call = 1;; ++call) {
        ASSERT_LT(call, 200);
        const Directory directory;
        Child victim([&](const Child::Parent&) {
            die_at(call);
            Solo solo(directory.file(), options);
            FaultyVfs::hook(nullptr);
        });
        const int code = victim.ended();
        deaths += code == -SIGKILL ? 1 : 0;
        if (std::filesystem::exists(directory.file())) {
            boost::asio::io_context loop;
            const BootClock clock(boot_now);
            const auto opened = real::SqliteStore::open(loop.get_executor(), clock, directory.file(), {});
            if (!opened) {
                ++empty;
                EXPECT_EQ(opened.error().fault, real::SqliteFault::not_a_store) << opened.error().text;
                EXPECT_NE(opened.error().text.find("fixpoint init"), std::string::npos)
                    << opened.error().text;
            }
        }
        Solo again(directory.file(), options);
        EXPECT_GT(again.put("a", "1", 0), 0) << "the next init completes it";
        if (code == 0) break;
        ASSERT_EQ(code, -SIGKILL);
    }
    EXPECT_GT(deaths, 5);
    EXPECT_GT(empty, 0) << "no death fell into the making";
}

TEST(SqliteCrash, at_instants_of_chance_while_others_write) {
    const Directory directory;
    {
        Solo(directory.file(), creating()).put("cells/zone1/CellInfo", "", 0);
    }
    std::mt19937 random(20251125);
    int begun = 0, confirmed = 0;
    for (int death = 0; death < 60; ++death) {
        const int first = begun + 1;
        Child victim([&](const Child::Parent& parent) {
            Solo solo(directory.file(), {});
            const topo::LockKey key = take(solo, "shards/" + std::to_string(death), 60s);
            for (int n = first;; ++n) {
                write_pair(solo, key, n);
                parent.tell(std::to_string(n));
            }
        });
        Child other([&](const Child::Parent&) {
            Solo solo(directory.file(), {});
            for (int n = 0;; ++n) write_cell(solo, n);
        });
        const int enough = first + static_cast<int>(random() % 4);
        bool alive = true;
        while (alive && confirmed < enough) {
            const auto line = victim.line();
            alive = line.has_value();
            if (alive) confirmed = std::stoi(*line);
        }
        EXPECT_TRUE(alive) << "it fails by itself";
        // Somewhere within the next transaction or two.
        if (const auto line = victim.line(std::chrono::microseconds(random() % 3000)))
            confirmed = std::stoi(*line);
        victim.signal(SIGKILL);
        while (const auto line = victim.line()) confirmed = std::stoi(*line);
        victim.ended();
        other.signal(random() % 2 == 0 ? SIGKILL : SIGCONT);
        {
            Child reader([&](const Child::Parent& parent) {
                Solo solo(directory.file(), {});
                parent.tell(std::to_string(number_at(solo, "left")));
                parent.tell(std::to_string(number_at(solo, "right")));
            });
            const auto left = reader.line(), right = reader.line();
            ASSERT_TRUE(left && right);
            EXPECT_EQ(*left, *right) << "half a transaction";
            EXPECT_GE(std::stoi(*left), confirmed) << "a confirmed write is lost";
            EXPECT_LE(std::stoi(*left), confirmed + 1) << "a write that nobody began";
            begun = confirmed = std::stoi(*left);
        }
    }
}

}  // namespace
}  // namespace fixpoint::store_contract
