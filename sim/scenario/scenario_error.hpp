// What is wrong with a scenario file, for the person who wrote it: where, what, and what would be right.
#pragma once

#include <string>

namespace fixpoint::sim {

struct ScenarioError {
    std::string file;
    std::string place;  // a JSON pointer (/faults/0/tablet), or line:column where it is no JSON; may be empty
    std::string what;
    std::string remedy;  // may be empty
    bool operator==(const ScenarioError&) const = default;

    // scenarios/drift/x.json: /faults/0/tablte: unknown key "tablte" (did you mean "tablet"?)
    std::string to_string() const {
        std::string text = file;
        if (!place.empty()) text += (text.empty() ? "" : ": ") + place;
        if (!text.empty()) text += ": ";
        text += what;
        if (!remedy.empty()) text += " (" + remedy + ")";
        return text;
    }
};

}  // namespace fixpoint::sim
