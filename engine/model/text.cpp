// Small helpers for texts that people read; see text.hpp.
// The hash is FNV-1a because its value must be the same on every machine and in every version.
// It is no cryptographic hash: it tells names apart, it protects nothing.
#include "engine/model/text.hpp"

namespace fixpoint {

namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr std::size_t longest_quote = 60;

}  // namespace

std::string quoted(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (out.size() >= longest_quote) return out + "…";
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out.push_back(c);
        } else {
            out += "\\x";
            out.push_back(hex[byte >> 4]);
            out.push_back(hex[byte & 0xf]);
        }
    }
    return out;
}

std::string fnv1a_hex(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out.push_back(hex[hash >> shift & 0xf]);
    return out;
}

}  // namespace fixpoint
