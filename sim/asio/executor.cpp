// The contexts' life and death, and the operations that wait in them.
// A context dies in this order: no new work, the waiting handlers (frames) destroyed, the services shut down.
#include "sim/asio/executor.hpp"

#include <boost/asio/co_spawn.hpp>

#include "fixpoint/model/assert.hpp"
#include "sim/asio/operation.hpp"

namespace fixpoint::sim {

// ---- contexts

SimContext::~SimContext() {
    end();
}

void SimContext::post(Action function) {
    if (alive()) {
        scheduler_.post(process_, std::move(function));
    } else if (!ended_) {
        // The process killed itself and still runs: destroying a coroutine under its own feet is not
        // possible.
        buried_.push_back(std::move(function));
    }
}

void SimContext::end() {
    if (ended_) return;
    ended_ = true;
    while (pending_ != nullptr) {
        const Reference<PendingOperation> operation(pending_);
        operation->drop_handler();
    }
    while (!buried_.empty()) {
        const std::vector<Action> dropped = std::exchange(buried_, {});
    }
    shutdown();
}

// ---- processes

SimProcess::SimProcess(Scheduler& scheduler, Process& process) : scheduler_(scheduler), process_(process) {
    process_.listen(*this);
}

SimProcess::~SimProcess() {
    FIXPOINT_ASSERT(scheduler_.current() != &process_, "a process cannot destroy itself");
    scheduler_.kill(process_);
    process_.stop_listening(*this);
}

SimContext& SimProcess::context() {
    if (newest_ != process_.incarnation()) {
        contexts_.push_back(std::make_unique<SimContext>(scheduler_, process_));
        newest_ = process_.incarnation();
    }
    return *contexts_.back();
}

void SimProcess::on_kill(Process&) {
    if (!contexts_.empty()) contexts_.back()->end();
}

void spawn(SimProcess& process, asio::awaitable<void> coroutine, OnExit on_exit) {
    asio::co_spawn(process.executor(), std::move(coroutine),
                   [on_exit = std::move(on_exit)](std::exception_ptr error) { on_exit(std::move(error)); });
}

// ---- operations

Action PendingOperation::firing() {
    return [self = Reference<PendingOperation>(this)] { self->fire(); };
}

void PendingOperation::settle(error_code error) {
    if (!open()) return;
    settled_ = true;
    error_ = error;
    event_ = context_.scheduler().post(context_.process(), firing(), EventKind::completion);
}

void PendingOperation::settle_at(Instant when) {
    if (open()) event_ = context_.scheduler().at(context_.process(), when, firing(), EventKind::timer);
}

void PendingOperation::cancel() {
    if (!open()) return;
    context_.scheduler().cancel(event_);
    settle(asio::error::operation_aborted);
}

void PendingOperation::fire() {
    settled_ = true;
    HeldHandler* handler = std::exchange(handler_, nullptr);
    if (handler == nullptr) return;  // nobody began to wait
    leave_list();
    handler->call(error_);
}

void PendingOperation::wait(HeldHandler* handler) {
    handler_ = handler;
    if (context_.ended_) {
        drop_handler();
        return;
    }
    listed_ = true;
    add_reference();
    next_ = context_.pending_;
    if (next_ != nullptr) next_->previous_ = this;
    context_.pending_ = this;
}

void PendingOperation::drop_handler() {
    HeldHandler* handler = std::exchange(handler_, nullptr);
    if (listed_) leave_list();
    if (handler != nullptr) handler->drop();
}

// The caller holds a reference of its own.
void PendingOperation::leave_list() {
    (previous_ != nullptr ? previous_->next_ : context_.pending_) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    next_ = previous_ = nullptr;
    listed_ = false;
    release();
}

asio::awaitable<void> sleep_until(SimProcess& process, Instant deadline) {
    const Reference<PendingOperation> operation(new PendingOperation(process.context()));
    const detail::Abandon abandon{operation.get()};
    operation->settle_at(deadline);
    auto waiting = detail::async_wait(operation, asio::deferred);
    co_await std::move(waiting);
}

}  // namespace fixpoint::sim
