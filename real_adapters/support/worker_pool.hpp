// A bounded pool of threads for calls that block. A thread is made when there is work and none is idle, up to
// the bound; beyond it work waits its turn, and its limit runs meanwhile. It knows nothing of what the calls do.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fixpoint::real {

class WorkerPool {
  public:
    explicit WorkerPool(std::size_t greatest);
    // Drops what waits, and returns when what runs has ended: the owner of the calls ends those first.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void submit(std::function<void()> work);

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable more_;
    std::deque<std::function<void()>> waiting_;
    std::size_t idle_ = 0;
    std::size_t greatest_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace fixpoint::real
