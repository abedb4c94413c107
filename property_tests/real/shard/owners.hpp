// Which process has opened a TCP connection: asked of the kernel, because all ends of a test shard
// live on one loopback address. Only processes that were named are known. It trusts nothing that a peer says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace fixpoint::real_shards {

struct Owner {
    pid_t pid = 0;
    std::string name;  // an endpoint of the scenario: a tablet's alias, a manager's name, "clients"
};

class Owners {
  public:
    void add(pid_t pid, const std::string& name);
    void remove(pid_t pid);
    bool lives(pid_t pid) const;
    // Of the local end `from`, connected to the local port `to`; nothing: gone again, or nobody of ours.
    std::optional<Owner> of_connection(std::uint16_t from, std::uint16_t to) const;

  private:
    mutable std::mutex mutex_;
    std::map<pid_t, std::string> names_;
};

}  // namespace fixpoint::real_shards
