// One field of an answer as a value, or an exception that names it. Thrown within the decoding only: an
// answer that we do not understand becomes one error value there (decode.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/ports/sql_statement.hpp"
#include "real_adapters/mysql/rows.hpp"

namespace fixpoint::real {

struct NotUnderstood : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// `what`: the field's name, for the exception.
const std::string& text_of(const Field& field, std::string_view what);
std::int64_t number_of(const Field& field, std::string_view what);
bool flag_of(const Field& field, std::string_view what);
GtidSet gtids_of(const Field& field, std::string_view what);
Uuid uuid_of(const Field& field, std::string_view what);
// `uuid:19#28:18#27`: each number with the thread that owns it; the threads are of no interest.
GtidSet owned_of(const Field& field);
sql::WaitPoint wait_point_of(const Field& field);

const Rows& result_at(const RawAnswer& answer, std::size_t place);
const std::vector<Field>& only_row(const Rows& rows, std::size_t width);

// A row whose columns the server named.
class NamedRow {
  public:
    NamedRow(const Rows& rows, std::size_t row) : columns_(rows.columns), fields_(rows.rows[row]) {}

    const Field& operator[](std::string_view column) const;
    const std::string& text(std::string_view column) const { return text_of((*this)[column], column); }
    std::int64_t number(std::string_view column) const { return number_of((*this)[column], column); }

  private:
    const std::vector<std::string>& columns_;
    const std::vector<Field>& fields_;
};

// Two columns, name and value, as SHOW VARIABLES and its kind give them.
using Pairs = std::map<std::string, Field, std::less<>>;
Pairs pairs_of(const Rows& rows);
const Field& value_in(const Pairs& pairs, std::string_view name);

}  // namespace fixpoint::real
