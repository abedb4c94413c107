// Words for enumerations: one table per enumeration, read in both directions, complete by construction of its
// test. A word that is missing is a bug of ours (an assertion); a word that is unknown is an error that lists
// what there is.
#pragma once

#include <array>
#include <expected>
#include <string>
#include <string_view>

#include "engine/model/text.hpp"
#include "fixpoint/model/assert.hpp"

namespace fixpoint {

template <class E>
struct Name {
    E value;
    std::string_view word;
};

template <class E, std::size_t N>
constexpr std::string_view word_of(const std::array<Name<E>, N>& names, E value) {
    // Tables stand in the order of their enumeration as a rule, so the first guess is right.
    const auto index = static_cast<std::size_t>(value);
    if (index < N && names[index].value == value) return names[index].word;
    for (const Name<E>& name : names) {
        if (name.value == value) return name.word;
    }
    FIXPOINT_ASSERT(false, "a value without a word");
}

template <class E, std::size_t N>
std::expected<E, std::string> value_of(const std::array<Name<E>, N>& names, std::string_view word,
                                       std::string_view what) {
    for (const Name<E>& name : names) {
        if (name.word == word) return name.value;
    }
    std::string known;
    for (const Name<E>& name : names) {
        if (!known.empty()) known += ", ";
        known += name.word;
    }
    return std::unexpected("'" + quoted(word) + "' is no " + std::string(what) + "; known: " + known);
}

}  // namespace fixpoint
