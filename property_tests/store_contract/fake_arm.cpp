// The arm of the fake store: virtual time, and a network between each manager and the store.
#include "property_tests/store_contract/arm.hpp"
#include "sim/asio/clock.hpp"
#include "sim/asio/sim_topology_store.hpp"
#include "sim/fakes/store/fake_store.hpp"
#include "sim/fakes/store/store_client.hpp"

namespace fixpoint::store_contract {
namespace {

struct Nobody final : sim::StoreListener, sim::NotificationGate {
    void store_written(const std::string&, std::int64_t, const std::vector<sim::StoreChange>&) override {}
    void shard_lock_taken(const std::string&, std::int64_t) override {}
    void shard_lock_released(const std::string&, std::int64_t, bool) override {}
    bool lose(const std::string&, const std::string&) override { return false; }
    bool wants_names() const override { return false; }
};

class FakeArm final : public Arm {
    // One manager: its process, its clock (ahead of the store's, as clocks are), its connection to the store.
    struct Manager {
        Manager(FakeArm& arm, const std::string& name)
            : process(arm.scheduler_, arm.scheduler_.add_process(name)),
              clock(process, WallTime{}, sim::ClockSkew{.offset = 77s}),
              client(arm.scheduler_, arm.network_, arm.store_, arm.nobody_, process.process(),
                     arm.network_.endpoint(name)),
              store(process, client, clock) {}
        sim::SimProcess process;
        sim::SimClock clock;
        sim::StoreClient client;
        sim::SimTopologyStore store;
    };

  public:
    explicit FakeArm(std::uint64_t seed) : chooser_(seed) {
        store_.edit("", "cells/zone1/CellInfo", "");
        store_.edit("", "cells/zone2/CellInfo", "");
    }

    topo::Store& store(int process) override { return manager(process).store; }
    const Clock& clock(int process) override { return manager(process).clock; }

    void run(int process, awaitable<void> work) override {
        bool ended = false;
        std::exception_ptr failed;
        sim::spawn(manager(process).process, std::move(work), [&](std::exception_ptr error) {
            ended = true;
            failed = error;
        });
        scheduler_.run_while([&] { return !ended; }, scheduler_.now() + 1h);
        if (failed) std::rethrow_exception(failed);
    }
    bool run_until(int, const std::function<bool()>& holds) override {
        scheduler_.run_while([&] { return !holds(); }, scheduler_.now() + 10s);
        return holds();
    }
    void settle() override { pass(1s); }
    void pass(Duration time) override { scheduler_.run_until(scheduler_.now() + time); }

    void cut_off() override {
        for (const char* cell : {"", "zone1", "zone2"}) store_.set_down(cell, "", true);
    }
    void mend() override {
        for (const char* cell : {"", "zone1", "zone2"}) store_.set_up(cell, "");
    }
    void lose_next_answer(int process) override { store_.lose_next_answer(process == 0 ? "m1" : "m2"); }

  private:
    Manager& manager(int process) { return process == 0 ? first_ : second_; }

    sim::Chooser chooser_;
    sim::Scheduler scheduler_{chooser_};
    sim::Network network_{scheduler_};
    Nobody nobody_;
    sim::FakeStore store_{scheduler_, network_, {"zone1", "zone2"}, nobody_};
    Manager first_{*this, "m1"};
    Manager second_{*this, "m2"};
};

}  // namespace

std::unique_ptr<Arm> fake_arm(std::uint64_t seed) {
    return std::make_unique<FakeArm>(seed);
}

}  // namespace fixpoint::store_contract
