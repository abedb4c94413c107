// Clients of the benchmark: threads that insert rows, and note at which instant which server told them that a
// row is safe. On each server one of them keeps trying, so that the first write that a new primary takes is
// seen at once; the others follow whoever took one. They know nothing of Fixpoint and ask no topology.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {

using Instant = std::chrono::system_clock::time_point;  // the clock that the history is written by

struct Acknowledged {
    Instant at;
    int server = -1;
    std::int64_t row = 0;
};

class Load {
  public:
    // Begins at the stage's primary. Each client pauses for `think` after a write.
    Load(Stage& stage, int writers, std::chrono::milliseconds think, std::int64_t first_row);
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    std::size_t count(int server) const;
    // Ends the threads, also one that waits for an acknowledgement; what they were told, oldest first.
    std::vector<Acknowledged> end();

  private:
    struct Client {
        bool stays = false;  // at `server`, whoever is primary
        int server = -1;
        std::mutex mutex;  // of the session, between its thread and whoever ends it
        std::optional<real::BlockingSession> session;
        std::atomic<bool> done = false;
        std::thread thread;
    };
    void run(Client& client);
    bool ready(Client& client);
    void insert(Client& client);

    std::vector<MysqlAddress> addresses_;
    real::Login login_;
    std::chrono::milliseconds think_;
    std::atomic<int> primary_;
    std::atomic<std::int64_t> next_row_;
    std::atomic<bool> ending_ = false;
    mutable std::mutex mutex_;
    std::vector<Acknowledged> acknowledged_;
    std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace fixpoint::daemon_tests
