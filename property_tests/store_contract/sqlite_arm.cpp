// The arm of the SQLite store: two stores on one file, each with its own loop as two processes have, leases
// on a boot clock that the test sets forward, and a disk that can stall.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "property_tests/store_contract/arm.hpp"
#include "property_tests/store_contract/faulty_vfs.hpp"
#include "property_tests/store_contract/solo.hpp"

namespace fixpoint::store_contract {
namespace {

// A disk that does not end its next sync of the log until it is let go.
class StalledDisk {
  public:
    void stall_next() { armed_ = true; }
    void let_go() {
        armed_ = false;
        const std::scoped_lock lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }
    int operator()(DiskCall call) {
        if (call != DiskCall{DiskCall::What::sync, DiskCall::File::log} || !armed_.exchange(false)) return 0;
        std::unique_lock lock(mutex_);
        held_ = true;
        changed_.wait(lock, [this] { return !held_; });
        return 0;
    }

  private:
    std::atomic<bool> armed_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
};

class SqliteArm final : public Arm {
  public:
    SqliteArm() {
        FaultyVfs::hook([this](DiskCall call) { return disk_(call); });
        first_.emplace(directory_.file(), options());
        second_.emplace(directory_.file(), options());
        first_->put("cells/zone1/CellInfo", "", 0);
        first_->put("cells/zone2/CellInfo", "", 0);
    }
    ~SqliteArm() override {
        disk_.let_go();
        first_.reset();
        second_.reset();
        FaultyVfs::hook(nullptr);
    }

    topo::Store& store(int process) override { return solo(process).store(); }
    const Clock& clock(int process) override { return solo(process).clock(); }

    void run(int process, awaitable<void> work) override {
        bool ended = false;
        std::exception_ptr failed;
        boost::asio::co_spawn(solo(process).loop(), std::move(work), [&](std::exception_ptr error) {
            ended = true;
            failed = error;
        });
        solo(process).run_while([&] { return !ended; });
        disk_.let_go();
        if (failed) std::rethrow_exception(failed);
    }
    bool run_until(int process, const std::function<bool()>& holds) override {
        return solo(process).run_until(holds);
    }
    // Some rounds of looking at the change counter.
    void settle() override {
        for (int process : {0, 1}) solo(process).run_until([] { return false; }, 20 * watch_interval);
    }
    void pass(Duration time) override { passed_ = passed_.load() + time; }

    void cut_off() override { std::filesystem::rename(directory_.file(), elsewhere()); }
    void mend() override { std::filesystem::rename(elsewhere(), directory_.file()); }
    void lose_next_answer(int) override { disk_.stall_next(); }

  private:
    static constexpr Duration watch_interval = 2ms;

    Solo& solo(int process) { return process == 0 ? *first_ : *second_; }
    std::filesystem::path elsewhere() const { return directory_.path() / "elsewhere.db"; }
    real::SqliteOptions options() {
        real::SqliteOptions options = creating();
        options.watch_interval = watch_interval;
        options.machine.vfs = FaultyVfs::name();
        // Stands still unless the test lets it pass.
        options.machine.boot_time = [this] { return 1000s + passed_.load(); };
        return options;
    }

    Directory directory_;
    StalledDisk disk_;
    std::atomic<Duration> passed_{Duration::zero()};
    std::optional<Solo> first_, second_;
};

}  // namespace

std::unique_ptr<Arm> sqlite_arm() {
    return std::make_unique<SqliteArm>();
}

}  // namespace fixpoint::store_contract
