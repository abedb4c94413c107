// Asio on virtual time: one execution context per incarnation of a simulated process, and its executor.
// Coroutines run on it unchanged. A kill destroys everything of the process, coroutine frames included, and
// then shuts the context's services down (channels and strands would keep each other alive otherwise); what a
// destructor hands to the executor of a dead process is dropped, never run.
// It refuses threads, wall time, and to run a function of one process while another one's runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/detail/thread_context.hpp>
#include <boost/asio/detail/thread_info_base.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "sim/core/scheduler.hpp"

namespace fixpoint::sim {

namespace asio = boost::asio;

class PendingOperation;

// The Asio side of one incarnation of a process. Users see SimProcess and SimExecutor only.
class SimContext final : public asio::execution_context {
  public:
    SimContext(Scheduler& scheduler, Process& process) : scheduler_(scheduler), process_(process) {}
    ~SimContext();

    Scheduler& scheduler() const { return scheduler_; }
    Process& process() const { return process_; }
    // Will work given to it ever run?
    bool alive() const { return !ended_ && process_.alive(); }
    bool running_now() const { return alive() && scheduler_.current() == &process_; }

    // Runs it later, or (for a dying process) destroys it at the end, or (for a dead one) now.
    void post(Action function);
    // Destroys all pending operations and shuts the services down.
    void end();

  private:
    friend class PendingOperation;
    Scheduler& scheduler_;
    Process& process_;
    bool ended_ = false;
    PendingOperation* pending_ = nullptr;  // list of operations that wait, newest first
    std::vector<Action> buried_;           // given by a process that has killed itself but not returned yet
};

class SimExecutor {
  public:
    explicit SimExecutor(SimContext& context) noexcept : context_(&context) {}

    SimContext& context() const noexcept { return *context_; }

    template <class Function>
    void execute(Function function) const {
        if ((bits_ & never_blocking) == 0 && context_->running_now()) {
            function();
        } else {
            context_->post(Action(std::move(function)));
        }
    }

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *context_; }
    static constexpr asio::execution::mapping_t query(asio::execution::mapping_t) noexcept {
        return asio::execution::mapping.thread;
    }
    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
        if ((bits_ & never_blocking) != 0) return asio::execution::blocking.never;
        return asio::execution::blocking.possibly;
    }
    asio::execution::relationship_t query(asio::execution::relationship_t) const noexcept {
        if ((bits_ & continuation) != 0) return asio::execution::relationship.continuation;
        return asio::execution::relationship.fork;
    }
    asio::execution::outstanding_work_t query(asio::execution::outstanding_work_t) const noexcept {
        if ((bits_ & tracked) != 0) return asio::execution::outstanding_work.tracked;
        return asio::execution::outstanding_work.untracked;
    }
    SimExecutor require(asio::execution::blocking_t::never_t) const noexcept { return with(never_blocking); }
    SimExecutor require(asio::execution::blocking_t::possibly_t) const noexcept {
        return without(never_blocking);
    }
    SimExecutor require(asio::execution::relationship_t::continuation_t) const noexcept {
        return with(continuation);
    }
    SimExecutor require(asio::execution::relationship_t::fork_t) const noexcept {
        return without(continuation);
    }
    SimExecutor require(asio::execution::outstanding_work_t::tracked_t) const noexcept {
        return with(tracked);
    }
    SimExecutor require(asio::execution::outstanding_work_t::untracked_t) const noexcept {
        return without(tracked);
    }

    friend bool operator==(const SimExecutor& a, const SimExecutor& b) noexcept {
        return a.context_ == b.context_;
    }
    friend bool operator!=(const SimExecutor& a, const SimExecutor& b) noexcept {
        return a.context_ != b.context_;
    }

  private:
    static constexpr unsigned never_blocking = 1;
    static constexpr unsigned continuation = 2;
    static constexpr unsigned tracked = 4;  // told back, means nothing: the scheduler counts no work
    SimExecutor with(unsigned bit) const noexcept { return changed(bits_ | bit); }
    SimExecutor without(unsigned bit) const noexcept { return changed(bits_ & ~bit); }
    SimExecutor changed(unsigned bits) const noexcept {
        SimExecutor other(*this);
        other.bits_ = bits;
        return other;
    }

    SimContext* context_;
    unsigned bits_ = 0;
};

// A simulated process that runs coroutines. Listens for kills of `process`; a restart gives it a new context.
// The scheduler must outlive it; destroying it kills the process.
class SimProcess final : private KillListener {
  public:
    SimProcess(Scheduler& scheduler, Process& process);
    ~SimProcess() override;
    SimProcess(const SimProcess&) = delete;
    SimProcess& operator=(const SimProcess&) = delete;

    Scheduler& scheduler() const { return scheduler_; }
    Process& process() const { return process_; }
    bool alive() const { return process_.alive(); }

    // Of the incarnation that lives now (or lived last).
    SimContext& context();
    SimExecutor executor() { return SimExecutor(context()); }

  private:
    void on_kill(Process& process) override;

    Scheduler& scheduler_;
    Process& process_;
    std::vector<std::unique_ptr<SimContext>>
        contexts_;              // one per incarnation; executors may point to old ones
    std::uint32_t newest_ = 0;  // the incarnation that contexts_.back() belongs to
};

// Runs the coroutine as the process, from within the caller's action up to its first wait when the caller is
// that process. `on_exit` is told how it ended: nullptr, or what it threw. After a kill it is destroyed
// untold, as is everything else of the process.
using OnExit = std::function<void(std::exception_ptr)>;
void spawn(SimProcess& process, asio::awaitable<void> coroutine, OnExit on_exit);

// Lets Asio reuse the memory of finished operations and frames while it stands on the stack (around the calls
// that run the scheduler): then a round trip allocates nothing. Correct without it, only slower.
class RecyclingScope : private asio::detail::thread_context {
  public:
    RecyclingScope() : entry_(this, info_) {}
    RecyclingScope(const RecyclingScope&) = delete;
    RecyclingScope& operator=(const RecyclingScope&) = delete;

  private:
    asio::detail::thread_info_base info_;
    thread_call_stack::context entry_;
};

}  // namespace fixpoint::sim
