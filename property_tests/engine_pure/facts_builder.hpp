// Small shards as facts: tablet 101 is the primary in force, the others replicate from it and are whole. Each
// test takes one of these and breaks what it is about, so that a test shows its difference and nothing else.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "fixpoint/engine/decide.hpp"
#include "property_tests/support/gen_gtid.hpp"

namespace fixpoint {

inline void PrintTo(const TabletAlias& alias, std::ostream* os) {
    *os << alias.to_string();
}
inline void PrintTo(Reason reason, std::ostream* os) {
    *os << to_string(reason);
}
inline void showValue(const TabletAlias& alias, std::ostream& os) {
    os << alias.to_string();
}

namespace facts {

inline TabletAlias alias(std::uint32_t uid) {
    return {"zone" + std::to_string(uid / 100), uid};
}
inline Uuid uuid(std::uint32_t uid) {
    return {uid, 0xf1};
}
// Transactions that the server of tablet `uid` numbered.
inline GtidSet by(std::uint32_t uid, std::int64_t first, std::int64_t last) {
    return GtidSet::interval(uuid(uid), first, last);
}
inline DurabilityPolicy policy(const char* text) {
    return DurabilityPolicy::parse(text).value();
}

inline RecordedServer server(std::uint32_t uid) {
    return {alias(uid), {"db" + std::to_string(uid), 3306}, uuid(uid), uid};
}

// A replica, locked, stopped, restart-safe, vouching if in A, with everything of `executed`.
inline TabletFacts replica(std::uint32_t uid, const GtidSet& executed) {
    TabletFacts t;
    t.tablet.alias = alias(uid);
    t.tablet.type = TabletType::replica;
    t.tablet.mysql = {"db" + std::to_string(uid), 3306};
    t.locked = true;
    t.restart_safe = true;
    t.receiver_stopped_or_elsewhere = true;
    t.acks_on = true;
    t.acks_persisted_off = true;
    t.acks_in_effect_at_first = true;
    t.receives = true;
    t.source_uuid = uuid(101);
    t.uuid = uuid(uid);
    t.server_id = uid;
    t.executed = executed;
    return t;
}

// The past of every shard here: term 3 began with what 100 wrote in its time.
inline GtidSet past() {
    return by(100, 1, 5);
}

inline void silence(TabletFacts& t) {
    TabletFacts gone;
    gone.tablet = t.tablet;
    gone.in_ackers = t.in_ackers;
    gone.answered = false;
    t = gone;
}

struct Shard : ShardFacts {
    TabletFacts& operator[](std::uint32_t uid) {
        for (TabletFacts& t : tablets) {
            if (t.alias() == alias(uid)) return t;
        }
        std::abort();
    }
    // P is dead: it answers nobody.
    Shard& kill_primary() {
        silence((*this)[101]);
        primary_answers = false;
        return *this;
    }
    Shard& close_primary() {
        TabletFacts& p = (*this)[101];
        p.closed = true;
        p.writable = false;
        return *this;
    }
    std::optional<TabletAlias> winner(const ElectionWish& wish = {}) const {
        return elect(*this, wish).winner;
    }
};

// 101 is P and serves, with 1–10 of its own; the `ackers` are A and have all of it.
inline Shard shard(const char* policy_text, const std::vector<std::uint32_t>& ackers) {
    Shard s;
    s.name = {"commerce", "0"};
    s.record.term = 3;
    s.record.primary = server(101);
    s.record.opened_at = past();
    s.record.policy = policy(policy_text);
    s.record.past_primaries = {server(100)};
    s.declared_policy = s.record.policy;
    s.primary_answers = true;
    const GtidSet everything = past() | by(101, 1, 10);
    TabletFacts p = replica(101, everything);
    p.acks_on = p.acks_in_effect_at_first = p.receives = false;
    p.source_uuid = {};
    p.writable = p.serves = p.source_semi_sync_on = true;
    p.source_wait_count = s.record.k();
    s.tablets.push_back(p);
    for (const std::uint32_t uid : ackers) {
        s.tablets.push_back(replica(uid, everything));
        s.tablets.back().in_ackers = true;
        s.record.ackers.push_back(server(uid));
    }
    return s;
}

inline void add_reader(Shard& s, std::uint32_t uid) {
    s.tablets.push_back(replica(uid, past() | by(101, 1, 10)));
    s.tablets.back().acks_on = s.tablets.back().acks_in_effect_at_first = false;
}

}  // namespace facts
}  // namespace fixpoint
