// Who is it that accepts connections at an address and lets nobody in? Asked of one that has just failed
// without an answer, on a connection of its own: a MySQL server greets first, others say something else, or
// nothing. For people's eyes; nothing is decided by it but that the login, which would only time out, is
// left.
#pragma once

#include <chrono>
#include <string>

#include "fixpoint/model/tablet.hpp"

namespace fixpoint::real {

struct Greeting {
    bool mysql = false;   // it greeted as MySQL servers do, with a refusal perhaps
    bool silent = false;  // it accepts, and said nothing in time
    std::string said;     // by one that speaks something else: the beginning, printable
};

// Returns within the limit. One that cannot be connected to is none of the three.
Greeting greeting_of(const MysqlAddress& address, std::chrono::nanoseconds limit);

}  // namespace fixpoint::real
