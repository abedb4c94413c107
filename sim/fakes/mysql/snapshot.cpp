// What a server would answer and has on its disk, for the judge. Reads only.
#include <algorithm>

#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

ServerState FakeMysql::snapshot(const ShardName& shard) const {
    ServerState state;
    state.alias = alias_;
    state.up = up_;
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
    state.writes = disk_.rows.writes.ids();
    state.writes_in_log = state.writes;
    for (const Commit& commit : commits_) {
        if (commit.visible) continue;
        for (const RowChange& change : commit.transaction->rows) state.writes_in_log.push_back(change.id);
    }
    std::ranges::sort(state.writes_in_log);
    const RelayLog& relay = disk_.relay_log;
    bool unread = false;
    for (std::size_t i = 0; i < relay.transactions.size(); ++i) {
        const Transaction& transaction = *relay.transactions[i];
        if (disk_.executed.contains(transaction.gtid)) continue;
        for (const RowChange& change : transaction.rows) state.writes_received.push_back(change.id);
        unread = unread || i < relay.applier_at;
    }
    std::ranges::sort(state.writes_received);
    state.relay_log_readable = !relay.files_missing && !unread;
    state.manageable = peculiarities_.extra_channels.empty() && !peculiarities_.filters &&
                       peculiarities_.group_replication.empty() && peculiarities_.gtid_mode_on &&
                       peculiarities_.log_replica_updates &&
                       peculiarities_.version.find("MariaDB") == std::string::npos;
    state.applier_blocked = applier_blocked_;
    state.boot = boot_;
    return state;
}

}  // namespace fixpoint::sim::mysql
