// Everything of one incarnation (ports, reconciler, coroutine) is made at a start and destroyed at a kill, in
// that order: first the coroutine frames, by the executor, then what they referred to.
#include "sim/world/manager_process.hpp"

#include <utility>

#include "fixpoint/engine/reconciler.hpp"
#include "sim/asio/clock.hpp"
#include "sim/asio/sim_sql.hpp"
#include "sim/asio/sim_topology_store.hpp"
#include "sim/world/step_scope.hpp"

namespace fixpoint::sim {
namespace {

// 2026-01-01: only Vitess's readers ever see it.
constexpr WallTime wall_epoch{1'767'225'600'000'000'000};
// Where the manager's monotonic clock stands apart from the world's, so that nobody confuses the two.
constexpr Duration clock_offset = std::chrono::hours(1);

class SimEventLog final : public EventLog {
  public:
    SimEventLog(std::string manager, Scheduler& scheduler, Observer& observer, bool wants_text)
        : manager_(std::move(manager)), scheduler_(scheduler), observer_(observer), wants_text_(wants_text) {}

    void append(fixpoint::Event event) override {
        switch (event.kind) {
            case fixpoint::EventKind::recovery_began:
                recovery_ = event.recovery;
                break;
            case fixpoint::EventKind::recovery_succeeded:
            case fixpoint::EventKind::recovery_refused:
            case fixpoint::EventKind::recovery_failed:
                recovery_ = Recovery::none;
                break;
            default:
                break;
        }
        observer_.on(scheduler_.now(), ManagerSaid{manager_, true, std::move(event)});
    }
    bool wants_text() const override { return wants_text_; }
    Recovery recovery() const { return recovery_; }

  private:
    std::string manager_;
    Scheduler& scheduler_;
    Observer& observer_;
    bool wants_text_;
    Recovery recovery_ = Recovery::none;
};

struct Incarnation {
    Incarnation(const ManagerWorld& world, SimProcess& process, Endpoint endpoint, const std::string& name,
                const ShardName& shard, std::uint64_t instance)
        : clock(process, wall_epoch, ClockSkew{.offset = clock_offset}),
          client(world.scheduler, world.network, world.store, world.gate, process.process(), endpoint),
          store(process, client, clock),
          sql(process, ClientSide{world.scheduler, world.network, world.servers, process.process(), endpoint},
              world.hooks, name, client),
          events(name, world.scheduler, world.observer, world.wants_text),
          reconciler(
              ReconcilerConfig{.manager = name, .shard = shard, .cells = world.cells, .instance = instance},
              ReconcilerPorts{clock, sql, store, events}) {}

    SimClock clock;
    StoreClient client;
    SimTopologyStore store;
    SimSqlConnector sql;
    SimEventLog events;
    Reconciler reconciler;
};

}  // namespace

class ManagerProcess::Impl final : private KillListener {
  public:
    Impl(ManagerWorld world, std::string name, ShardName shard, std::uint64_t number)
        : world_(world),
          name_(std::move(name)),
          shard_(std::move(shard)),
          number_(number),
          process_(world.scheduler.add_process(name_)),
          sim_process_(world.scheduler, process_),
          endpoint_(world.network.endpoint(name_)) {
        process_.listen(*this);  // after sim_process_: its frames go first
    }
    ~Impl() override {
        world_.scheduler.kill(process_);
        process_.stop_listening(*this);
    }

    void start() {
        if (incarnation_) return;
        if (!process_.alive()) world_.scheduler.restart(process_);
        incarnation_ = std::make_unique<Incarnation>(world_, sim_process_, endpoint_, name_, shard_,
                                                     number_ * 1000 + ++starts_);
        world_.observer.on(world_.scheduler.now(), ManagerStarted{name_});
        world_.scheduler.post(process_, [this] {
            spawn(sim_process_, incarnation_->reconciler.run(),
                  [this](std::exception_ptr error) { ended(error); });
        });
    }

    void crash() {
        if (!incarnation_ || !process_.alive()) return;
        if (process_.paused()) world_.scheduler.resume(process_);
        world_.observer.on(world_.scheduler.now(), ManagerStopped{name_});
        world_.scheduler.kill(process_);
    }

    void ended(const std::exception_ptr& error) {
        died_of_ = "run() returned";
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            died_of_ = e.what();
        } catch (...) {
            died_of_ = "something that is no exception";
        }
    }

    ManagerWorld world_;
    std::string name_;
    ShardName shard_;
    std::uint64_t number_;
    Process& process_;
    SimProcess sim_process_;
    Endpoint endpoint_;
    std::unique_ptr<Incarnation> incarnation_;
    std::uint64_t starts_ = 0;
    std::string died_of_;

  private:
    void on_kill(Process& /*process*/) override { incarnation_.reset(); }
};

ManagerProcess::ManagerProcess(ManagerWorld world, std::string name, ShardName shard, std::uint64_t number)
    : impl_(std::make_unique<Impl>(world, std::move(name), std::move(shard), number)) {}
ManagerProcess::~ManagerProcess() = default;

const std::string& ManagerProcess::name() const {
    return impl_->name_;
}
void ManagerProcess::start() {
    impl_->start();
}
void ManagerProcess::crash() {
    impl_->crash();
}
void ManagerProcess::pause() {
    if (alive()) impl_->world_.scheduler.pause(impl_->process_);
}
void ManagerProcess::resume() {
    if (alive()) impl_->world_.scheduler.resume(impl_->process_);
}
void ManagerProcess::jump_clock(Duration by) {
    if (impl_->incarnation_) impl_->incarnation_->clock.jump_wall(by);
}
bool ManagerProcess::alive() const {
    return impl_->incarnation_ != nullptr && impl_->process_.alive();
}
std::uint64_t ManagerProcess::incarnation() const {
    return impl_->starts_;
}
bool ManagerProcess::paused() const {
    return impl_->process_.paused();
}
bool ManagerProcess::asleep() const {
    return alive() && impl_->incarnation_->reconciler.asleep();
}
std::uint64_t ManagerProcess::digest() const {
    return alive() ? impl_->incarnation_->reconciler.digest() : 0;
}
std::int64_t ManagerProcess::held_lock() const {
    return alive() ? impl_->incarnation_->client.held_lock() : 0;
}
Recovery ManagerProcess::recovery() const {
    return alive() ? impl_->incarnation_->events.recovery() : Recovery::none;
}
const std::string& ManagerProcess::died_of() const {
    return impl_->died_of_;
}

// Asio's recycling, here because this file knows Asio already.
class StepScope::Impl {
  private:
    RecyclingScope scope_;
};
StepScope::StepScope() : impl_(std::make_unique<Impl>()) {}
StepScope::~StepScope() = default;

}  // namespace fixpoint::sim
