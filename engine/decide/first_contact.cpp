// A shard without a record in force, or with one that others have overtaken (protocol 11). Three cases that
// must not be mixed up: never had a primary, works and is to be adopted, has lost its record. And the fourth:
// somebody else's tool reparented properly. Whatever is not proven to be one of the others is a lost record,
// and a person's matter.
#include <algorithm>

#include "engine/decide/election.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

namespace {

// Follows b and has nothing beyond it: a replica that somebody left writable.
bool follows_without_more(const TabletFacts& t, const TabletFacts& b) {
    return t.receives && t.source_uuid == b.uuid && b.log().contains(t.has());
}

// b serves, and nobody contradicts it; the reason if not.
std::string why_not_alone(const ShardFacts& facts, const TabletFacts& b) {
    if (!b.answered || !b.serves) return b.alias().to_string() + " does not serve";
    for (const TabletFacts& t : facts.tablets) {
        if (&t == &b || !t.answered) continue;
        if (t.writable && !follows_without_more(t, b)) return t.alias().to_string() + " is writable too";
        const GtidSet more = t.has().of_uuid(b.uuid) - b.log();
        if (!more.empty())
            return t.alias().to_string() + " has " + more.to_string() + " of it, which it lacks";
    }
    return {};
}

const TabletFacts* by_uuid(const ShardFacts& facts, const Uuid& uuid) {
    for (const TabletFacts& t : facts.tablets) {
        if (t.answered && t.uuid == uuid) return &t;
    }
    return nullptr;
}

bool any_journal_row(const ShardFacts& facts) {
    return std::ranges::any_of(facts.tablets, [&](const TabletFacts& t) {
        return std::ranges::any_of(t.journal,
                                   [&](const sql::JournalRow& row) { return row.shard == facts.name; });
    });
}

// What waits for an acknowledgement as well: whoever closes its server lets it be executed.
GtidSet everything(const ShardFacts& facts) {
    GtidSet all;
    for (const TabletFacts& t : facts.tablets) {
        if (!t.answered) continue;
        all.add(t.has());
        all.add(t.owned);
    }
    return all;
}

bool one_has_all(const ShardFacts& facts) {
    const GtidSet all = everything(facts);
    return std::ranges::any_of(facts.tablets,
                               [&](const TabletFacts& t) { return t.answered && t.has_all(all); });
}

std::string names(const std::vector<TabletAlias>& aliases) {
    std::string text;
    for (const TabletAlias& alias : aliases) text += (text.empty() ? "" : ", ") + alias.to_string();
    return text;
}

}  // namespace

FirstContactVerdict judge_first_contact(const ShardFacts& facts, const ShardRecord& shard,
                                        const FixpointRecord* record) {
    FirstContactVerdict verdict;
    const std::optional<sql::JournalRow> newest = judge_journals(facts).newest;
    verdict.next_term = std::max(record ? record->term : 0, newest ? newest->term : 0) + 1;
    const bool never_named = !shard.primary_alias && shard.primary_term_start_time.ns == 0 && !record;
    if (never_named && !any_journal_row(facts) && one_has_all(facts)) {
        verdict.kind = FirstContact::never_had_a_primary;
        return verdict;
    }
    const TabletFacts* b = newest ? by_uuid(facts, newest->uuid)
                                  : (shard.primary_alias ? facts.find(*shard.primary_alias) : nullptr);
    if (!b) {
        verdict.text = newest ? "the newest journal row names " + newest->alias.to_string() +
                                    ", whose server does not answer"
                              : "neither a journal nor Shard names a primary that is there";
        return verdict;
    }
    verdict.text = why_not_alone(facts, *b);
    if (!verdict.text.empty()) return verdict;
    verdict.kind = FirstContact::adopt;
    verdict.primary = b->alias();
    return verdict;
}

Election elect_without_record(const ShardFacts& facts, FirstContact kind,
                              const std::vector<TabletAlias>& silent_declared) {
    Election election;
    election.demanded = everything(facts);
    if (!silent_declared.empty()) {
        election.reason = Reason::record_lost_tablet_missing;
        election.text =
            "every declared tablet must answer (or be forgotten); silent: " + names(silent_declared);
        return election;
    }
    ShardFacts without_primary = facts;
    without_primary.record.primary = {};  // nobody is in force: nobody is left out for being it
    std::vector<const TabletFacts*> tied;
    std::string why;
    bool somebody_fit = false;
    for (const TabletFacts& t : without_primary.tablets) {
        const std::string reason = unfit(without_primary, t, facts.declared_policy.ackers_needed);
        somebody_fit = somebody_fit || reason.empty();
        if (reason.empty() && t.log().contains(election.demanded)) tied.push_back(&t);
        if (!reason.empty()) why += (why.empty() ? "" : "; ") + t.alias().to_string() + ": " + reason;
    }
    if (tied.empty()) {
        election.reason = somebody_fit ? Reason::nobody_has_everything : Reason::no_candidate;
        election.text = somebody_fit ? "no candidate has executed all that the others have: " +
                                           election.demanded.to_string()
                                     : why;
        if (kind == FirstContact::record_lost)
            election.text += "; what serves goes on serving, a person decides";
        return election;
    }
    // Under one for whom too few could acknowledge every write would wait, whatever else speaks for it.
    if (std::ranges::any_of(tied, [&](const TabletFacts* t) { return has_enough_ackers(facts, *t); }))
        std::erase_if(tied, [&](const TabletFacts* t) { return !has_enough_ackers(facts, *t); });
    const auto best = std::ranges::min_element(tied, {}, [&](const TabletFacts* t) {
        return preference(without_primary, *t, facts.goal.pinned_primary, false);
    });
    election.winner = (*best)->alias();
    for (const TabletFacts* t : tied) {
        if (t != *best) election.passed_over.push_back(t->alias());
    }
    return election;
}

std::optional<TabletAlias> reparented_by_others(const ShardFacts& facts, const ShardRecord& shard) {
    if (facts.record.term == 0 || !shard.primary_alias || *shard.primary_alias == facts.record.primary.alias)
        return {};
    if (shard.primary_term_start_time <= facts.record.shard_time) return {};
    const TabletFacts* b = facts.find(*shard.primary_alias);
    const TabletFacts* p = facts.primary();
    if (!b || !p || !facts.primary_answers) return {};
    if (p->writable || !p->owned.empty() || !b->executed.contains(p->log())) return {};
    const std::optional<sql::JournalRow> newest = judge_journals(facts).newest;
    if (newest && newest->uuid != p->uuid && newest->uuid != b->uuid) return {};
    if (!why_not_alone(facts, *b).empty()) return {};
    return b->alias();
}

}  // namespace fixpoint
