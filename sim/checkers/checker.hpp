// What every checker of an invariant is: it hears what happens, may ask for the state, keeps its violations.
// Why one small class per invariant: each can be read, and seen to fire, alone.
// A checker refuses to read a manager's memory, and to be switched off.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "fixpoint/sim/run.hpp"
#include "fixpoint/sim/state.hpp"

namespace fixpoint::sim {

struct Books;

// The world as the judge may see it.
class WorldView {
  public:
    virtual ~WorldView() = default;
    // The state at this moment, computed when it is asked for. Inside Observer::on: as it is when the event
    // is reported (judge_event.hpp says for each whether that is before or after). Valid until the next
    // event.
    virtual const WorldState& now() = 0;
    // Differs whenever now() may differ. 0: not known, then nothing is cached.
    virtual std::uint64_t version() const { return 0; }
};

class Checker {
  public:
    Checker(std::string_view name, const Books& books, WorldView& view)
        : books_(books), view_(view), name_(name) {}
    virtual ~Checker() = default;
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;

    const std::string& name() const { return name_; }
    const std::vector<Violation>& violations() const { return violations_; }

    // The books have the event already.
    virtual void on(Instant at, const JudgeEvent& event) = 0;
    // Once, after the last event of the run.
    virtual void at_end(Instant /*at*/) {}

  protected:
    void violated(Instant at, std::string text) { violated(name_, at, std::move(text)); }
    void violated(std::string invariant, Instant at, std::string text) {
        violations_.push_back({std::move(invariant), at, std::move(text)});
    }
    const Books& books_;
    WorldView& view_;

  private:
    std::string name_;
    std::vector<Violation> violations_;
};

}  // namespace fixpoint::sim
