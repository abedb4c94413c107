// The decisions of the protocol as pure functions over plain values: who is revoked, what is demanded, who is
// elected, who acknowledges next, what may be opened. The engine fills the facts from looks over one set of
// sessions and acts on what comes back; nothing here waits, reads or writes. Numbers are the protocol's
// sections.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixpoint/model/problem.hpp"
#include "fixpoint/model/records.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint {

// What one operation knows of one tablet, from its last look over the same sessions. A tablet that did not
// answer is listed too (its sets are empty, `answered` is false): it stays in every denominator.
struct TabletFacts {
    Tablet tablet;           // declared; drained by Fixpoint counts as the type in its tag
    bool answered = true;    // this look has an answer of it (a locked one always has)
    bool in_ackers = false;  // in A
    bool locked = false;     // its lock session is alive
    bool restart_safe = false;
    bool privileges_ok = true;
    bool semi_sync_plugins = true;
    bool manageable = true;
    bool receiver_stopped_or_elsewhere = false;  // seen after the lock was taken
    bool acks_on = false;                        // rpl_semi_sync_replica_enabled now
    bool acks_persisted_off = false;
    bool acks_in_effect_at_first = false;  // Rpl_semi_sync_replica_status when this operation first looked
    bool durable_relay_log = false;  // relay_log_recovery=OFF as this process started; proves nothing (6)
    bool uuid_as_recorded = true;    // as A says
    bool writable = false;           // super_read_only reads OFF, or a closing is pending (1)
    bool serves = false;  // both read-only flags off and no offline mode, in two looks of one session
    bool closed = false;  // proven by the closing statement's own OK, in this operation
    bool closing_pending = false;  // mine has not answered, or a helper that is not mine holds its lock
    bool offline_mode = false;
    bool source_semi_sync_on = false;  // rpl_semi_sync_source_enabled at run time
    int source_wait_count = 0;         // rpl_semi_sync_source_wait_for_replica_count at run time
    bool receives = false;             // its receiver says Yes
    Uuid source_uuid;                  // of the source that it was last connected to
    Uuid uuid;
    std::int64_t server_id = 0;
    GtidSet executed, owned, received, purged;
    GtidSet last_seen;            // of one that does not answer: executed ∪ received when it last did
    bool applier_failed = false;  // stands on an error of its own
    std::vector<sql::JournalRow> journal;  // newest first; empty too where it could not be read
    bool loads_persisted = true;           // persisted_globals_load: else nothing makes it restart-safe (7)

    bool reached() const;   // 1: locked, restart-safe, no privilege missing, receiver stopped or elsewhere
    bool vouching() const;  // 1, 6: acks ON, OFF persisted, the server that A names
    GtidSet has() const { return executed | received; }
    // What it has, or had when it last answered: its silence takes nothing from what it was seen to have.
    GtidSet seen_to_have() const { return answered ? has() : last_seen; }
    GtidSet log() const { return executed | owned; }
    bool has_all(const GtidSet& set) const;  // has ⊇ set
    const TabletAlias& alias() const { return tablet.alias; }
};

struct ShardFacts {
    ShardName name;
    FixpointRecord record;  // in force; its high-water mark as far as this manager has seen it grow (6)
    DurabilityPolicy declared_policy;
    Goal goal;
    bool emergency_reparent_disabled = false;  // Vitess's own switch, of keyspace or shard
    std::vector<TabletFacts> tablets;          // P and A among them, answering or not; by alias
    // P answers, under the recorded uuid, in this look. P's own look is later than the replicas' (8).
    bool primary_answers = false;
    GtidSet seen_of_primary;  // what P was seen to have executed, by this manager and in this term
    std::optional<TabletAlias> named_by_shard;  // whom Shard calls primary

    const TabletFacts* find(const TabletAlias& alias) const;
    // The tablet in force, if its server is the one recorded (it may not answer); another server under its
    // alias is a tablet like the others, and then this is null.
    const TabletFacts* primary() const;
    bool is_primary(const TabletFacts& t) const { return &t == primary(); }
};

// ---- 8: attributable, errant, retired

// The part of `set` that is attributable: in opened_at ∪ adopted ∪ U(P) ∪ executed(P) where P answers.
GtidSet attributable_part(const ShardFacts& facts, const GtidSet& set);
bool is_forgotten(const Goal& goal, const TabletAlias& alias);  // a person's word that its server is gone
// has(t) \ attributable. Of P itself: nothing.
GtidSet errant_on(const ShardFacts& facts, const TabletFacts& t);
// executed(P) \ (opened_at ∪ adopted ∪ U(P)): what P has from nobody's term; to be recorded as `adopted`.
GtidSet foreign_on_primary(const ShardFacts& facts);
// Transactions of t's own uuid that somebody has (P, a locked tablet, the record) or that are retired, and t
// has not executed: its next number could be one of these. Not empty: t is never a primary.
GtidSet own_transactions_missing(const ShardFacts& facts, const TabletFacts& t);
// `retired` with `gtids`, seen on `alias`, added; and with what `opened_at` contains taken out.
std::vector<RetiredGtids> retired_with(std::vector<RetiredGtids> retired, const GtidSet& gtids,
                                       const TabletAlias& alias);
std::vector<RetiredGtids> retired_without(std::vector<RetiredGtids> retired, const GtidSet& opened_at);
// What may be taken out of `retired` now: uuids of which every declared tablet and every one it was seen on
// answered under its lock (or is forgotten), with nothing errant of it, and none is to be rebuilt.
GtidSet retired_to_clear(const ShardFacts& facts);

// A new server_id is due before t's receiver is started (t is not P). `why` is for people.
bool server_id_to_renew(const ShardFacts& facts, const TabletFacts& t, std::string* why = nullptr);
// What t fetched could bear its own server_id, which its receiver passes over (M40): it fetches nothing.
bool would_skip(const ShardFacts& facts, const TabletFacts& t);
// One that nobody in this shard bears, bore or was given.
std::int64_t fresh_server_id(const ShardFacts& facts);

// ---- 4: the commit point

// 4.0. A row counts if it names this shard and a uuid that is P's, a past primary's, a declared or a forgotten
// tablet's; or the alias of a declared tablet that does not answer, or of whom Shard calls primary though no
// declared tablet has that alias.
struct JournalVerdict {
    bool newer_than_record = false;         // the record was set back
    std::optional<sql::JournalRow> newest;  // of those that count, on any tablet that answered
    std::vector<sql::JournalRow> foreign;   // named the shard, counted for nothing: reported
};
JournalVerdict judge_journals(const ShardFacts& facts);

// 4.1. Holds for the policy and the ackers in force.
struct Revocation {
    bool by_count =
        false;  // P can get no more acknowledgements, and all that it got are on reached, vouching tablets
    bool by_closing = false;           // P is closed, restart-safe, locked, and not behind
    bool by_waiver = false;            // k = 0, and the goal allows unfenced_promotion for this term
    std::vector<TabletAlias> missing;  // of A: not reached, or not vouching
    bool holds() const { return by_count || by_closing || by_waiver; }
    std::string text;  // why not, for people; empty where it holds
};
Revocation revocation(const ShardFacts& facts);

// 11: the same facts as if every tablet that answers were locked, its receiver stopped, all that it received
// applied, and an answering P closed. What does not hold of these can never hold: refuse before anything is
// touched.
ShardFacts as_if_stopped(ShardFacts facts);

// 4.2. What a candidate must have executed.
GtidSet demanded(const ShardFacts& facts, const Revocation& revoked);

// 4.3. Enough future ackers are locked and can follow it, or may be rebuilt from it by the goal.
bool can_establish(const ShardFacts& facts, const TabletAlias& candidate, std::string* why = nullptr);

struct ElectionWish {
    std::optional<TabletAlias> candidate;  // pinned or declared
    bool only_candidate = false;           // planned: it or nobody; else it is preferred
};

// 4.2–4.4, promotion rule, cell, alias.
struct Election {
    std::optional<TabletAlias> winner;
    Reason reason =
        Reason::none;  // no winner: demanded_missing, no_candidate, too_few_followers, candidate_unfit
    std::string text;  // no winner: what is missing, who has it, the override
    // The winner lacks something demanded, and this tablet (P among them) can give it. Fetch from it, look
    // again, elect again: empty when the winner has executed everything demanded.
    std::optional<TabletAlias> catch_up_from;
    GtidSet to_fetch;
    bool winner_is_errant = false;  // what it has becomes legitimate: reported
    GtidSet demanded;
    std::vector<TabletAlias> passed_over;  // clean and fit, but behind in the order
};
Election elect(const ShardFacts& facts, const ElectionWish& wish = {});

// 4.2, last clause: attributable transactions beyond what the winner has, on clean locked tablets (a closed P
// among them): fetched where it can be, never demanded.
struct WorthFetching {
    TabletAlias from;
    GtidSet gtids;
};
std::vector<WorthFetching> worth_fetching(const ShardFacts& facts, const TabletAlias& winner);

// 4: A less the new and the old primary, and less every locked tablet that does not vouch or may not
// acknowledge.
std::vector<RecordedServer> ackers_of_new_term(const ShardFacts& facts, const TabletAlias& winner);

// The whole record of the new term (shard_time and operation are the caller's to set). `term`: as a rule
// record.term + 1; after a lost record one more than the newest in any journal.
FixpointRecord record_of_new_term(const ShardFacts& facts, const TabletAlias& winner, std::int64_t term);

// ---- 10: opening, and what it finds

enum class OpeningVerdict {
    may_open,
    not_locked,
    another_server,  // not the recorded uuid: primary_is_another_server
    behind,          // lacks opened_at, the high-water mark or attributable transactions: primary_behind
    newer_journal,   // primary_record_lost
    other_is_writable,
    closing_pending,  // of P itself
};
struct Opening {
    OpeningVerdict verdict = OpeningVerdict::may_open;
    TabletAlias other;  // other_is_writable
    GtidSet missing;    // behind
    std::string text;
};
Opening may_open(const ShardFacts& facts);
// What P lacks: of opened_at, of the high-water mark (k ≥ 1), and of what is attributable on the others (of a
// silent one: as it was last seen). Not empty: primary_behind.
GtidSet primary_lacks(const ShardFacts& facts);
// The same in words, with one who has it or was seen to: who must be brought back, or forgotten by a person.
std::string primary_lacks_text(const ShardFacts& facts, const GtidSet& missing);

// ---- 6: vouching, CHANGE, the high-water mark

// t is complete: its receiver runs from P, has ⊇ log(P) as of a look at P made after this boot of t was seen,
// and what it counted as received when this boot was first seen has been executed or dropped since.
bool is_complete(const ShardFacts& facts, const TabletFacts& t,
                 const sql::GtidsAnswer& primary_log_after_boot, const GtidSet& received_at_boot);

enum class ChangePlan {
    keeps_acks,       // nothing that it could drop is counted on by anybody
    acks_off_around,  // acks OFF → CHANGE → has ⊇ has₀: acks ON again, else qualified anew
    refused,          // would discard what nobody else provably has
};
// `stopped`: the receiver is stopped and the facts were read after that. `primary_has_rest`: P was seen in
// this operation to have has₀ (live or closed).
ChangePlan plan_change(const ShardFacts& facts, const TabletFacts& stopped, bool primary_has_it);

// What is in executed(P) and in has of at least k vouching ackers, with what was seen before. k = 0: nothing.
GtidSet next_high_water(const ShardFacts& facts);

// ---- 9: policy and ackers

// As many vouching ackers as max(old k, new k), of those that stay, have log(P) as of a look after the
// change.
bool barrier_met(const ShardFacts& facts, const std::optional<TabletAlias>& leaving, int new_k,
                 const GtidSet& primary_log_after_change);
// k vouching ackers that stay receive from P.
bool may_leave(const ShardFacts& facts, const TabletAlias& leaving);
// As many tablets of A as the new count vouch and receive from P.
bool may_tighten(const ShardFacts& facts, int new_k);
// As many as the declared policy needs could acknowledge for it.
bool has_enough_ackers(const ShardFacts& facts, const TabletFacts& t);

// ---- 11: without a record, and with one that others overtook

enum class FirstContact { never_had_a_primary, adopt, record_lost };
struct FirstContactVerdict {
    FirstContact kind = FirstContact::record_lost;
    std::optional<TabletAlias> primary;  // adopt: who serves
    std::int64_t next_term = 1;          // one more than the newest in any journal or record
    std::string text;                    // why not adopt, for people
};
// `record`: the one that was set back, or nullptr.
FirstContactVerdict judge_first_contact(const ShardFacts& facts, const ShardRecord& shard,
                                        const FixpointRecord* record);
// Election without a record: every declared tablet must answer (or be forgotten), and the winner must have
// executed everything that any has. Reasons: record_lost_tablet_missing, nobody_has_everything,
// several_writable, no_candidate.
Election elect_without_record(const ShardFacts& facts, FirstContact kind,
                              const std::vector<TabletAlias>& silent_declared);
// There is a record, Shard is later than shard_time and names a writable B; P is closed and B has all that P
// has.
std::optional<TabletAlias> reparented_by_others(const ShardFacts& facts, const ShardRecord& shard);
// The record of the first term, or of one after a lost record: the declared policy, no ackers yet.
FixpointRecord record_of_first_term(const ShardFacts& facts, const TabletAlias& winner, std::int64_t term);
// The record of an adopted primary: policy none, A every tablet whose acks are in effect.
FixpointRecord record_of_adoption(const ShardFacts& facts, const TabletAlias& primary, std::int64_t term);

}  // namespace fixpoint
