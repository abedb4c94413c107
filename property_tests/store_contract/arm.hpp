// What a test of the store's contract may ask of a world with one topology store and two managers' processes:
// the port itself, time that passes for leases, and the three ways in which a store withholds an answer. The
// two kinds are the fake store in the simulator's executor and the SQLite store on a real event loop.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fixpoint/ports/topology_store.hpp"

namespace fixpoint::store_contract {

using namespace std::chrono_literals;

class Arm {
  public:
    virtual ~Arm() = default;

    // Cells zone1 and zone2 are declared, and nothing else is in the store.
    virtual topo::Store& store(int process) = 0;
    virtual const Clock& clock(int process) = 0;  // the manager's own

    // Runs the world until the call has ended.
    template <class T>
    T await(int process, awaitable<T> call) {
        std::optional<T> result;
        run(process, keep(std::move(call), result));
        return std::move(result).value();
    }
    virtual void run(int process, awaitable<void> work) = 0;
    // Runs the world until it holds; false where it does not in due time.
    virtual bool run_until(int process, const std::function<bool()>& holds) = 0;
    // Long enough for whatever notification is under way.
    virtual void settle() = 0;

    // Time passes, for leases on both sides.
    virtual void pass(Duration time) = 0;

    // The store cannot be reached by anybody, until it is mended.
    virtual void cut_off() = 0;
    virtual void mend() = 0;
    // The answer to the process's next write of records is lost, after its effect or before.
    virtual void lose_next_answer(int process) = 0;

  private:
    template <class T>
    static awaitable<void> keep(awaitable<T> call, std::optional<T>& result) {
        T value = co_await std::move(call);
        result.emplace(std::move(value));
    }
};

std::unique_ptr<Arm> fake_arm(std::uint64_t seed = 1);
std::unique_ptr<Arm> sqlite_arm();

}  // namespace fixpoint::store_contract
