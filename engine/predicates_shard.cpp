// Rows of the whole shard, of its primaries, and those that are only reported; see predicates.hpp.
#include <algorithm>

#include "engine/predicates.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint::rows {

namespace {

const Tablets whole_shard{TabletAlias{}};

Tablets if_true(bool holds) {
    return holds ? whole_shard : Tablets{};
}

template <class P>
Tablets those(const View& v, P predicate) {
    Tablets found;
    for (const TabletView& t : v.tablets) {
        if (!t.forgotten && predicate(t)) found.push_back(t.alias());
    }
    return found;
}

bool set_back(const View& v) {
    return v.fixpoint() && judge_journals(v.facts).newer_than_record;
}

// Without a record, or with one that was set back (protocol 11).
bool first_contact(const View& v, FirstContact kind) {
    if (!v.records.damage.empty()) return false;
    if (v.fixpoint() && (!set_back(v) || canary(Canary::journal_not_asked))) return false;
    if (v.tablets.empty())
        return kind == FirstContact::record_lost;  // nothing that could be elected: reported
    return judge_first_contact(v.facts, v.records.shard, v.fixpoint()).kind == kind;
}

}  // namespace

Tablets shard_never_had_a_primary(const View& v) {
    return if_true(first_contact(v, FirstContact::never_had_a_primary));
}
Tablets shard_to_adopt(const View& v) {
    return if_true(first_contact(v, FirstContact::adopt));
}
Tablets primary_record_lost(const View& v) {
    return if_true(first_contact(v, FirstContact::record_lost));
}

Tablets not_restart_safe(const View& v) {
    const bool one_is_being_qualified =
        std::any_of(v.tablets.begin(), v.tablets.end(), [&](const TabletView& t) {
            return t.now && v.in_ackers(t) && receives_from_primary(v, t) &&
                   is_restart_safe(*t.now, v.fixpoint()->k(), v.limits()) &&
                   !t.now->server().semi_sync_replica_enabled;
        });
    return those(v, [&](const TabletView& t) {
        if (!t.now || !is_manageable(t)) return false;
        const sql::ServerRow& s = t.now->server();
        if (s.stop_replica_timeout_s != Limits::stop_replica_timeout_s &&
            !canary(Canary::stop_timeout_only_persisted))
            return true;
        if (keeps_its_net_timeout(v, t) && !canary(Canary::net_timeout_is_the_servers) &&
            s.replica_net_timeout_s != whole_seconds(v.limits().replica_net_timeout))
            return true;
        if (!s.persisted_globals_load) return false;  // reported: only a restart cures it
        std::vector<Setting> missing = settings_to_persist(s, t.now->answer.persisted, v.limits());
        std::erase_if(missing, [&](const Setting& m) {
            if (m.first == sql::Variable::relay_log_recovery) return may_hold_phantoms(t) && !phantoms_may_be_dropped(v, t);
            if (m.first == sql::Variable::rpl_semi_sync_replica_enabled) return one_is_being_qualified;
            return false;
        });
        return !missing.empty();
    });
}

Tablets offline_mode_left_on(const View& v) {
    return those(
        v, [](const TabletView& t) { return t.now && is_manageable(t) && t.now->server().offline_mode; });
}

Tablets foreign_server_lock(const View& v) {
    return those(v, [](const TabletView& t) {
        if (!t.now || !t.earlier || t.earlier->asked < t.had_lock) return false;
        const sql::LockHolders& now = t.now->answer.locks;
        const sql::LockHolders& before = t.earlier->answer.locks;
        return (t.server_lock_of_other && now.server == before.server) ||
               (t.helper_lock_of_other && now.helper == before.helper);
    });
}

// By one look: else whoever was made primary by others is closed as a stale one before a second look can show
// that it serves. The recovery looks again under the locks.
Tablets reparented_by_others_row(const View& v) {
    const std::optional<TabletAlias>& named = v.records.shard.primary_alias;
    const TabletView* b = named && v.fixpoint() ? v.find(*named) : nullptr;
    if (!b || !b->now || v.is_primary(*b) || !is_open(*b->now)) return {};
    ShardFacts facts = v.facts;
    for (TabletFacts& t : facts.tablets) t.serves = t.serves || t.alias() == *named;
    return if_true(reparented_by_others(facts, v.records.shard).has_value());
}

Tablets shard_record_differs(const View& v) {
    const ShardRecord& shard = v.records.shard;
    const FixpointRecord& record = *v.fixpoint();
    if (!shard.primary_alias) return whole_shard;
    if (*shard.primary_alias == record.primary.alias) return {};
    if (shard.primary_term_start_time < record.shard_time) return whole_shard;
    const bool pinned = v.goal().pinned_primary == record.primary.alias;
    return if_true(pinned);
}

namespace {

// P's machine answers, and nobody listens there, in two looks: a server that is being shut down takes no more
// clients, and its replicas go on hearing it for eight seconds (M58).
bool refuses_connections(const View& v, const TabletView& p) {
    return p.last && p.refuses_since && v.now - *p.refuses_since >= v.limits().poll_primary_silent &&
           p.tablet.mysql == v.fixpoint()->primary.address;
}

std::vector<const TabletView*> those_that_follow_the_primary(const View& v) {
    std::vector<const TabletView*> followers;
    for (const TabletView& t : v.tablets) {
        if (v.is_primary(t) || !t.now || !is_manageable(t)) continue;
        if (follows(*t.now, v.fixpoint()->primary.address) && receiver_runs(*t.now)) followers.push_back(&t);
    }
    return followers;
}

}  // namespace

Tablets dead_primary(const View& v) {
    const TabletView* p = v.primary();
    if (!p || p->now || p->answering == Answering::refused) return {};
    const auto followers = those_that_follow_the_primary(v);
    const auto lost =
        std::ranges::count_if(followers, [&](const TabletView* t) { return has_lost_primary(v, *t); });
    // Where it refuses connections, one that tried anew knows better than those that hear it on an old one.
    if (lost > 0 && (std::cmp_equal(lost, followers.size()) || refuses_connections(v, *p)))
        return whole_shard;
    if (!followers.empty()) return {};
    // Nobody follows it, so nobody can tell: only a person can, who waives the proof for this term. Or it can
    // get no acknowledgement as it is, and whoever answers it does not serve.
    const bool somebody = std::ranges::any_of(v.tablets, [](const TabletView& t) { return t.answered(); });
    const bool long_silent = !p->last || v.now - p->last->answered > gone_after;
    const Revocation revoked = revocation(v.facts);
    return if_true(somebody && long_silent && (revoked.by_waiver || revoked.by_count));
}

// One of those that hear it is to try anew: one whose acknowledgement is not needed, if there is any.
Tablets primary_listens_no_more(const View& v) {
    const TabletView* p = v.primary();
    if (!p || p->now || !refuses_connections(v, *p) || !dead_primary(v).empty()) return {};
    if (canary(Canary::shutdown_is_waited_for)) return {};
    const auto followers = those_that_follow_the_primary(v);
    const bool all_hear =
        std::ranges::all_of(followers, [&](const TabletView* t) { return receives_from_primary(v, *t); });
    if (followers.empty() || !all_hear) return {};
    const auto asked = std::ranges::find_if(followers, [&](const TabletView* t) { return !v.in_ackers(*t); });
    return {asked == followers.end() ? followers.front()->alias() : (*asked)->alias()};
}

Tablets dead_primary_and_all_replicas(const View& v) {
    const bool somebody =
        std::any_of(v.tablets.begin(), v.tablets.end(), [](const TabletView& t) { return t.answered(); });
    return if_true(!v.tablets.empty() && !somebody);
}

Tablets primary_is_another_server(const View& v) {
    const TabletView* p = v.primary();
    return if_true(p && p->now && p->now->server().server_uuid != v.fixpoint()->primary.uuid);
}

Tablets primary_behind(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p) return {};
    const FixpointRecord& record = v.facts.record;
    if (record.k() > 0 && !p->now->server().semi_sync_plugins) return whole_shard;
    const GtidSet lacking = primary_lacks(v.facts);
    if (lacking.empty()) return {};
    if (lacking.intersects(record.opened_at) || lacking.intersects(record.high_water)) return whole_shard;
    // What a replica was seen to have before P was asked: later it may simply have received more.
    const auto had_before = [&](const TabletLookPtr& look) {
        return look && look->answered <= p->now->asked && look->has.intersects(lacking);
    };
    return if_true(std::ranges::any_of(v.tablets, [&](const TabletView& t) {
        return !v.is_primary(t) &&
               (had_before(t.now) || had_before(t.previous) || had_before(t.earlier) || had_before(t.last));
    }));
}

Tablets primary_semi_sync_weak(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !is_writable(*p->now) || !p->now->server().semi_sync_plugins) return {};
    return if_true(semi_sync_is_weaker_than(p->now->server(), v.fixpoint()->k()));
}

Tablets primary_is_read_only(const View& v) {
    const TabletView* p = v.living_primary();
    return if_true(p && !is_open(*p->now));
}

Tablets primary_semi_sync_blocked(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !p->earlier || !is_open(*p->now)) return {};
    const sql::ServerRow& now = p->now->server();
    const sql::ServerRow& before = p->earlier->server();
    if (now.gtid_owned.empty() || before.gtid_owned.empty()) return {};
    return if_true(now.gtid_executed == before.gtid_executed && now.gtid_owned.contains(before.gtid_owned));
}

Tablets wrong_primary(const View& v) {
    const std::optional<TabletAlias> wanted = v.wanted_primary();
    if (!wanted || *wanted == v.fixpoint()->primary.alias) return {};
    return if_true(v.goal().pinned_primary ||
                   v.records.shard.primary_term_start_time >= v.fixpoint()->shard_time);
}

// ---- primaries

Tablets stale_primary(const View& v) {
    return those(v, [&](const TabletView& t) {
        return t.now && !v.is_primary(t) && is_manageable(t) && is_writable(*t.now) &&
               !follows(*t.now, v.fixpoint()->primary.address);
    });
}

Tablets replica_is_writable(const View& v) {
    return those(v, [&](const TabletView& t) {
        return t.now && !v.is_primary(t) && is_manageable(t) && is_writable(*t.now) &&
               follows(*t.now, v.fixpoint()->primary.address);
    });
}

Tablets primary_has_source(const View& v) {
    const TabletView* p = v.living_primary();
    return if_true(p && p->now->channel() && is_open(*p->now));
}

Tablets foreign_on_primary_row(const View& v) {
    const TabletView* p = v.living_primary();
    return if_true(p && !p->now->channel() && !foreign_on_primary(v.facts).empty());
}

// ---- reported only

Tablets settings_not_loaded(const View& v) {
    return those(v, [](const TabletView& t) { return t.now && !t.now->server().persisted_globals_load; });
}

Tablets unreachable_primary(const View& v) {
    const TabletView* p = v.primary();
    if (!p || p->now || !dead_primary(v).empty()) return {};
    return if_true(std::ranges::any_of(v.tablets, [](const TabletView& t) { return t.answered(); }));
}

Tablets replica_dead(const View& v) {
    return those(v, [&](const TabletView& t) { return !v.is_primary(t) && !t.now && !v.in_ackers(t); });
}

Tablets acker_gone(const View& v) {
    return those(v, [&](const TabletView& t) {
        if (v.is_primary(t) || !v.in_ackers(t)) return false;
        if (!t.now || !t.declared) return true;
        // Or it should leave, and may not: fewer than k others could acknowledge.
        return !should_be_acker(v, t) && !may_leave(v.facts, t.alias());
    });
}

Tablets too_few_acknowledge(const View& v) {
    const TabletView* p = v.living_primary();
    if (!p || !is_open(*p->now)) return {};
    const auto count =
        std::ranges::count_if(v.tablets, [&](const TabletView& t) { return acknowledges(v, t); });
    return if_true(count < v.fixpoint()->k());
}

Tablets lagging(const View& v) {
    const std::int64_t limit = std::chrono::ceil<std::chrono::seconds>(v.limits().lagging).count();
    return those(v, [&](const TabletView& t) {
        const sql::ReplicaRow* c = t.now ? t.now->channel() : nullptr;
        return c && c->seconds_behind && *c->seconds_behind > limit;
    });
}

Tablets invalid_tablet(const View& v) {
    return those(v, [&](const TabletView& t) {
        return t.now && std::any_of(v.tablets.begin(), v.tablets.end(), [&](const TabletView& other) {
                   return other.now && other.alias() != t.alias() &&
                          (other.now->server().server_uuid == t.now->server().server_uuid ||
                           other.now->server().server_id == t.now->server().server_id);
               });
    });
}

Tablets not_manageable(const View& v) {
    return those(v, [](const TabletView& t) { return !is_manageable(t); });
}

Tablets semi_sync_plugin_missing(const View& v) {
    const bool needed = (v.fixpoint() && v.fixpoint()->k() > 0) || !v.declared_policy().is_none();
    return those(v,
                 [&](const TabletView& t) { return needed && t.now && !t.now->server().semi_sync_plugins; });
}

Tablets not_durable(const View& v) {
    return those(v, [](const TabletView& t) {
        return t.now && (t.now->server().sync_binlog != 1 || t.now->server().flush_log_at_trx_commit != 1);
    });
}

}  // namespace fixpoint::rows
