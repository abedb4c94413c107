// What happened in a run, for people: an append-only list of events with their instant and their actor. Off
// by default; then nothing is stored and no text is made (`add` takes a callable that makes it), so campaigns
// pay one branch. It never feeds back into the run: the event hash does not depend on it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "fixpoint/model/time.hpp"

namespace fixpoint::sim {

enum class TraceKind : std::uint8_t {
    note,          // anything else worth telling
    statement,     // a statement sent to a tablet, and its answer
    store,         // a request to the topology store, and its answer
    client,        // a client's write or read, and what it was told
    fault,         // a fault begins, strikes or is healed
    process,       // killed, restarted, paused, resumed
    pass,          // a manager's pass: problems seen, recovery chosen, outcome
    step,          // a recovery's step begins or ends
    commit_point,  // who is primary changed
    violation,     // a checker found an invariant broken
};
const char* name(TraceKind kind);

// An interned actor name (a manager, tablet, client, ...), valid for the Trace that made it.
struct Actor {
    std::uint32_t index = 0;
    auto operator<=>(const Actor&) const = default;
};

struct TraceEvent {
    Instant at{};
    Actor actor;
    TraceKind kind = TraceKind::note;
    std::string text;
    std::uint64_t payload = 0;  // whatever number goes with it (GTIDs, an error number, a fault's id)
};

class Trace {
  public:
    void record(bool on) { recording_ = on; }
    bool recording() const { return recording_; }

    Actor actor(std::string_view name);
    const std::string& name(Actor actor) const { return names_[actor.index]; }
    std::size_t actors() const { return names_.size(); }

    // `text` is a string, or a callable that makes one and is only called when recording.
    template <class Text>
    void add(Instant at, Actor actor, TraceKind kind, Text&& text, std::uint64_t payload = 0) {
        if (!recording_) return;
        if constexpr (std::is_invocable_v<Text&>) {
            events_.push_back(TraceEvent{at, actor, kind, std::string(text()), payload});
        } else {
            events_.push_back(TraceEvent{at, actor, kind, std::string(std::forward<Text>(text)), payload});
        }
    }

    const std::vector<TraceEvent>& events() const { return events_; }
    // "   12.345678s  zone1-100     statement  START REPLICA ..." one line, no newline.
    std::string line(const TraceEvent& event) const;

  private:
    bool recording_ = false;
    std::vector<std::string> names_;
    std::map<std::string, std::uint32_t, std::less<>> index_;
    std::vector<TraceEvent> events_;
};

}  // namespace fixpoint::sim
