// Rows -> the typed answer of a statement. Pure. A row that cannot be understood is an error of the answer
// (number 0, with its place in the text), never a guess: the core rests its decisions on these values.
#pragma once

#include "fixpoint/ports/sql_statement.hpp"
#include "real_adapters/mysql/rows.hpp"

namespace fixpoint::real {

sql::Result decode(const sql::Statement& statement, RawAnswer answer);

// A server of another kind is recognised and reported, and never touched: this is its look.
sql::LookAnswer look_at_foreign_server(std::string version);

}  // namespace fixpoint::real
