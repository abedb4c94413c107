// When a tablet needs a new server_id (protocol 8, M40): its receiver silently skips what bears its own, so
// it must not bear one under which something was written that it has to fetch. Never twice for the same
// reason: a tablet that bears the id given to it is left alone until somebody led under it.
#include <algorithm>
#include <set>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

namespace {

constexpr std::int64_t greatest_server_id = 4294967295;

bool was_primary_under(const FixpointRecord& record, std::int64_t server_id) {
    return record.primary.server_id == server_id ||
           std::ranges::any_of(record.past_primaries,
                               [&](const RecordedServer& past) { return past.server_id == server_id; });
}

bool belongs_to_a_primary_of_another_uuid(const FixpointRecord& record, const TabletFacts& t) {
    const auto is_that = [&](const RecordedServer& server) {
        return server.server_id == t.server_id && server.uuid != t.uuid;
    };
    return is_that(record.primary) || std::ranges::any_of(record.past_primaries, is_that);
}

// Whoever bears P's id is refused by it (13117), whatever the record says of that id; and P counts
// acknowledgements by server_id, so that two replicas that share one are one to it. Of two replicas one keeps
// it.
bool is_shared(const ShardFacts& facts, const TabletFacts& t) {
    return std::ranges::any_of(facts.tablets, [&](const TabletFacts& other) {
        if (!other.answered || other.server_id != t.server_id || other.uuid == t.uuid) return false;
        return other.alias() == facts.record.primary.alias || other.alias() < t.alias();
    });
}

bool bears_what_was_given(const FixpointRecord& record, const TabletFacts& t) {
    return std::ranges::any_of(record.server_ids_given, [&](const GivenServerId& given) {
        return given.uuid == t.uuid && given.server_id == t.server_id;
    });
}

// t has all of `set` that its own uuid numbered.
bool has_its_own_of(const TabletFacts& t, const GtidSet& set) {
    return std::ranges::all_of(set.entries(), [&](const GtidSet::Entry& entry) {
        return entry.tsid.uuid != t.uuid || t.executed.contains(entry) || t.has().contains(entry);
    });
}

// What P has of t's own uuid and t lacks: by replication it comes only under another id.
bool lacks_own_of_primary(const ShardFacts& facts, const TabletFacts& t) {
    if (canary(Canary::waits_for_skipped_transactions)) return false;
    if (!has_its_own_of(t, facts.record.opened_at)) return true;
    const TabletFacts* p = facts.primary();
    return p && facts.primary_answers && !(has_its_own_of(t, p->executed) && has_its_own_of(t, p->owned));
}

}  // namespace

bool server_id_to_renew(const ShardFacts& facts, const TabletFacts& t, std::string* why) {
    if (!t.answered || !t.uuid || t.alias() == facts.record.primary.alias) return false;
    const FixpointRecord& record = facts.record;
    const auto yes = [&](const char* reason) {
        if (why) *why = reason;
        return true;
    };
    if (is_shared(facts, t)) return yes("another server of the shard has the same server_id");
    const bool given = bears_what_was_given(record, t) && !was_primary_under(record, t.server_id);
    if (given && !canary(Canary::renews_for_ever)) return false;
    if (t.executed.empty()) return yes("it is blank: what bears its server_id may be in somebody's log");
    if (lacks_own_of_primary(facts, t))
        return yes("it lacks transactions of its own uuid, which its receiver would skip");
    if (belongs_to_a_primary_of_another_uuid(record, t))
        return yes("a primary with another uuid wrote under its server_id");
    return false;
}

bool would_skip(const ShardFacts& facts, const TabletFacts& t) {
    if (t.server_id == 0 || canary(Canary::waits_for_skipped_transactions)) return false;
    return belongs_to_a_primary_of_another_uuid(facts.record, t) ||
           std::ranges::any_of(facts.tablets, [&](const TabletFacts& other) {
               return other.answered && other.server_id == t.server_id && other.uuid != t.uuid;
           });
}

std::int64_t fresh_server_id(const ShardFacts& facts) {
    std::set<std::int64_t> used = {0, facts.record.primary.server_id};
    for (const TabletFacts& t : facts.tablets) used.insert(t.server_id);
    for (const RecordedServer& past : facts.record.past_primaries) used.insert(past.server_id);
    for (const RecordedServer& acker : facts.record.ackers) used.insert(acker.server_id);
    for (const GivenServerId& given : facts.record.server_ids_given) used.insert(given.server_id);
    if (*used.rbegin() < greatest_server_id) return *used.rbegin() + 1;
    std::int64_t free = 1;  // somebody bears the greatest: the first gap
    while (used.contains(free)) ++free;
    return free;
}

}  // namespace fixpoint
