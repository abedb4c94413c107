// What the tests of coroutines share: a small world with two processes that run coroutines, a counter of
// frames, and how a coroutine ended.
// Every test counts the frames it made: none may outlive its world. Run under the address sanitizer as well.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/asio/executor.hpp"
#include "sim/asio/operation.hpp"

namespace fixpoint::sim::coroutine_tests {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline int frames = 0;  // alive now
struct Frame {
    Frame() { ++frames; }
    ~Frame() { --frames; }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
};

struct World {
    explicit World(std::uint64_t seed = 1) : chooser(seed), scheduler(chooser) {}
    ~World() { EXPECT_EQ(scheduler.current(), nullptr); }

    void run() {
        while (scheduler.step()) {
        }
    }
    Chooser chooser;
    Scheduler scheduler;
    Process& harness = scheduler.add_process("harness");
    SimProcess manager{scheduler, scheduler.add_process("manager")};
    SimProcess other{scheduler, scheduler.add_process("other")};
};

class Coroutines : public testing::Test {
  protected:
    void SetUp() override { frames = 0; }
    void TearDown() override { EXPECT_EQ(frames, 0); }
};

// How a spawned coroutine ended.
struct Exit {
    int calls = 0;
    std::exception_ptr error;
    OnExit callback() {
        return [this](std::exception_ptr thrown) {
            ++calls;
            error = std::move(thrown);
        };
    }
    std::optional<error_code> code() const {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const boost::system::system_error& thrown) {
            return thrown.code();
        }
        return std::nullopt;
    }
};

}  // namespace fixpoint::sim::coroutine_tests
