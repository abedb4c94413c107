// See answer_fields.hpp. The words are the server's own: Yes and No of SHOW, ON and OFF of variables, 0
// and 1.
#include "real_adapters/mysql/answer_fields.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace fixpoint::real {

const std::string& text_of(const Field& field, std::string_view what) {
    if (!field) throw NotUnderstood(fmt::format("{} is NULL", what));
    return *field;
}

std::int64_t number_of(const Field& field, std::string_view what) {
    const std::string& text = text_of(field, what);
    std::uint64_t wide = 0;
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    if (auto [rest, error] = std::from_chars(text.data(), end, value); error == std::errc() && rest == end)
        return value;
    // Some unsigned variables go beyond what we count with: the greatest number we have is as good as
    // infinite.
    if (auto [rest, error] = std::from_chars(text.data(), end, wide); error == std::errc() && rest == end) {
        return INT64_MAX;
    }
    throw NotUnderstood(fmt::format("{} is not a number: {}", what, text));
}

bool flag_of(const Field& field, std::string_view what) {
    const std::string& text = text_of(field, what);
    if (text == "1" || text == "ON" || text == "Yes") return true;
    if (text == "0" || text == "OFF" || text == "No") return false;
    throw NotUnderstood(fmt::format("{} is neither on nor off: {}", what, text));
}

GtidSet gtids_of(const Field& field, std::string_view what) {
    auto set = GtidSet::parse(text_of(field, what));
    if (!set) throw NotUnderstood(fmt::format("{}: {}", what, set.error()));
    return *std::move(set);
}

GtidSet owned_of(const Field& field) {
    std::string plain;
    bool skipping = false;
    for (const char c : text_of(field, "gtid_owned")) {
        if (c == '#') {
            skipping = true;
        } else if (c == ':' || c == ',') {
            skipping = false;
        }
        if (!skipping) plain += c;
    }
    return gtids_of(plain, "gtid_owned");
}

Uuid uuid_of(const Field& field, std::string_view what) {
    const std::string& text = text_of(field, what);
    if (text.empty()) return {};
    auto uuid = Uuid::parse(text);
    if (!uuid) throw NotUnderstood(fmt::format("{}: {}", what, uuid.error()));
    return *uuid;
}

sql::WaitPoint wait_point_of(const Field& field) {
    const std::string& text = text_of(field, "wait point");
    if (text == "AFTER_SYNC" || text == "0") return sql::WaitPoint::after_sync;
    if (text == "AFTER_COMMIT" || text == "1") return sql::WaitPoint::after_commit;
    throw NotUnderstood("wait point: " + text);
}

const Rows& result_at(const RawAnswer& answer, std::size_t place) {
    if (place >= answer.results.size()) throw NotUnderstood(fmt::format("result {} is missing", place));
    return answer.results[place];
}

const std::vector<Field>& only_row(const Rows& rows, std::size_t width) {
    if (rows.rows.size() != 1 || rows.rows[0].size() < width)
        throw NotUnderstood("not one row of the width asked for");
    return rows.rows[0];
}

const Field& NamedRow::operator[](std::string_view column) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i] == column) return fields_[i];
    }
    throw NotUnderstood(fmt::format("there is no column {}", column));
}

Pairs pairs_of(const Rows& rows) {
    Pairs pairs;
    for (const auto& row : rows.rows) {
        if (row.size() != 2) throw NotUnderstood("not name and value");
        pairs.emplace(text_of(row[0], "name"), row[1]);
    }
    return pairs;
}

const Field& value_in(const Pairs& pairs, std::string_view name) {
    const auto found = pairs.find(name);
    if (found == pairs.end()) throw NotUnderstood(fmt::format("{} is missing", name));
    return found->second;
}

}  // namespace fixpoint::real
