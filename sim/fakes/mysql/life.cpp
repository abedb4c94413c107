// Birth, death and sleep of the process. kill -9 keeps the disk and tells nobody (M23); a clean shutdown
// tells everybody who waits OK (M32); a start takes its variables from configuration and what was persisted
// (M22, M24, M35) and its relay log by relay_log_recovery (M9, M44).
#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

FakeMysql::FakeMysql(MysqlWorld& world, TabletAlias alias, MysqlAddress address, StartOptions options)
    : world_(world),
      alias_(std::move(alias)),
      address_(std::move(address)),
      process_(world.scheduler.add_process("mysql/" + alias_.to_string())),
      endpoint_(world.network.endpoint(alias_.to_string())),
      stream_(world.scheduler.chooser().stream("mysql/" + alias_.to_string())),
      options_(std::move(options)) {
    disk_.uuid = world_.make_uuid();
    world_.servers.push_back(this);
    come_up();
}

Duration FakeMysql::draw(Range range) {
    return world_.scheduler.chooser().duration(stream_, range.least, range.most);
}

void FakeMysql::crash() {
    if (!up_ && !starting_ && !stopping_) return;
    die(false);
}

void FakeMysql::crash_at_next_commit(CrashPoint point) {
    crash_point_ = point;
}

void FakeMysql::lose_machine(std::uint64_t unsynced) {
    if (up_ && running_.sync_binlog != 1) {
        const BinaryLog::Position end = disk_.binary_log.end();
        const BinaryLog::Position keep =
            std::max(disk_.binary_log.first(), end - std::min<BinaryLog::Position>(unsynced, end));
        for (BinaryLog::Position p = end; p-- > keep;) {
            const TransactionPtr lost_one = disk_.binary_log.at(p);
            if (!disk_.executed.contains(lost_one->gtid)) continue;
            disk_.executed.subtract(GtidSet::single(lost_one->gtid));
            disk_.rows.take_back(*lost_one);
        }
        std::erase_if(commits_, [&](const Commit& commit) { return commit.position >= keep; });
        disk_.binary_log.truncate(keep);
    }
    crash();
}

// M58: it listens no more at once, and ends what executes; who is idle is told with the next statement, or
// when the rest is over: eight seconds later its dump threads end, where it has any, and two later what is
// left.
void FakeMysql::shut_down() {
    if (!up_ || stopping_) return;
    stopping_ = true;
    touch();
    after(draw(timing::statements_end_at_shutdown), [this] { end_statements_at_shutdown(); });
}

void FakeMysql::end_statements_at_shutdown() {
    // Every client that waits for an acknowledgement is told OK (M32).
    std::deque<Commit> waiting = std::exchange(commits_, {});
    for (Commit& commit : waiting) {
        if (!commit.visible) commit_in_engine(commit);
    }
    for (const Commit& commit : waiting) {
        if (!commit.applier) complete(commit, true);
    }
    std::vector<SessionId> busy;
    for (const auto& session : sessions_) {
        if (session->busy) busy.push_back(session->id);
    }
    world_.scheduler.post(process_, [this, busy = std::move(busy)] {
        for (const SessionId id : busy) {
            if (Session* session = find(id)) kill_session(*session);
        }
    });
    if (dumps_.empty()) return end_by_shutdown(draw(timing::shutdown));
    after(draw(timing::dump_threads_outlive_clients), [this] {
        end_dumps(true);
        end_by_shutdown(draw(timing::idle_outlive_dump_threads));
    });
}

void FakeMysql::end_by_shutdown(Duration later) {
    after(later, [this] {
        world_.scheduler.post(
            world_.hosts,
            [this] {
                const auto then = std::exchange(start_when_stopped_, std::nullopt);
                die(true);
                if (then) start(*then);
            },
            EventKind::fault);
    });
}

// Whatever is in the binary log survives, waiting commits included: crash recovery commits them (M23).
void FakeMysql::die(bool clean) {
    for (Commit& commit : commits_) {
        if (!commit.visible) commit_in_engine(commit);
    }
    if (!clean && running_.flush_log_at_trx_commit == 0) {
        // M38: the engine loses the last rows; their GTIDs stay.
        const BinaryLog& log = disk_.binary_log;
        const auto in_log = static_cast<std::int64_t>(log.end() - log.first());
        const auto lost = static_cast<BinaryLog::Position>(
            world_.scheduler.chooser().range(stream_, 0, std::min<std::int64_t>(in_log, 50)));
        for (BinaryLog::Position p = log.end(); p-- > log.end() - lost;) disk_.rows.take_back(*log.at(p));
    }
    const bool was_up = up_;
    up_ = starting_ = stopping_ = false;
    start_when_stopped_.reset();
    once_.reset();
    world_.scheduler.kill(process_);
    for (const auto& dump : dumps_) reset_stream_of(*dump);
    dumps_.clear();
    if (receiver_.state == sql::ThreadState::yes && receiver_.source != nullptr) {
        receiver_.source->peer_gone(receiver_.connection);
    }
    receiver_ = {};
    applier_ = {};
    commits_.clear();
    running_commits_ = false;
    executed_waiters_.clear();
    table_waiters_.clear();
    channel_queue_.clear();
    channel_busy_ = metadata_reset_ = false;
    user_locks_.forget_all();
    statements_lock_.forget_all();
    commits_lock_.forget_all();
    closings_ = 0;
    super_read_only_pending_ = false;
    globals_busy_until_ = {};
    crash_point_.reset();
    acks_.clear();
    acknowledged_ = 0;
    yes_transactions_ = no_transactions_ = 0;
    auto sessions = std::exchange(sessions_, {});
    for (const auto& session : sessions) tell_ended(*session);
    touch();
    if (was_up) world_.report(ServerStopped{alias_, clean});
}

void FakeMysql::start(StartOptions options) {
    if (stopping_) start_when_stopped_ = std::move(options);
    if (up_ || starting_) return;
    FIXPOINT_ASSERT(!process_.alive(), "a server that is not up is dead");
    options_ = std::move(options);
    world_.scheduler.restart(process_);
    starting_ = true;
    touch();
    after(draw(timing::server_start), [this] { come_up(); });
}

void FakeMysql::start_once(StartOptions once) {
    if (up_ || starting_) return;
    once_ = std::move(once);
    start();
}

void FakeMysql::come_up() {
    ++boot_;
    starting_ = false;
    up_ = true;
    started_at_ = now();
    next_session_ = 8;
    next_free_number_ = 1;
    running_ = std::exchange(once_, std::nullopt).value_or(options_);
    settings_ = settings_at_start(running_, disk_.persisted);
    semi_sync_status_ = var(Variable::rpl_semi_sync_source_enabled);
    if (std::exchange(new_uuid_at_start_, false)) disk_.uuid = world_.make_uuid();
    RelayLog& relay = disk_.relay_log;
    const RelayIndex index = relay.index;
    if (index == RelayIndex::files_removed) relay.index = RelayIndex::files_missing;
    if (index == RelayIndex::files_missing) relay.index = RelayIndex::goes_round;
    if (index == RelayIndex::written_anew) relay.index = RelayIndex::whole;
    if (index == RelayIndex::files_removed) {
        applier_.error = sql::error_number::relay_log_missing;
        applier_.text = "Replica failed to initialize applier metadata structure from the repository";
    } else if (var(Variable::relay_log_recovery) && index != RelayIndex::files_missing) {
        // The files stay in the index; nobody will read them again (M44).
        report_discarded(nullptr);
        relay.applier_at = relay.transactions.size();
        relay.retrieved = {};
        relay.index = RelayIndex::whole;  // it begins with a file of a name of its own
    } else {
        relay.retrieved = {};
        for (const TransactionPtr transaction : relay.transactions) relay.retrieved.add(transaction->gtid);
    }
    touch();
    world_.report(ServerStarted{alias_, boot_});
    if (!var(Variable::skip_replica_start)) start_replication_silently();
}

void FakeMysql::start_replication_silently() {
    if (!disk_.channel || disk_.relay_log.refuses_starts()) return;
    start_receiver();
    start_applier();
}

void FakeMysql::pause() {
    if (!process_.alive() || paused()) return;
    world_.scheduler.pause(process_);
    touch();
}

void FakeMysql::resume() {
    if (!paused()) return;
    world_.scheduler.resume(process_);
    touch();
}

}  // namespace fixpoint::sim::mysql
