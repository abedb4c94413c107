// The trace's names and its lines.
// Formatting only: nothing of a run is decided here.
#include "sim/core/trace.hpp"

#include <fmt/format.h>

namespace fixpoint::sim {

const char* name(TraceKind kind) {
    switch (kind) {
        case TraceKind::note:
            return "note";
        case TraceKind::statement:
            return "statement";
        case TraceKind::store:
            return "store";
        case TraceKind::client:
            return "client";
        case TraceKind::fault:
            return "fault";
        case TraceKind::process:
            return "process";
        case TraceKind::pass:
            return "pass";
        case TraceKind::step:
            return "step";
        case TraceKind::commit_point:
            return "commit_point";
        case TraceKind::violation:
            return "violation";
    }
    return "?";
}

Actor Trace::actor(std::string_view name) {
    if (const auto found = index_.find(name); found != index_.end()) return Actor{found->second};
    const auto index = static_cast<std::uint32_t>(names_.size());
    names_.emplace_back(name);
    index_.emplace(names_.back(), index);
    return Actor{index};
}

std::string Trace::line(const TraceEvent& event) const {
    const auto ns = event.at.time_since_epoch().count();
    return fmt::format("{:>5}.{:06}s  {:<14} {:<12} {}", ns / 1'000'000'000, ns / 1'000 % 1'000'000,
                       name(event.actor), fixpoint::sim::name(event.kind), event.text);
}

}  // namespace fixpoint::sim
