// The fake topology store: versions, the one conditional transaction, locks with leases, watches, and each of
// its faults. Every request travels through the simulated network, as a manager's does.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/fakes/store/fake_store.hpp"
#include "sim/fakes/store/store_client.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
constexpr Duration limit = 2s;

struct Recorder final : StoreListener, NotificationGate {
    struct Written {
        std::string manager;
        std::int64_t lock_id = 0;
        std::vector<StoreChange> changes;
    };
    std::vector<Written> written;
    std::vector<std::pair<std::string, std::int64_t>> taken;
    std::vector<std::pair<std::int64_t, bool>> released;
    int notifications = 0;
    int lose_nth = 0;

    void store_written(const std::string& manager, std::int64_t lock_id,
                       const std::vector<StoreChange>& changes) override {
        written.push_back({manager, lock_id, changes});
    }
    void shard_lock_taken(const std::string& manager, std::int64_t lock_id) override {
        taken.emplace_back(manager, lock_id);
    }
    void shard_lock_released(const std::string&, std::int64_t lock_id, bool expired) override {
        released.emplace_back(lock_id, expired);
    }
    bool lose(const std::string&, const std::string&) override { return ++notifications == lose_nth; }
    bool wants_names() const override { return true; }
};

struct Bench {
    explicit Bench(std::uint64_t seed = 1) : chooser(seed) {}

    StoreReply call(StoreClient& client, StoreRequest request, Duration within = limit) {
        std::optional<StoreReply> got;
        client.call(std::move(request), within, [&](StoreReply reply) { got = std::move(reply); });
        scheduler.run_while([&] { return !got; }, scheduler.now() + within + 1s);
        EXPECT_TRUE(got) << "every call ends within its limit";
        return got.value_or(StoreReply{});
    }
    StoreReply put(StoreClient& client, const std::string& path, const std::string& bytes,
                   std::int64_t expected) {
        StoreRequest request{.kind = StoreRequestKind::put};
        request.puts.push_back({path, bytes, expected});
        return call(client, request);
    }
    StoreReply transact(StoreClient& client, std::int64_t lock, const std::string& path,
                        const std::string& bytes, std::int64_t expected) {
        StoreRequest request{.kind = StoreRequestKind::transact};
        request.lock_id = lock;
        request.puts.push_back({path, bytes, expected});
        return call(client, request);
    }
    StoreReply lock(StoreClient& client, Duration lease = 10s) {
        return call(client,
                    {.kind = StoreRequestKind::lock, .path = "shards/0", .content = "who", .lease = lease});
    }
    StoreReply by_id(StoreClient& client, StoreRequestKind kind, std::int64_t id) {
        return call(client, {.kind = kind, .path = "shards/0", .lock_id = id, .lease = 10s});
    }
    StoreReply get(StoreClient& client, const std::string& path, const std::string& cell = "") {
        return call(client, {.kind = StoreRequestKind::get, .cell = cell, .path = path});
    }

    Chooser chooser;
    Scheduler scheduler{chooser};
    Network network{scheduler};
    Recorder recorder;
    FakeStore store{scheduler, network, {"zone1", "zone2"}, recorder};
    Process& m1 = scheduler.add_process("m1");
    Process& m2 = scheduler.add_process("m2");
    StoreClient first{scheduler, network, store, recorder, m1, network.endpoint("m1")};
    StoreClient second{scheduler, network, store, recorder, m2, network.endpoint("m2")};
};

TEST(FakeStore, a_put_is_conditional_on_the_version) {
    Bench b;
    const StoreReply made = b.put(b.first, "a", "1", 0);
    ASSERT_EQ(made.status, StoreStatus::ok);
    EXPECT_EQ(b.put(b.second, "a", "2", 0).status, StoreStatus::conflict) << "it exists already";
    EXPECT_EQ(b.put(b.second, "a", "2", made.versions.at(0)).status, StoreStatus::ok);
    EXPECT_EQ(b.put(b.first, "a", "3", made.versions.at(0)).status, StoreStatus::conflict);
    EXPECT_EQ(b.get(b.first, "a").value->bytes, "2");
    EXPECT_FALSE(b.get(b.first, "b").value);
    EXPECT_FALSE(b.get(b.first, "a", "zone1").value) << "a cell's store is another one";
    EXPECT_EQ(b.recorder.written.size(), 2u);
    EXPECT_EQ(b.recorder.written.at(1).changes.at(0).before, "1");
}

TEST(FakeStore, a_transaction_writes_all_of_its_puts_or_none) {
    Bench b;
    const std::int64_t lock = b.lock(b.first).lock_id;
    b.store.edit("", "b", "old");
    StoreRequest request{.kind = StoreRequestKind::transact};
    request.lock_id = lock;
    request.puts = {{"a", "new", 0}, {"b", "new", 99}};
    EXPECT_EQ(b.call(b.first, request).status, StoreStatus::conflict);
    EXPECT_FALSE(b.store.peek("", "a"));
    request.puts[1].expected = b.store.peek("", "b")->version;
    EXPECT_EQ(b.call(b.first, request).status, StoreStatus::ok);
    EXPECT_EQ(b.store.peek("", "b")->bytes, "new");
    EXPECT_EQ(b.recorder.written.back().lock_id, lock);
    EXPECT_EQ(b.recorder.written.back().manager, "m1");
}

TEST(FakeStore, a_transaction_needs_its_own_lock_key_and_a_key_is_never_used_twice) {
    Bench b;
    const std::int64_t old = b.lock(b.first).lock_id;
    EXPECT_EQ(b.first.held_lock(), old);
    EXPECT_EQ(b.lock(b.second).status, StoreStatus::held);
    EXPECT_EQ(b.by_id(b.first, StoreRequestKind::unlock, old).status, StoreStatus::ok);
    EXPECT_EQ(b.first.held_lock(), 0);
    const std::int64_t next = b.lock(b.first).lock_id;
    EXPECT_GT(next, old);
    EXPECT_EQ(b.transact(b.first, old, "a", "late", 0).status, StoreStatus::lock_lost);
    EXPECT_EQ(b.transact(b.first, next, "a", "good", 0).status, StoreStatus::ok);
}

TEST(FakeStore, a_lease_runs_out_unless_it_is_renewed) {
    Bench b;
    const std::int64_t id = b.lock(b.first, 3s).lock_id;
    b.scheduler.run_until(b.scheduler.now() + 2s);
    EXPECT_EQ(b.by_id(b.first, StoreRequestKind::renew, id).status, StoreStatus::ok);
    b.scheduler.run_until(b.scheduler.now() + 9s);
    EXPECT_TRUE(b.store.lock("shards/0")) << "renewed for ten seconds";
    b.scheduler.run_until(b.scheduler.now() + 2s);
    EXPECT_FALSE(b.store.lock("shards/0"));
    ASSERT_EQ(b.recorder.released.size(), 1u);
    EXPECT_EQ(b.recorder.released[0], std::pair(id, true));
    EXPECT_EQ(b.by_id(b.first, StoreRequestKind::renew, id).status, StoreStatus::lock_lost);
}

TEST(FakeStore, an_answer_that_is_lost_is_a_maybe_and_the_write_is_there) {
    Bench b;
    b.store.lose_next_answer("m1");
    EXPECT_EQ(b.put(b.second, "x", "other", 0).status, StoreStatus::ok) << "armed for m1 only";
    EXPECT_EQ(b.put(b.first, "a", "1", 0).status, StoreStatus::maybe);
    EXPECT_EQ(b.store.peek("", "a")->bytes, "1");
    EXPECT_EQ(b.store.struck().answer_lost, 1u);
}

TEST(FakeStore, a_lost_record_write_notification_is_a_maybe) {
    Bench b;
    b.recorder.lose_nth = 2;
    EXPECT_EQ(b.put(b.first, "a", "1", 0).status, StoreStatus::ok);
    EXPECT_EQ(b.put(b.first, "b", "1", 0).status, StoreStatus::maybe);
    EXPECT_TRUE(b.store.peek("", "b"));
}

TEST(FakeStore, a_conflict_is_somebody_who_rewrote_the_record) {
    Bench b;
    const std::int64_t lock = b.lock(b.first).lock_id;
    b.store.edit("", "a", "1");
    const std::int64_t version = b.store.peek("", "a")->version;
    b.store.conflict_next("");
    EXPECT_EQ(b.transact(b.first, lock, "a", "2", version).status, StoreStatus::conflict);
    EXPECT_EQ(b.store.peek("", "a")->bytes, "1");
    EXPECT_GT(b.store.peek("", "a")->version, version);
}

TEST(FakeStore, a_store_that_is_down_is_silent_or_refuses) {
    Bench b;
    b.store.set_down("", "m1", true);
    const Instant before = b.scheduler.now();
    EXPECT_EQ(b.get(b.first, "a").status, StoreStatus::unreachable);
    EXPECT_GE(b.scheduler.now() - before, limit) << "a silent store uses up the caller's limit";
    EXPECT_EQ(b.get(b.second, "a").status, StoreStatus::ok) << "down for m1 only";
    EXPECT_EQ(b.put(b.first, "a", "1", 0).status, StoreStatus::maybe);
    EXPECT_TRUE(b.store.set_up("", "m1"));
    EXPECT_FALSE(b.store.set_up("", "m1"));

    b.store.set_down("zone1", "", false);
    EXPECT_EQ(b.get(b.first, "a").status, StoreStatus::ok);
    EXPECT_EQ(b.get(b.first, "a", "zone1").status, StoreStatus::unreachable);
    EXPECT_EQ(b.get(b.first, "a", "zone2").status, StoreStatus::ok);
    EXPECT_EQ(b.get(b.first, "a", "zone9").status, StoreStatus::unreachable) << "there is no such cell";
}

TEST(FakeStore, a_slow_write_takes_effect_after_its_caller_gave_up) {
    Bench b;
    b.store.set_slow("", "m1", 5s);
    EXPECT_EQ(b.put(b.first, "a", "1", 0).status, StoreStatus::maybe);
    EXPECT_TRUE(b.store.set_fast("", "m1"));
    EXPECT_EQ(b.put(b.first, "b", "1", 0).status, StoreStatus::ok);
}

TEST(FakeStore, watch_events_can_be_lost_late_and_doubled) {
    Bench b;
    int seen = 0;
    b.first.on_change([&] { ++seen; });
    const auto change = [&] {
        b.store.edit("", "a", "1");
        b.scheduler.run_until(b.scheduler.now() + 1s);
    };
    change();
    EXPECT_EQ(seen, 1);
    b.store.next_watch_event("m1", FakeStore::WatchFault::lost, {}, 1);
    change();
    EXPECT_EQ(seen, 1);
    b.store.next_watch_event("m1", FakeStore::WatchFault::doubled, {}, 1);
    change();
    EXPECT_EQ(seen, 3);
    b.store.next_watch_event("m1", FakeStore::WatchFault::late, 3s, 1);
    change();
    EXPECT_EQ(seen, 3);
    b.scheduler.run_until(b.scheduler.now() + 3s);
    EXPECT_EQ(seen, 4);
    EXPECT_EQ(b.store.struck().watch, 3u);
}

TEST(FakeStore, a_lease_can_expire_under_its_holder) {
    Bench b;
    const std::int64_t id = b.lock(b.first).lock_id;
    EXPECT_TRUE(b.store.expire_lease("shards/0"));
    EXPECT_FALSE(b.store.expire_lease("shards/0"));
    EXPECT_EQ(b.first.held_lock(), id) << "the holder does not know";
    EXPECT_EQ(b.lock(b.second).status, StoreStatus::ok);
    EXPECT_EQ(b.transact(b.first, id, "a", "1", 0).status, StoreStatus::lock_lost);
}

TEST(FakeStore, a_client_that_is_gone_is_not_answered) {
    Bench b;
    int answers = 0;
    {
        StoreClient gone(b.scheduler, b.network, b.store, b.recorder, b.m1, b.network.endpoint("m1"));
        StoreRequest request{.kind = StoreRequestKind::put};
        request.puts.push_back({"a", "1", 0});
        gone.call(request, limit, [&](StoreReply) { ++answers; });
    }
    b.scheduler.run_until(b.scheduler.now() + 5s);
    EXPECT_EQ(answers, 0);
    EXPECT_TRUE(b.store.peek("", "a")) << "what was sent still arrives";
}

// Two managers write one counter under locks and versions, while answers get lost and leases end: the value
// in the store is at least the writes that were answered with success, and at most these and the maybes.
RC_GTEST_PROP(FakeStoreProperty, no_write_that_was_confirmed_is_lost, (std::uint64_t seed)) {
    Bench b(seed);
    b.store.edit("", "n", "0");
    int confirmed = 0, maybe = 0;
    const auto steps = *rc::gen::container<std::vector<int>>(20, rc::gen::inRange(0, 6));
    for (const int step : steps) {
        StoreClient& client = step % 2 == 0 ? b.first : b.second;
        const StoreReply lock = b.lock(client);
        if (step == 4) b.store.lose_next_answer("");
        if (step == 5) b.store.expire_lease("shards/0");
        if (step == 3) b.store.conflict_next("");
        const StoreReply read = b.get(client, "n");
        const StoreReply wrote = b.transact(
            client, lock.lock_id, "n", std::to_string(std::stoi(read.value->bytes) + 1), read.value->version);
        confirmed += wrote.status == StoreStatus::ok ? 1 : 0;
        maybe += wrote.status == StoreStatus::maybe ? 1 : 0;
        b.by_id(client, StoreRequestKind::unlock, lock.lock_id);
    }
    const int value = std::stoi(b.store.peek("", "n")->bytes);
    RC_ASSERT(value >= confirmed);
    RC_ASSERT(value <= confirmed + maybe);
}

}  // namespace
}  // namespace fixpoint::sim
