// A report for people and for scripts: text, or JSON with the same content. It prints nothing itself, and
// knows no password.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

#include "fixpoint/engine/report.hpp"
#include "fixpoint/ports/topology_store.hpp"

namespace fixpoint::real {

struct Shown {
    ShardReport report;
    std::optional<topo::LockHolder> lock;  // of the shard
};

std::string summary_line(const Shown& shown);         // policy, term, primary, lock
std::string tablets_text(const ShardReport& report);  // one line each
std::string problems_text(const ShardReport& report, bool with_steps);
std::string settings_text(const ShardReport& report);  // what the core would persist, server by server
nlohmann::json to_json(const Shown& shown);

// One word and more about a tablet: open, semi-sync 1; replicating; no answer: …
std::string state_of(const TabletReport& tablet);

}  // namespace fixpoint::real
