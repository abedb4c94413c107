// START, STOP, CHANGE and RESET of the channel: one at a time, the next waits until the one before has ended,
// and a KILL shortens nothing (M53, M54). What they do to the relay log is M8.
#include <algorithm>
#include <utility>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::ThreadState;
using sql::Variable;

void FakeMysql::run_replication_statement(SessionId id, Continuation begin) {
    Session& session = *find(id);
    if (misses(session, "REPLICATION_SLAVE_ADMIN")) {
        return finish(id, std::unexpected(server_error(error_number::missing_privilege)));
    }
    if (channel_busy_) {
        session.state = "Waiting for the channel";
        channel_queue_.emplace_back(id, std::move(begin));
        return;
    }
    channel_busy_ = true;
    begin();
}

void FakeMysql::end_replication_statement(SessionId id, sql::Result result) {
    if (channel_queue_.empty()) {
        channel_busy_ = false;
    } else {
        auto [next, begin] = std::move(channel_queue_.front());
        channel_queue_.pop_front();
        world_.scheduler.post(process_, std::move(begin));
    }
    touch();
    finish(id, std::move(result));
}

void FakeMysql::start_thread(SessionId id, bool receiver) {
    // An applier starts where there is no channel (nothing shows it), but not after a RESET before a
    // receiver.
    int error = 0;
    if (receiver && !disk_.channel) error = error_number::no_channel;
    if (!receiver && metadata_reset_) error = error_number::connection_metadata;
    if (error == 0 && disk_.relay_log.refuses_starts()) error = error_number::relay_log_init;
    if (error != 0) return end_replication_statement(id, std::unexpected(server_error(error)));
    if (receiver) metadata_reset_ = false;
    after(draw(timing::thread_start), [this, id, receiver] {
        if (receiver && !disk_.channel) {  // reset by hand meanwhile
            return end_replication_statement(id, std::unexpected(server_error(error_number::no_channel)));
        }
        if (!receiver && metadata_reset_) {
            return end_replication_statement(
                id, std::unexpected(server_error(error_number::connection_metadata)));
        }
        took_effect(*find(id));
        receiver ? start_receiver() : start_applier();
        end_replication_statement(id, sql::Nothing{});
    });
}

void FakeMysql::stop_receiver(SessionId id) {
    if (receiver_.state == ThreadState::no) {
        took_effect(*find(id));
        return end_replication_statement(id, sql::Nothing{});
    }
    find(id)->state = "Killing replica";
    receiver_.when_stopped = [this, id] {
        took_effect(*find(id));
        end_replication_statement(id, sql::Nothing{});
    };
    // An attempt to connect is waited for (M54); what is connected, or sleeps between attempts, ends soon.
    if (!receiver_.attempting) after(draw(timing::thread_stop), [this] { stop_if_asked(); });
}

void FakeMysql::stop_applier(SessionId id) {
    if (!applier_.running) {
        took_effect(*find(id));
        return end_replication_statement(id, sql::Nothing{});
    }
    find(id)->state = "Killing replica";
    applier_.stop_requested = true;
    auto over = std::make_shared<bool>(false);
    const TimerId limit = after(std::chrono::seconds(value(Variable::rpl_stop_replica_timeout)), [this, id,
                                                                                                  over] {
        *over = true;
        took_effect(*find(id));  // it will stop, once its transaction has ended
        end_replication_statement(id, std::unexpected(server_error(error_number::stop_replica_timed_out)));
    });
    applier_.when_stopped.push_back([this, id, over, limit] {
        if (*over) return;
        world_.scheduler.cancel(limit);
        took_effect(*find(id));
        end_replication_statement(id, sql::Nothing{});
    });
    if (applier_.sleeping) {
        world_.scheduler.cancel(applier_.timer);
        applier_.sleeping = applier_.busy = false;
    }
    if (!applier_.busy) {
        after(draw(timing::thread_stop), [this] {
            if (applier_.running && !applier_.busy && applier_.stop_requested) applier_stopped();
        });
    }
}

void FakeMysql::change_source(SessionId id, const sql::ChangeSource& statement) {
    const auto refuse = [&](int error) {
        end_replication_statement(id, std::unexpected(server_error(error)));
    };
    if (receiver_.state != ThreadState::no) return refuse(error_number::receiver_must_stop);
    if (applier_.running && !statement.receiver_options_only)
        return refuse(error_number::replication_must_stop);
    after(draw(timing::change_source), [this, id, statement] {
        Session& session = *find(id);
        took_effect(session);
        if (!disk_.channel) disk_.channel.emplace();
        ChannelSettings& channel = *disk_.channel;
        if (channel.source != statement.source) disk_.source_uuid = {};
        channel.source = statement.source;
        channel.heartbeat_period = statement.heartbeat_period;
        channel.connect_retry_s = statement.connect_retry_s;
        channel.retry_count = statement.retry_count;
        receiver_.error = 0;
        receiver_.text.clear();
        receiver_.by_hand = false;
        metadata_reset_ = false;
        // The applier may have stopped since the statement was sent: then this one drops the relay log, too
        // (M8).
        if (!applier_.running) {
            drop_relay_log(&session);
            applier_.error = 0;
            applier_.text.clear();
        }
        end_replication_statement(id, sql::Nothing{});
    });
}

void FakeMysql::reset_replica(SessionId id, bool all) {
    if (receiver_.state != ThreadState::no || applier_.running) {
        return end_replication_statement(id,
                                         std::unexpected(server_error(error_number::replication_must_stop)));
    }
    after(draw(timing::change_source), [this, id, all] {
        Session& session = *find(id);
        took_effect(session);
        forget_replication(&session, all);
        end_replication_statement(id, sql::Nothing{});
    });
}

GtidSet FakeMysql::unexecuted_in_relay_log() const {
    GtidSet gtids;
    for (const TransactionPtr transaction : disk_.relay_log.transactions) {
        if (!disk_.executed.contains(transaction->gtid)) gtids.add(transaction->gtid);
    }
    return gtids;
}

void FakeMysql::report_discarded(const Session* by) {
    if (world_.observer == nullptr) return;
    RelayLogDiscarded event;
    event.tablet = alias_;
    event.gtids = unexecuted_in_relay_log();
    if (event.gtids.empty()) return;
    for (const TransactionPtr transaction : disk_.relay_log.transactions) {
        if (disk_.executed.contains(transaction->gtid)) continue;
        for (const RowChange& change : transaction->rows) event.writes.push_back(change.id);
    }
    std::ranges::sort(event.writes);
    event.writes.erase(std::ranges::unique(event.writes).begin(), event.writes.end());
    if (by != nullptr) {
        event.manager = by->login.manager;
        event.lock_id = by->current.lock_id;
    }
    world_.report(std::move(event));
}

void FakeMysql::drop_relay_log(const Session* by) {
    report_discarded(by);
    const bool refuses = disk_.relay_log.refuses_starts();
    disk_.relay_log = {};
    if (refuses) disk_.relay_log.index = RelayIndex::written_anew;
    touch();
}

// RESET REPLICA; all: the channel's settings too.
void FakeMysql::forget_replication(const Session* by, bool all) {
    drop_relay_log(by);
    disk_.relay_log.index = RelayIndex::whole;
    receiver_ = {};
    applier_ = {};
    metadata_reset_ = true;
    if (all) disk_.channel.reset();
    if (all) disk_.source_uuid = {};
}

}  // namespace fixpoint::sim::mysql
