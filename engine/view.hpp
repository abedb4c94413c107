// What a manager knows of its shard at one moment: the records, and each tablet's last looks. Pure values:
// everything that the problem table and the decisions look at, and nothing else. No I/O, no Asio.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/settings.hpp"
#include "fixpoint/engine/decide.hpp"
#include "fixpoint/model/records.hpp"
#include "fixpoint/model/time.hpp"
#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint {

struct Records {
    std::optional<KeyspaceRecord> keyspace;
    ShardRecord shard;
    std::int64_t shard_version = 0;
    std::optional<FixpointRecord> fixpoint;
    std::int64_t fixpoint_version = 0;
    std::string damage;  // of a record that cannot be decoded: nothing is done, it is reported
    Goal goal;
    struct DeclaredTablet {
        Tablet tablet;
        std::int64_t version = 0;
    };
    std::map<TabletAlias, DeclaredTablet> tablets;
    std::vector<std::string> silent_cells;
};

// One answer of one tablet. Shared, never changed.
struct TabletLook {
    Instant asked;
    Instant answered;
    sql::LookAnswer answer;
    GtidSet has;  // executed ∪ received
    GtidSet log;  // executed ∪ owned

    const sql::ServerRow& server() const { return answer.server; }
    const sql::ReplicaRow* channel() const {
        return answer.channels.empty() ? nullptr : &answer.channels.front();
    }
};
using TabletLookPtr = std::shared_ptr<const TabletLook>;

enum class Answering {
    answered,
    silent,   // nothing within the limit, or the connection broke or was refused: as a dead one would
    refused,  // alive, but lets us not in: too many connections, wrong password, … (unknown is not dead)
};

struct TabletView {
    Tablet tablet;
    bool declared =
        true;  // false: only the record in force knows it (its tablet record is gone or its cell silent)
    bool forgotten = false;
    Answering answering = Answering::silent;
    std::optional<Instant> refuses_since;  // its machine answers, and nobody listens: since which look
    sql::Error error;        // why not answered
    TabletLookPtr now;       // the look of this pass; null unless answered
    TabletLookPtr last;      // the newest answer there ever was
    TabletLookPtr earlier;   // the newest one that is at least `two_looks_apart` older than `now`
    TabletLookPtr previous;  // the one before `now`
    std::optional<std::vector<sql::JournalRow>> journal;  // nullopt: unknown
    std::vector<std::string> missing_privileges;
    bool server_lock_of_other = false;  // held by a session that is not this manager's
    bool helper_lock_of_other = false;  // likewise: a closing may be pending
    bool rebuild_lock_of_other = false;
    Instant had_lock;  // when this manager last took its server lock: who holds it since holds it anew

    // This boot, as this manager saw it first (protocol 6): a new connection begins the mark anew.
    Instant boot_seen;
    GtidSet received_at_boot;  // counted as received then and not executed
    bool receiver_has_run =
        false;  // seen in this boot, or its relay log was dropped: no phantoms are left (M44)
    // Its applier reads and hands on nothing, and nothing was executed, in every look since this one.
    std::optional<Instant> only_reads_since;
    // Of one that is not in A: a look at P since this boot, no change of A in between. What it may ever have
    // acknowledged is in that log, so one that lags behind is measured by it (protocol 6).
    TabletLookPtr mark;

    const TabletAlias& alias() const { return tablet.alias; }
    bool answered() const { return now != nullptr; }
};

inline constexpr Duration two_looks_apart =
    1200ms;  // a first commit may wait up to 1 s for its acknowledgement (M34)

// A tablet that has not answered for so long does not count as one that can acknowledge.
inline constexpr Duration gone_after = 3s;

struct View {
    ShardName name;
    Records records;
    std::vector<TabletView> tablets;  // by alias
    Instant now;
    GtidSet seen_of_primary;  // executed(P), as this manager saw it in this term
    GtidSet high_water;       // as this manager has seen it grow (protocol 6)
    ShardFacts facts;    // the same looks, as the decisions take them; empty without a record

    const FixpointRecord* fixpoint() const { return records.fixpoint ? &*records.fixpoint : nullptr; }
    DurabilityPolicy declared_policy() const {
        return records.keyspace ? records.keyspace->durability_policy : DurabilityPolicy{};
    }
    const Goal& goal() const { return records.goal; }
    const Limits& limits() const { return records.goal.limits; }
    const TabletView* find(const TabletAlias& alias) const;
    const TabletView* primary() const;         // P; null without a record
    const TabletView* living_primary() const;  // P, where it answers under the uuid that is recorded
    bool is_primary(const TabletView& t) const {
        return fixpoint() && fixpoint()->primary.alias == t.alias();
    }
    bool in_ackers(const TabletView& t) const { return fixpoint() && fixpoint()->has_acker(t.alias()); }
    // Whom people want: the pin, or where there is none what Shard names.
    std::optional<TabletAlias> wanted_primary() const;
};

// ---- what a single answer says (protocol 1, 7)

bool is_writable(const TabletLook& look);  // super_read_only reads OFF
bool is_open(const TabletLook& look);      // both flags off and no offline mode
bool is_manageable(const TabletView& t, std::string* why = nullptr);
bool is_restart_safe(const TabletLook& look, int k, const Limits& limits);
bool acks_persisted_off(const TabletLook& look);
bool follows(const TabletLook& look, const MysqlAddress& source);  // configured for it
bool receiver_runs(const TabletLook& look);                        // Yes or Connecting
// Started with relay_log_recovery=1, and its receiver has not run since: a start with 0 would count phantoms
// (M44).
bool may_hold_phantoms(const TabletView& t);
// Nobody who serves feeds it, nobody counts on it, and it has executed all that it is seen to have: its relay
// log is not needed.
bool phantoms_may_be_dropped(const View& v, const TabletView& t);
// In A, not restarted since it was found complete, and that server still.
bool is_vouching(const View& view, const TabletView& t);
bool receives_from_primary(const View& view, const TabletView& t);
bool acknowledges(const View& view, const TabletView& t);  // vouches, and receives from P
// Its receiver has lost P: an error that a living P does not explain, or error 0 in two looks (M46).
bool has_lost_primary(const View& view, const TabletView& t);

GtidSet errant_on(const View& view, const TabletView& t);  // protocol 8
bool stands_on_data_error(const TabletLook& look);         // 1062, 1032, 1049 …: a person mends it
bool is_relay_log_error(int number);  // torn or gone: healed by RESET REPLICA and fetching again
bool must_be_quarantined(const View& view, const TabletView& t, std::string* why = nullptr);
// Its new server_id rests on P's log, and P does not answer: its threads are left as they are. (One that has
// the id of a silent P is not meant: P would refuse it, and that its receiver tries is evidence, 7.)
bool awaits_renewal(const View& view, const TabletView& t);
// No repair of its replication will set replica_net_timeout on the way: it has no channel, or is kept
// stopped.
bool keeps_its_net_timeout(const View& view, const TabletView& t);
// Its cell's store did not answer: its record can be neither read nor written.
bool cell_is_silent(const View& view, const TabletAlias& alias);
// Errant, but fewer than k clean ones can acknowledge: it is connected all the same (protocol 9).
bool is_needed_though_errant(const View& view, const TabletView& t);
// The set that t must have to be complete: log(P) of a look made after this boot of t was seen and before its
// own.
bool is_complete(const View& view, const TabletView& t);
// Since which look its applier has read and handed on nothing, with nothing executed; `before` is the look
// before this one. Looks that are far apart are not held together: it may have been paused in between.
std::optional<Instant> only_reads_since(std::optional<Instant> so_far, const TabletLook* before,
                                        const TabletLook& look, const Limits& limits);
// Its applier goes round in its relay log's index (M45): it reads the same files for ever.
bool goes_round(const View& view, const TabletView& t);
// A as the declared policy wants it.
bool should_be_acker(const View& view, const TabletView& t);

// What the decisions look at. Who is locked and what was closed is added by the operation that knows it.
ShardFacts facts_from(const View& view);

}  // namespace fixpoint
