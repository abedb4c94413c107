// The election (protocol 4.2–4.4). Four tiers, each only where the one before is empty: clean tablets that
// have what is demanded or can fetch it from clean ones; errant ones that have all of it; clean ones that
// must fetch from errant ones. Within a tier: wish, promotion rule, cell, alias. Data decide who may,
// preferences only who of those.
#include <algorithm>
#include <vector>

#include "engine/decide/election.hpp"
#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

namespace {

struct Candidate {
    const TabletFacts* tablet = nullptr;
    GtidSet missing;  // of what is demanded
    bool errant = false;
};

// Everything that the choice looks at, computed once.
struct Field {
    const ShardFacts& facts;
    const ElectionWish& wish;
    GtidSet demanded;
    std::vector<Candidate> candidates;  // fit ones
    std::string why_unfit;              // the others, for people
    std::vector<bool> errant;           // by index in facts.tablets
};

bool is_errant(const Field& field, const TabletFacts& t) {
    return field.errant[static_cast<std::size_t>(&t - field.facts.tablets.data())];
}

Field survey(const ShardFacts& facts, const ElectionWish& wish) {
    Field field{facts, wish, demanded(facts, revocation(facts)), {}, {}, {}};
    for (const TabletFacts& t : facts.tablets)
        field.errant.push_back(t.answered && !errant_on(facts, t).empty());
    for (const TabletFacts& t : facts.tablets) {
        if (wish.only_candidate && wish.candidate != t.alias()) continue;
        const std::string why = unfit(facts, t, facts.record.k());
        if (why.empty()) {
            const bool applied = !canary(Canary::promote_without_applying);
            field.candidates.push_back(
                {&t, field.demanded - (applied ? t.executed : t.has()), is_errant(field, t)});
        } else {
            field.why_unfit += (field.why_unfit.empty() ? "" : "; ") + t.alias().to_string() + ": " + why;
        }
    }
    return field;
}

// u can give the candidate something that it misses.
bool can_give(const Field& field, const TabletFacts& u, const Candidate& candidate) {
    if (would_skip(field.facts, *candidate.tablet)) return false;
    return u.locked && &u != candidate.tablet && candidate.missing.intersects(u.executed) &&
           can_follow(*candidate.tablet, u, u.executed);
}

// What is missing can be brought together, from clean tablets only or from errant ones too.
bool can_be_completed(const Field& field, const Candidate& candidate, bool from_errant) {
    GtidSet rest = candidate.missing;
    for (const TabletFacts& u : field.facts.tablets) {
        if (rest.empty()) break;
        if ((from_errant || !is_errant(field, u)) && can_give(field, u, candidate)) rest.subtract(u.executed);
    }
    return rest.empty();
}

// The one that gives most of it; clean ones first, P only where nobody else gives as much.
const TabletFacts* best_source(const Field& field, const Candidate& candidate) {
    const TabletFacts* best = nullptr;
    std::tuple<bool, std::int64_t, bool> best_rank;
    for (const TabletFacts& u : field.facts.tablets) {
        if (!can_give(field, u, candidate)) continue;
        const std::tuple rank{!is_errant(field, u), (candidate.missing & u.executed).count(),
                              !field.facts.is_primary(u)};
        if (!best || best_rank < rank) {
            best = &u;
            best_rank = rank;
        }
    }
    return best;
}

bool may_win(const Field& field, const Candidate& c, int tier) {
    const bool errant_may = !canary(Canary::errant_is_never_elected);
    switch (tier) {
        case 1:
            return !c.errant && can_be_completed(field, c, false);
        case 2:
            return c.errant && c.missing.empty() && errant_may;
        default:
            return !c.errant && can_be_completed(field, c, true) && errant_may;
    }
}

std::vector<const Candidate*> of_tier(const Field& field, int tier) {
    std::vector<const Candidate*> tied;
    for (const Candidate& c : field.candidates) {
        if (!may_win(field, c, tier)) continue;
        if (can_be_established(field.facts, *c.tablet, c.tablet->executed | c.missing, nullptr))
            tied.push_back(&c);
    }
    std::ranges::sort(tied, [&](const Candidate* a, const Candidate* b) {
        return preference(field.facts, *a->tablet, field.wish.candidate, !a->missing.empty()) <
               preference(field.facts, *b->tablet, field.wish.candidate, !b->missing.empty());
    });
    return tied;
}

void crown(const Field& field, const std::vector<const Candidate*>& tied, Election& election) {
    const Candidate& winner = *tied.front();
    election.winner = winner.tablet->alias();
    election.winner_is_errant = winner.errant;
    if (!winner.missing.empty()) {
        const TabletFacts* source = best_source(field, winner);
        election.catch_up_from = source->alias();
        election.to_fetch = winner.missing & source->executed;
    }
    for (const Candidate* other : tied) {
        if (other != &winner) election.passed_over.push_back(other->tablet->alias());
    }
}

// Who has something of `gtids`, for people.
std::string holders(const ShardFacts& facts, const GtidSet& gtids) {
    std::string text;
    for (const TabletFacts& t : facts.tablets) {
        if (t.answered && t.has().intersects(gtids))
            text += (text.empty() ? "" : ", ") + t.alias().to_string();
    }
    return text.empty() ? "no tablet that answers has them" : "they are on " + text;
}

std::string missing_text(const Field& field) {
    const auto least =
        std::ranges::min_element(field.candidates, {}, [](const Candidate& c) { return c.missing.count(); });
    return "no candidate has, or can fetch, everything that was or may have been acknowledged; " +
           least->tablet->alias().to_string() + " comes nearest and lacks " + least->missing.to_string() +
           "; " + holders(field.facts, least->missing);
}

void refuse(const Field& field, Election& election) {
    const bool one = field.wish.only_candidate;
    if (field.candidates.empty()) {
        election.reason = one ? Reason::candidate_unfit : Reason::no_candidate;
        election.text = field.why_unfit.empty() ? "there is no such tablet" : field.why_unfit;
        return;
    }
    const auto has_data = [&](const Candidate& c) { return may_win(field, c, c.errant ? 2 : 3); };
    const auto with_data = std::ranges::find_if(field.candidates, has_data);
    if (with_data == field.candidates.end()) {
        election.reason = Reason::demanded_missing;
        election.text = missing_text(field);
        return;
    }
    election.reason = Reason::too_few_followers;
    can_be_established(field.facts, *with_data->tablet, with_data->tablet->executed | with_data->missing,
                       &election.text);
}

}  // namespace

Election elect(const ShardFacts& facts, const ElectionWish& wish) {
    const Field field = survey(facts, wish);
    Election election;
    election.demanded = field.demanded;
    for (const int tier : {1, 2, 3}) {
        const std::vector<const Candidate*> tied = of_tier(field, tier);
        if (tied.empty()) continue;
        crown(field, tied, election);
        return election;
    }
    refuse(field, election);
    return election;
}

std::vector<WorthFetching> worth_fetching(const ShardFacts& facts, const TabletAlias& winner) {
    std::vector<WorthFetching> worth;
    const TabletFacts* w = facts.find(winner);
    if (!w || would_skip(facts, *w)) return worth;
    for (const TabletFacts& u : facts.tablets) {
        if (&u == w || !u.locked || (facts.is_primary(u) && !u.closed) || !errant_on(facts, u).empty())
            continue;
        GtidSet extra = attributable_part(facts, u.executed) - w->executed;
        if (!extra.empty() && can_follow(*w, u, u.executed)) worth.push_back({u.alias(), std::move(extra)});
    }
    return worth;
}

}  // namespace fixpoint
