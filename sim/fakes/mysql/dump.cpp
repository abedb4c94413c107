// The source's side of replication: dump threads that send what a replica lacks (M3), and the
// acknowledgements that come back. A dump thread whose replica has gone is still counted until the source
// next sends something (M16). A stream is TCP: in order, sent again after a short silence, reset when a
// process dies.
#include <algorithm>
#include <utility>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

FakeMysql::Dump* FakeMysql::find_dump(std::uint64_t connection) {
    for (const auto& dump : dumps_) {
        if (dump->connection == connection) return dump.get();
    }
    return nullptr;
}

void FakeMysql::reply_to(const DumpRequest& request, DumpReply reply) {
    FakeMysql* replica = request.replica;
    world_.network.send(endpoint_, replica->endpoint_, replica->process_,
                        [replica, attempt = request.attempt, boot = request.replica_boot,
                         reply = std::move(reply)]() mutable {
                            if (replica->boot_ == boot) replica->on_reply(attempt, std::move(reply));
                        });
}

void FakeMysql::accept_dump(DumpRequest request) {
    const auto refuse = [&](int error, std::string text, bool fatal) {
        reply_to(request, {error, fatal, std::move(text), {}, false});
    };
    if (var(Variable::offline_mode)) {
        return refuse(sql::error_number::offline_mode, "The server is currently in offline mode", false);
    }
    if (connections_full_ ||
        connections() >= static_cast<std::size_t>(value(sql::Variable::max_connections))) {
        return refuse(error_number::too_many_connections, "Too many connections", false);
    }
    if (passwords_rejected_)
        return refuse(error_number::access_denied, "Access denied for user 'repl'", false);
    if (request.server_id == value(Variable::server_id)) {
        return refuse(error_number::receiver_equal_server_ids,
                      "Fatal error: source and replica have equal MySQL server ids", true);
    }
    const GtidSet log = disk_.executed | owned();
    if (!log.contains(request.had->of_uuid(disk_.uuid))) {
        return refuse(error_number::receiver_purged,
                      "Got fatal error 1236 from source: replica has more GTIDs than the source has", true);
    }
    if (!request.had->contains(disk_.purged)) {
        return refuse(error_number::receiver_purged,
                      "Got fatal error 1236 from source: the source has purged required binary logs", true);
    }
    forget_gone_peers();
    for (const auto& old : dumps_) {
        if (old->replica_uuid == request.uuid && !old->peer_gone_since) old->peer_gone_since = now();
    }
    auto dump = std::make_unique<Dump>();
    dump->connection = request.attempt;
    dump->session = (boot_ << 32U) | next_session_++;
    dump->replica = request.replica;
    dump->replica_uuid = request.uuid;
    dump->replica_server_id = request.server_id;
    dump->acks = request.acks && running_.semi_sync_plugins;
    dump->heartbeat = request.heartbeat;
    dump->had = request.had;
    dump->had_until = disk_.binary_log.end();
    dump->next = disk_.binary_log.first();
    dump->channel = {endpoint_, request.replica->endpoint_, {}};
    dump->acks_heard_from = now();
    if (dump->acks && !world_.scheduler.chooser().chance(stream_, timing::acks_heard_at_once_permille)) {
        dump->acks_heard_from += draw(timing::ack_listening);
    }
    Dump& added = *dumps_.emplace_back(std::move(dump));
    touch();
    DumpReply reply{0, false, {}, disk_.uuid, added.acks};
    FakeMysql* replica = request.replica;
    world_.network.send(added.channel, replica->process_,
                        [replica, attempt = request.attempt, boot = request.replica_boot,
                         reply = std::move(reply)]() mutable {
                            if (replica->boot_ == boot) replica->on_reply(attempt, std::move(reply));
                        });
    pump(added);
    run_commits();  // `clients` has changed
}

void FakeMysql::pump_all() {
    forget_gone_peers();
    bool gone = false;
    for (const auto& dump : dumps_) {
        pump(*dump);
        gone = gone || dump->peer_gone_since.has_value();
    }
    if (!gone) return;
    // Having sent something to a peer that has gone, the source hears of it.
    std::erase_if(dumps_, [&](const auto& dump) {
        return dump->peer_gone_since &&
               world_.network.reachable_both_ways(endpoint_, dump->replica->endpoint_);
    });
}

void FakeMysql::pump(Dump& dump) {
    const BinaryLog& log = disk_.binary_log;
    if (dump.next < log.first()) dump.next = log.first();
    for (; dump.next < log.end(); ++dump.next) {
        const TransactionPtr transaction = log.at(dump.next);
        if (dump.next < dump.had_until && dump.had->contains(transaction->gtid)) continue;
        const bool wants_ack =
            dump.acks && var(Variable::rpl_semi_sync_source_enabled) && dump.next > acknowledged_;
        dump.sent.push_back(dump.next);
        world_.network.send(
            dump.channel, dump.replica->process_,
            [replica = dump.replica, source = this, connection = dump.connection, packet = dump.packets,
             transaction, position = dump.next,
             wants_ack] { replica->on_event(source, connection, packet, transaction, position, wants_ack); });
        ++dump.packets;
    }
}

// What TCP does when packets were lost: the receiver's next tick finds that it lacks `packet`.
void FakeMysql::resend_from(std::uint64_t connection, std::uint64_t packet) {
    Dump* dump = find_dump(connection);
    if (dump == nullptr || packet >= dump->packets) return;
    dump->next = dump->sent[static_cast<std::size_t>(packet)];
    dump->sent.resize(static_cast<std::size_t>(packet));
    dump->packets = packet;
    pump(*dump);
}

// ---- acknowledgements

void FakeMysql::on_ack(std::uint64_t connection, BinaryLog::Position position) {
    Dump* dump = find_dump(connection);
    if (dump == nullptr) return;
    dump->acked = std::max(dump->acked, position);
    const std::int64_t server_id = dump->replica_server_id;
    if (now() >= dump->acks_heard_from) return count_ack(server_id, position);
    world_.scheduler.at(process_, dump->acks_heard_from,
                        [this, server_id, position] { count_ack(server_id, position); });
}

void FakeMysql::count_ack(std::int64_t server_id, BinaryLog::Position position) {
    if (!var(Variable::rpl_semi_sync_source_enabled)) return;
    acks_.acknowledge(server_id, position);
    acks_changed();
}

void FakeMysql::acks_changed() {
    acknowledged_ = acks_.acknowledged_by(value(Variable::rpl_semi_sync_source_wait_for_replica_count));
    const bool caught_up = acknowledged_ + 1 >= disk_.binary_log.end() && acknowledged_ > 0;
    if (var(Variable::rpl_semi_sync_source_enabled) && !semi_sync_status_ && caught_up)
        semi_sync_status_ = true;
    touch();
    run_commits();
}

// ---- the end of a dump thread

void FakeMysql::reset_stream_of(const Dump& dump) {
    FakeMysql* replica = dump.replica;
    world_.network.send(endpoint_, replica->endpoint_, replica->process_,
                        [replica, connection = dump.connection] { replica->on_reset(connection); });
}

void FakeMysql::end_dump(std::uint64_t connection, bool tell) {
    const auto it = std::ranges::find(dumps_, connection, [](const auto& dump) { return dump->connection; });
    if (it == dumps_.end()) return;
    if (tell) reset_stream_of(**it);
    dumps_.erase(it);
    touch();
    run_commits();
}

void FakeMysql::end_dumps(bool tell) {
    if (tell) {
        for (const auto& dump : dumps_) reset_stream_of(*dump);
    }
    dumps_.clear();
    touch();
    run_commits();
}

void FakeMysql::peer_gone(std::uint64_t connection) {
    Dump* dump = find_dump(connection);
    if (dump != nullptr && !dump->peer_gone_since) dump->peer_gone_since = now();
}

// Heartbeats are sent to idle replicas, so a peer that has gone is noticed after one period.
bool FakeMysql::has_noticed_the_end_of(const Dump& dump) const {
    if (!dump.peer_gone_since) return false;
    const Duration gone = now() - *dump.peer_gone_since;
    const bool heard = dump.heartbeat > Duration::zero() && gone > dump.heartbeat &&
                       world_.network.reachable_both_ways(endpoint_, dump.replica->endpoint_);
    return heard || gone > timing::forgotten_peer;
}

void FakeMysql::forget_gone_peers() {
    std::erase_if(dumps_, [&](const auto& dump) { return has_noticed_the_end_of(*dump); });
}

std::int64_t FakeMysql::semi_sync_clients() const {
    return std::ranges::count_if(
        dumps_, [&](const auto& dump) { return dump->acks && !has_noticed_the_end_of(*dump); });
}

}  // namespace fixpoint::sim::mysql
