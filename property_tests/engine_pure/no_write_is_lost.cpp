// The promise behind 4.1–4.2 by brute force: over random small shards with a known history of
// acknowledgements, if P is revoked and somebody is elected, then every write that a client was told of is on
// the winner. The history is the truth here; the decisions see only what the tablets would show.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "property_tests/engine_pure/facts_builder.hpp"

namespace fixpoint {
namespace {

using namespace facts;

constexpr std::int64_t writes = 6;

struct History {
    Shard shard;
    std::map<std::uint32_t, GtidSet> acknowledged_by;  // what each of A ever acknowledged, and who of A
    GtidSet told;                                      // writes that at least k of A acknowledged
};

GtidSet some_writes() {
    GtidSet set;
    for (std::int64_t n = 1; n <= writes; ++n) {
        if (*rc::gen::arbitrary<bool>()) set.add(by(101, n, n));
    }
    return set;
}

// What a tablet shows, given what it acknowledged: whole, restarted (it may have lost its relay log), gone,
// errant …
void show(TabletFacts& t, const GtidSet& acknowledged) {
    const GtidSet kept = acknowledged | some_writes();
    t.executed = past() | (kept & some_writes());
    t.received = kept;
    switch (*rc::gen::weightedElement<int>({{5, 0}, {2, 1}, {2, 2}, {1, 3}, {1, 4}, {1, 5}})) {
        case 1:  // restarted: what it had not applied may be gone, and its acks are OFF
            t.acks_on = t.acks_in_effect_at_first = false;
            t.received = {};
            break;
        case 2:
            silence(t);
            break;
        case 3:
            t.receiver_stopped_or_elsewhere = false;
            break;  // its STOP was not answered
        case 4:
            t.executed.add(by(t.alias().uid, 1, 2));
            break;  // errant
        case 5:
            t.tablet.type = TabletType::rdonly;
            break;
        default:
            break;
    }
}

History any_history() {
    const int k = *rc::gen::inRange(1, 3);
    std::vector<std::uint32_t> a = {102, 103};
    if (*rc::gen::arbitrary<bool>()) a.push_back(201);
    if (*rc::gen::arbitrary<bool>()) a.push_back(202);
    History h{shard(("semi_sync:" + std::to_string(k)).c_str(), a), {}, {}};
    for (const std::uint32_t uid : a) {
        h.acknowledged_by[uid] = some_writes();
        show(h.shard[uid], h.acknowledged_by[uid]);
    }
    for (std::int64_t n = 1; n <= writes; ++n) {
        int acks = 0;
        for (const auto& [uid, set] : h.acknowledged_by) acks += set.contains(Gtid{{uuid(101), {}}, n});
        if (acks >= k) h.told.add(by(101, n, n));
    }
    if (*rc::gen::arbitrary<bool>()) {
        add_reader(h.shard, 104);
        h.shard[104].executed = past();
        h.shard[104].received = some_writes();
    }
    TabletFacts& p = h.shard[101];
    if (*rc::gen::arbitrary<bool>()) {
        h.shard.kill_primary();
    } else {  // it answers, and has all that it told anybody; what nobody acknowledged may wait
        p.executed = past() | h.told;
        p.owned = some_writes() - p.executed;
        p.closed = *rc::gen::arbitrary<bool>();
    }
    return h;
}

// Applies what each received, as step 4 of a reparent does, then elects and lets the winner fetch until it is
// done.
Election elect_and_fetch(Shard& s) {
    for (TabletFacts& t : s.tablets) {
        if (t.answered && !s.is_primary(t)) t.executed.add(t.received);
    }
    Election election = elect(s);
    for (int rounds = 0; election.catch_up_from; ++rounds) {
        RC_ASSERT(rounds < 8);
        TabletFacts& w = s[election.winner->uid];
        const GtidSet& source = s[election.catch_up_from->uid].executed;
        RC_ASSERT(!election.to_fetch.empty());
        RC_ASSERT(!w.executed.contains(election.to_fetch));
        w.executed.add(source);  // a receiver fetches all that its source has
        election = elect(s);
    }
    return election;
}

RC_GTEST_PROP(NoWriteIsLost, whoever_is_elected_after_a_revocation_has_every_write_that_a_client_was_told_of,
              ()) {
    History h = any_history();
    if (!revocation(h.shard).holds()) return;
    const Election election = elect_and_fetch(h.shard);
    if (!election.winner) return;
    RC_TAG(h.told.count());
    RC_ASSERT(*election.winner != alias(101));
    RC_ASSERT(h.shard[election.winner->uid].executed.contains(h.told));
    RC_ASSERT(h.shard[election.winner->uid].executed.contains(election.demanded));
}

RC_GTEST_PROP(NoWriteIsLost, while_the_primary_is_revoked_by_count_nothing_more_can_be_acknowledged, ()) {
    const History h = any_history();
    if (!revocation(h.shard).by_count) return;
    int may_still = 0;  // of A: not seen stopped under its lock
    for (const RecordedServer& acker : h.shard.record.ackers) {
        const TabletFacts* t = h.shard.find(acker.alias);
        may_still += !t->locked || !t->receiver_stopped_or_elsewhere;
    }
    RC_ASSERT(may_still < h.shard.record.k());
}

RC_GTEST_PROP(NoWriteIsLost, the_next_term_counts_only_on_ackers_that_vouch_or_are_out_of_reach, ()) {
    History h = any_history();
    if (!revocation(h.shard).holds()) return;
    const Election election = elect_and_fetch(h.shard);
    if (!election.winner) return;
    const FixpointRecord next = record_of_new_term(h.shard, *election.winner, h.shard.record.term + 1);
    RC_ASSERT(next.opened_at.contains(h.told));
    std::set<TabletAlias> old;
    for (const RecordedServer& acker : h.shard.record.ackers) old.insert(acker.alias);
    for (const RecordedServer& acker : next.ackers) {
        RC_ASSERT(old.contains(acker.alias));
        RC_ASSERT(acker.alias != *election.winner);
        const TabletFacts* t = h.shard.find(acker.alias);
        RC_ASSERT(!t->locked || t->vouching());
    }
    // The winner is what the record says, so nobody is behind it: it may be opened as soon as the others are
    // closed.
    RC_ASSERT(next.primary.uuid == h.shard[election.winner->uid].uuid);
}

RC_GTEST_PROP(NoWriteIsLost, where_all_ackers_are_whole_a_dead_primary_is_always_succeeded, ()) {
    const int k = *rc::gen::inRange(1, 3);
    Shard s = shard(("semi_sync:" + std::to_string(k)).c_str(), {102, 103, 201}).kill_primary();
    for (const std::uint32_t uid : {102U, 103U, 201U}) s[uid].received = some_writes();
    const int gone = *rc::gen::inRange(0, 3);
    for (int i = 0; i < gone; ++i) silence(s[*rc::gen::element(102U, 103U, 201U)]);
    int here = 0;
    for (const std::uint32_t uid : {102U, 103U, 201U}) here += s[uid].answered;
    const bool revoked = 3 - here < k;
    RC_ASSERT(revocation(s).holds() == revoked);
    // After it, one of `here` leads, and k of the others must follow.
    const Election election = elect_and_fetch(s);
    RC_ASSERT(!revoked || election.winner.has_value() == (here - 1 >= k));
    if (revoked && !election.winner) RC_ASSERT(election.reason == Reason::too_few_followers);
}

}  // namespace
}  // namespace fixpoint
