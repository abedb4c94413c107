// Stands on the stack around everything that runs a scheduler, so that Asio reuses the memory of finished
// operations. Its own file because simulate.cpp, like all but the ports, does not know Asio.
#pragma once

#include <memory>

namespace fixpoint::sim {

class StepScope {
  public:
    StepScope();
    ~StepScope();
    StepScope(const StepScope&) = delete;
    StepScope& operator=(const StepScope&) = delete;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fixpoint::sim
