// Rows of single replicas, of policy and ackers, and of derived records; see predicates.hpp.
#include <algorithm>

#include "engine/predicates.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint::rows {

namespace {

template <class P>
Tablets replicas(const View& v, P predicate) {
    Tablets found;
    for (const TabletView& t : v.tablets) {
        if (t.now && (t.declared || v.in_ackers(t)) && !t.forgotten && !v.is_primary(t) && is_manageable(t) &&
            predicate(t))
            found.push_back(t.alias());
    }
    return found;
}

bool to_be_renewed(const View& v, const TabletView& t) {
    const TabletFacts* facts = v.facts.find(t.alias());
    return facts && server_id_to_renew(v.facts, *facts);
}

// May replicate now: nothing else is repaired on a tablet that is writable, and quarantine keeps its receiver
// stopped.
bool may_replicate(const View& v, const TabletView& t) {
    if (is_writable(*t.now) || t.helper_lock_of_other || t.rebuild_lock_of_other) return false;
    if (must_be_quarantined(v, t) && !is_needed_though_errant(v, t)) return false;
    return !to_be_renewed(v, t) || (!v.living_primary() && !awaits_renewal(v, t));
}

// Its channel is P's and the threads' states can be judged.
const sql::ReplicaRow* channel_from_primary(const View& v, const TabletView& t) {
    return follows(*t.now, v.fixpoint()->primary.address) ? t.now->channel() : nullptr;
}

bool is_quarantined(const View& v, const TabletView& t) {
    if (v.in_ackers(t) || receiver_runs(*t.now)) return false;
    if (t.now->server().semi_sync_plugins && t.now->server().semi_sync_replica_enabled) return false;
    if (t.now->server().semi_sync_plugins && t.now->server().semi_sync_source_enabled) return false;
    const bool drained = t.tablet.type == TabletType::drained || cell_is_silent(v, t.alias());
    return drained && v.fixpoint()->retired_gtids().contains(errant_on(v, t));
}

}  // namespace

// ---- policy and ackers

Tablets policy_not_in_force(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !is_open(*p->now) || !v.records.keyspace) return {};
    const DurabilityPolicy wanted = v.declared_policy();
    const DurabilityPolicy now = v.fixpoint()->policy;
    if (now != wanted) return {TabletAlias{}};
    const bool strict = semi_sync_is_stricter_than(p->now->server(), now.ackers_needed);
    return strict ? Tablets{TabletAlias{}} : Tablets{};
}

Tablets acker_to_join(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !p->now->server().semi_sync_plugins) return {};  // it could wait for nobody
    return replicas(v, [&](const TabletView& t) {
        return !v.in_ackers(t) && should_be_acker(v, t) && may_replicate(v, t) &&
               receives_from_primary(v, t) &&
               is_restart_safe(*t.now, v.declared_policy().ackers_needed, v.limits()) && is_complete(v, t);
    });
}

Tablets acker_to_leave(const View& v) {
    if (!v.living_primary()) return {};
    Tablets found;
    for (const TabletView& t : v.tablets) {
        if (!v.in_ackers(t)) continue;
        const bool quarantined = t.now && must_be_quarantined(v, t) && !is_needed_though_errant(v, t);
        // A quarantine takes it out itself. One that no setting makes restart-safe vouches for nothing.
        const bool wanted =
            t.now && ((should_be_acker(v, t) && t.now->server().persisted_globals_load) || quarantined);
        const bool gone = t.forgotten;
        if ((t.now ? !wanted : gone) && may_leave(v.facts, t.alias())) found.push_back(t.alias());
    }
    return found;
}

// ---- records

Tablets journal_missing(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !is_open(*p->now) || !p->journal) return {};
    const FixpointRecord& record = *v.fixpoint();
    int acknowledging = 0;
    for (const TabletView& t : v.tablets) {
        if (acknowledges(v, t)) ++acknowledging;
    }
    if (acknowledging < record.k()) return {};
    const bool there = std::any_of(p->journal->begin(), p->journal->end(), [&](const sql::JournalRow& row) {
        return row.shard == v.name && row.term == record.term && row.revision == record.revision &&
               row.uuid == record.primary.uuid;
    });
    return there ? Tablets{} : Tablets{TabletAlias{}};
}

Tablets tablet_record_differs(const View& v) {
    Tablets found;
    for (const TabletView& t : v.tablets) {
        if (!t.declared || t.forgotten) continue;
        if (cell_is_silent(v, t.alias())) continue;
        bool differs = false;
        if (v.is_primary(t)) {
            differs = t.tablet.type != TabletType::primary ||
                      t.tablet.primary_term_start_time != v.fixpoint()->shard_time;
        } else if (t.tablet.type == TabletType::primary) {
            differs = true;
        } else if (t.tablet.drained_by_fixpoint()) {
            differs = t.now && (!must_be_quarantined(v, t) || is_needed_though_errant(v, t));
        }
        if (differs) found.push_back(t.alias());
    }
    return found;
}

Tablets errant_transactions(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        const GtidSet errant = errant_on(v, t);
        if (errant.empty() || is_writable(*t.now)) return false;
        if (!v.fixpoint()->retired_gtids().contains(errant) && !canary(Canary::errant_uuid_not_retired))
            return true;
        return !is_needed_though_errant(v, t) && !is_quarantined(v, t);
    });
}

Tablets quarantined(const View& v) {
    return replicas(v, [&](const TabletView& t) { return must_be_quarantined(v, t); });
}

Tablets past_purged(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p) return {};
    return replicas(v, [&](const TabletView& t) {
        if (is_writable(*t.now) || t.now->has.contains(p->now->server().gtid_purged)) return false;
        return !is_quarantined(v, t);
    });
}

Tablets server_id_to_renew_row(const View& v) {
    if (!v.living_primary()) return {};
    return replicas(v, [&](const TabletView& t) {
        if (is_writable(*t.now) || t.helper_lock_of_other) return false;
        return to_be_renewed(v, t) && (!must_be_quarantined(v, t) || is_needed_though_errant(v, t));
    });
}

namespace {

// Something is missing before something of the same source that is there.
bool has_hole(const GtidSet& executed, const GtidSet& lacking) {
    return std::any_of(lacking.entries().begin(), lacking.entries().end(), [&](const GtidSet::Entry& e) {
        return executed.highest(e.tsid) > e.intervals.front().first;
    });
}

bool both_threads_run(const TabletLook& look) {
    const sql::ReplicaRow* c = look.channel();
    return c && c->receiver == sql::ThreadState::yes && c->applier_running;
}

}  // namespace

Tablets replica_skips(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !p->earlier) return {};
    return replicas(v, [&](const TabletView& t) {
        if (!t.earlier || !may_replicate(v, t) || !receives_from_primary(v, t)) return false;
        if (!both_threads_run(*t.now) || !both_threads_run(*t.earlier) || p->earlier->answered > t.now->asked)
            return false;
        if (goes_round(v, t)) return true;
        // What waits on P for an acknowledgement, too: it has been sent, and perhaps waits for just this one.
        const GtidSet lacking =
            (p->earlier->log - t.now->server().gtid_executed) - t.earlier->server().gtid_executed;
        if (lacking.empty()) return false;
        if (has_hole(t.earlier->server().gtid_executed, lacking)) return true;
        // Or before what this term's primary wrote, which is there.
        const FixpointRecord& record = *v.fixpoint();
        const GtidSet of_this_term =
            t.earlier->server().gtid_executed.of_uuid(record.primary.uuid) - record.opened_at;
        if (!of_this_term.empty() && record.opened_at.intersects(lacking)) return true;
        const bool idle = t.now->channel()->applier_idle && t.earlier->channel()->applier_idle;
        return idle && t.now->has.contains(lacking) && t.earlier->has.contains(lacking);
    });
}

Tablets applier_failed(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        const sql::ReplicaRow* c = t.now->channel();
        if (!c || is_writable(*t.now)) return false;
        const bool relay_log = (!c->applier_running && is_relay_log_error(c->applier_errno)) ||
                               (c->receiver == sql::ThreadState::no && is_relay_log_error(c->receiver_errno));
        if (relay_log) return v.living_primary() != nullptr;
        return stands_on_data_error(*t.now) && !is_needed_though_errant(v, t) && !is_quarantined(v, t);
    });
}

// ---- replication, one row each; all of them are fix_replica's

Tablets replica_not_replicating(const View& v) {
    return replicas(v, [&](const TabletView& t) { return !t.now->channel() && may_replicate(v, t); });
}

Tablets replica_wrong_source(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        return t.now->channel() && !follows(*t.now, v.fixpoint()->primary.address) && may_replicate(v, t);
    });
}

Tablets receiver_stopped(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        const sql::ReplicaRow* c = channel_from_primary(v, t);
        if (!c || c->receiver != sql::ThreadState::no || !may_replicate(v, t) ||
            is_relay_log_error(c->receiver_errno))
            return false;
        const TabletView* p = v.primary();
        if (c->receiver_errno == 0 || !p || !p->now) return true;
        // Stopped by an error: started when its cause is gone, else it would only stop again. (Whoever
        // answers in P's place has said it.)
        const sql::ServerRow& source = p->now->server();
        if (c->receiver_errno == sql::error_number::receiver_equal_server_ids)
            return source.server_id != t.now->server().server_id;
        if (c->receiver_errno != sql::error_number::receiver_purged) return true;
        return p->now->log.contains(t.now->has.of_uuid(source.server_uuid)) &&
               t.now->has.contains(source.gtid_purged);
    });
}

Tablets applier_stopped(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        const sql::ReplicaRow* c = channel_from_primary(v, t);
        return c && !c->applier_running && c->applier_errno == 0 && may_replicate(v, t);
    });
}

Tablets replica_misconfigured(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        if (is_writable(*t.now) || t.helper_lock_of_other) return false;
        const sql::ServerRow& s = t.now->server();
        const sql::ReplicaRow* c = channel_from_primary(v, t);
        const bool source_side_on = s.semi_sync_plugins && s.semi_sync_source_enabled &&
                                    !canary(Canary::replica_applies_with_source_on);
        // All that can be done for one whose threads stay still: what somebody starts by hand applies then.
        if (awaits_renewal(v, t)) return source_side_on;
        if (!c || !may_replicate(v, t)) return false;
        if (source_side_on) return true;
        if (s.replica_net_timeout_s != whole_seconds(v.limits().replica_net_timeout) &&
            !canary(Canary::net_timeout_is_the_servers))
            return true;
        return !c->auto_position || c->heartbeat_period != v.limits().heartbeat_period ||
               c->connect_retry_s != Limits::source_connect_retry_s ||
               c->retry_count != Limits::source_retry_count;
    });
}

Tablets acks_wrong(const View& v) {
    return replicas(v, [&](const TabletView& t) {
        const sql::ServerRow& s = t.now->server();
        if (!s.semi_sync_plugins || !channel_from_primary(v, t) || !may_replicate(v, t)) return false;
        if (s.semi_sync_replica_enabled && !v.in_ackers(t)) return true;
        return t.now->channel()->receiver == sql::ThreadState::yes &&
               t.now->answer.semi_sync.replica_status != s.semi_sync_replica_enabled;
    });
}

Tablets not_vouching(const View& v) {
    if (!v.living_primary()) return {};
    return replicas(v, [&](const TabletView& t) {
        return v.in_ackers(t) && !is_vouching(v, t) && should_be_acker(v, t) && may_replicate(v, t) &&
               is_restart_safe(*t.now, v.fixpoint()->k(), v.limits()) && receives_from_primary(v, t) &&
               is_complete(v, t);
    });
}

Tablets retired_may_be_cleared(const View& v) {
    if (canary(Canary::retired_for_ever) || v.fixpoint()->retired.empty()) return {};
    return retired_to_clear(v.facts).empty() ? Tablets{} : Tablets{TabletAlias{}};
}

}  // namespace fixpoint::rows
