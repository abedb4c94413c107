// The asynchronous operations of the simulated world: sleep_until, and await_result, on which the simulated
// SQL sessions, stores and locks are built. An operation belongs to the process that waits for it:
//  - it completes through that process's run queue, never inside the call that completes it;
//  - it completes once: what comes second (a late answer, a cancel) is ignored;
//  - a kill of the process destroys the waiting coroutine; what completes afterwards is ignored, also when
//  the
//    process has been restarted;
//  - cancelling it (terminal) completes it with operation_aborted;
//  - an operation that nobody completes waits until it is cancelled or its process is killed, and leaks
//  nothing.
// It refuses to race an operation against a timer: a time limit belongs to whoever completes it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/recycling_allocator.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "fixpoint/model/time.hpp"
#include "sim/asio/executor.hpp"

namespace fixpoint::sim {

using boost::system::error_code;

// Where a completion handler stays while its operation is pending.
class HeldHandler {
  public:
    virtual void call(error_code error) = 0;  // frees itself first
    virtual void drop() noexcept = 0;         // frees itself; the handler is destroyed uncalled
  protected:
    ~HeldHandler() = default;
};

// What an operation is, but for its result. Counted by reference: the waiting coroutine, the completions,
// the scheduled event, the cancellation slot, and (while it waits) the process's list.
class PendingOperation {
  public:
    explicit PendingOperation(SimContext& context) : context_(context) {}
    virtual ~PendingOperation() = default;
    PendingOperation(const PendingOperation&) = delete;
    PendingOperation& operator=(const PendingOperation&) = delete;

    // Not completed yet, and somebody lives who could see it?
    bool open() const { return !settled_ && context_.alive(); }
    // The first of these settles the operation; the handler is called from the process's queue.
    void settle(error_code error);
    void settle_at(Instant when);  // may be cancelled until then
    void cancel();

    SimContext& context() const { return context_; }
    void wait(HeldHandler* handler);
    // Nobody will ever look at the outcome: from here on the operation touches neither context nor scheduler.
    void abandon() { settled_ = true; }

    static void* operator new(std::size_t size) {
        return asio::recycling_allocator<std::byte>().allocate(size);
    }
    static void operator delete(void* memory, std::size_t size) {
        asio::recycling_allocator<std::byte>().deallocate(static_cast<std::byte*>(memory), size);
    }
    void add_reference() { ++references_; }
    void release() {
        if (--references_ == 0) delete this;
    }

  private:
    friend class SimContext;
    void fire();
    void drop_handler();
    void leave_list();
    Action firing();

    SimContext& context_;
    HeldHandler* handler_ = nullptr;
    PendingOperation* next_ = nullptr;
    PendingOperation* previous_ = nullptr;
    TimerId event_;
    error_code error_;
    std::uint32_t references_ = 0;
    bool listed_ = false;
    bool settled_ = false;
};

template <class T>
class Reference {
  public:
    Reference() = default;
    explicit Reference(T* target) : target_(target) {
        if (target_ != nullptr) target_->add_reference();
    }
    Reference(const Reference& other) : Reference(other.target_) {}
    Reference(Reference&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
    Reference& operator=(Reference other) noexcept {
        std::swap(target_, other.target_);
        return *this;
    }
    ~Reference() {
        if (target_ != nullptr) target_->release();
    }
    T* get() const { return target_; }
    T* operator->() const { return target_; }
    T& operator*() const { return *target_; }
    explicit operator bool() const { return target_ != nullptr; }

  private:
    T* target_ = nullptr;
};

template <class T>
class ResultOperation final : public PendingOperation {
  public:
    using PendingOperation::PendingOperation;
    std::optional<T> result;
};

// The right to complete an operation; copies share it and may outlive the operation, the process, its
// restarts and the whole SimProcess: they do nothing then. Default-constructed: none, completes nothing.
template <class T>
class Completion {
    using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  public:
    Completion() = default;
    explicit Completion(Reference<ResultOperation<Stored>> operation) : operation_(std::move(operation)) {}

    // Is there still somebody who waits and was not answered?
    bool pending() const { return operation_ && operation_->open(); }

    template <class U = T>
        requires(!std::is_void_v<T> && std::is_convertible_v<U, T>)
    void complete(U&& value) const {
        if (!pending()) return;
        operation_->result.emplace(std::forward<U>(value));
        operation_->settle({});
    }
    void complete() const
        requires(std::is_void_v<T>)
    {
        if (!pending()) return;
        operation_->result.emplace();
        operation_->settle({});
    }
    // The waiting coroutine gets boost::system::system_error(error).
    void fail(error_code error) const {
        if (pending()) operation_->settle(error);
    }

  private:
    Reference<ResultOperation<Stored>> operation_;
};

namespace detail {

// Stands in the frame of the coroutine that waits, and goes with it.
struct Abandon {
    PendingOperation* operation;
    ~Abandon() { operation->abandon(); }
};

struct CancelOperation {
    Reference<PendingOperation> operation;  // keeps it: a late cancel must not see freed memory
    void operator()(asio::cancellation_type_t type) const {
        if (type != asio::cancellation_type::none) operation->cancel();
    }
};

template <class Handler>
class HandlerHolder final : public HeldHandler {
  public:
    using Allocator = typename std::allocator_traits<asio::associated_allocator_t<
        Handler, asio::recycling_allocator<void>>>::template rebind_alloc<HandlerHolder>;

    static HandlerHolder* make(Handler&& handler, const SimExecutor& executor) {
        Allocator allocator(asio::get_associated_allocator(handler, asio::recycling_allocator<void>()));
        HandlerHolder* memory = allocator.allocate(1);
        return ::new (static_cast<void*>(memory)) HandlerHolder(std::move(handler), executor);
    }
    asio::cancellation_slot slot() const { return slot_; }

    void call(error_code error) override {
        const SimExecutor executor = executor_;
        asio::cancellation_slot slot = slot_;
        Handler handler = take();
        if (slot.is_connected()) slot.clear();
        auto wanted = asio::get_associated_executor(handler, executor);
        if (runs_on(wanted, executor)) {
            std::move(handler)(error);
        } else {
            asio::dispatch(wanted,
                           [handler = std::move(handler), error]() mutable { std::move(handler)(error); });
        }
    }
    void drop() noexcept override { const Handler dropped = take(); }

  private:
    HandlerHolder(Handler&& handler, const SimExecutor& executor)
        : handler_(std::move(handler)),
          executor_(executor),
          slot_(asio::get_associated_cancellation_slot(handler_)) {}
    ~HandlerHolder() = default;

    // The memory is given back before the handler runs, so that the next operation can have it.
    Handler take() {
        Allocator allocator(asio::get_associated_allocator(handler_, asio::recycling_allocator<void>()));
        Handler handler(std::move(handler_));
        this->~HandlerHolder();
        allocator.deallocate(this, 1);
        return handler;
    }
    template <class Executor>
    static bool runs_on(const Executor& wanted, const SimExecutor& executor) {
        if constexpr (std::is_same_v<Executor, SimExecutor>) {
            return wanted == executor;
        } else if constexpr (std::is_same_v<Executor, asio::any_io_executor>) {
            const auto* target = wanted.template target<SimExecutor>();
            return target != nullptr && *target == executor;
        } else {
            return false;
        }
    }

    Handler handler_;
    SimExecutor executor_;
    asio::cancellation_slot slot_;
};

struct StartWaiting {
    template <class Handler>
    void operator()(Handler&& handler, const Reference<PendingOperation>& operation) const {
        using Holder = HandlerHolder<std::decay_t<Handler>>;
        std::decay_t<Handler> own(std::forward<Handler>(handler));
        Holder* holder = Holder::make(std::move(own), SimExecutor(operation->context()));
        asio::cancellation_slot slot = holder->slot();
        if (slot.is_connected()) slot.template emplace<CancelOperation>(CancelOperation{operation});
        operation->wait(holder);
    }
};

// An operation for Asio: completes with the error_code that `operation` is settled with.
template <class Token>
auto async_wait(Reference<PendingOperation> operation, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(StartWaiting{}, token, std::move(operation));
}

}  // namespace detail

// Calls `starter(Completion<T>)` at once and waits until the completion (or a copy) is completed or failed.
// The starter may keep the completion, move it into a packet, or drop it. It is not called by a process that
// has killed itself. Throws boost::system::system_error: what fail() was given, or operation_aborted.
template <class T, class Starter>
asio::awaitable<T> await_result(SimProcess& process, Starter starter) {
    using Operation = ResultOperation<std::conditional_t<std::is_void_v<T>, std::monostate, T>>;
    const Reference<Operation> operation(new Operation(process.context()));
    const detail::Abandon abandon{operation.get()};
    if (process.alive()) starter(Completion<T>(operation));
    auto waiting =
        detail::async_wait(Reference<PendingOperation>(operation.get()), asio::as_tuple(asio::deferred));
    const auto [error] = co_await std::move(waiting);
    if (error) throw boost::system::system_error(error);
    if constexpr (!std::is_void_v<T>) co_return std::move(*operation->result);
}

// Returns at `deadline` of the scheduler's time, or at once (but through the queue) when it has passed.
// Throws boost::system::system_error(operation_aborted) when cancelled.
asio::awaitable<void> sleep_until(SimProcess& process, Instant deadline);

}  // namespace fixpoint::sim
