// See worker_pool.hpp. First come, first served.
#include "real_adapters/support/worker_pool.hpp"

#include <utility>

namespace fixpoint::real {

WorkerPool::WorkerPool(std::size_t greatest) : greatest_(greatest) {}

WorkerPool::~WorkerPool() {
    std::deque<std::function<void()>> dropped;
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
        dropped.swap(waiting_);
    }
    more_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::submit(std::function<void()> work) {
    const std::scoped_lock lock(mutex_);
    if (ending_) return;
    waiting_.push_back(std::move(work));
    if (waiting_.size() > idle_ && threads_.size() < greatest_) threads_.emplace_back([this] { run(); });
    more_.notify_one();
}

void WorkerPool::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        more_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        --idle_;
        if (ending_) return;
        std::function<void()> work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work();
        work = nullptr;  // what it owned is released outside the lock
        lock.lock();
    }
}

}  // namespace fixpoint::real
