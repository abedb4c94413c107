// The replica's receiver: attempts to connect, the stream of events into the relay log, acknowledgements,
// silence and retries (M6, M17, M46, M54). Heartbeats are not packets: the tick of each heartbeat period asks
// whether one would have arrived. Reading what TCP would have sent again is here, too.
#include <algorithm>
#include <utility>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::ThreadState;
using sql::Variable;

void FakeMysql::start_receiver() {
    if (receiver_.state != ThreadState::no) return;
    const bool by_hand = receiver_.by_hand;
    receiver_ = {};
    receiver_.by_hand = by_hand;
    receiver_.state = ThreadState::connecting;
    receiver_.net_timeout = std::chrono::seconds(value(Variable::replica_net_timeout));
    receiver_.attempts_left = disk_.channel->retry_count;
    touch();
    start_attempt();
}

void FakeMysql::start_attempt() {
    Receiver& r = receiver_;
    r.attempting = true;
    r.connection = world_.next_connection();
    r.source = world_.find(disk_.channel->source);
    r.limit = after(r.net_timeout, [this] { attempt_limit_reached(); });
    if (r.source == nullptr) {
        after(draw(timing::handshake), [this, attempt = r.connection] { on_refused(attempt); });
        return;
    }
    DumpRequest request;
    request.attempt = r.connection;
    request.replica = this;
    request.replica_boot = boot_;
    request.uuid = disk_.uuid;
    request.server_id = value(Variable::server_id);
    request.acks = var(Variable::rpl_semi_sync_replica_enabled) && running_.semi_sync_plugins;
    request.heartbeat = disk_.channel->heartbeat_period;
    request.had = std::make_shared<const GtidSet>(disk_.executed | disk_.relay_log.retrieved);
    r.to_source = {endpoint_, r.source->endpoint_, {}};
    world_.network.send(
        r.to_source, world_.hosts, [request = std::move(request), source = r.source]() mutable {
            if (!source->listens()) {  // nobody listens: the machine says so
                FakeMysql* replica = request.replica;
                source->world_.network.send(
                    source->endpoint_, replica->endpoint_, replica->process_,
                    [replica, attempt = request.attempt] { replica->on_refused(attempt); });
                return;
            }
            source->after(source->draw(timing::handshake), [source, request = std::move(request)]() mutable {
                source->when_globals_free([source, request = std::move(request)]() mutable {
                    source->accept_dump(std::move(request));
                });
            });
        });
}

void FakeMysql::on_refused(std::uint64_t attempt) {
    if (receiver_.attempting && receiver_.connection == attempt) {
        attempt_failed(error_number::cannot_connect, "error connecting to source");
    }
}

// Nothing was heard in time: a machine out of reach does not even accept, a stopped process accepts and is
// silent.
void FakeMysql::attempt_limit_reached() {
    const bool accepted = receiver_.source != nullptr && receiver_.source->paused() &&
                          world_.network.reachable_both_ways(endpoint_, receiver_.source->endpoint_);
    attempt_failed(accepted ? error_number::server_lost : error_number::cannot_connect,
                   "error connecting to source");
}

void FakeMysql::attempt_failed(int error, std::string text) {
    world_.scheduler.cancel(receiver_.limit);
    receiver_.attempting = false;
    receiver_.connection = 0;
    receiver_.error = error;
    receiver_.text = std::move(text);
    touch();
    if (receiver_.when_stopped) return stop_if_asked();
    retry_later();
}

void FakeMysql::retry_later() {
    if (receiver_.attempts_left-- <= 0) return end_receiver(receiver_.error, receiver_.text);
    receiver_.retry =
        after(std::chrono::seconds(disk_.channel->connect_retry_s), [this] { start_attempt(); });
}

void FakeMysql::on_reply(std::uint64_t attempt, DumpReply reply) {
    Receiver& r = receiver_;
    if (!r.attempting || r.connection != attempt) {
        if (reply.error == 0 && r.source != nullptr) r.source->peer_gone(attempt);
        return;
    }
    if (reply.error != 0) {
        if (!reply.fatal) return attempt_failed(reply.error, std::move(reply.text));
        world_.scheduler.cancel(r.limit);
        r.attempting = false;
        return end_receiver(reply.error, std::move(reply.text));
    }
    world_.scheduler.cancel(r.limit);
    r.attempting = false;
    r.state = ThreadState::yes;
    r.error = 0;
    r.text.clear();
    r.acks = reply.acks;
    r.expected = r.expected_at_last_tick = 0;
    r.last_ack = 0;
    r.heard = now();
    r.attempts_left = disk_.channel->retry_count;
    disk_.source_uuid = reply.source_uuid;
    touch();
    world_.report(ReceiverConnected{alias_, r.source->alias_, r.acks, r.by_hand});
    schedule_tick();
    if (r.when_stopped) stop_if_asked();
}

void FakeMysql::stop_if_asked() {
    if (receiver_.when_stopped) end_receiver(receiver_.error, receiver_.text);
}

void FakeMysql::end_receiver(int error, std::string text) {
    Receiver& r = receiver_;
    world_.scheduler.cancel(r.tick);
    world_.scheduler.cancel(r.retry);
    world_.scheduler.cancel(r.limit);
    if (r.state == ThreadState::yes && r.source != nullptr) r.source->peer_gone(r.connection);
    r.state = ThreadState::no;
    r.attempting = false;
    r.connection = 0;
    r.acks = false;
    r.error = error;
    r.text = std::move(text);
    touch();
    if (auto when_stopped = std::exchange(r.when_stopped, nullptr)) when_stopped();
}

// ---- silence

void FakeMysql::schedule_tick() {
    const Duration heartbeat = disk_.channel->heartbeat_period;
    const Instant limit = receiver_.heard + receiver_.net_timeout;
    Instant next = limit;
    if (heartbeat > Duration::zero()) next = std::min(limit, now() + heartbeat);
    if (next <= now()) next = now() + std::chrono::milliseconds(1);
    receiver_.tick = world_.scheduler.at(process_, next, [this] { receiver_tick(); });
}

bool FakeMysql::stream_alive() const {
    FakeMysql* source = receiver_.source;
    return source->up_ && !source->paused() &&
           world_.network.reachable_both_ways(source->endpoint_, endpoint_) &&
           source->find_dump(receiver_.connection) != nullptr;
}

void FakeMysql::receiver_tick() {
    Receiver& r = receiver_;
    if (stream_alive()) {
        if (disk_.channel->heartbeat_period > Duration::zero()) r.heard = now();
        const bool progress = r.expected != r.expected_at_last_tick;
        r.expected_at_last_tick = r.expected;
        Dump* dump = r.source->find_dump(r.connection);
        if (!progress && dump->packets > r.expected) r.source->resend_from(r.connection, r.expected);
        if (!progress && dump->acked < r.last_ack) send_ack(r.last_ack);
    }
    if (now() - r.heard >= r.net_timeout) return on_disconnected();
    schedule_tick();
}

void FakeMysql::on_reset(std::uint64_t connection) {
    if (receiver_.state == ThreadState::yes && receiver_.connection == connection) on_disconnected();
}

void FakeMysql::on_disconnected() {
    Receiver& r = receiver_;
    world_.scheduler.cancel(r.tick);
    if (r.source != nullptr) r.source->peer_gone(r.connection);
    r.state = ThreadState::connecting;
    r.acks = false;
    r.error = 0;
    r.text.clear();
    touch();
    if (r.when_stopped) return;  // a STOP is under way and will find it
    start_attempt();
}

// ---- the stream

void FakeMysql::on_event(FakeMysql* source, std::uint64_t connection, std::uint64_t packet,
                         TransactionPtr transaction, BinaryLog::Position position, bool wants_ack) {
    Receiver& r = receiver_;
    if (r.state != ThreadState::yes || r.connection != connection) {
        world_.network.send(endpoint_, source->endpoint_, source->process_,
                            [source, connection] { source->end_dump(connection, false); });
        return;
    }
    r.heard = now();
    if (packet != r.expected) return;  // a double, or behind a gap: TCP will send it again
    ++r.expected;
    // M40: what bears one's own server_id is skipped, without a word.
    if (transaction->server_id != value(Variable::server_id)) receive(transaction);
    if (wants_ack && r.acks) send_ack(position);
}

void FakeMysql::receive(TransactionPtr transaction) {
    RelayLog& relay = disk_.relay_log;
    relay.transactions.push_back(transaction);
    relay.retrieved.add(transaction->gtid);
    touch();
    applier_kick();
}

void FakeMysql::send_ack(BinaryLog::Position position) {
    receiver_.last_ack = std::max(receiver_.last_ack, position);
    FakeMysql* source = receiver_.source;
    world_.network.send(
        receiver_.to_source, source->process_,
        [source, connection = receiver_.connection, position] { source->on_ack(connection, position); });
}

}  // namespace fixpoint::sim::mysql
