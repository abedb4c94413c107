// What single answers and pairs of answers say of a tablet: the vocabulary of the problem table.
// Nothing here decides what to do.
#include "engine/view.hpp"

#include <algorithm>

#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

const TabletView* View::find(const TabletAlias& alias) const {
    for (const TabletView& t : tablets) {
        if (t.alias() == alias) return &t;
    }
    return nullptr;
}

const TabletView* View::primary() const {
    return fixpoint() ? find(fixpoint()->primary.alias) : nullptr;
}

const TabletView* View::living_primary() const {
    const TabletView* p = primary();
    return p && p->now && p->now->server().server_uuid == fixpoint()->primary.uuid ? p : nullptr;
}

std::optional<TabletAlias> View::wanted_primary() const {
    if (goal().pinned_primary) return goal().pinned_primary;
    return records.shard.primary_alias;
}

bool is_writable(const TabletLook& look) {
    return !look.server().super_read_only;
}

bool is_open(const TabletLook& look) {
    const sql::ServerRow& s = look.server();
    return !s.read_only && !s.super_read_only && !s.offline_mode;
}

bool is_manageable(const TabletView& t, std::string* why) {
    const auto no = [&](const char* reason) {
        if (why) *why = reason;
        return false;
    };
    if (!t.missing_privileges.empty()) {
        if (why) *why = "the manager's account lacks " + t.missing_privileges.front();
        return false;
    }
    if (!t.now) return true;
    const sql::LookAnswer& a = t.now->answer;
    if (a.server.version.find("MariaDB") != std::string::npos)
        return no("it is MariaDB, which has no super_read_only");
    if (!a.server.gtid_mode_on) return no("gtid_mode is off");
    if (!a.server.log_replica_updates) return no("log_replica_updates is off");
    if (!a.group_replication.empty()) return no("it is a member of Group Replication");
    if (a.channels.size() > 1) return no("it has several replication channels");
    if (const sql::ReplicaRow* c = t.now->channel()) {
        if (!c->channel.empty()) return no("its replication channel has a name");
        if (c->filters) return no("it has replication filters");
        if (c->delay > Duration::zero()) return no("it has a SOURCE_DELAY");
    }
    return true;
}

bool may_hold_phantoms(const TabletView& t) {
    return t.now->server().relay_log_recovery && t.now->channel() && !t.receiver_has_run;
}

bool phantoms_may_be_dropped(const View& v, const TabletView& t) {
    const TabletView* p = v.primary();
    const bool fed = p && p->now && is_writable(*p->now);
    const sql::ServerRow& server = t.now->server();
    if (v.in_ackers(t) || (server.semi_sync_plugins && server.semi_sync_replica_enabled)) return false;
    return !fed && t.now->channel()->receiver != sql::ThreadState::yes && !is_writable(*t.now) &&
           server.gtid_executed.contains(t.now->has);
}

bool acks_persisted_off(const TabletLook& look) {
    if (!look.server().persisted_globals_load) return false;
    const auto it = look.answer.persisted.find(sql::Variable::rpl_semi_sync_replica_enabled);
    return it != look.answer.persisted.end() && it->second == 0;
}

bool is_restart_safe(const TabletLook& look, int k, const Limits& limits) {
    if (!look.server().persisted_globals_load) return false;
    if (!look.server().semi_sync_plugins && k > 0) return false;
    return settings_to_persist(look.answer.server, look.answer.persisted, limits).empty();
}

bool follows(const TabletLook& look, const MysqlAddress& source) {
    const sql::ReplicaRow* c = look.channel();
    return c && c->source == source;
}

bool receiver_runs(const TabletLook& look) {
    const sql::ReplicaRow* c = look.channel();
    return c && c->receiver != sql::ThreadState::no;
}

bool is_vouching(const View& view, const TabletView& t) {
    const TabletFacts* facts = view.facts.find(t.alias());
    return t.now && facts && facts->in_ackers && facts->vouching();
}

bool receives_from_primary(const View& view, const TabletView& t) {
    if (!t.now || !view.fixpoint()) return false;
    return follows(*t.now, view.fixpoint()->primary.address) &&
           t.now->channel()->receiver == sql::ThreadState::yes;
}

bool acknowledges(const View& view, const TabletView& t) {
    return is_vouching(view, t) && receives_from_primary(view, t);
}

namespace {

// What a living source answers, too: no evidence of its death.
bool explained_by_a_living_source(int number) {
    using namespace sql::error_number;
    return number == offline_mode || number == too_many_connections || number == access_denied ||
           number == receiver_purged || number == receiver_equal_server_ids || number == 1236;
}

bool connecting_without_error(const TabletLook& look) {
    const sql::ReplicaRow* c = look.channel();
    return c && c->receiver == sql::ThreadState::connecting && c->receiver_errno == 0;
}

}  // namespace

bool has_lost_primary(const View& view, const TabletView& t) {
    const TabletView* p = view.primary();
    if (!t.now || !p || p->answered()) return false;
    if (!follows(*t.now, view.fixpoint()->primary.address)) return false;
    const sql::ReplicaRow& c = *t.now->channel();
    if (c.receiver != sql::ThreadState::connecting) return false;
    if (c.receiver_errno != 0) return !explained_by_a_living_source(c.receiver_errno);
    const TabletLookPtr& before = t.previous;
    return before && connecting_without_error(*before) &&
           follows(*before, view.fixpoint()->primary.address) &&
           t.now->asked - before->asked >= view.limits().poll_primary_silent / 2;
}

GtidSet errant_on(const View& view, const TabletView& t) {
    const TabletFacts* facts = view.facts.find(t.alias());
    if (!t.now || !facts || view.is_primary(t)) return {};
    return errant_on(view.facts, *facts);
}

bool stands_on_data_error(const TabletLook& look) {
    const sql::ReplicaRow* c = look.channel();
    if (!c || c->applier_running || c->applier_errno == 0) return false;
    return !is_relay_log_error(c->applier_errno);
}

bool is_relay_log_error(int number) {
    using namespace sql::error_number;
    return number == relay_log_corrupt || number == relay_log_missing || number == relay_log_init;
}

bool must_be_quarantined(const View& view, const TabletView& t, std::string* why) {
    if (!t.now || !view.fixpoint() || view.is_primary(t)) return false;
    if (const GtidSet errant = errant_on(view, t); !errant.empty()) {
        if (why) *why = "errant transactions " + errant.to_string();
        return true;
    }
    const TabletView* p = view.living_primary();
    if (p && !t.now->has.contains(p->now->server().gtid_purged)) {
        if (why)
            *why = "the primary has purged what it lacks: " +
                   (p->now->server().gtid_purged - t.now->has).to_string();
        return true;
    }
    if (stands_on_data_error(*t.now)) {
        if (why) *why = "its applier stands on error " + std::to_string(t.now->channel()->applier_errno);
        return true;
    }
    return false;
}

bool awaits_renewal(const View& view, const TabletView& t) {
    if (!t.now || view.living_primary()) return false;
    const TabletFacts* facts = view.facts.find(t.alias());
    if (!facts || !server_id_to_renew(view.facts, *facts)) return false;
    const TabletView* in_its_place = view.primary();
    const bool silent = !in_its_place || !in_its_place->now;
    return !silent || t.now->server().server_id != view.fixpoint()->primary.server_id;
}

bool cell_is_silent(const View& view, const TabletAlias& alias) {
    return std::ranges::find(view.records.silent_cells, alias.cell) != view.records.silent_cells.end();
}

bool keeps_its_net_timeout(const View& view, const TabletView& t) {
    const sql::ReplicaRow* c = t.now->channel();
    return !c || (c->receiver == sql::ThreadState::no && must_be_quarantined(view, t));
}

namespace {

// Of an acker in force whose cell's store is silent the record is unreadable, not gone: it is what it was.
bool may_acknowledge(const View& view, const DurabilityPolicy& policy, const TabletView& t) {
    const bool is_known = t.declared || (view.in_ackers(t) && cell_is_silent(view, t.alias()));
    return is_known && policy.may_ack(view.fixpoint()->primary.alias, t.tablet);
}

// Nothing that a manager may do to it stands between it and A: one that no setting makes restart-safe never
// joins, and one whose applier stands before what it had received when it started never executes that.
bool can_ever_join(const TabletView& t, const TabletLook& look) {
    if (!look.server().semi_sync_plugins || !look.server().persisted_globals_load) return false;
    return !stands_on_data_error(look) || t.received_at_boot.empty();
}

struct Others {
    int clean = 0;     // may acknowledge under the policy, and nothing speaks against it
    int errant = 0;    // could, if they are let in though they are to be quarantined
    int in_place = 0;  // of the errant ones: in A, and acknowledging
};

Others others_that_may_acknowledge(const View& view, const DurabilityPolicy& policy, const TabletView& t) {
    Others others;
    for (const TabletView& other : view.tablets) {
        if (&other == &t || view.is_primary(other) || !may_acknowledge(view, policy, other)) continue;
        // One that missed a look is not gone: whether an errant one is needed must not flip with a lost
        // answer. Nor is one that answered when it was last asked, however long an operation takes since.
        const TabletLookPtr& look = other.now ? other.now : other.last;
        if (other.forgotten || !look || (!other.now && view.now - look->answered > gone_after)) continue;
        if (!can_ever_join(other, *look) || (other.now && !is_manageable(other))) continue;
        const bool clean =
            other.now ? !must_be_quarantined(view, other) : other.tablet.type != TabletType::drained;
        ++(clean ? others.clean : others.errant);
        if (!clean && view.in_ackers(other) && (!other.now || acknowledges(view, other))) ++others.in_place;
    }
    return others;
}

}  // namespace

bool is_needed_though_errant(const View& view, const TabletView& t) {
    if (canary(Canary::errant_never_joins)) return false;
    if (!view.fixpoint() || !t.now || view.is_primary(t) || !t.now->server().semi_sync_plugins) return false;
    const bool joins = can_ever_join(t, *t.now);
    if (!joins && !view.in_ackers(t)) return false;
    const TabletView* p = view.primary();
    if (p && p->now && !t.now->has.contains(p->now->server().gtid_purged)) return false;
    // Of a stranger in the primary's place nobody is to follow, and it can join nothing.
    const bool stranger = p && p->now && !view.living_primary();
    if (stranger && !view.in_ackers(t)) return false;
    // A policy in force blocks writers until it is met, and each one counts; one that is declared only, and
    // cannot be met with all the errant ones either, is not brought nearer by connecting them.
    const auto short_of_others = [&](const DurabilityPolicy& policy, bool in_force) {
        if (policy.is_none() || !may_acknowledge(view, policy, t)) return false;
        const Others others = others_that_may_acknowledge(view, policy, t);
        const bool can_be_met = joins && others.clean + others.errant + 1 >= policy.ackers_needed;
        return others.clean + others.in_place < policy.ackers_needed && (in_force || can_be_met);
    };
    return short_of_others(view.fixpoint()->policy, true) || short_of_others(view.declared_policy(), false);
}

bool is_complete(const View& view, const TabletView& t) {
    const TabletView* p = view.primary();
    const TabletFacts* facts = view.facts.find(t.alias());
    if (!t.now || !p || !facts) return false;
    // In two looks already: it may go round (M45), and nobody would execute what it acknowledged.
    if (t.only_reads_since && *t.only_reads_since < t.now->asked &&
        !canary(Canary::one_that_goes_round_vouches))
        return false;
    const auto has_log_of = [&](const TabletLookPtr& of_primary) {
        if (!of_primary || of_primary->answered > t.now->asked || of_primary->asked < t.boot_seen)
            return false;
        if (of_primary->server().server_uuid != view.fixpoint()->primary.uuid) return false;
        const sql::GtidsAnswer log{of_primary->server().gtid_owned, of_primary->server().gtid_executed};
        return is_complete(view.facts, *facts, log, t.received_at_boot);
    };
    const bool newer_is_there = p->now && p->now->answered <= t.now->asked;
    return has_log_of(newer_is_there ? p->now : p->previous) || (!view.in_ackers(t) && has_log_of(t.mark));
}

std::optional<Instant> only_reads_since(std::optional<Instant> so_far, const TabletLook* before,
                                        const TabletLook& look, const Limits& limits) {
    const sql::ReplicaRow* channel = look.channel();
    if (!channel || !channel->applier_only_reads) return {};
    if (!so_far || !before || look.asked - before->answered > limits.stalled / 3) return look.asked;
    const bool moved = look.server().gtid_executed != before->server().gtid_executed;
    return moved ? look.asked : *so_far;
}

bool goes_round(const View& view, const TabletView& t) {
    if (canary(Canary::waits_for_one_that_goes_round)) return false;
    return t.now && t.only_reads_since && t.now->answered - *t.only_reads_since >= view.limits().stalled;
}

bool should_be_acker(const View& view, const TabletView& t) {
    if (!t.now || !view.fixpoint() || view.is_primary(t) || view.declared_policy().is_none()) return false;
    if (!may_acknowledge(view, view.declared_policy(), t) || !t.now->server().semi_sync_plugins) return false;
    if (!is_manageable(t)) return false;
    return !must_be_quarantined(view, t) || is_needed_though_errant(view, t);
}

namespace {

TabletFacts facts_of(const View& view, const TabletView& t, const FixpointRecord& record) {
    TabletFacts f;
    f.tablet = t.tablet;
    f.in_ackers = view.in_ackers(t);
    f.answered = t.answered();
    f.manageable = is_manageable(t);
    f.privileges_ok = t.missing_privileges.empty();
    if (t.journal) f.journal = *t.journal;
    if (t.last)
        f.server_id = t.last->server().server_id;  // of one that is silent: not to be given to another
    if (!t.now) {
        if (t.last && !canary(Canary::silence_forgets)) f.last_seen = t.last->has;
        return f;
    }
    const sql::ServerRow& s = t.now->server();
    const sql::ReplicaRow* c = t.now->channel();
    f.locked = true;
    f.restart_safe = is_restart_safe(*t.now, record.k(), view.limits());
    f.loads_persisted = s.persisted_globals_load;
    f.semi_sync_plugins = s.semi_sync_plugins;
    f.receiver_stopped_or_elsewhere =
        !c || c->receiver == sql::ThreadState::no ||
        (c->receiver == sql::ThreadState::yes && c->source_uuid && c->source_uuid != record.primary.uuid) ||
        (c->receiver == sql::ThreadState::connecting && canary(Canary::retrying_receiver_counts_as_stopped));
    f.acks_on = s.semi_sync_plugins && s.semi_sync_replica_enabled;
    f.acks_persisted_off = acks_persisted_off(*t.now);
    f.acks_in_effect_at_first = t.now->answer.semi_sync.replica_status;
    f.durable_relay_log = !s.relay_log_recovery;
    for (const RecordedServer& a : record.ackers) {
        if (a.alias == t.alias()) f.uuid_as_recorded = a.uuid == s.server_uuid;
    }
    f.closing_pending = t.helper_lock_of_other;
    f.writable = is_writable(*t.now) || f.closing_pending;
    f.serves = is_open(*t.now) && t.previous && is_open(*t.previous);
    f.offline_mode = s.offline_mode;
    f.source_semi_sync_on = s.semi_sync_plugins && s.semi_sync_source_enabled;
    f.source_wait_count = static_cast<int>(s.semi_sync_source_wait_for_replica_count);
    f.receives = c && c->receiver == sql::ThreadState::yes;
    if (c) f.source_uuid = c->source_uuid;
    f.uuid = s.server_uuid;
    f.server_id = s.server_id;
    f.executed = s.gtid_executed;
    f.owned = s.gtid_owned;
    if (c) f.received = c->retrieved;
    f.purged = s.gtid_purged;
    f.applier_failed = c && !c->applier_running && c->applier_errno != 0;
    return f;
}

}  // namespace

ShardFacts facts_from(const View& view) {
    ShardFacts facts;
    facts.name = view.name;
    if (view.fixpoint()) facts.record = *view.fixpoint();
    if (facts.record.k() > 0 && !canary(Canary::silence_forgets))
        facts.record.high_water.add(view.high_water);
    facts.seen_of_primary = view.seen_of_primary;
    facts.declared_policy = view.declared_policy();
    facts.goal = view.goal();
    facts.emergency_reparent_disabled =
        view.records.shard.disable_emergency_reparent ||
        (view.records.keyspace && view.records.keyspace->disable_emergency_reparent);
    for (const TabletView& t : view.tablets) {
        if (!t.forgotten) facts.tablets.push_back(facts_of(view, t, facts.record));
    }
    facts.primary_answers = view.living_primary() != nullptr;
    facts.named_by_shard = view.records.shard.primary_alias;
    return facts;
}

}  // namespace fixpoint
