// What a server answered, as text: the common ground of the connection (which reads it) and the decoder
// (which understands it). NULL is an empty optional. Nothing here knows what the rows mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/ports/sql_statement.hpp"

namespace fixpoint::real {

using Field = std::optional<std::string>;

struct Rows {
    std::vector<std::string> columns;
    std::vector<std::vector<Field>> rows;
};

// The results of one packet, in order; `error` is what stopped it after them. A statement without rows gives
// empty Rows.
struct RawAnswer {
    std::vector<Rows> results;
    std::optional<sql::Error> error;
};

}  // namespace fixpoint::real
