// What a server would answer and has on its disk, for the judge. Reads only.
#include <algorithm>

#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

ServerState FakeMysql::snapshot(const ShardName& shard) const {
    ServerState state;
    state.alias = alias_;
    state.up = listens();
    state.paused = up_ && process_.paused();
    state.starting = starting_;
    fill_server_row(state.server);
    state.server.gtid_owned = owned();
    state.server.super_read_only = settings_.on(sql::Variable::super_read_only);
    state.closing_pending = closings_ > 0;
    state.channels = replica_rows();
    state.semi_sync = semi_sync_row();
    state.persisted = disk_.persisted;
    state.journal = disk_.rows.journal;
    const sql::LockHolders locks = lock_holders(shard);
    const auto lock_session = [&](const std::optional<std::uint64_t>& holder) -> std::optional<LockSession> {
        if (!holder) return std::nullopt;
        return LockSession{*holder, manager_of(*holder), false};
    };
    state.server_lock = lock_session(locks.server);
    state.helper_lock = lock_session(locks.helper);
    state.rebuild_lock = lock_session(locks.rebuild);
    state.writes = disk_.rows.writes;
    state.writes_in_log = state.writes;
    for (const Commit& commit : commits_) {
        if (commit.visible) continue;
        for (const RowChange& change : commit.transaction->rows) state.writes_in_log.insert(change.id);
    }
    const RelayLog& relay = disk_.relay_log;
    bool unread = false;
    const auto executed_at = [&](std::size_t i) {
        return disk_.executed.contains(relay.transactions[i]->gtid);
    };
    // What precedes was executed when it was last looked at; a relay log that is new, or data set back, begin
    // anew.
    if (executed_prefix_ > relay.transactions.size() ||
        (executed_prefix_ > 0 && !executed_at(executed_prefix_ - 1))) {
        executed_prefix_ = 0;
    }
    while (executed_prefix_ < relay.transactions.size() && executed_at(executed_prefix_)) ++executed_prefix_;
    for (std::size_t i = executed_prefix_; i < relay.transactions.size(); ++i) {
        const Transaction& transaction = *relay.transactions[i];
        if (disk_.executed.contains(transaction.gtid)) continue;
        for (const RowChange& change : transaction.rows) state.writes_received.insert(change.id);
        unread = unread || i < relay.applier_at;
    }
    state.relay_log_readable = relay.index == RelayIndex::whole && !unread;
    state.manageable = peculiarities_.extra_channels.empty() && !peculiarities_.filters &&
                       peculiarities_.group_replication.empty() && peculiarities_.gtid_mode_on &&
                       peculiarities_.log_replica_updates &&
                       peculiarities_.version.find("MariaDB") == std::string::npos;
    state.applier_blocked = applier_blocked_;
    state.boot = boot_;
    return state;
}

}  // namespace fixpoint::sim::mysql
