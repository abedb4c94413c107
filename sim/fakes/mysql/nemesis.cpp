// What faults and people do to a server, past its statements and privileges. Each leaves the server in a
// state that the real one can be brought into by hand, and in no other.
#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::ThreadState;

// ---- the disk of a server that is down

void FakeMysql::lose_relay_log() {
    if (up_) return;
    report_discarded(nullptr);
    disk_.relay_log = {};
    if (disk_.channel) disk_.relay_log.index = RelayIndex::files_removed;
    touch();
}

void FakeMysql::make_relay_log_hole() {
    if (up_) return;
    report_discarded(nullptr);
    disk_.relay_log.applier_at = disk_.relay_log.transactions.size();
    touch();
}

void FakeMysql::tear_relay_log() {
    RelayLog& relay = disk_.relay_log;
    if (up_ || relay.applier_at == relay.transactions.size()) return;
    // 9.7.4 does not count the cut transaction as received, passes over it, and fetches it again.
    const Transaction& last = *relay.transactions.back();
    RelayLogDiscarded event;
    event.tablet = alias_;
    event.gtids = GtidSet::single(last.gtid);
    for (const RowChange& change : last.rows) event.writes.push_back(change.id);
    relay.transactions.pop_back();
    relay.retrieved.subtract(event.gtids);
    touch();
    world_.report(std::move(event));
}

void FakeMysql::restore(DurableState state) {
    if (up_) return;
    disk_ = std::move(state);
    touch();
}

void FakeMysql::restore_journal(sql::JournalRow row) {
    disk_.rows.journal_database = disk_.rows.journal_table = true;
    disk_.rows.journal.push_back(std::move(row));
    touch();
}

void FakeMysql::make_new_uuid() {
    new_uuid_at_start_ = true;
}

// ---- settings by hand

void FakeMysql::close_by_hand(Continuation closed) {
    if (!up_) return;
    const SessionId id = add_session({.user = "root", .privileged = true, .system_user = true}, [] {}, false);
    execute(id, sql::SetGlobal{sql::Variable::super_read_only, 1}, 0,
            [this, id, closed = std::move(closed)](const sql::Result& result) mutable {
                if (result) closed();
                disconnect(id);
            });
}

// ---- replication by hand

void FakeMysql::block_applier(bool blocked) {
    applier_blocked_ = blocked;
    touch();
    applier_kick();
    table_lock_changed();
}

void FakeMysql::set_source_delay(Duration delay) {
    if (disk_.channel) disk_.channel->delay = delay;
    touch();
}

void FakeMysql::fail_applier(int error_number) {
    applier_failure_ = error_number;
}

void FakeMysql::stop_receiver_by_hand() {
    if (up_ && receiver_.state != ThreadState::no && !receiver_.when_stopped) end_receiver(0, {});
}

void FakeMysql::start_receiver_by_hand() {
    if (up_ && disk_.channel && !disk_.relay_log.refuses_starts()) start_receiver();
}

void FakeMysql::stop_applier_by_hand() {
    if (!up_ || !applier_.running) return;
    applier_.stop_requested = true;
    if (applier_.sleeping) {
        world_.scheduler.cancel(applier_.timer);
        applier_.sleeping = applier_.busy = false;
    }
    if (!applier_.busy) applier_stopped();
}

void FakeMysql::start_applier_by_hand() {
    if (up_ && disk_.channel && !disk_.relay_log.refuses_starts()) start_applier();
}

void FakeMysql::reset_replica_by_hand(bool all) {
    if (!up_) return;
    stop_receiver_by_hand();
    stop_applier_by_hand();
    if (applier_.running || receiver_.state != ThreadState::no) return;
    forget_replication(nullptr, all);
    touch();
}

void FakeMysql::repoint_by_hand(MysqlAddress source, bool start) {
    if (!up_) return;
    stop_receiver_by_hand();
    stop_applier_by_hand();
    if (applier_.running || receiver_.state != ThreadState::no) return;
    drop_relay_log(nullptr);
    if (!disk_.channel) disk_.channel.emplace();
    disk_.channel->source = std::move(source);
    disk_.source_uuid = {};
    receiver_ = {};
    receiver_.by_hand = true;
    applier_ = {};
    touch();
    if (start) start_replication_silently();
}

// ---- data by hand

void FakeMysql::commit_by_hand(Transaction draft) {
    draft.server_id = value(sql::Variable::server_id);
    draft.made_at = now();
    const TransactionPtr transaction = world_.transactions.keep(std::move(draft));
    disk_.binary_log.append(transaction);
    disk_.executed.add(transaction->gtid);
    disk_.rows.apply(*transaction);
    touch();
    pump_all();
    executed_changed();
}

void FakeMysql::write_errant(WriteId id) {
    if (!up_) return;
    Transaction draft;
    draft.gtid = next_gtid();
    draft.payload = Payload::rows;
    draft.rows.push_back({id, false, 0});
    commit_by_hand(std::move(draft));
}

void FakeMysql::flush_by_hand() {
    if (!up_) return;
    Transaction draft;
    draft.gtid = next_gtid();
    draft.payload = Payload::flush;
    commit_by_hand(std::move(draft));
}

void FakeMysql::execute_empty(const Gtid& gtid) {
    if (!up_ || disk_.executed.contains(gtid)) return;
    Transaction draft;
    draft.gtid = gtid;
    commit_by_hand(std::move(draft));
}

void FakeMysql::insert_unlogged(WriteId id) {
    disk_.rows.writes.insert(id);
    touch();
}

void FakeMysql::delete_unlogged(WriteId id) {
    disk_.rows.writes.erase(id);
    touch();
}

void FakeMysql::purge_binary_logs() {
    BinaryLog::Position keep_from = disk_.binary_log.end();
    for (const Commit& commit : commits_) keep_from = std::min(keep_from, commit.position);
    for (BinaryLog::Position p = disk_.binary_log.first(); p < keep_from; ++p) {
        disk_.purged.add(disk_.binary_log.at(p)->gtid);
    }
    disk_.binary_log.purge_before(keep_from);
    touch();
}

void FakeMysql::reset_binary_logs() {
    disk_.binary_log.reset();
    disk_.executed = {};
    disk_.purged = {};
    next_free_number_ = 1;
    touch();
}

}  // namespace fixpoint::sim::mysql
