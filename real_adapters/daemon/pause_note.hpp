// Who paused a shard, why and until when: kept beside the goal's own `paused`, as fields that the core does
// not know and leaves alone. Pure.
#pragma once

#include <optional>
#include <string>

#include "fixpoint/model/records.hpp"

namespace fixpoint::real {

struct PauseNote {
    std::string who;
    std::string why;
    WallTime since;
    WallTime until;  // 0: until somebody resumes
    bool operator==(const PauseNote&) const = default;
};

Goal paused(Goal goal, const PauseNote& note);
Goal resumed(Goal goal);
std::optional<PauseNote> pause_note(const Goal& goal);
std::string to_string(const PauseNote& note);

}  // namespace fixpoint::real
