// Ids of clients' writes, and sets of them: sorted, disjoint, closed intervals, because ids are given out in
// order and millions of them then cost a few words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace fixpoint::sim {

using WriteId = std::uint64_t;  // of a client's write; 0: none

// Sorted, without doubles.
using WriteIds = std::vector<WriteId>;

class WriteSet {
  public:
    WriteSet() = default;
    WriteSet(std::initializer_list<WriteId> ids) {
        for (const WriteId id : ids) insert(id);
    }

    bool empty() const { return intervals_.empty(); }
    bool has(WriteId id) const {
        const auto after = first_after(id);
        return after != intervals_.begin() && id <= (after - 1)->last;
    }

    // False: it was there.
    bool insert(WriteId id) {
        const auto after = first_after(id);
        const bool joins_before = after != intervals_.begin() && (after - 1)->last + 1 >= id;
        if (joins_before && (after - 1)->last >= id) return false;
        const bool joins_after = after != intervals_.end() && after->first == id + 1;
        if (joins_before && joins_after) {
            (after - 1)->last = after->last;
            intervals_.erase(after);
        } else if (joins_before) {
            (after - 1)->last = id;
        } else if (joins_after) {
            after->first = id;
        } else {
            intervals_.insert(after, Interval{id, id});
        }
        return true;
    }

    // False: it was not there.
    bool erase(WriteId id) {
        if (!has(id)) return false;
        const auto at = first_after(id) - 1;
        const Interval old = *at;
        if (old.first == old.last) {
            intervals_.erase(at);
        } else if (id == old.first) {
            at->first = id + 1;
        } else {
            at->last = id - 1;
            if (id != old.last) intervals_.insert(at + 1, Interval{id + 1, old.last});
        }
        return true;
    }

    WriteIds ids() const {
        WriteIds all;
        for (const Interval& interval : intervals_) {
            for (WriteId id = interval.first; id <= interval.last; ++id) all.push_back(id);
        }
        return all;
    }

  private:
    struct Interval {
        WriteId first = 0;
        WriteId last = 0;
    };
    std::vector<Interval>::iterator first_after(WriteId id) {
        return std::upper_bound(
            intervals_.begin(), intervals_.end(), id,
            [](WriteId value, const Interval& interval) { return value < interval.first; });
    }
    std::vector<Interval>::const_iterator first_after(WriteId id) const {
        return std::upper_bound(
            intervals_.begin(), intervals_.end(), id,
            [](WriteId value, const Interval& interval) { return value < interval.first; });
    }

    std::vector<Interval> intervals_;
};

}  // namespace fixpoint::sim
