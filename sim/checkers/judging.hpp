// One judging of a state, for as_declared.cpp and as_declared_tablet.cpp: each function judges one subject
// and says what it found. What may excuse a clause is not known here (excuses.cpp).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/checkers/as_declared.hpp"

namespace fixpoint::sim {

class Judging {
  public:
    explicit Judging(const WorldState& state) : state_(state), limits_(limits_of(state)) {}

    std::vector<Clause> run();

  private:
    void unmet(ClauseName name, const TabletAlias& tablet, std::string text) {
        clauses_.push_back({name, tablet, std::move(text)});
    }

    std::vector<Clause> sorted();

    bool is_primary(const TabletAlias& alias) const { return alias == record_->primary.alias; }
    const Tablet* declared(const TabletAlias& alias) const {
        const auto it = state_.store.tablets.find(alias);
        return it == state_.store.tablets.end() ? nullptr : &it->second;
    }

    // ---- of the shard as a whole: as_declared.cpp
    void one_primary_named();
    void primary();
    void record_set_back();
    void policy();
    void ackers();
    void retired();
    void locks();

    // ---- of one tablet: as_declared_tablet.cpp
    void tablet(const ServerState& server);
    void read_only(const ServerState& server);
    void receives(const ServerState& server);
    void acks(const ServerState& server);
    void channel(const ServerState& server);
    void server_id(const ServerState& server);
    void skips(const ServerState& server);
    void settings(const ServerState& server);
    void tablet_record(const ServerState& server);

    const WorldState& state_;
    const Limits limits_;
    const FixpointRecord* record_ = nullptr;
    const ServerState* primary_ = nullptr;
    std::vector<Clause> clauses_;
};

}  // namespace fixpoint::sim
