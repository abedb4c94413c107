// A person's hand on the records of one shard, as the faults of declarations need it: the store's own tools,
// no manager. The simulated topology and a real store's file have it alike, so that both worlds declare the
// same.
#pragma once

#include <functional>
#include <optional>

#include "fixpoint/model/records.hpp"

namespace fixpoint::sim {

class RecordsByHand {
  public:
    virtual ~RecordsByHand() = default;

    // Read, changed, written. False: there is no such record, or nothing changed.
    virtual bool edit_keyspace(const std::function<void(KeyspaceRecord&)>& change) = 0;
    virtual bool edit_shard(const std::function<void(ShardRecord&)>& change) = 0;
    virtual bool edit_goal(const std::function<void(Goal&)>& change) = 0;
    virtual bool edit_tablet(const TabletAlias& alias, const std::function<void(Tablet&)>& change) = 0;

    virtual std::optional<FixpointRecord> fixpoint() const = 0;
    // False: there is none.
    virtual bool delete_fixpoint() = 0;
    virtual bool delete_tablet(const TabletAlias& alias) = 0;
    // What was there so many writes ago; false where there were not so many.
    virtual bool set_back_fixpoint(int versions) = 0;
};

}  // namespace fixpoint::sim
