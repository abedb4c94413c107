// What the parts of the election share (establish.cpp, candidates.cpp, election.cpp). Not a door of the
// engine.
#pragma once

#include <string>
#include <tuple>

#include "fixpoint/engine/decide.hpp"

namespace fixpoint {

// t can follow `source`, once that has `source_has`.
bool can_follow(const TabletFacts& t, const TabletFacts& source, const GtidSet& source_has);

// can_establish, for a candidate that will have `candidate_has` by then.
bool can_be_established(const ShardFacts& facts, const TabletFacts& candidate, const GtidSet& candidate_has,
                        std::string* why);

// Why t could not be primary whatever it has executed (4.4); empty: it could.
std::string unfit(const ShardFacts& facts, const TabletFacts& t, int k);

// Smaller is better: could wait as the declared policy wants, wish, promotion rule, cell, nothing to fetch,
// alias.
using Preference = std::tuple<bool, bool, PromotionRule, bool, bool, TabletAlias>;
Preference preference(const ShardFacts& facts, const TabletFacts& t, const std::optional<TabletAlias>& wish,
                      bool must_fetch);

}  // namespace fixpoint
