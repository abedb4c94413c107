// The clauses of "as declared" that concern one tablet: a replica of the primary in force, its settings, and
// its record. Those of the shard as a whole are in as_declared.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers/judging.hpp"

namespace fixpoint::sim {

using sql::ThreadState;

void Judging::tablet(const ServerState& server) {
    const TabletAlias& alias = server.alias;
    // A record that people deleted is not written again: such a tablet is of this shard no more.
    if (!declared(alias) && !is_primary(alias)) return;
    tablet_record(server);
    if (!state_.core.has(alias)) {
        if (!is_primary(alias)) unmet(ClauseName::tablet_answers, alias, "is outside of the core");
        return;
    }
    if (!alive(server)) {
        if (!is_primary(alias)) unmet(ClauseName::tablet_answers, alias, "does not answer");
        return;
    }
    if (!server.manageable) {
        unmet(ClauseName::tablet_answers, alias, "is not manageable");
        return;
    }
    settings(server);
    if (record_->k() > 0 && !server.server.semi_sync_plugins) {
        unmet(ClauseName::tablet_plugins, alias, "has no semi-sync plugins");
    }
    if (is_primary(alias)) return;
    read_only(server);
    receives(server);
    acks(server);
    channel(server);
    server_id(server);
    skips(server);
    if (server.server.semi_sync_plugins && server.server.semi_sync_source_enabled) {
        unmet(ClauseName::tablet_source_semi_sync, alias, "source-side semi-sync is on");
    }
    if (const GtidSet errant = errant_on(server, state_); !errant.empty()) {
        unmet(ClauseName::tablet_errant, alias, "has what the primary lacks: " + errant.to_string());
    }
}

void Judging::read_only(const ServerState& server) {
    const sql::ServerRow& row = server.server;
    if (!row.read_only || !row.super_read_only) {
        unmet(ClauseName::tablet_read_only, server.alias,
              fmt::format("read_only {}, super_read_only {}", row.read_only, row.super_read_only));
    }
    if (server.closing_pending) unmet(ClauseName::tablet_read_only, server.alias, "a closing is pending");
    if (row.offline_mode) unmet(ClauseName::tablet_read_only, server.alias, "is in offline mode");
}

void Judging::receives(const ServerState& server) {
    const TabletAlias& alias = server.alias;
    if (!configured_for(server, *record_)) {
        unmet(ClauseName::tablet_receives, alias,
              server.channels.empty() ? "has no channel"
                                      : "its source is " + server.channels[0].source.to_string());
        return;
    }
    const sql::ReplicaRow& row = server.channels[0];
    // From a primary that is dead or out of reach nobody receives: the thread that tries is what was asked
    // for.
    const bool source_answers = primary_ && alive(*primary_) && !primary_->server.offline_mode &&
                                state_.core.has(record_->primary.alias);
    if (row.receiver == ThreadState::no || (source_answers && row.receiver != ThreadState::yes)) {
        unmet(ClauseName::tablet_receives, alias,
              fmt::format("its receiver does not run ({} {})", row.receiver_errno, row.receiver_error));
    }
    if (!row.applier_running) {
        unmet(ClauseName::tablet_receives, alias,
              fmt::format("its applier does not run ({} {})", row.applier_errno, row.applier_error));
    }
}

void Judging::acks(const ServerState& server) {
    if (!server.server.semi_sync_plugins) return;
    const bool wanted = record_->has_acker(server.alias);
    if (server.server.semi_sync_replica_enabled != wanted) {
        unmet(ClauseName::tablet_acks, server.alias,
              fmt::format("acknowledgements are {}",
                          wanted ? "off, and A names it" : "on, and A does not name it"));
        return;
    }
    const bool receiving = server.channels.size() == 1 && server.channels[0].receiver == ThreadState::yes;
    if (receiving && server.semi_sync.replica_status != wanted) {
        unmet(ClauseName::tablet_acks, server.alias,
              fmt::format("acknowledgements are switched {}, and that is not in effect",
                          wanted ? "on" : "off"));
    }
}

void Judging::channel(const ServerState& server) {
    if (server.channels.size() != 1) return;
    const sql::ReplicaRow& row = server.channels[0];
    if (!row.auto_position || row.heartbeat_period != limits_.heartbeat_period ||
        row.connect_retry_s != Limits::source_connect_retry_s ||
        row.retry_count != Limits::source_retry_count) {
        unmet(ClauseName::tablet_channel, server.alias,
              fmt::format("auto-position {}, heartbeat {} ms, retried each {} s, {} times", row.auto_position,
                          to_ms(row.heartbeat_period), row.connect_retry_s, row.retry_count));
    }
}

void Judging::server_id(const ServerState& server) {
    const TabletAlias& alias = server.alias;
    const sql::ServerRow& row = server.server;
    if (row.gtid_executed.empty()) {
        unmet(ClauseName::tablet_server_id, alias, "is blank");
        return;
    }
    const bool p_is_known =
        primary_ && alive(*primary_) && primary_->server.server_uuid == record_->primary.uuid;
    if (p_is_known && !has(server).contains(primary_->server.gtid_executed.of_uuid(row.server_uuid))) {
        unmet(ClauseName::tablet_server_id, alias, "lacks transactions of its own uuid that the primary has");
        return;
    }
    const auto bears_id_of = [&](const RecordedServer& p) {
        return p.server_id == row.server_id && p.uuid != row.server_uuid;
    };
    for (const ServerState& other : state_.servers) {
        if (!declared(other.alias) && !is_primary(other.alias)) continue;
        if (!alive(other) || !state_.core.has(other.alias) || other.server.server_id != row.server_id)
            continue;
        if (is_primary(other.alias) || other.alias < alias) {
            unmet(ClauseName::tablet_server_id, alias,
                  fmt::format("has the server_id {} of {}", row.server_id, other.alias.to_string()));
            return;
        }
    }
    if (bears_id_of(record_->primary) || std::ranges::any_of(record_->past_primaries, bears_id_of)) {
        unmet(ClauseName::tablet_server_id, alias,
              fmt::format("bears the server_id {} of a primary with another uuid", row.server_id));
    }
}

void Judging::skips(const ServerState& server) {
    if (!primary_ || server.channels.size() != 1) return;
    const sql::ReplicaRow& row = server.channels[0];
    if (!row.applier_running) return;
    // One that goes round in its index (M45) will not apply what comes either.
    if (!server.relay_log_readable && (row.applier_only_reads || !server.writes_received.empty())) {
        unmet(ClauseName::tablet_skips, server.alias, "what it receives will never be applied");
        return;
    }
    const GtidSet& executed = server.server.gtid_executed;
    // What the term began with comes before what its primary wrote.
    const bool in_this_term = !(executed.of_uuid(record_->primary.uuid) - record_->opened_at).empty();
    for (const GtidSet::Entry& entry : (primary_->server.gtid_executed - executed).entries()) {
        const std::int64_t highest = executed.highest(entry.tsid);
        GtidSet missing;
        for (const GtidInterval& interval : entry.intervals) missing.add(entry.tsid, interval);
        const bool passed_over = entry.intervals.front().first < highest ||
                                 (in_this_term && record_->opened_at.intersects(missing));
        if (passed_over || (row.applier_idle && row.retrieved.intersects(missing))) {
            unmet(ClauseName::tablet_skips, server.alias, "passes over " + missing.to_string());
            return;
        }
    }
}

void Judging::settings(const ServerState& server) {
    if (!restart_safe(server, limits_))
        unmet(ClauseName::settings_persisted, server.alias, "is not restart-safe");
    if (server.server.replica_net_timeout_s != net_timeout_s(limits_) ||
        server.server.stop_replica_timeout_s != Limits::stop_replica_timeout_s) {
        unmet(ClauseName::settings_at_run_time, server.alias,
              fmt::format("replica_net_timeout {}, rpl_stop_replica_timeout {}",
                          server.server.replica_net_timeout_s, server.server.stop_replica_timeout_s));
    }
}

void Judging::tablet_record(const ServerState& server) {
    const Tablet* t = declared(server.alias);
    if (!t) return;
    if (is_primary(server.alias)) {
        if (t->type != TabletType::primary)
            unmet(ClauseName::tablet_record, server.alias, "is not recorded as PRIMARY");
        else if (t->primary_term_start_time != record_->shard_time)
            unmet(ClauseName::tablet_record, server.alias, "has another term's time");
        return;
    }
    if (t->type == TabletType::primary)
        unmet(ClauseName::tablet_record, server.alias, "is recorded as PRIMARY");
    if (!alive(server) || !state_.core.has(server.alias)) return;
    const bool purged = primary_ && past_is_purged(server, *primary_);
    if (t->drained_by_fixpoint() && !on_data_error(server) && !purged && errant_on(server, state_).empty()) {
        unmet(ClauseName::tablet_record, server.alias, "is quarantined, and nothing is wrong with its data");
    }
}

}  // namespace fixpoint::sim
