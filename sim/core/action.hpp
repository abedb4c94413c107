// A unit of work for the scheduler: a move-only callable without arguments, run at most once.
// Small callables (up to `inline_size` bytes, nothrow movable) live inside; larger ones on the heap.
// Destroying an Action that was not run destroys what it captured: this is how a killed process gives up
// its work. It refuses to be copied, to be empty when called, and to be called twice.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace fixpoint::sim {

class Action {
  public:
    static constexpr std::size_t inline_size = 56;

    Action() noexcept = default;

    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, Action> && std::is_invocable_v<std::decay_t<F>&>)
    Action(F&& f) {  // NOLINT(google-explicit-constructor): a lambda is an action
        using D = std::decay_t<F>;
        if constexpr (fits<D>) {
            ::new (static_cast<void*>(buffer_)) D(std::forward<F>(f));
            ops_ = &inline_ops<D>;
        } else {
            ::new (static_cast<void*>(buffer_)) D*(new D(std::forward<F>(f)));
            ops_ = &heap_ops<D>;
        }
    }

    Action(Action&& other) noexcept { take(other); }
    Action& operator=(Action&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    Action(const Action&) = delete;
    Action& operator=(const Action&) = delete;
    ~Action() { reset(); }

    explicit operator bool() const noexcept { return ops_ != nullptr; }

    // Runs what it holds. Must not be empty. What it holds is destroyed with the Action, not by the call.
    void operator()() { ops_->call(buffer_); }

    void reset() noexcept {
        if (const Ops* ops = std::exchange(ops_, nullptr)) ops->destroy(buffer_);
    }

  private:
    struct Ops {
        void (*call)(void*);
        void (*relocate)(void* from, void* to) noexcept;
        void (*destroy)(void*) noexcept;
    };

    template <class D>
    static constexpr bool fits = sizeof(D) <= inline_size && alignof(D) <= alignof(std::max_align_t) &&
                                 std::is_nothrow_move_constructible_v<D>;

    template <class D>
    static constexpr Ops inline_ops{[](void* p) { (*std::launder(static_cast<D*>(p)))(); },
                                    [](void* from, void* to) noexcept {
                                        D* source = std::launder(static_cast<D*>(from));
                                        ::new (to) D(std::move(*source));
                                        source->~D();
                                    },
                                    [](void* p) noexcept { std::launder(static_cast<D*>(p))->~D(); }};

    template <class D>
    static constexpr Ops heap_ops{
        [](void* p) { (**std::launder(static_cast<D**>(p)))(); },
        [](void* from, void* to) noexcept { ::new (to) D*(*std::launder(static_cast<D**>(from))); },
        [](void* p) noexcept { delete *std::launder(static_cast<D**>(p)); }};

    void take(Action& other) noexcept {
        if (other.ops_ == nullptr) return;
        other.ops_->relocate(other.buffer_, buffer_);
        ops_ = std::exchange(other.ops_, nullptr);
    }

    alignas(std::max_align_t) std::byte buffer_[inline_size];
    const Ops* ops_ = nullptr;
};

}  // namespace fixpoint::sim
