// Clause by clause: what may excuse it, and what that makes of the run.
#include "sim/checkers/excuses.hpp"

#include <algorithm>
#include <optional>

#include "sim/checkers/oracle.hpp"
#include "sim/checkers/who_could.hpp"

namespace fixpoint::sim {
namespace {

using enum ClauseName;

// Rows whose refusal, once confirmed, explains a primary that does not serve.
bool concerns_primary(Problem problem) {
    return problem <= Problem::primary_stalled || problem == Problem::unreachable_primary ||
           problem == Problem::no_failover_possible;
}
bool concerns_policy(Problem problem) {
    return problem == Problem::policy_not_in_force || problem == Problem::acker_to_join ||
           problem == Problem::acker_to_leave || problem == Problem::acker_gone ||
           problem == Problem::too_few_acknowledge;
}
bool concerns_everything(Problem problem, Reason reason) {
    // Without a record in force nothing else touches the shard (protocol 11).
    if (problem == Problem::shard_never_had_a_primary || problem == Problem::shard_to_adopt ||
        problem == Problem::primary_record_lost)
        return true;
    return reason == Reason::store_unavailable || reason == Reason::paused ||
           reason == Reason::somebody_elses_lock;
}

// Rows that have no recovery are reported, not refused; this is the reason that they stand for.
Reason reason_of_report(Problem problem) {
    switch (problem) {
        case Problem::unreachable_primary:
            return Reason::primary_unreachable;
        case Problem::store_locked:
            return Reason::store_unavailable;
        case Problem::dead_primary_and_all_replicas:
            return Reason::revocation_impossible;
        case Problem::acker_gone:
            return Reason::dead_acker_blocks;
        case Problem::too_few_acknowledge:
            return Reason::too_few_ackers;
        default:
            return Reason::none;
    }
}

class Excusing {
  public:
    Excusing(const WorldState& state, const Books& books, bool within)
        : state_(state), books_(books), within_(within) {
        confirm();
    }

    Convergence run(const std::vector<Clause>& unmet) {
        for (const Clause& clause : unmet) {
            if (permitted(clause)) {
                found_.excused.push_back(clause);
            } else {
                found_.unmet.push_back(clause);
            }
        }
        for (const ServerState& server : state_.servers) {
            if (needs_no_probe(server)) found_.excused_tablets.push_back(server.alias);
        }
        if (!found_.unmet.empty())
            found_.why = to_string(found_.unmet.front());
        else if (found_.justified_failure)
            found_.why = std::string(to_string(found_.reason));
        return found_;
    }

    // A confirmed reason why writes cannot be acknowledged.
    std::optional<Reason> why_no_write() const {
        if (within_) return std::nullopt;
        return everything_ ? everything_ : primary_ ? primary_ : policy_;
    }

  private:
    void confirm() {
        const OracleInput input{state_, books_};
        const auto consider = [&](const ProblemKey& key, Reason reason) {
            if (!oracle_confirms(input, key, reason)) return;
            if (concerns_everything(key.problem, reason) && !key.tablet)
                everything_ = reason;
            else if (key.problem == Problem::wrong_primary)
                wish_ = reason;
            else if (concerns_policy(key.problem))
                policy_ = reason;
            else if (concerns_primary(key.problem))
                primary_ = reason;
        };
        for (const auto& [key, refusal] : books_.refusals) consider(key, refusal.reason);
        for (const auto& [manager, problems] : books_.looked) {
            for (const ProblemKey& key : problems) {
                consider(key, reason_of_report(key.problem));
                const bool all = key.problem == Problem::dead_primary_and_all_replicas;
                // Where none of its replicas follows it nobody can tell that it is dead.
                if (all || key.problem == Problem::unreachable_primary) {
                    consider(key, Reason::unfenced_promotion_not_allowed);
                    consider(key, Reason::revocation_impossible);
                }
                if (all) consider(key, Reason::no_candidate);
            }
        }
    }

    bool fails(const std::optional<Reason>& reason) {
        if (!reason || within_) return false;
        found_.justified_failure = true;
        found_.reason = *reason;
        return true;
    }

    bool permitted(const Clause& c) {
        if (c.name == lock_of_the_dead) return false;
        if (fails(everything_)) return true;
        switch (c.name) {
            case one_primary_named:
                if (wish_ == Reason::long_transaction) return fails(wish_);  // it may end yet
                return state_.store.fixpoint ? wish_.has_value() || fails(primary_) : fails(primary_);
            case primary_semi_sync:  // strict already for a policy that is not in force yet
                return fails(primary_) || (is_loose() && fails(policy_));
            case primary_uuid:
            case primary_serves:
            case primary_foreign:
                return fails(primary_);
            case journal:  // written only where it is acknowledged
                return fails(primary_) || fails(policy_);
            case policy_in_force:
                return fails(policy_) || fails(primary_);
            case acker_missing:
                return tablet_excused(c) || fails(policy_) || fails(primary_);
            case acker_extra:  // in a cell whose store is silent nobody can read that it may not
                return !cell_has_store(c.tablet) || may_not_leave(c.tablet) || fails(policy_) ||
                       fails(primary_);
            case settings_persisted:  // of one set aside, what its relay log holds is never proven
                return whole_tablet_excused(c.tablet) || not_curable(c.tablet) || is_set_aside(c.tablet) ||
                       ((lacks_relay_log_recovery_only(c.tablet) || lets_nobody_in(c.tablet)) &&
                        fails(primary_));
            case tablet_receives:
                if (tablet_excused(c)) return true;
                return (refused_by_its_source(c.tablet) || primary_is_another_server() ||
                        awaits_a_server_id(c.tablet) || is_errant(c.tablet)) &&
                       (fails(primary_) || fails(policy_));
            case tablet_source_semi_sync:
                return tablet_excused(c) || (is_errant(c.tablet) && fails(primary_));
            case settings_at_run_time:
                // The time-out is set while a receiver is stopped, and nobody stops one behind a stranger in
                // the primary's place.
                return tablet_excused(c) || (primary_is_another_server() && fails(primary_));
            case tablet_record:
                // One that people deleted is theirs to declare again.
                return !cell_has_store(c.tablet) || !state_.store.tablets.contains(c.tablet) ||
                       forgotten(state_, c.tablet);
            // Only a primary that answers can cure these.
            case tablet_acks:
            case tablet_channel:
            case tablet_server_id:
            case tablet_errant:
            case tablet_skips:
            case retired_kept:
                return tablet_excused(c) || fails(primary_);
            default:
                return tablet_excused(c);
        }
    }

    bool tablet_excused(const Clause& c) const {
        if (!c.tablet) return false;
        if (whole_tablet_excused(c.tablet)) return true;
        const ServerState* server = state_.server(c.tablet);
        if (!server) return false;
        if (c.name == tablet_plugins || c.name == tablet_acks || c.name == acker_missing) {
            if (!server->server.semi_sync_plugins && reported(c.tablet)) return true;
        }
        // Only a restart-safe tablet joins or vouches.
        if ((c.name == acker_missing || c.name == tablet_acks) && not_curable(c.tablet)) return true;
        const bool of_replication = c.name == acker_missing || c.name == tablet_source_semi_sync ||
                                    c.name == tablet_receives || c.name == tablet_acks ||
                                    c.name == tablet_channel || c.name == tablet_server_id ||
                                    c.name == tablet_errant || c.name == tablet_skips;
        return of_replication && quarantined_rightly(*server);
    }

    // Another server than the recorded one stands in its place: nobody is to follow that. (Of a dead primary
    // the receiver that tries is what was asked for.)
    bool primary_is_another_server() const {
        if (!state_.store.fixpoint) return true;
        const RecordedServer& recorded = state_.store.fixpoint->primary;
        const ServerState* p = state_.server(recorded.alias);
        return p && alive(*p) && p->server.server_uuid != recorded.uuid;
    }

    // Which errant one is needed only a primary that answers shows.
    bool is_errant(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        return server && reported(tablet) && !errant_on(*server, state_).empty();
    }

    // Blank, set back, or with the server_id of another: it gets a new server_id before it may follow, and
    // only a primary that answers shows which are taken.
    bool awaits_a_server_id(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        if (!server) return false;
        const bool made_equal = books_.struck(FaultKind::equal_server_id, tablet) ||
                                std::ranges::any_of(books_.delivered, [&](const DeliveredFault& d) {
                                    return d.fault.kind == FaultKind::equal_server_id && d.fault.to == tablet;
                                });
        if (made_equal && shares_its_id(*server)) return true;
        if (books_.struck(FaultKind::restore_older_state, tablet) && !bears_what_was_given(*server))
            return true;
        return server->server.gtid_executed.empty() && server->channels.empty();
    }

    // With another server, or with a primary that was another one: its id is not renewed yet.
    bool shares_its_id(const ServerState& server) const {
        const sql::ServerRow& row = server.server;
        const auto is_theirs = [&](const RecordedServer& r) {
            return r.server_id == row.server_id && r.uuid != row.server_uuid;
        };
        const auto& record = state_.store.fixpoint;
        return std::ranges::any_of(state_.servers,
                                   [&](const ServerState& other) {
                                       return other.alias != server.alias &&
                                              other.server.server_id == row.server_id;
                                   }) ||
               (record &&
                (is_theirs(record->primary) || std::ranges::any_of(record->past_primaries, is_theirs)));
    }

    // It is not renewed any more: nobody wrote under that id.
    bool bears_what_was_given(const ServerState& server) const {
        const auto& record = state_.store.fixpoint;
        const GivenServerId borne{server.server.server_uuid, server.server.server_id};
        return record && std::ranges::find(record->server_ids_given, borne) != record->server_ids_given.end();
    }

    static bool is_fatal(int error) {
        return error == sql::error_number::receiver_purged ||
               error == sql::error_number::receiver_equal_server_ids;
    }

    // Stopped by an error that only another primary cures (a source that has less than it).
    bool refused_by_its_source(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        return server && std::ranges::any_of(server->channels, [](const sql::ReplicaRow& r) {
                   const bool no_room = r.receiver_errno == sql::error_number::too_many_connections;
                   return (no_room || (r.receiver == sql::ThreadState::no && is_fatal(r.receiver_errno))) &&
                          r.applier_running;
               });
    }

    // Dead or out of reach for good, not to be touched, or not to be known of.
    bool whole_tablet_excused(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        // A person's word that it is gone for good needs no report.
        if (forgotten(state_, tablet)) return true;
        if (!server) return false;
        // A manager that has never read its record can name its cell only.
        const bool unknowable = !cell_has_store(tablet) && !in_a(tablet);
        if (unknowable && reported(TabletAlias{tablet.cell, 0})) return true;
        return reported(tablet) && (!state_.core.has(tablet) || !server->manageable || unknowable);
    }

    // Its data do not fit, and what is to be done about that has been done; or it is needed as it is.
    bool quarantined_rightly(const ServerState& server) const {
        const ServerState* primary =
            state_.store.fixpoint ? state_.server(state_.store.fixpoint->primary.alias) : nullptr;
        const bool wrong = !errant_on(server, state_).empty() || on_data_error(server) ||
                           (primary && past_is_purged(server, *primary));
        if (!wrong || !reported(server.alias)) return false;
        if (in_a(server.alias)) return others_that_acknowledge(server.alias) < state_.store.fixpoint->k();
        const auto t = state_.store.tablets.find(server.alias);
        const bool drained = t != state_.store.tablets.end() && t->second.type == TabletType::drained;
        const bool receives = std::ranges::any_of(
            server.channels, [](const sql::ReplicaRow& r) { return r.receiver != sql::ThreadState::no; });
        return (drained || !cell_has_store(server.alias)) && !receives;
    }

    bool is_set_aside(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        return server && quarantined_rightly(*server);
    }

    bool lets_nobody_in(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        return server && has_no_connection_left({state_, books_}, *server);
    }

    // That is persisted when its relay log is proven to hold nothing unknown, by a primary that answers.
    bool lacks_relay_log_recovery_only(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        if (!server) return false;
        ServerState otherwise = *server;
        otherwise.persisted[sql::Variable::relay_log_recovery] = 0;
        return restart_safe(otherwise, limits_of(state_));
    }

    // The policy in force needs fewer acknowledgements than the one that is declared.
    bool is_loose() const {
        return state_.store.fixpoint && state_.store.keyspace &&
               state_.store.fixpoint->k() < state_.store.keyspace->durability_policy.ackers_needed;
    }

    bool may_not_leave(const TabletAlias& tablet) const {
        if (!reported(tablet)) return false;
        return !state_.core.has(tablet) || others_that_acknowledge(tablet) < state_.store.fixpoint->k();
    }

    int others_that_acknowledge(const TabletAlias& tablet) const {
        int count = 0;
        for (const RecordedServer& a : state_.store.fixpoint->ackers) {
            const ServerState* s = state_.server(a.alias);
            const bool clean = s && errant_on(*s, state_).empty() && !on_data_error(*s);
            if (a.alias != tablet && clean && !forgotten(state_, a.alias) && alive(*s) &&
                state_.core.has(a.alias) && s->server.semi_sync_replica_enabled)
                ++count;
        }
        return count;
    }

    bool not_curable(const TabletAlias& tablet) const {
        const ServerState* server = state_.server(tablet);
        return server && !server->server.persisted_globals_load && reported(tablet);
    }

    bool needs_no_probe(const ServerState& server) const {
        return whole_tablet_excused(server.alias) || quarantined_rightly(server) || !declared(server.alias);
    }

    bool declared(const TabletAlias& tablet) const {
        return state_.store.tablets.contains(tablet) ||
               (state_.store.fixpoint && state_.store.fixpoint->primary.alias == tablet);
    }
    bool reported(const TabletAlias& tablet) const { return is_reported(books_, tablet); }
    bool in_a(const TabletAlias& tablet) const {
        return state_.store.fixpoint && state_.store.fixpoint->has_acker(tablet);
    }
    bool cell_has_store(const TabletAlias& tablet) const {
        return std::ranges::find(state_.core.cells_with_store, tablet.cell) !=
               state_.core.cells_with_store.end();
    }

    const WorldState& state_;
    const Books& books_;
    const bool within_;
    std::optional<Reason> everything_, primary_, policy_, wish_;
    Convergence found_;
};

}  // namespace

Convergence excused(const WorldState& state, const std::vector<Clause>& unmet, const Books& books,
                    bool within_promise) {
    return Excusing(state, books, within_promise).run(unmet);
}

Convergence with_probe(Convergence found, const WorldState& state, const std::optional<Probe>& probe,
                       const Books& books, bool within_promise) {
    if (!found.unmet.empty() || found.justified_failure) return found;
    if (!probe || !probe->acknowledged) {
        found.why = probe ? "the probe write was not acknowledged" : "no probe write was sent";
        if (const std::optional<Reason> reason = Excusing(state, books, within_promise).why_no_write()) {
            found.justified_failure = true;
            found.reason = *reason;
            found.why = std::string(to_string(*reason));
        }
        return found;
    }
    for (const ServerState& server : state.servers) {
        if (std::ranges::find(found.excused_tablets, server.alias) != found.excused_tablets.end()) continue;
        if (server.writes.has(probe->write)) continue;
        found.why = server.alias.to_string() + " has not executed the probe write";
        return found;
    }
    found.converged = true;
    return found;
}

}  // namespace fixpoint::sim
