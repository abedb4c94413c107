// Durability policies: who may acknowledge a primary's commits, and how many must (Vitess: policy.Durabler).
// `none`, `semi_sync[:k]`, `semi_sync_with_rdonly_ack[:k]`, `cross_cell[:k]`, `cross_cell_with_rdonly_ack[:k]`.
#pragma once

#include <compare>
#include <expected>
#include <string>
#include <string_view>

#include "fixpoint/model/tablet.hpp"

namespace fixpoint {

enum class DurabilityName { none, semi_sync, semi_sync_with_rdonly_ack, cross_cell, cross_cell_with_rdonly_ack };

struct DurabilityPolicy {
    DurabilityName name = DurabilityName::none;
    int ackers_needed = 0;  // k: 0 for none, else at least 1

    auto operator<=>(const DurabilityPolicy&) const = default;

    static std::expected<DurabilityPolicy, std::string> parse(std::string_view text);
    std::string to_string() const;  // semi_sync, semi_sync:2, …

    bool is_none() const { return ackers_needed == 0; }
    // t may acknowledge commits of `primary` under this policy, by its declared type and its cell.
    bool may_ack(const TabletAlias& primary, const Tablet& t) const;
};

enum class PromotionRule { must, prefer, neutral, prefer_not, must_not };
std::string_view to_string(PromotionRule rule);
std::expected<PromotionRule, std::string> parse_promotion_rule(std::string_view text);

}  // namespace fixpoint
