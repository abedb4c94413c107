// A manager's connection to the stores: requests and answers travel through the network, each call is bounded
// by a limit of its own, and whatever is lost on the way ends as `unreachable` (a read) or `maybe` (a write).
// Dies with its manager: answers to a client that is gone are dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sim/fakes/store/fake_store.hpp"

namespace fixpoint::sim {

// Asked for each notification that is about to reach a manager; true: it is to be lost.
class NotificationGate {
  public:
    virtual ~NotificationGate() = default;
    virtual bool lose(const std::string& manager, const std::string& name) = 0;
    // `name` needs to be made only then.
    virtual bool wants_names() const = 0;
    // A request is about to leave the manager, which this may kill; a record write of it was answered.
    virtual void request_leaves(const std::string& /*manager*/, std::uint64_t /*call*/, const StoreRequest&) {
    }
    virtual void record_write_answered(const std::string& /*manager*/, std::uint64_t /*call*/) {}
};

class StoreClient final : public StoreWatcher {
  public:
    using Done = std::function<void(StoreReply)>;

    StoreClient(Scheduler& scheduler, Network& network, FakeStore& store, NotificationGate& gate,
                Process& manager, Endpoint endpoint);
    ~StoreClient() override;
    StoreClient(const StoreClient&) = delete;
    StoreClient& operator=(const StoreClient&) = delete;

    // `done` runs once, in the manager's process, unless cancelled or the client is gone. Returns the call's
    // number.
    std::uint64_t call(StoreRequest request, Duration limit, Done done);
    void cancel(std::uint64_t call);

    void on_change(std::function<void()> callback);

    // The id of the last shard lock that was taken and not given up, whatever became of its lease.
    std::int64_t held_lock() const { return held_; }

    const std::string& watcher_name() const override { return manager_.name(); }
    void send_watch_event(Endpoint from, Duration later) override;

  private:
    struct Pending {
        Done done;
        TimerId timer;
        StoreRequestKind kind{};
        bool writes = false;
        bool writes_records = false;
    };
    struct Alive {};

    void answered(std::uint64_t call, StoreReply reply);
    void limit_passed(std::uint64_t call);
    void finish(std::uint64_t call, StoreReply reply);

    Scheduler& scheduler_;
    Network& network_;
    FakeStore& store_;
    NotificationGate& gate_;
    Process& manager_;
    Endpoint endpoint_;
    std::shared_ptr<Alive> alive_ = std::make_shared<Alive>();
    std::map<std::uint64_t, Pending> pending_;
    std::uint64_t next_call_ = 1;
    std::int64_t held_ = 0;
    std::function<void()> on_change_;
};

}  // namespace fixpoint::sim
