// The table of permitted refusals. Each condition is a few lines over the final state, the core, and the
// books.
#include "sim/checkers/oracle.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "fixpoint/engine/canary.hpp"
#include "sim/checkers/who_could.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

using In = const OracleInput&;
using Key = const ProblemKey&;

bool names_no_tablet(Key key) {
    return !key.tablet;
}

// ---- rows

// Too many of A to revoke P by them.
bool too_many_ackers_out(In in, const FixpointRecord& record) {
    int out = 0;
    for (const TabletAlias& a : in.books.believed.ackers) {
        const ServerState* s = in.state.server(a);
        // A mark counts as there unless a fault touched that tablet: who spoils marks gets no excuse from it.
        const bool mark = s && (s->server.semi_sync_replica_enabled || !in.books.touched.contains(a));
        if (!s || !in_core(in, a) || !cured_from_outside(*s) || !mark) ++out;
    }
    return out >= record.k();
}

bool revocation_impossible(In in, Key) {
    const FixpointRecord* record = record_of(in);
    return record && record->k() > 0 && !primary_can_be_opened(in) && too_many_ackers_out(in, *record);
}

bool demanded_missing(In in, Key) {
    const FixpointRecord* record = record_of(in);
    if (!record || primary_can_be_opened(in)) return false;
    GtidSet demanded = demanded_by_the_record(in);
    GtidSet on_disks;
    for (const ServerState* s : core_servers(in)) {
        on_disks.add(usable(*s));
        if (s->alias == record->primary.alias) continue;
        // Under none whatever a tablet has is wanted. (What counts as received, and is not there, nobody can
        // give.)
        if (record->k() == 0 || s->server.semi_sync_replica_enabled)
            demanded.add(has(*s) - errant_on(*s, in.state));
    }
    if (!on_disks.contains(demanded)) return true;
    // Somebody who may lead must be able to bring it together, following one after the other; an errant one
    // must have it.
    for (const ServerState* c : others(in)) {
        if (!fit_to_be_primary(in, *c)) continue;
        GtidSet together = usable(*c);
        // One that bears the server_id of the recorded server, and is another, passes over what that one
        // wrote.
        const bool skips =
            c->server.server_id == record->primary.server_id && c->server.server_uuid != record->primary.uuid;
        if (skips || !errant_on(*c, in.state).empty()) {
            if (together.contains(demanded)) return false;
            continue;
        }
        for (std::size_t round = 0; round < in.state.servers.size(); ++round) {
            for (const ServerState* s : core_servers(in)) {
                if (together.contains(s->server.gtid_purged)) together.add(usable(*s));
            }
        }
        if (together.contains(demanded)) return false;
    }
    return true;
}

bool no_candidate(In in, Key) {
    if (record_of(in) && !record_is_lost(in) && primary_can_be_opened(in)) return false;
    return std::ranges::none_of(others(in), [&](const ServerState* s) { return fit_to_be_primary(in, *s); });
}

std::optional<TabletAlias> wished(In in) {
    const StoreState& store = in.state.store;
    std::optional<TabletAlias> wish = store.goal ? store.goal->pinned_primary : std::nullopt;
    if (!wish && store.shard) wish = store.shard->primary_alias;
    return wish;
}

bool candidate_unfit(In in, Key) {
    const std::optional<TabletAlias> wish = wished(in);
    const FixpointRecord* record = record_of(in);
    if (!wish || !record || *wish == record->primary.alias) return false;
    const ServerState* s = in.state.server(*wish);
    if (!s || !in_core(in, *wish) || !fit_to_be_primary(in, *s) || !errant_on(*s, in.state).empty())
        return true;
    // A cell whose store is down costs its candidates.
    if (!cell_answers(in, *wish)) return true;
    const ServerState* p = in.state.server(record->primary.alias);
    if (p && in_core(in, p->alias) && past_is_purged(*s, *p)) return true;
    // Two wishes that no manager can meet: under it the declared policy would never be in force.
    const DurabilityPolicy& declared =
        in.state.store.keyspace ? in.state.store.keyspace->durability_policy : record->policy;
    if (declared.ackers_needed > 0 && !s->server.semi_sync_plugins) return true;
    if (followers_of(in, *s, declared) < declared.ackers_needed) return true;
    return followers_of(in, *s, record->policy) < record->k();
}

bool too_few_followers(In in, Key key) {
    const FixpointRecord* record = record_of(in);
    if (key.problem == Problem::wrong_primary) return candidate_unfit(in, key);
    if (!record || primary_can_be_opened(in)) return false;
    return std::ranges::none_of(others(in), [&](const ServerState* s) {
        return fit_to_be_primary(in, *s) && followers_of(in, *s, record->policy) >= record->k();
    });
}

bool primary_is_heard(In in, Key key) {
    const FixpointRecord* record = record_of(in);
    const ServerState* p = record ? in.state.server(record->primary.alias) : nullptr;
    if (!p || in_core(in, p->alias)) return false;
    if (!names_no_tablet(key) && key.tablet != p->alias) return true;  // a repair that needs an answer of P
    return p->up && std::ranges::any_of(core_servers(in), [&](const ServerState* s) {
               return configured_for(*s, *record) && s->channels[0].receiver == sql::ThreadState::yes;
           });
}

bool unfenced_not_allowed(In in, Key) {
    const FixpointRecord* record = record_of(in);
    if (!record || record->k() > 0 || primary_can_be_opened(in)) return false;
    return !in.state.store.goal ||
           std::ranges::none_of(in.state.store.goal->allowed, [&](const AllowedStep& a) {
               return a.step == "unfenced_promotion" && a.term == record->term;
           });
}

bool record_lost_and_tablet_missing(In in, Key) {
    if (!record_is_lost(in)) return false;
    const StoreState& store = in.state.store;
    const auto undeclared = [&](const TabletAlias& alias) {
        return !store.tablets.contains(alias) && !forgotten(in.state, alias);
    };
    // One that was primary, and that nobody declares any more: it may be serving.
    if (store.shard && store.shard->primary_alias && undeclared(*store.shard->primary_alias)) return true;
    for (const ServerState* s : core_servers(in)) {
        for (const sql::JournalRow& row : s->journal) {
            if (row.shard == in.state.shard && undeclared(row.alias)) return true;
        }
    }
    // Or one that a declared tablet receives from.
    const auto declared_at = [&](const MysqlAddress& source) {
        return std::ranges::any_of(store.tablets, [&](const auto& t) { return t.second.mysql == source; });
    };
    for (const ServerState* s : core_servers(in)) {
        for (const sql::ReplicaRow& channel : s->channels) {
            if (channel.receiver == sql::ThreadState::yes && !undeclared(s->alias) &&
                !declared_at(channel.source))
                return true;
        }
    }
    return std::ranges::any_of(
        store.tablets, [&](const auto& t) { return !in_core(in, t.first) && !forgotten(in.state, t.first); });
}

bool nobody_has_everything(In in, Key) {
    if (!record_is_lost(in)) return false;
    GtidSet all;
    // What waits for an acknowledgement is executed by whoever closes its server.
    for (const ServerState* s : core_servers(in)) {
        all.add(has(*s));
        all.add(s->server.gtid_owned);
    }
    return std::ranges::none_of(core_servers(in), [&](const ServerState* s) {
        return (usable(*s) | s->server.gtid_owned).contains(all) && fit_to_be_primary(in, *s);
    });
}

bool several_writable(In in, Key) {
    return record_is_lost(in) &&
           std::ranges::count_if(core_servers(in), [](const ServerState* s) { return writable(*s); }) > 1;
}

bool dead_acker_blocks(In in, Key) {
    const FixpointRecord* record = record_of(in);
    return record && std::ranges::any_of(record->ackers, [&](const RecordedServer& a) {
               return !in_core(in, a.alias) && !forgotten(in.state, a.alias);
           });
}

bool too_few_ackers(In in, Key) {
    const FixpointRecord* record = record_of(in);
    const ServerState* p = record ? in.state.server(record->primary.alias) : nullptr;
    if (!p || !in.state.store.keyspace) return false;
    const DurabilityPolicy& declared = in.state.store.keyspace->durability_policy;
    // It waits for nobody: whoever wants that policy installs them, or wishes for another primary.
    if (declared.ackers_needed > 0 && !p->server.semi_sync_plugins) return true;
    return followers_of(in, *p, declared, true) < declared.ackers_needed ||
           followers_of(in, *p, record->policy, true) < record->k();
}

bool forbidden(In in, Key) {
    const StoreState& store = in.state.store;
    return (store.keyspace && store.keyspace->disable_emergency_reparent) ||
           (store.shard && store.shard->disable_emergency_reparent);
}

bool paused(In in, Key) {
    return in.state.store.goal && in.state.store.goal->paused;
}

bool candidate_lagging(In in, Key) {
    const std::optional<TabletAlias> wish = wished(in);
    const FixpointRecord* record = record_of(in);
    const ServerState* s = wish ? in.state.server(*wish) : nullptr;
    if (!s || !record || *wish == record->primary.alias) return false;
    const std::int64_t limit_s = to_ms(limits_of(in.state).candidate_lag) / 1000;
    return s->applier_blocked || std::ranges::any_of(s->channels, [&](const sql::ReplicaRow& r) {
               return r.seconds_behind.value_or(0) >= limit_s;
           });
}

// A transaction that nobody ends, and the goal does not allow to kill: it was meant so, or the network has
// kept its client's COMMIT, and the server knows nothing of that (the session stays until wait_timeout).
bool long_transaction(In in, Key key) {
    if (in.state.store.goal && in.state.store.goal->kill_long_transactions) return false;
    const FixpointRecord* record = record_of(in);
    const TabletAlias where = key.tablet ? key.tablet : record ? record->primary.alias : TabletAlias{};
    const auto& delivered = in.books.delivered;
    return std::ranges::any_of(delivered, [&](const DeliveredFault& d) {
        if (d.fault.kind != FaultKind::long_transaction || d.fault.tablet != where) return false;
        const std::optional<Instant> end = in.books.over(d);
        return !end || std::ranges::any_of(delivered, [&](const DeliveredFault& n) {
            const std::optional<Instant> healed = in.books.over(n);
            return fault_row(n.fault.kind).group == FaultGroup::network && n.at <= *end &&
                   (!healed || *healed >= d.at);
        });
    });
}

const ServerState* subject(In in, Key key) {
    const std::optional<TabletAlias> alias = key.tablet ? std::optional(key.tablet) : wished(in);
    return alias ? in.state.server(*alias) : nullptr;
}

bool is_errant(In in, Key key) {
    const ServerState* s = subject(in, key);
    return s && !errant_on(*s, in.state).empty();
}

bool is_purged(In in, Key key) {
    const ServerState* s = subject(in, key);
    const ServerState* p = record_of(in) ? in.state.server(record_of(in)->primary.alias) : nullptr;
    return s && p && past_is_purged(*s, *p);
}

bool tablet_out_of_reach(In in, Key key) {
    const FixpointRecord* record = record_of(in);
    const bool of_primary = record && !key.tablet && key.problem != Problem::wrong_primary;
    const ServerState* s = of_primary ? in.state.server(record->primary.alias) : subject(in, key);
    return s && (!in_core(in, s->alias) || has_no_connection_left(in, *s));
}

bool would_discard(In in, Key key) {
    const ServerState* s = subject(in, key);
    if (!s) return false;
    GtidSet only_here = has(*s) - s->server.gtid_executed;
    for (const ServerState* other : core_servers(in)) {
        if (other != s) only_here.subtract(usable(*other));
    }
    return !only_here.empty();
}

bool needs_restart(In in, Key key) {
    const FixpointRecord* record = record_of(in);
    const ServerState* p = record ? in.state.server(record->primary.alias) : nullptr;
    // A wish where only a closed P is revoked: one that would start writable is not closed.
    if (key.problem == Problem::wrong_primary && record && p && !p->server.persisted_globals_load &&
        too_many_ackers_out(in, *record))
        return true;
    const ServerState* s = subject(in, key);
    return s && (!s->server.persisted_globals_load || !s->server.semi_sync_plugins);
}

bool not_manageable(In in, Key key) {
    const ServerState* s = subject(in, key);
    return s && !s->manageable;
}

bool store_unavailable(In in, Key key) {
    if (!in.state.core.global_store) return true;
    return key.tablet && !cell_answers(in, key.tablet);
}

bool lock_of_the_suspended(In in, Key) {
    const std::optional<LockState>& lock = in.state.store.shard_lock;
    if (!lock) return false;
    const auto m = std::ranges::find(in.state.managers, lock->manager, &ManagerState::name);
    return m != in.state.managers.end() && m->alive && m->paused;
}

constexpr std::array table{
    OracleRow{Reason::revocation_impossible,
              "too many of A are out of reach for good, or lost their mark by a fault",
              revocation_impossible},
    OracleRow{Reason::demanded_missing,
              "something demanded is on no disk of the core, or nobody can bring it together",
              demanded_missing},
    OracleRow{Reason::no_candidate, "nobody of the core is fit to be primary", no_candidate},
    OracleRow{Reason::too_few_followers, "fewer than k could follow any candidate", too_few_followers},
    OracleRow{Reason::primary_unreachable,
              "P is out of every manager's reach for good while its replicas hear it", primary_is_heard},
    OracleRow{Reason::unfenced_promotion_not_allowed,
              "policy none, and P is dead or was behind, without the goal's waiver", unfenced_not_allowed},
    OracleRow{Reason::record_lost_tablet_missing,
              "the record is lost, and a declared tablet is out of reach for good",
              record_lost_and_tablet_missing},
    OracleRow{Reason::nobody_has_everything,
              "the record is lost, and nobody who could be primary has all transactions",
              nobody_has_everything},
    OracleRow{Reason::several_writable, "the record is lost, and more than one server is writable",
              several_writable},
    OracleRow{Reason::dead_acker_blocks, "an acker in force is out of reach for good, and not forgotten",
              dead_acker_blocks},
    OracleRow{Reason::too_few_ackers, "fewer than k of the core could acknowledge", too_few_ackers},
    OracleRow{Reason::forbidden, "Vitess's own switch forbids it", forbidden},
    OracleRow{Reason::paused, "the shard is paused", paused},
    OracleRow{Reason::candidate_unfit,
              "a wish, whose candidate is unfit, out of reach, or would leave too few ackers",
              candidate_unfit},
    OracleRow{Reason::candidate_lagging, "a wish, whose candidate is behind", candidate_lagging},
    OracleRow{Reason::long_transaction, "a transaction that nobody ends", long_transaction},
    OracleRow{Reason::closing_timed_out, "a transaction that nobody ends", long_transaction},
    OracleRow{Reason::errant, "the tablet has errant transactions", is_errant},
    OracleRow{Reason::purged, "P has purged what the tablet lacks", is_purged},
    OracleRow{Reason::tablet_unreachable, "the tablet is out of reach for good", tablet_out_of_reach},
    OracleRow{Reason::would_discard, "what the tablet received is on no other disk of the core",
              would_discard},
    OracleRow{Reason::needs_restart, "settings or plugins that only a restart brings", needs_restart},
    OracleRow{Reason::not_manageable, "the tablet is not manageable", not_manageable},
    OracleRow{Reason::store_unavailable, "the store is out of reach for good", store_unavailable},
    OracleRow{Reason::somebody_elses_lock, "the shard lock is held by a suspended process",
              lock_of_the_suspended},
};

}  // namespace

std::span<const OracleRow> oracle_table() {
    return table;
}

bool oracle_confirms(const OracleInput& input, const ProblemKey& key, Reason reason) {
    if (canary(Canary::oracle_excuses_everything)) return true;  // the judge's own weakness
    for (const OracleRow& row : table) {
        if (row.reason == reason) return row.holds(input, key);
    }
    return false;
}

}  // namespace fixpoint::sim
