// GET_LOCK and its family (M27, M41): a name, a holder that may take it several times, and a queue. Locks
// are a session's and go with it. It refuses to time out by itself: whoever waits brings a timer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint::sim::mysql {

class UserLocks {
  public:
    using SessionId = std::uint64_t;
    using Granted = std::move_only_function<void()>;

    static constexpr std::size_t longest_name = 64;

    bool take(std::string_view name, SessionId session);  // false: held by another
    void wait(std::string_view name, SessionId session, Granted granted);
    void stop_waiting(SessionId session);
    bool release(std::string_view name, SessionId session);  // false: not the holder
    void release_all(SessionId session);
    std::optional<SessionId> holder(std::string_view name) const;
    void forget_all() { locks_.clear(); }

  private:
    struct Waiter {
        SessionId session;
        Granted granted;
    };
    struct Lock {
        std::string name;
        SessionId holder = 0;
        int times = 0;
        std::vector<Waiter> waiters;  // oldest first
    };
    Lock* find(std::string_view name);
    const Lock* find(std::string_view name) const;
    void pass_on(Lock& lock);

    std::vector<Lock> locks_;  // few: the shard's three
};

}  // namespace fixpoint::sim::mysql
