// The clauses of "as declared", one by one, in the order of ClauseName. Each function judges one subject and
// says what it found. What may excuse a clause is not known here (excuses.cpp).
#include "sim/checkers/as_declared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace fixpoint::sim {
namespace {

using sql::ThreadState;

class Judging {
  public:
    explicit Judging(const WorldState& state) : state_(state), limits_(limits_of(state)) {}

    std::vector<Clause> run() {
        locks();
        const StoreState& store = state_.store;
        if (!store.fixpoint) {
            unmet(ClauseName::one_primary_named, {}, "there is no Fixpoint record");
            return sorted();
        }
        record_ = &*store.fixpoint;
        primary_ = state_.server(record_->primary.alias);
        one_primary_named();
        primary();
        policy();
        ackers();
        for (const ServerState& server : state_.servers) tablet(server);
        retired();
        return sorted();
    }

  private:
    void unmet(ClauseName name, const TabletAlias& tablet, std::string text) {
        clauses_.push_back({name, tablet, std::move(text)});
    }

    std::vector<Clause> sorted() {
        std::ranges::sort(clauses_, {}, [](const Clause& c) { return std::tuple(c.tablet, c.name, c.text); });
        return std::move(clauses_);
    }

    bool is_primary(const TabletAlias& alias) const { return alias == record_->primary.alias; }
    const Tablet* declared(const TabletAlias& alias) const {
        const auto it = state_.store.tablets.find(alias);
        return it == state_.store.tablets.end() ? nullptr : &it->second;
    }

    void one_primary_named();
    void primary();
    void record_set_back();
    void policy();
    void ackers();
    void tablet(const ServerState& server);
    void read_only(const ServerState& server);
    void receives(const ServerState& server);
    void acks(const ServerState& server);
    void channel(const ServerState& server);
    void server_id(const ServerState& server);
    void skips(const ServerState& server);
    void settings(const ServerState& server);
    void tablet_record(const ServerState& server);
    void retired();
    void locks();

    const WorldState& state_;
    const Limits limits_;
    const FixpointRecord* record_ = nullptr;
    const ServerState* primary_ = nullptr;
    std::vector<Clause> clauses_;
};

void Judging::one_primary_named() {
    const StoreState& store = state_.store;
    const TabletAlias& in_force = record_->primary.alias;
    if (!store.shard || !store.shard->primary_alias) {
        unmet(ClauseName::one_primary_named, {}, "Shard names no primary");
    } else if (*store.shard->primary_alias != in_force) {
        unmet(ClauseName::one_primary_named, {},
              fmt::format("Shard names {}, Fixpoint {}", store.shard->primary_alias->to_string(),
                          in_force.to_string()));
    } else if (store.shard->primary_term_start_time < record_->shard_time) {
        unmet(ClauseName::one_primary_named, {}, "Shard is older than what was last written to it");
    }
    if (store.goal && store.goal->pinned_primary && *store.goal->pinned_primary != in_force) {
        unmet(ClauseName::one_primary_named, {},
              fmt::format("the goal pins {}", store.goal->pinned_primary->to_string()));
    }
}

void Judging::primary() {
    const TabletAlias& alias = record_->primary.alias;
    if (!primary_) {
        unmet(ClauseName::primary_serves, alias, "no such server");
        return;
    }
    const sql::ServerRow& row = primary_->server;
    if (row.server_uuid != record_->primary.uuid) {
        unmet(ClauseName::primary_uuid, alias, fmt::format("its uuid is {}", row.server_uuid.to_string()));
    }
    if (!alive(*primary_)) {
        unmet(ClauseName::primary_serves, alias, "does not answer");
        return;
    }
    if (row.read_only || row.super_read_only) unmet(ClauseName::primary_serves, alias, "is read-only");
    if (row.offline_mode) unmet(ClauseName::primary_serves, alias, "is in offline mode");
    if (primary_->closing_pending) unmet(ClauseName::primary_serves, alias, "a closing is pending");
    if (!primary_->channels.empty()) unmet(ClauseName::primary_serves, alias, "has a replication channel");
    const int k = record_->k();
    if (k == 0) {
        if (row.semi_sync_plugins && row.semi_sync_source_enabled) {
            unmet(ClauseName::primary_semi_sync, alias,
                  "source-side semi-sync is on, the policy in force is none");
        }
    } else if (!row.semi_sync_plugins || !row.semi_sync_source_enabled ||
               !row.semi_sync_source_wait_no_replica || row.semi_sync_source_wait_for_replica_count != k ||
               row.semi_sync_source_timeout_ms < Limits::semi_sync_timeout_ms ||
               row.semi_sync_source_wait_point != sql::WaitPoint::after_sync) {
        unmet(ClauseName::primary_semi_sync, alias,
              fmt::format("semi-sync is not ON({}): plugins {}, enabled {}, count {}, time-out {} ms, wait "
                          "without replica {}, {}",
                          k, row.semi_sync_plugins, row.semi_sync_source_enabled,
                          row.semi_sync_source_wait_for_replica_count, row.semi_sync_source_timeout_ms,
                          row.semi_sync_source_wait_no_replica,
                          row.semi_sync_source_wait_point == sql::WaitPoint::after_sync ? "AFTER_SYNC"
                                                                                        : "AFTER_COMMIT"));
    }
    GtidSet foreign = row.gtid_executed.without_uuid(record_->primary.uuid);
    foreign.subtract(record_->opened_at);
    foreign.subtract(record_->adopted);
    if (!foreign.empty())
        unmet(ClauseName::primary_foreign, alias, "executed, and not adopted: " + foreign.to_string());
    record_set_back();
    const bool journaled = std::ranges::any_of(primary_->journal, [&](const sql::JournalRow& j) {
        return j.shard == state_.shard && j.term == record_->term && j.revision == record_->revision &&
               j.uuid == record_->primary.uuid;
    });
    if (!journaled) {
        unmet(ClauseName::journal, alias,
              fmt::format("no row of term {} revision {}", record_->term, record_->revision));
    }
}

// The journal is written after the record: a newer row says that somebody put an older record there.
void Judging::record_set_back() {
    // Of this shard: P, a past primary, a declared tablet; or whom Shard calls primary though nobody declares
    // it.
    const auto known = [&](const sql::JournalRow& j) {
        const Uuid& uuid = j.uuid;
        const bool named = state_.store.shard && state_.store.shard->primary_alias == j.alias;
        return uuid == record_->primary.uuid || (named && !declared(j.alias)) ||
               std::ranges::find(record_->past_primaries, uuid, &RecordedServer::uuid) !=
                   record_->past_primaries.end() ||
               std::ranges::any_of(state_.servers, [&](const ServerState& s) {
                   return s.server.server_uuid == uuid && declared(s.alias);
               });
    };
    for (const ServerState& server : state_.servers) {
        if (!alive(server) || !state_.core.has(server.alias)) continue;
        for (const sql::JournalRow& j : server.journal) {
            const bool newer = std::pair(j.term, j.revision) > std::pair(record_->term, record_->revision);
            if (j.shard != state_.shard || !newer || !known(j)) continue;
            unmet(ClauseName::journal, record_->primary.alias,
                  fmt::format("{} has a row of term {} revision {}: the record is older",
                              server.alias.to_string(), j.term, j.revision));
            return;
        }
    }
}

void Judging::policy() {
    if (!state_.store.keyspace) {
        unmet(ClauseName::policy_in_force, {}, "there is no keyspace record");
        return;
    }
    const DurabilityPolicy& declared = state_.store.keyspace->durability_policy;
    if (declared != record_->policy) {
        unmet(ClauseName::policy_in_force, {},
              fmt::format("declared {}, in force {}", declared.to_string(), record_->policy.to_string()));
    }
}

void Judging::ackers() {
    const auto may = [&](const TabletAlias& alias) {
        const Tablet* t = declared(alias);
        return t && may_acknowledge(record_->policy, record_->primary.alias, *t);
    };
    for (const auto& [alias, t] : state_.store.tablets) {
        if (may(alias) && !record_->has_acker(alias))
            unmet(ClauseName::acker_missing, alias, "may acknowledge, and is not in A");
    }
    for (const RecordedServer& a : record_->ackers) {
        if (!may(a.alias)) {
            unmet(ClauseName::acker_extra, a.alias, "is in A, and may not acknowledge");
        } else if (const ServerState* server = state_.server(a.alias);
                   server && server->server.server_uuid != a.uuid) {
            unmet(ClauseName::acker_missing, a.alias, "is in A under another uuid");
        } else if (server && alive(*server) && !server->server.persisted_globals_load) {
            unmet(ClauseName::acker_extra, a.alias, "is in A, and nothing makes it restart-safe");
        }
    }
}

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
    if (!server.relay_log_readable && !server.writes_received.empty()) {
        unmet(ClauseName::tablet_skips, server.alias, "what it received will never be applied");
        return;
    }
    const GtidSet& executed = server.server.gtid_executed;
    for (const GtidSet::Entry& entry : (primary_->server.gtid_executed - executed).entries()) {
        const std::int64_t highest = executed.highest(entry.tsid);
        const bool passed_over = entry.intervals.front().first < highest;
        GtidSet missing;
        for (const GtidInterval& interval : entry.intervals) missing.add(entry.tsid, interval);
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

// A uuid may be cleared when every declared tablet, and every one that it was seen on, answers and none has
// anything errant of it, nor is quarantined.
void Judging::retired() {
    if (record_->retired.empty()) return;
    for (const auto& [alias, t] : state_.store.tablets) {
        const ServerState* server = state_.server(alias);
        if (!server || !alive(*server) || !state_.core.has(alias) || t.drained_by_fixpoint()) return;
    }
    for (const Uuid& uuid : record_->retired_gtids().uuids()) {
        const bool somewhere = std::ranges::any_of(state_.servers, [&](const ServerState& server) {
            return !errant_on(server, state_).of_uuid(uuid).empty();
        });
        const bool seen_elsewhere = std::ranges::any_of(record_->retired, [&](const RetiredGtids& r) {
            return !r.gtids.of_uuid(uuid).empty() &&
                   std::ranges::any_of(
                       r.seen_on, [&](const TabletAlias& a) { return !state_.store.tablets.contains(a); });
        });
        if (!somewhere && !seen_elsewhere) {
            unmet(ClauseName::retired_kept, {},
                  "retired transactions of " + uuid.to_string() + " are nowhere any more");
        }
    }
}

void Judging::locks() {
    const std::optional<LockState>& lock = state_.store.shard_lock;
    if (lock && !lock->lease_expired && !lock->manager_alive) {
        unmet(ClauseName::lock_of_the_dead, {},
              "the shard lock is held by " + lock->manager + ", who is dead");
    }
    for (const ServerState& server : state_.servers) {
        if (!alive(server) || !state_.core.has(server.alias)) continue;  // nobody can get there to free it
        for (const auto& [held, name] :
             {std::pair(&server.server_lock, "server"), std::pair(&server.helper_lock, "helper"),
              std::pair(&server.rebuild_lock, "rebuild")}) {
            if (*held && !(*held)->manager_alive) {
                unmet(ClauseName::lock_of_the_dead, server.alias,
                      fmt::format("its {} lock is held by a dead session's manager", name));
            } else if (*held && held != &server.rebuild_lock &&
                       (!lock || lock->manager != (*held)->manager)) {
                unmet(ClauseName::lock_of_the_dead, server.alias,
                      fmt::format("its {} lock is held by {}, whose operation has ended", name,
                                  (*held)->manager));
            }
        }
    }
}

}  // namespace

std::vector<Clause> as_declared(const WorldState& state) {
    return Judging(state).run();
}

}  // namespace fixpoint::sim
