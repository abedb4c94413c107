// The holder's death or RELEASE_LOCK passes the lock to the oldest waiter at once.
#include "sim/fakes/mysql/user_locks.hpp"

#include <utility>

namespace fixpoint::sim::mysql {

UserLocks::Lock* UserLocks::find(std::string_view name) {
    for (Lock& lock : locks_) {
        if (lock.name == name) return &lock;
    }
    return nullptr;
}

const UserLocks::Lock* UserLocks::find(std::string_view name) const {
    for (const Lock& lock : locks_) {
        if (lock.name == name) return &lock;
    }
    return nullptr;
}

bool UserLocks::take(std::string_view name, SessionId session) {
    Lock* lock = find(name);
    if (lock == nullptr) lock = &locks_.emplace_back(Lock{std::string(name), 0, 0, {}});
    if (lock->times > 0 && lock->holder != session) return false;
    lock->holder = session;
    ++lock->times;
    return true;
}

void UserLocks::wait(std::string_view name, SessionId session, Granted granted) {
    if (Lock* lock = find(name)) lock->waiters.push_back({session, std::move(granted)});
}

void UserLocks::stop_waiting(SessionId session) {
    for (Lock& lock : locks_) {
        std::erase_if(lock.waiters, [&](const Waiter& waiter) { return waiter.session == session; });
    }
}

bool UserLocks::release(std::string_view name, SessionId session) {
    Lock* lock = find(name);
    if (lock == nullptr || lock->times == 0 || lock->holder != session) return false;
    if (--lock->times == 0) pass_on(*lock);
    return true;
}

void UserLocks::release_all(SessionId session) {
    stop_waiting(session);
    for (Lock& lock : locks_) {
        if (lock.times > 0 && lock.holder == session) {
            lock.times = 0;
            pass_on(lock);
        }
    }
}

std::optional<UserLocks::SessionId> UserLocks::holder(std::string_view name) const {
    const Lock* lock = find(name);
    if (lock == nullptr || lock->times == 0) return std::nullopt;
    return lock->holder;
}

void UserLocks::pass_on(Lock& lock) {
    if (lock.waiters.empty()) return;
    Waiter next = std::move(lock.waiters.front());
    lock.waiters.erase(lock.waiters.begin());
    lock.holder = next.session;
    lock.times = 1;
    next.granted();
}

}  // namespace fixpoint::sim::mysql
