// The metadata lock that FLUSH TABLES WITH READ LOCK and SET GLOBAL super_read_only=ON take (M20): writers
// hold it shared among themselves ("intention exclusive"), a closer needs all of them gone, and a closer that
// waits keeps new writers out. Two of them make a global read lock: one for statements, one for commits.
// It refuses to time out by itself: whoever waits brings a timer and cancels.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

namespace fixpoint::sim::mysql {

class GlobalReadLock {
  public:
    using Granted = std::move_only_function<void()>;
    using Ticket = std::uint64_t;  // 0: granted at once, nothing to cancel

    // `granted` is called later, by whoever releases, if the lock could not be had at once.
    Ticket take_as_writer(Granted granted);
    Ticket take_as_closer(Granted granted);
    // True: it waited and will not be granted any more.
    bool cancel(Ticket ticket);
    void release_writer();
    void release_closer();
    bool closer_waits() const;
    bool closed() const { return closers_ > 0; }
    void forget_all();  // the process died

  private:
    struct Waiter {
        Ticket ticket;
        bool closer;
        Granted granted;
    };
    void grant();

    int writers_ = 0;
    int closers_ = 0;
    Ticket next_ = 1;
    std::deque<Waiter> queue_;
};

}  // namespace fixpoint::sim::mysql
