// The fake topology store: a global one and one per cell, linearizable, with versions, one conditional
// transaction, prefix lists, watches, and a shard lock whose key is never used twice and whose lease runs out
// on the store's own virtual time. Faults are methods; people's edits by hand are methods too. It knows
// nothing of what the records mean, and tells a listener what was written by whom.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/store/store_types.hpp"

namespace fixpoint::sim {

struct StoreChange {
    std::string cell;  // "": the global store
    std::string path;
    std::optional<std::string> before, after;
};

class StoreListener {
  public:
    virtual ~StoreListener() = default;
    // Just before the values change. `manager` is "" for an edit by hand; `lock_id`: the lock the writer held
    // (0: none).
    virtual void store_written(const std::string& manager, std::int64_t lock_id,
                               const std::vector<StoreChange>& changes) = 0;
    virtual void shard_lock_taken(const std::string& manager, std::int64_t lock_id) = 0;
    virtual void shard_lock_released(const std::string& manager, std::int64_t lock_id, bool expired) = 0;
};

// Who is told of changes: a StoreClient.
class StoreWatcher {
  public:
    virtual ~StoreWatcher() = default;
    virtual const std::string& watcher_name() const = 0;
    virtual void send_watch_event(Endpoint from, Duration later) = 0;
};

struct StoreLock {
    std::int64_t id = 0;
    std::string path;
    std::string content;
    std::string manager;
    Instant expires;
};

class FakeStore {
  public:
    FakeStore(Scheduler& scheduler, Network& network, const std::vector<std::string>& cells,
              StoreListener& listener);
    FakeStore(const FakeStore&) = delete;
    FakeStore& operator=(const FakeStore&) = delete;

    // ---- the server side of a request: what happens when it arrives. nullopt: nobody answers (the store
    // hangs).
    std::optional<StoreReply> serve(const std::string& manager, const StoreRequest& request);
    Process& process(std::string_view cell);
    Endpoint endpoint(std::string_view cell);
    // How much later than usual the answer to `manager` leaves.
    Duration slowness(std::string_view cell, std::string_view manager);
    bool has_cell(std::string_view cell) const;
    void watch(StoreWatcher& watcher);
    void unwatch(StoreWatcher& watcher);

    // ---- by hand, at once (boot, people, the nemesis, clients' reads of the topology)
    std::optional<StoreValue> peek(std::string_view cell, std::string_view path) const;
    std::vector<StoreListed> peek_list(std::string_view cell, std::string_view prefix) const;
    void edit(std::string_view cell, const std::string& path, std::string bytes);
    bool erase(std::string_view cell, const std::string& path);
    std::optional<StoreLock> lock(std::string_view path) const;
    std::uint64_t version() const { return changes_; }  // a counter of everything that changed

    // ---- faults. `manager` "" : every one. `cell` "" : the global store. A silent store lets its callers
    // wait.
    void set_down(std::string_view cell, std::string_view manager, bool silent);
    bool set_up(std::string_view cell, std::string_view manager);
    bool is_down(std::string_view cell, std::string_view manager) const;
    void set_slow(std::string_view cell, std::string_view manager, Duration extra);
    bool set_fast(std::string_view cell, std::string_view manager);
    void disarm();  // whatever was to strike next
    // The answer to the next write of records, of the manager or of any, is lost after its effect.
    void lose_next_answer(std::string_view manager);
    // Somebody writes the same bytes just before the next transaction of the manager: a true conflict.
    void delay_next_write(std::string_view manager, Duration late);
    void conflict_next(std::string_view manager);
    enum class WatchFault { lost, late, doubled };
    void next_watch_event(std::string_view manager, WatchFault fault, Duration late, int count);
    bool expire_lease(std::string_view path);

    // How often each of the faults above struck somebody.
    struct Struck {
        std::uint64_t down = 0, slow = 0, answer_lost = 0, late = 0, conflict = 0, watch = 0, lease = 0;
    };
    const Struck& struck() const { return struck_; }

  private:
    struct Outage {
        std::string manager;
        bool silent = true;
    };
    struct Slow {
        std::string manager;
        Duration extra{};
    };
    struct Member {
        std::string cell;
        Process* process = nullptr;
        Endpoint endpoint;
        std::map<std::string, StoreValue, std::less<>> values;
        std::vector<Outage> outages;
        std::vector<Slow> slow;
    };
    struct ToStrikeWatch {
        std::string manager;
        WatchFault fault;
        Duration late{};
        int left = 0;
    };

    Member& member(std::string_view cell);
    const Member& member(std::string_view cell) const;
    const Outage* outage(const Member& member, std::string_view manager) const;
    StoreReply transact(Member& member, const std::string& manager, const StoreRequest& request);
    StoreReply take_lock(const std::string& manager, const StoreRequest& request);
    StoreReply renew(const StoreRequest& request);
    StoreReply unlock(const StoreRequest& request);
    static StoreChange change_of(const Member& member, const std::string& path,
                                 std::optional<std::string> bytes);
    void apply(Member& member, const std::string& manager, std::int64_t lock_id,
               std::vector<StoreChange> changes);
    void notify(const Member& member);
    void release(std::map<std::string, StoreLock, std::less<>>::iterator lock, bool expired);
    void watch_lease(const std::string& path, std::int64_t id, Instant expires);
    static bool take(std::vector<std::string>& armed, std::string_view manager);
    std::optional<Duration> take_late(std::string_view manager);

    Scheduler& scheduler_;
    StoreListener& listener_;
    std::vector<Member> members_;  // the global one first
    std::map<std::string, StoreLock, std::less<>> locks_;
    std::vector<StoreWatcher*> watchers_;
    std::vector<std::string> answers_to_lose_, conflicts_to_make_;
    std::vector<std::pair<std::string, Duration>> writes_to_delay_;
    std::vector<ToStrikeWatch> watches_to_strike_;
    Struck struck_;
    std::int64_t revision_ = 0;
    std::uint64_t changes_ = 0;
};

}  // namespace fixpoint::sim
