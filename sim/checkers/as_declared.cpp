// The clauses of "as declared" that concern the shard as a whole: who is primary and serves, what is in
// force, what is recorded, who holds locks. Those of each tablet are in as_declared_tablet.cpp.
#include "sim/checkers/as_declared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "sim/checkers/judging.hpp"

namespace fixpoint::sim {

std::vector<Clause> Judging::run() {
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

std::vector<Clause> Judging::sorted() {
    std::ranges::sort(clauses_, {}, [](const Clause& c) { return std::tuple(c.tablet, c.name, c.text); });
    return std::move(clauses_);
}

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

std::vector<Clause> as_declared(const WorldState& state) {
    return Judging(state).run();
}

}  // namespace fixpoint::sim
