// Tablets as words: aliases, types and addresses, in the forms that Vitess uses in text and in topology
// paths. `declared_type` is the one place that looks through the tag of a tablet that Fixpoint itself has
// drained. Nothing here knows where a tablet's record lies, nor whether its server answers.
#include "fixpoint/model/tablet.hpp"

#include <charconv>

#include "engine/model/names.hpp"

namespace fixpoint {

namespace {

constexpr std::array<Name<TabletType>, 9> types{{
    {TabletType::unknown, "unknown"},
    {TabletType::primary, "primary"},
    {TabletType::replica, "replica"},
    {TabletType::rdonly, "rdonly"},
    {TabletType::spare, "spare"},
    {TabletType::experimental, "experimental"},
    {TabletType::backup, "backup"},
    {TabletType::restore, "restore"},
    {TabletType::drained, "drained"},
}};

constexpr std::size_t topology_digits = 10;

bool is_cell_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

}  // namespace

std::expected<TabletAlias, std::string> TabletAlias::parse(std::string_view text) {
    const auto bad = [text](std::string_view why) {
        return std::unexpected("'" + quoted(text) +
                               "' is no tablet alias like zone1-100: " + std::string(why));
    };
    const std::size_t dash = text.rfind('-');
    if (dash == std::string_view::npos || dash == 0) return bad("no cell before a '-'");
    for (const char c : text.substr(0, dash)) {
        if (!is_cell_character(c)) return bad("a cell has letters, digits, '-', '_' and '.' only");
    }
    const std::string_view digits = text.substr(dash + 1);
    if (digits.empty() || digits.front() < '0' || digits.front() > '9')
        return bad("no number after the last '-'");
    TabletAlias alias{std::string(text.substr(0, dash)), 0};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), alias.uid);
    if (error == std::errc::result_out_of_range) return bad("the number is greater than 4294967295");
    if (error != std::errc{} || end != digits.data() + digits.size())
        return bad("what follows the last '-' is no number");
    return alias;
}

std::string TabletAlias::to_string() const {
    return cell + '-' + std::to_string(uid);
}

std::string TabletAlias::to_topology() const {
    const std::string digits = std::to_string(uid);
    return cell + '-' + std::string(topology_digits - digits.size(), '0') + digits;
}

std::string_view to_string(TabletType type) {
    return word_of(types, type);
}

std::expected<TabletType, std::string> parse_tablet_type(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');  // Vitess writes both REPLICA and replica
    }
    return value_of(types, lower, "tablet type");
}

std::string MysqlAddress::to_string() const {
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

TabletType Tablet::declared_type() const {
    TabletType declared = type;
    if (drained_by_fixpoint())
        declared = parse_tablet_type(tags.at(std::string(fixpoint_was_tag))).value_or(type);
    return declared == TabletType::primary ? TabletType::replica : declared;
}

std::string ShardName::to_string() const {
    return keyspace + '/' + shard;
}

}  // namespace fixpoint
