// Small helpers for texts that people read: error messages with foreign input in them, hashes of names.
// Nothing here depends on the locale, the platform's hash or any allocator state: equal input, equal text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fixpoint {

// Foreign text made safe to print: control and non-ASCII bytes as \xNN, at most 60 characters.
std::string quoted(std::string_view text);

// FNV-1a, 64 bits, as 16 hexadecimal digits.
std::string fnv1a_hex(std::string_view text);

}  // namespace fixpoint
