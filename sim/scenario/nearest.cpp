// See nearest.hpp. Optimal string alignment: small words, so the plain table of distances.
#include "sim/scenario/nearest.hpp"

#include <algorithm>

namespace fixpoint::sim {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

std::string suggest(std::string_view word, const std::vector<std::string>& known) {
    const std::string* best = nullptr;
    std::size_t distance = 0;
    for (const std::string& candidate : known) {
        const std::size_t here = edit_distance(word, candidate);
        if (best == nullptr || here < distance) {
            best = &candidate;
            distance = here;
        }
    }
    if (best == nullptr) return "nothing is known here";
    if (distance <= std::max<std::size_t>(2, word.size() / 3)) return "did you mean \"" + *best + "\"?";
    std::string all = "known: ";
    for (const std::string& candidate : known) {
        if (&candidate != &known.front()) all += ", ";
        all += candidate;
    }
    return all;
}

}  // namespace fixpoint::sim
