// What the core sees and would do, as values for people: the answer of Reconciler::look(), from which plan,
// status and check are printed. Nothing rests on it: whoever acts looks again under locks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixpoint/engine/decide.hpp"
#include "fixpoint/model/problem.hpp"
#include "fixpoint/model/records.hpp"
#include "fixpoint/ports/event_log.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint {

struct ProblemReport {
    ProblemKey key;
    int priority = 4;  // 0: the whole shard; 4: only a person can cure it
    Recovery recovery = Recovery::none;
    std::string_view meaning;
    std::string detail;             // what exactly, where more is known than the row says
    bool next = false;              // the one that the loop would take now
    Reason refusal = Reason::none;  // it is known already that the recovery would refuse, before any change
    std::string refusal_text;
};

struct TabletReport {
    Tablet tablet;
    bool declared = true;
    bool forgotten = false;
    bool is_primary = false;
    bool in_ackers = false;
    bool vouching = false;
    std::optional<sql::LookAnswer> answer;  // of the last look; nothing: none
    std::optional<Duration> age;            // of the newest answer that there ever was
    bool refused = false;                   // alive, but lets us not in
    sql::Error error;                       // why there is no answer
    std::string not_manageable;             // why the core does not touch it; empty: it does
    std::vector<std::string> missing_privileges;
    GtidSet errant;
    // What the core would persist before it relies on this server.
    std::vector<std::pair<sql::Variable, std::int64_t>> settings_to_persist;
};

struct ShardReport {
    ShardName shard;
    std::string store_error;  // not empty: the store did not answer, and nothing below is known
    std::string damage;       // of a record that cannot be read: nothing is done
    std::optional<KeyspaceRecord> keyspace;
    ShardRecord declared;
    std::optional<FixpointRecord> in_force;
    Goal goal;
    std::vector<std::string> silent_cells;
    std::vector<TabletReport> tablets;
    std::vector<ProblemReport> problems;  // all that hold, in the table's order
    ShardFacts facts;                     // for the pure decisions of decide.hpp

    const TabletReport* find(const TabletAlias& alias) const {
        for (const TabletReport& t : tablets) {
            if (t.tablet.alias == alias) return &t;
        }
        return nullptr;
    }
};

}  // namespace fixpoint
