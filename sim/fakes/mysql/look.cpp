// What can be read of a server: a look and its parts, the channel, semi-sync, user locks, journal, sessions.
// What reads several values reads them one after the other, and other work may run in between (M51).
#include <algorithm>
#include <tuple>
#include <utility>

#include "fixpoint/engine/canary.hpp"
#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

struct FakeMysql::LookUnderWay {
    ShardName shard;
    sql::LookAnswer answer;
};

void FakeMysql::run_look(SessionId id, ShardName shard) {
    auto look = std::make_shared<LookUnderWay>();
    look->shard = std::move(shard);
    look_step(id, std::move(look), 0);
}

void FakeMysql::look_step(SessionId id, std::shared_ptr<LookUnderWay> look, int step) {
    if (find(id)->killed) return finish(id, sql::Nothing{});
    if (step < 2 && now() < globals_busy_until_) {
        return when_globals_free([this, id, look, step] { look_step(id, look, step); });
    }
    sql::LookAnswer& answer = look->answer;
    switch (step) {
        case 0:
            answer.server.gtid_owned = owned();
            if (canary(Canary::executed_before_owned)) answer.server.gtid_executed = disk_.executed;
            break;
        case 1:
            if (canary(Canary::executed_before_owned)) {
                GtidSet before = std::move(answer.server.gtid_executed);
                fill_server_row(answer.server);
                answer.server.gtid_executed = std::move(before);
                answer.server.gtid_owned = owned();
                break;
            }
            fill_server_row(answer.server);
            break;
        case 2:
            answer.channels = replica_rows();
            break;
        case 3:
            answer.semi_sync = semi_sync_row();
            break;
        case 4:
            answer.persisted = disk_.persisted;
            answer.locks = lock_holders(look->shard);
            answer.group_replication = peculiarities_.group_replication;
            observed(*find(id));
            return finish(id, std::move(answer));
        default:
            break;
    }
    after(draw(timing::between_values),
          [this, id, look = std::move(look), step] { look_step(id, look, step + 1); });
}

// All but gtid_owned, which is read before.
void FakeMysql::fill_server_row(sql::ServerRow& row) const {
    row.gtid_executed = disk_.executed;
    row.gtid_purged = disk_.purged;
    row.server_uuid = disk_.uuid;
    row.server_id = value(Variable::server_id);
    row.version = peculiarities_.version;
    row.gtid_mode_on = peculiarities_.gtid_mode_on;
    row.log_replica_updates = peculiarities_.log_replica_updates;
    row.read_only = var(Variable::read_only);
    row.super_read_only = var(Variable::super_read_only) || super_read_only_pending_;
    row.offline_mode = var(Variable::offline_mode);
    row.semi_sync_plugins = running_.semi_sync_plugins;
    row.semi_sync_source_enabled = var(Variable::rpl_semi_sync_source_enabled);
    row.semi_sync_source_timeout_ms = value(Variable::rpl_semi_sync_source_timeout);
    row.semi_sync_source_wait_no_replica = var(Variable::rpl_semi_sync_source_wait_no_replica);
    row.semi_sync_source_wait_for_replica_count =
        value(Variable::rpl_semi_sync_source_wait_for_replica_count);
    row.semi_sync_source_wait_point = value(Variable::rpl_semi_sync_source_wait_point) == 0
                                          ? sql::WaitPoint::after_sync
                                          : sql::WaitPoint::after_commit;
    row.semi_sync_replica_enabled = var(Variable::rpl_semi_sync_replica_enabled);
    row.replica_net_timeout_s = value(Variable::replica_net_timeout);
    row.stop_replica_timeout_s = value(Variable::rpl_stop_replica_timeout);
    row.sync_binlog = running_.sync_binlog;
    row.flush_log_at_trx_commit = running_.flush_log_at_trx_commit;
    row.max_connections = value(sql::Variable::max_connections);
    row.persisted_globals_load = running_.persisted_globals_load;
    row.relay_log_recovery = var(Variable::relay_log_recovery);
    row.skip_replica_start = var(Variable::skip_replica_start);
    row.uptime_s = std::chrono::duration_cast<std::chrono::seconds>(now() - started_at_).count();
}

std::vector<sql::ReplicaRow> FakeMysql::replica_rows() const {
    std::vector<sql::ReplicaRow> rows;
    if (disk_.channel) {
        const ChannelSettings& channel = *disk_.channel;
        sql::ReplicaRow& row = rows.emplace_back();
        row.source = channel.source;
        row.source_uuid = disk_.source_uuid;
        row.receiver = receiver_.state;
        row.receiver_errno = receiver_.error;
        row.receiver_error = receiver_.text;
        row.applier_running = applier_.running;
        row.applier_errno = applier_.error;
        row.applier_error = applier_.text;
        row.retrieved = disk_.relay_log.retrieved;
        row.connect_retry_s = channel.connect_retry_s;
        row.retry_count = channel.retry_count;
        row.heartbeat_period = channel.heartbeat_period;
        row.delay = channel.delay;
        row.filters = peculiarities_.filters;
        const RelayLog& relay = disk_.relay_log;
        const bool all_read = relay.applier_at == relay.transactions.size();
        row.applier_only_reads = applier_.running && relay.index == RelayIndex::goes_round;
        row.applier_idle = all_read && !row.applier_only_reads;
        if (applier_.running && (receiver_.state == sql::ThreadState::yes || !all_read)) {
            row.seconds_behind = 0;
            if (!all_read) {
                const Instant made = relay.transactions[relay.applier_at]->made_at;
                row.seconds_behind = std::chrono::duration_cast<std::chrono::seconds>(now() - made).count();
            }
        }
    }
    for (const std::string& name : peculiarities_.extra_channels) rows.emplace_back().channel = name;
    return rows;
}

sql::SemiSyncStatusRow FakeMysql::semi_sync_row() const {
    sql::SemiSyncStatusRow row;
    if (!running_.semi_sync_plugins) return row;
    row.source_status = var(Variable::rpl_semi_sync_source_enabled) && semi_sync_status_;
    row.source_clients = semi_sync_clients();
    row.wait_sessions = !commits_.empty() && must_wait(commits_.front()) ? 1 : 0;
    row.yes_transactions = yes_transactions_;
    row.no_transactions = no_transactions_;
    row.replica_status = receiver_.acks;
    return row;
}

sql::LockHolders FakeMysql::lock_holders(const ShardName& shard) const {
    const auto holder = [this](const std::string& name) -> std::optional<std::uint64_t> {
        const auto session = user_locks_.holder(name);
        if (!session) return std::nullopt;
        return connection_id(*session);
    };
    return {holder(sql::server_lock_name(shard)), holder(sql::helper_lock_name(shard)),
            holder(sql::rebuild_lock_name(shard))};
}

void FakeMysql::run_read_journal(Session& session, const ShardName& shard) {
    const SessionId id = session.id;
    when_unlocked(
        id, [this] { return journal_table_locked(); },
        [this, id, shard] {
            std::vector<sql::JournalRow> newest;
            for (const sql::JournalRow& row : disk_.rows.journal) {
                if (row.shard != shard) continue;
                const auto same = std::ranges::find(newest, row.uuid, &sql::JournalRow::uuid);
                if (same == newest.end()) {
                    newest.push_back(row);
                } else if (std::pair(same->term, same->revision) < std::pair(row.term, row.revision)) {
                    *same = row;
                }
            }
            std::ranges::sort(newest, [](const sql::JournalRow& a, const sql::JournalRow& b) {
                return std::tie(a.term, a.revision, a.uuid) > std::tie(b.term, b.revision, b.uuid);
            });
            finish(id, std::move(newest));
        },
        [this, id](int error) { finish(id, std::unexpected(server_error(error))); });
}

namespace {

// CloseInOnePacket waits in its FLUSH TABLES WITH READ LOCK, as a backup does.
bool is_closing(const Request& request) {
    const auto* statement = std::get_if<sql::Statement>(&request.what);
    const auto* set = statement ? std::get_if<sql::SetGlobal>(statement) : nullptr;
    return set && (set->variable == Variable::read_only || set->variable == Variable::super_read_only);
}

}  // namespace

std::vector<sql::SessionRow> FakeMysql::session_rows() const {
    std::vector<sql::SessionRow> rows;
    for (const auto& session : sessions_) {
        sql::SessionRow& row = rows.emplace_back();
        row.id = connection_id(session->id);
        row.user = session->login.user;
        row.command = session->killed ? "Killed" : session->busy ? "Query" : "Sleep";
        row.state = session->state;
        row.killed = session->killed;
        row.idle = !session->busy && !session->killed;
        row.privileged = session->login.privileged;
        row.closing = session->busy && is_closing(session->current);
        row.in_transaction = session->waits_for_acks || !session->changes.empty();
        row.seconds = std::chrono::duration_cast<std::chrono::seconds>(now() - session->since).count();
    }
    for (const auto& dump : dumps_) {
        if (has_noticed_the_end_of(*dump)) continue;
        sql::SessionRow& row = rows.emplace_back();
        row.id = connection_id(dump->session);
        row.user = "repl";
        row.command = "Binlog Dump GTID";
        row.state = "Source has sent all binlog to replica; waiting for more updates";
        row.dump_thread = true;
    }
    return rows;
}

}  // namespace fixpoint::sim::mysql
