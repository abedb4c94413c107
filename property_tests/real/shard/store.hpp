// The topology store of a real shard, seen and edited by people: the SQLite file that the managers share. A
// thread looks at it every few milliseconds, so that each change is noticed before whoever was opened by it
// takes its first write; edits by hand are seen at once, and known to be by hand. It holds no lock between
// two looks.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/sim/state.hpp"
#include "sim/faults/records_by_hand.hpp"

namespace fixpoint::real_shards {

class Store final : public sim::RecordsByHand {
  public:
    // What was, what is, and whether a person did it. Called by the watching thread, or by whoever edits.
    using Changed =
        std::function<void(const sim::StoreState& before, const sim::StoreState& after, bool by_hand)>;

    Store(const std::filesystem::path& file, ShardName shard, std::vector<std::string> cells);
    ~Store() override;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    void watch(Changed changed);
    void end_watch();

    sim::StoreState now() const;  // as of the last look
    // A look at once, by the caller: what has changed is reported before it returns.
    void look();
    // Whom the topology calls primary, the youngest claim first: by tablet records, and by Shard.
    std::vector<TabletAlias> primaries_for_clients() const;

    // People's hand. `put`: the record, whatever version it has.
    void put(const std::string& cell, const std::string& path, const std::string& bytes);
    // The shard lock's lease ends under its holder.
    bool expire_lease(const std::string& manager);

    bool edit_keyspace(const std::function<void(KeyspaceRecord&)>& change) override;
    bool edit_shard(const std::function<void(ShardRecord&)>& change) override;
    bool edit_goal(const std::function<void(Goal&)>& change) override;
    bool edit_tablet(const TabletAlias& alias,
                     const std::function<void(::fixpoint::Tablet&)>& change) override;
    std::optional<FixpointRecord> fixpoint() const override;
    bool delete_fixpoint() override;
    bool delete_tablet(const TabletAlias& alias) override;
    bool set_back_fixpoint(int versions) override;

    const ShardName& shard() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fixpoint::real_shards
