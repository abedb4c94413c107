// Durability policies as text and as the one question they answer: who may acknowledge a primary's commits.
// Exact set logic over declared types and cells, as Vitess's policy.Durabler has it, with any count of
// ackers. Who *has* acknowledged is not decided here: that is the record's `ackers`, whatever may_ack says
// today.
#include "fixpoint/model/durability.hpp"

#include <charconv>

#include "engine/model/names.hpp"

namespace fixpoint {

namespace {

constexpr std::array<Name<DurabilityName>, 5> policies{{
    {DurabilityName::none, "none"},
    {DurabilityName::semi_sync, "semi_sync"},
    {DurabilityName::semi_sync_with_rdonly_ack, "semi_sync_with_rdonly_ack"},
    {DurabilityName::cross_cell, "cross_cell"},
    {DurabilityName::cross_cell_with_rdonly_ack, "cross_cell_with_rdonly_ack"},
}};

constexpr std::array<Name<PromotionRule>, 5> rules{{
    {PromotionRule::must, "must"},
    {PromotionRule::prefer, "prefer"},
    {PromotionRule::neutral, "neutral"},
    {PromotionRule::prefer_not, "prefer_not"},
    {PromotionRule::must_not, "must_not"},
}};

constexpr int most_ackers = 65535;  // the greatest rpl_semi_sync_source_wait_for_replica_count

}  // namespace

std::expected<DurabilityPolicy, std::string> DurabilityPolicy::parse(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto name = value_of(policies, text.substr(0, colon), "durability policy");
    if (!name) return std::unexpected(name.error());
    DurabilityPolicy policy{*name, *name == DurabilityName::none ? 0 : 1};
    if (colon == std::string_view::npos) return policy;
    if (policy.is_none())
        return std::unexpected("durability policy 'none' takes no count: '" + quoted(text) + "'");
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), policy.ackers_needed);
    if (error != std::errc{} || end != digits.data() + digits.size() || policy.ackers_needed < 1 ||
        policy.ackers_needed > most_ackers) {
        return std::unexpected("durability policy '" + quoted(text) +
                               "': the count of ackers is a number from 1 to 65535");
    }
    return policy;
}

std::string DurabilityPolicy::to_string() const {
    std::string text(word_of(policies, name));
    if (ackers_needed > 1) text += ':' + std::to_string(ackers_needed);
    return text;
}

bool DurabilityPolicy::may_ack(const TabletAlias& primary, const Tablet& t) const {
    if (is_none() || t.alias == primary) return false;
    const bool across_cells =
        name == DurabilityName::cross_cell || name == DurabilityName::cross_cell_with_rdonly_ack;
    if (across_cells && t.alias.cell == primary.cell) return false;
    const bool rdonly_too = name == DurabilityName::semi_sync_with_rdonly_ack ||
                            name == DurabilityName::cross_cell_with_rdonly_ack;
    const TabletType type = t.declared_type();
    return type == TabletType::replica || (rdonly_too && type == TabletType::rdonly);
}

std::string_view to_string(PromotionRule rule) {
    return word_of(rules, rule);
}

std::expected<PromotionRule, std::string> parse_promotion_rule(std::string_view text) {
    return value_of(rules, text, "promotion rule");
}

}  // namespace fixpoint
