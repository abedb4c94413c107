// Backing off: the key is (row, tablet). A recovery has failed if its row still holds in the look after it,
// whatever it returned; and if it refused half-way, though what it did hides its row for a moment (a closed
// primary is not blocked). The first retry is at once, then 1 s, doubled up to the goal's limit; a change of
// what the row looks at lets it be tried again. While a key backs off the loop takes the next row.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "engine/view.hpp"
#include "fixpoint/ports/event_log.hpp"

namespace fixpoint {

// What a row looks at, without what merely grows (GTID sets) or passes (time).
std::uint64_t fingerprint(const View& view, const ProblemKey& key);

class Backoff {
  public:
    bool may_try(const ProblemKey& key, std::uint64_t fingerprint, Instant now) const;
    void tried(const ProblemKey& key, std::uint64_t fingerprint);
    void refused(const ProblemKey& key);  // what was tried last, of its own accord
    // The look after: what was tried and still holds, or refused, has failed.
    void looked(const std::vector<ProblemKey>& holds, Instant now, const Limits& limits);
    std::uint64_t digest() const;

  private:
    struct Entry {
        int failures = 0;
        Instant next;
        std::uint64_t fingerprint = 0;
        bool to_be_judged = false;
        bool refused = false;
    };
    std::map<ProblemKey, Entry> entries_;
};

}  // namespace fixpoint
