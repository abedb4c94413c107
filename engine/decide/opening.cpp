// Whether the primary in force may be opened for writes (protocol 10). No revocation is proven again: the
// record is the proof. What is proven is that P is the server recorded, lost nothing, and that nobody else is
// open.
#include <algorithm>

#include "fixpoint/engine/canary.hpp"
#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

namespace {

// A past primary whose closing hangs: the record is the proof that nobody acknowledges to it, so it holds
// nobody up.
bool hangs_harmlessly(const ShardFacts& facts, const TabletFacts& t) {
    if (canary(Canary::opening_waits_for_a_stuck_closing)) return false;
    const bool was_primary = std::ranges::any_of(
        facts.record.past_primaries, [&](const RecordedServer& past) { return past.uuid == t.uuid; });
    return was_primary && t.closing_pending && (t.source_semi_sync_on || t.offline_mode);
}

Opening no(OpeningVerdict verdict, std::string text, TabletAlias other = {}, GtidSet missing = {}) {
    return {verdict, std::move(other), std::move(missing), std::move(text)};
}

// So many of A are silent that what P acknowledged may be on none that answers.
bool acknowledged_may_be_out_of_reach(const ShardFacts& facts) {
    const auto silent = std::ranges::count_if(facts.record.ackers, [&](const RecordedServer& acker) {
        const TabletFacts* t = facts.find(acker.alias);
        return !t || !t->answered;
    });
    return facts.record.k() > 0 && silent >= facts.record.k();
}

}  // namespace

GtidSet primary_lacks(const ShardFacts& facts) {
    const TabletFacts* p = facts.primary();
    if (!p || !facts.primary_answers) return {};
    GtidSet wanted;
    const auto want = [&](const GtidSet& set) {
        if (!p->executed.contains(set)) wanted.add(set);  // the common case builds nothing
    };
    want(facts.record.opened_at);
    if (facts.record.k() > 0 && !canary(Canary::opens_below_the_mark)) want(facts.record.high_water);
    // Set back by hand: no crash takes what was executed.
    if (acknowledged_may_be_out_of_reach(facts) && !canary(Canary::set_back_primary_is_believed))
        want(facts.seen_of_primary);
    if (!canary(Canary::opens_by_its_own_lock_only)) {
        for (const TabletFacts& t : facts.tablets) {
            if (&t == p) continue;
            const bool all_there = t.answered
                                       ? p->executed.contains(t.executed) && p->executed.contains(t.received)
                                       : p->executed.contains(t.last_seen);
            if (!all_there) want(attributable_part(facts, t.seen_to_have()));
        }
    }
    wanted.subtract(p->executed);
    wanted.subtract(p->owned);
    return wanted;
}

std::string primary_lacks_text(const ShardFacts& facts, const GtidSet& missing) {
    const std::string text = "it lacks " + missing.to_string();
    for (const TabletFacts& t : facts.tablets) {
        if (facts.is_primary(t)) continue;
        if (!t.seen_to_have().intersects(missing)) continue;
        return text + ", which " + t.alias().to_string() +
               (t.answered ? " has" : " was last seen to have, and does not answer");
    }
    if (facts.seen_of_primary.intersects(missing))
        return text + ", which it was itself seen to have, and too many that may have it do not answer";
    return text;
}

Opening may_open(const ShardFacts& facts) {
    const TabletFacts* at_alias = facts.find(facts.record.primary.alias);
    if (!at_alias || !at_alias->locked) return no(OpeningVerdict::not_locked, "the primary is not locked");
    const TabletFacts* p = facts.primary();
    if (!p) {
        return no(OpeningVerdict::another_server, "its server is " + at_alias->uuid.to_string() +
                                                      ", the record has " +
                                                      facts.record.primary.uuid.to_string());
    }
    if (judge_journals(facts).newer_than_record) {
        return no(OpeningVerdict::newer_journal, "a tablet's journal is newer than the record in the store");
    }
    if (GtidSet missing = primary_lacks(facts); !missing.empty()) {
        std::string text = primary_lacks_text(facts, missing);
        return no(OpeningVerdict::behind, std::move(text), {}, std::move(missing));
    }
    if (p->closing_pending) return no(OpeningVerdict::closing_pending, "a closing of it is under way");
    if (canary(Canary::opens_by_its_own_lock_only)) return {};
    for (const TabletFacts& t : facts.tablets) {
        if (&t == p || !t.locked || !t.writable || hangs_harmlessly(facts, t)) continue;
        return no(OpeningVerdict::other_is_writable, t.alias().to_string() + " is writable", t.alias());
    }
    return {};
}

}  // namespace fixpoint
