// Looking at tablets, and what follows from it; see shard.hpp. Records are read in shard_records.cpp. Nothing
// here changes anything anywhere.
#include "engine/shard.hpp"

#include <algorithm>
#include <utility>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/model/assert.hpp"

namespace fixpoint {

Shard::Shard(ReconcilerConfig config, ReconcilerPorts ports, std::function<void()> wake)
    : config_(std::move(config)), ports_(ports), wake_(std::move(wake)) {
    view_.name = config_.shard;
}

// ---- looks

TabletSessions& Shard::sessions(const TabletAlias& alias) {
    const auto it = known_.find(alias);
    FIXPOINT_ASSERT(it != known_.end(), "a tablet that no record names has no sessions");
    return *it->second.sessions;
}

bool Shard::is_my_session(const TabletAlias& alias, std::uint64_t connection_id) const {
    const auto it = known_.find(alias);
    return it != known_.end() && it->second.sessions->is_mine(connection_id);
}

void Shard::begin_look() {
    for (auto& [alias, known] : known_) {
        if (known.now) known.previous = known.now;
        known.now = nullptr;
        known.answering = Answering::silent;
        known.error = {};
        known.journal.reset();
    }
}

void Shard::remember(Known& known, TabletLookPtr look) {
    if (known.boot_connection != known.sessions->look_connection()) {
        known.only_reads_since.reset();
        known.boot_connection = known.sessions->look_connection();
        known.boot_seen = look->asked;
        known.received_at_boot = look->has - look->server().gtid_executed;
        known.receiver_has_run = false;
    } else if (!known.received_at_boot.empty()) {
        known.received_at_boot.subtract(look->server().gtid_executed);
    }
    const sql::ReplicaRow* channel = look->channel();
    if (channel && channel->receiver == sql::ThreadState::yes) known.receiver_has_run = true;
    const TabletLookPtr before = known.history.empty() ? nullptr : known.history.back();
    known.only_reads_since = only_reads_since(known.only_reads_since, before.get(), *look, limits());
    known.uuid = look->server().server_uuid;
    if (known.now) known.previous = known.now;
    known.now = look;
    known.answering = Answering::answered;
    known.refuses_since.reset();
    known.history.push_back(std::move(look));
    const Instant newest = known.history.back()->asked;
    while (known.history.size() > 2 && newest - known.history[1]->answered >= two_looks_apart)
        known.history.pop_front();
}

namespace {

// Also at login: whoever says "wrong password" or "too many connections" is alive.
bool is_said_by_a_server(const sql::Error& error) {
    const bool of_the_client = error.number >= 2000 && error.number < 3000;
    return error.kind == sql::ErrorKind::server ||
           (error.kind == sql::ErrorKind::refused && error.number != 0 && !of_the_client);
}

}  // namespace

awaitable<bool> Shard::look_at(TabletAlias alias, SessionRole role, Duration limit) {
    Known& known = known_.at(alias);
    // A first login may take its time: TLS and the account's cache are cold, and who looks once only would
    // take a slow server for a dead one.
    const bool first = !std::exchange(known.contacted, true);
    auto session = co_await known.sessions->ensure(
        role, first ? limits().connecting : std::min(limit, limits().connecting));
    sql::Error error;
    if (session) {
        auto look = std::make_shared<TabletLook>();
        look->asked = now();
        auto answer = co_await run(**session, sql::Look{name()}, limit);
        if (answer) {
            look->answered = now();
            look->answer = std::move(*answer);
            look->has = look->answer.server.gtid_executed;
            for (const sql::ReplicaRow& c : look->answer.channels) look->has.add(c.retrieved);
            look->log = look->answer.server.log();
            remember(known, std::move(look));
            co_return true;
        }
        error = std::move(answer.error());
    } else {
        error = std::move(session.error());
    }
    known.now = nullptr;
    known.answering = is_said_by_a_server(error) ? Answering::refused : Answering::silent;
    const bool nobody_listens =
        error.kind == sql::ErrorKind::refused && error.number == sql::error_number::cannot_connect;
    if (!nobody_listens) known.refuses_since.reset();
    if (nobody_listens && !known.refuses_since) known.refuses_since = now();
    known.error = std::move(error);
    co_return false;
}

awaitable<void> Shard::read_journal(TabletAlias alias) {
    Known& known = known_.at(alias);
    SqlSession* session = known.sessions->alive(SessionRole::look);
    if (!session) co_return;
    auto rows = co_await run(*session, sql::ReadJournal{name()},
                             limits().journal_lock_wait + limits().look_without_locks);
    if (rows) known.journal = std::move(*rows);
}

awaitable<void> Shard::look_without_locks_at(TabletAlias alias, Duration limit) {
    Known& known = known_.at(alias);
    // What was granted since counts for new sessions only.
    if (!known.sessions->missing_privileges.empty()) known.sessions->drop_all();
    const bool answered = co_await look_at(alias, SessionRole::look, limit);
    // One that refuses the look itself may do so for want of a privilege.
    if (!answered && !known.sessions->alive(SessionRole::look)) co_return;
    if (!known.sessions->privileges_known) {
        SqlSession* session = known.sessions->alive(SessionRole::look);
        if (!session) co_return;
        auto missing = co_await run(*session, sql::ReadMissingPrivileges{}, limit);
        if (missing) {
            known.sessions->missing_privileges = std::move(*missing);
            known.sessions->privileges_known = true;
        }
        if (!answered) co_return;
        co_await run(
            *session,
            sql::SetSessionLockWait{
                std::chrono::duration_cast<std::chrono::seconds>(limits().journal_lock_wait).count()},
            limit);
    }
    if (!answered) co_return;
    co_await read_journal(alias);
    // Lock and helper sessions stand ready: at 1040 there would be none to be had.
    co_await known.sessions->ensure(SessionRole::lock, limit);
    co_await known.sessions->ensure(SessionRole::helper, limit);
}

// A server that a person gave up for gone costs no look; another in its place is a tablet like any other.
bool Shard::is_asked_though_forgotten(const TabletAlias& alias) {
    Known& known = known_.at(alias);
    if (known.gone_asked && now() - *known.gone_asked < Limits::ask_forgotten_every) return false;
    known.gone_asked = now();
    return true;
}

awaitable<void> Shard::look_without_locks(bool in_a_hurry) {
    std::map<TabletAlias, bool> silent;
    for (const auto& [alias, known] : known_) silent[alias] = !known.now;
    begin_look();
    std::vector<awaitable<void>> looks;
    for (const TabletView& t : view_.tablets) {
        if (t.forgotten && !is_asked_though_forgotten(t.alias())) continue;
        // In the midst of repairs nobody waits long for one that did not answer a moment ago.
        const Duration limit = t.forgotten || (in_a_hurry && silent[t.alias()])
                                   ? limits().look_without_locks / 5
                                   : limits().look_without_locks;
        looks.push_back(look_without_locks_at(t.alias(), limit));
    }
    co_await all(std::move(looks));
    finish_look();
}

awaitable<bool> Shard::boot_is_the_same(TabletAlias alias) {
    Known& known = known_.at(alias);
    SqlSession* session = known.sessions->alive(SessionRole::look);
    if (!session || known.boot_connection != known.sessions->look_connection()) co_return false;
    auto answer = co_await run(*session, sql::ReadGtids{}, limits().statement);
    co_return answer.has_value();
}

void Shard::relay_log_dropped(const TabletAlias& alias) {
    Known& known = known_.at(alias);
    known.received_at_boot = {};
    known.receiver_has_run = true;
    known.only_reads_since.reset();
    known.history.clear();  // what was seen of it before says nothing any more
}

// ---- what follows

void Shard::rebuild_view() {
    std::map<TabletAlias, std::pair<Tablet, bool>> tablets;
    const Records& records = view_.records;
    for (const auto& [alias, declared] : records.tablets) tablets[alias] = {declared.tablet, true};
    const auto add_recorded = [&](const RecordedServer& server) {
        if (tablets.contains(server.alias)) return;
        Tablet tablet;
        tablet.alias = server.alias;
        tablet.keyspace = name().keyspace;
        tablet.shard = name().shard;
        tablet.type = TabletType::replica;
        tablet.mysql = server.address;
        tablets[server.alias] = {tablet, false};
    };
    if (records.fixpoint) {
        if (records.fixpoint->primary.alias) add_recorded(records.fixpoint->primary);
        for (const RecordedServer& a : records.fixpoint->ackers) add_recorded(a);
    }
    view_.tablets.clear();
    for (auto& [alias, entry] : tablets) {
        Known& known = known_[alias];
        if (!known.sessions || known.sessions->address() != entry.first.mysql) {
            known = Known{};
            known.sessions = std::make_unique<TabletSessions>(ports_.sql, entry.first.mysql, wake_);
        }
        TabletView t;
        t.tablet = std::move(entry.first);
        t.declared = entry.second;
        // A person's word does not make the primary in force disappear: a dead one is replaced first.
        const bool in_force = records.fixpoint && records.fixpoint->primary.alias == alias;
        t.forgotten = !in_force && std::any_of(records.goal.forgotten.begin(), records.goal.forgotten.end(),
                                               [&](const ForgottenTablet& f) {
                                                   // That server: one with another uuid in its place was not
                                                   // meant.
                                                   const bool another =
                                                       known.uuid && f.uuid && known.uuid != f.uuid;
                                                   return f.alias == alias && !another;
                                               });
        t.answering = known.answering;
        t.refuses_since = known.refuses_since;
        t.error = known.error;
        t.now = known.now;
        t.previous = known.previous;
        if (!known.history.empty()) {
            t.last = known.history.back();
            for (const TabletLookPtr& old : known.history) {
                if (known.now && known.now->asked - old->answered >= two_looks_apart) t.earlier = old;
            }
        }
        t.journal = known.journal;
        t.missing_privileges = known.sessions->missing_privileges;
        if (known.now) {
            const sql::LockHolders& locks = known.now->answer.locks;
            const auto of_other = [&](const std::optional<std::uint64_t>& id) {
                return id && !known.sessions->is_mine(*id);
            };
            t.server_lock_of_other = of_other(locks.server);
            t.helper_lock_of_other = of_other(locks.helper);
            t.rebuild_lock_of_other = of_other(locks.rebuild);
        }
        t.boot_seen = known.boot_seen;
        t.had_lock = known.had_lock;
        t.received_at_boot = known.received_at_boot;
        t.receiver_has_run = known.receiver_has_run;
        t.only_reads_since = known.only_reads_since;
        t.mark = known.mark;
        view_.tablets.push_back(std::move(t));
    }
}

void Shard::renew_marks() {
    const FixpointRecord* record = view_.fixpoint();
    const auto p = record ? known_.find(record->primary.alias) : known_.end();
    const TabletLookPtr of_primary = p == known_.end() ? nullptr : p->second.now;
    for (auto& [alias, known] : known_) {
        const bool holds =
            record && known.mark && !record->has_acker(alias) && known.mark->asked >= known.boot_seen &&
            std::pair(known.mark_term, known.mark_revision) == std::pair(record->term, record->revision) &&
            now() - known.mark->answered <= limits().candidate_lag;
        if (holds) continue;
        const bool may_join = record && !record->has_acker(alias) && !canary(Canary::lagging_never_joins);
        known.mark = may_join ? of_primary : nullptr;
        if (record) known.mark_term = record->term;
        if (record) known.mark_revision = record->revision;
    }
}

void Shard::finish_look() {
    view_.now = now();
    renew_marks();
    rebuild_view();
    const FixpointRecord* record = view_.fixpoint();
    const bool same_term = record && term_seen_ == record->term;
    if (!same_term || record->k() == 0) view_.high_water = {};
    if (!same_term) view_.seen_of_primary = {};
    if (record) term_seen_ = record->term;
    view_.facts = facts_from(view_);
    const TabletFacts* p = view_.facts.primary();
    if (p && view_.facts.primary_answers && !view_.seen_of_primary.contains(p->executed))
        view_.seen_of_primary.add(p->executed);
    view_.high_water = next_high_water(view_.facts);
    view_.facts.record.high_water = view_.high_water;
}

std::uint64_t Shard::digest() const {
    std::uint64_t h = 1469598103934665603ULL;
    const auto mix = [&](std::uint64_t v) { h = (h ^ v) * 1099511628211ULL; };
    for (const TabletView& t : view_.tablets) {
        mix(static_cast<std::uint64_t>(t.answering));
        mix(t.received_at_boot.empty() ? 0 : 1);
        if (!t.last) continue;
        const sql::ServerRow& s = t.last->server();
        mix((s.read_only ? 1u : 0u) | (s.super_read_only ? 2u : 0u) | (s.offline_mode ? 4u : 0u) |
            (s.semi_sync_source_enabled ? 8u : 0u) | (s.semi_sync_replica_enabled ? 16u : 0u));
        if (const sql::ReplicaRow* c = t.last->channel()) {
            mix(static_cast<std::uint64_t>(c->receiver) * 8 + (c->applier_running ? 1 : 0));
            mix(static_cast<std::uint64_t>(c->receiver_errno) * 100000 +
                static_cast<std::uint64_t>(c->applier_errno));
        }
    }
    return h;
}

}  // namespace fixpoint
