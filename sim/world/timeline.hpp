// What a person reads of a run: one line per thing that happened, and a sample of each tablet's state
// whenever it changed. Recorded only where wanted; it never feeds back into the run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fixpoint/sim/judge_event.hpp"
#include "fixpoint/sim/run.hpp"
#include "sim/checkers/checker.hpp"

namespace fixpoint::sim {

class Timeline {
  public:
    explicit Timeline(WorldView& world) : world_(world) {}

    void on(Instant at, const JudgeEvent& event);
    void say(Instant at, std::string lane, std::string kind, std::string text);
    // States are read between events, when they are whole.
    void sample();

    std::vector<TimelineEntry> take_entries() { return std::move(entries_); }
    std::vector<TabletSample> take_samples() { return std::move(samples_); }

  private:
    struct Teller;
    std::string state_of(const ServerState& server, const WorldState& state) const;

    WorldView& world_;
    std::vector<TimelineEntry> entries_;
    std::vector<TabletSample> samples_;
    std::map<TabletAlias, std::string> last_;
    std::map<std::string, std::size_t> open_recovery_;  // by manager: index of the band's entry
};

}  // namespace fixpoint::sim
