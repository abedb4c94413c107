// The records of one shard in the fake store, decoded; and people's hand on them (declare, forget, delete,
// set back), as somebody with the store's own tools would do it. Reads at once, without the network.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/sim/state.hpp"
#include "sim/fakes/store/fake_store.hpp"
#include "sim/faults/records_by_hand.hpp"

namespace fixpoint::sim {

class Topology final : public RecordsByHand {
  public:
    Topology(FakeStore& store, ShardName shard, std::vector<std::string> cells);

    // Everything but who holds the lock. A record that cannot be decoded counts as absent.
    StoreState read() const;
    // Whom the topology calls primary, the youngest claim first: by tablet records, and by Shard. Of a store
    // that is down, what was read last.
    std::vector<TabletAlias> primaries_for_clients();
    std::optional<FixpointRecord> fixpoint() const override;
    std::optional<StoreLock> lock() const;

    void put_cell_info();
    void put_keyspace(const KeyspaceRecord& record);
    void put_shard(const ShardRecord& record);
    void put_fixpoint(const FixpointRecord& record);
    void put_goal(const Goal& goal);
    void put_tablet(const Tablet& tablet);

    bool edit_keyspace(const std::function<void(KeyspaceRecord&)>& change) override;
    bool edit_shard(const std::function<void(ShardRecord&)>& change) override;
    bool edit_goal(const std::function<void(Goal&)>& change) override;  // made where there is none
    bool edit_tablet(const TabletAlias& alias, const std::function<void(Tablet&)>& change) override;
    bool delete_fixpoint() override;
    bool delete_tablet(const TabletAlias& alias) override;
    bool set_back_fixpoint(int versions) override;
    // To be told of each write, so that an older record can be brought back.
    void remember(const StoreChange& change);

    const ShardName& shard() const { return shard_; }

  private:
    void read_tablets(std::string_view cell, std::map<TabletAlias, Tablet>& into) const;

    FakeStore& store_;
    ShardName shard_;
    std::vector<std::string> cells_;
    std::string keyspace_path_, shard_path_, fixpoint_path_, goal_path_, lock_path_;
    std::map<std::string, std::map<TabletAlias, Tablet>> seen_by_clients_;  // by cell
    std::optional<ShardRecord> shard_seen_by_clients_;
    std::vector<std::string> fixpoint_history_;
};

}  // namespace fixpoint::sim
