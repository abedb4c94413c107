// Granting in MySQL's order: a closer that waits has precedence over writers that come later, and writers
// that wait are let in together when the last closer has gone.
#include "sim/fakes/mysql/global_read_lock.hpp"

#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim::mysql {

bool GlobalReadLock::closer_waits() const {
    return std::ranges::any_of(queue_, [](const Waiter& waiter) { return waiter.closer; });
}

GlobalReadLock::Ticket GlobalReadLock::take_as_writer(Granted granted) {
    if (closers_ == 0 && !closer_waits()) {
        ++writers_;
        return 0;
    }
    queue_.push_back({next_, false, std::move(granted)});
    return next_++;
}

GlobalReadLock::Ticket GlobalReadLock::take_as_closer(Granted granted) {
    if (writers_ == 0) {
        ++closers_;
        return 0;
    }
    queue_.push_back({next_, true, std::move(granted)});
    return next_++;
}

bool GlobalReadLock::cancel(Ticket ticket) {
    const auto it = std::ranges::find(queue_, ticket, &Waiter::ticket);
    if (it == queue_.end()) return false;
    queue_.erase(it);
    grant();
    return true;
}

void GlobalReadLock::release_writer() {
    FIXPOINT_ASSERT(writers_ > 0, "a writer holds it");
    --writers_;
    grant();
}

void GlobalReadLock::release_closer() {
    FIXPOINT_ASSERT(closers_ > 0, "a closer holds it");
    --closers_;
    grant();
}

void GlobalReadLock::forget_all() {
    writers_ = closers_ = 0;
    queue_.clear();
}

void GlobalReadLock::grant() {
    if (queue_.empty()) return;
    std::deque<Granted> now;
    for (auto it = queue_.begin(); it != queue_.end();) {
        const bool can = it->closer ? writers_ == 0 : closers_ == 0 && !closer_waits();
        if (!can) {
            ++it;
            continue;
        }
        ++(it->closer ? closers_ : writers_);
        now.push_back(std::move(it->granted));
        it = queue_.erase(it);
    }
    for (Granted& granted : now) granted();
}

}  // namespace fixpoint::sim::mysql
