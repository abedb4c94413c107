// The algebra of GTID sets: union, difference, intersection, subset. Everything walks two sorted lists side
// by side, so the cost is the number of intervals, never the number of transactions. Subset, membership and
// equality allocate nothing; the common unions (already contained, or next number) neither.
#include "fixpoint/model/gtid_set.hpp"

#include <algorithm>
#include <limits>

#include "fixpoint/model/assert.hpp"

namespace fixpoint {

namespace {

using Intervals = std::vector<GtidInterval>;

struct ByTsid {
    bool operator()(const GtidSet::Entry& a, const Tsid& b) const { return a.tsid < b; }
};

struct ByLast {
    bool operator()(const GtidInterval& a, std::int64_t number) const { return a.last < number; }
};

bool contains_all(const Intervals& whole, const Intervals& part) {
    auto at = whole.begin();
    for (const GtidInterval& wanted : part) {
        while (at != whole.end() && at->last < wanted.first) ++at;
        if (at == whole.end() || at->first > wanted.first || at->last < wanted.last) return false;
    }
    return true;
}

bool meet(const Intervals& a, const Intervals& b) {
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() && right != b.end()) {
        if (left->last < right->first) {
            ++left;
        } else if (right->last < left->first) {
            ++right;
        } else {
            return true;
        }
    }
    return false;
}

void add_interval(Intervals& to, GtidInterval added) {
    if (to.empty() || to.back().last + 1 < added.first) {  // beyond everything
        to.push_back(added);
        return;
    }
    // The first interval that overlaps or touches `added`, and all that follow and do so too, become one.
    auto begin = std::lower_bound(to.begin(), to.end(), added.first - 1, ByLast{});
    auto end = begin;
    while (end != to.end() && end->first <= added.last + 1) {
        added.first = std::min(added.first, end->first);
        added.last = std::max(added.last, end->last);
        ++end;
    }
    if (begin == end) {
        to.insert(begin, added);
        return;
    }
    *begin = added;
    to.erase(begin + 1, end);
}

void add_all(Intervals& to, const Intervals& from) {
    if (from.size() == 1) {
        add_interval(to, from.front());
        return;
    }
    if (contains_all(to, from)) return;
    Intervals merged;
    merged.reserve(to.size() + from.size());
    const auto append = [&merged](const GtidInterval& next) {
        if (!merged.empty() && merged.back().last + 1 >= next.first) {
            merged.back().last = std::max(merged.back().last, next.last);
        } else {
            merged.push_back(next);
        }
    };
    auto left = to.begin();
    auto right = from.begin();
    while (left != to.end() || right != from.end()) {
        const bool take_left = right == from.end() || (left != to.end() && left->first <= right->first);
        append(take_left ? *left++ : *right++);
    }
    to = std::move(merged);
}

Intervals without(const Intervals& from, const Intervals& taken) {
    Intervals rest;
    auto cut = taken.begin();
    for (const GtidInterval& whole : from) {
        std::int64_t first = whole.first;
        while (cut != taken.end() && cut->last < first) ++cut;
        auto here = cut;
        while (here != taken.end() && here->first <= whole.last) {
            if (here->first > first) rest.push_back({first, here->first - 1});
            first = here->last + 1;
            ++here;
        }
        if (first <= whole.last) rest.push_back({first, whole.last});
    }
    return rest;
}

Intervals common(const Intervals& a, const Intervals& b) {
    Intervals both;
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() && right != b.end()) {
        const std::int64_t first = std::max(left->first, right->first);
        const std::int64_t last = std::min(left->last, right->last);
        if (first <= last) both.push_back({first, last});
        if (left->last < right->last) {
            ++left;
        } else {
            ++right;
        }
    }
    return both;
}

// Calls `both(a, b)` for each pair of entries of one tsid; stops when it returns false. True: all pairs
// passed.
template <class Both>
bool for_common_tsids(const std::vector<GtidSet::Entry>& a, const std::vector<GtidSet::Entry>& b, Both both) {
    auto left = a.begin();
    auto right = b.begin();
    while (left != a.end() && right != b.end()) {
        if (left->tsid < right->tsid) {
            ++left;
        } else if (right->tsid < left->tsid) {
            ++right;
        } else if (!both(*left++, *right++)) {
            return false;
        }
    }
    return true;
}

}  // namespace

GtidSet GtidSet::interval(const Uuid& uuid, std::int64_t first, std::int64_t last) {
    GtidSet set;
    set.add(Tsid{uuid, {}}, GtidInterval{first, last});
    return set;
}

GtidSet GtidSet::single(const Gtid& gtid) {
    GtidSet set;
    set.add(gtid);
    return set;
}

std::int64_t GtidSet::count() const {
    constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
    std::int64_t sum = 0;
    for (const Entry& entry : entries_) {
        for (const GtidInterval& interval : entry.intervals) {
            const std::int64_t length = interval.last - interval.first + 1;
            if (sum > greatest - length) return greatest;
            sum += length;
        }
    }
    return sum;
}

bool GtidSet::contains(const Gtid& gtid) const {
    const auto entry = std::lower_bound(entries_.begin(), entries_.end(), gtid.tsid, ByTsid{});
    if (entry == entries_.end() || entry->tsid != gtid.tsid) return false;
    const auto at = std::lower_bound(entry->intervals.begin(), entry->intervals.end(), gtid.number, ByLast{});
    return at != entry->intervals.end() && at->first <= gtid.number;
}

bool GtidSet::contains(const Entry& wanted) const {
    const auto entry = std::lower_bound(entries_.begin(), entries_.end(), wanted.tsid, ByTsid{});
    return entry != entries_.end() && entry->tsid == wanted.tsid &&
           contains_all(entry->intervals, wanted.intervals);
}

bool GtidSet::contains(const GtidSet& other) const {
    auto at = entries_.begin();
    for (const Entry& wanted : other.entries_) {
        while (at != entries_.end() && at->tsid < wanted.tsid) ++at;
        if (at == entries_.end() || at->tsid != wanted.tsid || !contains_all(at->intervals, wanted.intervals))
            return false;
    }
    return true;
}

bool GtidSet::intersects(const GtidSet& other) const {
    return !for_common_tsids(entries_, other.entries_,
                             [](const Entry& a, const Entry& b) { return !meet(a.intervals, b.intervals); });
}

GtidSet GtidSet::of_uuid(const Uuid& uuid) const {
    GtidSet set;
    for (const Entry& entry : entries_) {
        if (entry.tsid.uuid == uuid) set.entries_.push_back(entry);
    }
    return set;
}

GtidSet GtidSet::without_uuid(const Uuid& uuid) const {
    GtidSet set;
    for (const Entry& entry : entries_) {
        if (entry.tsid.uuid != uuid) set.entries_.push_back(entry);
    }
    return set;
}

std::vector<Uuid> GtidSet::uuids() const {
    std::vector<Uuid> all;
    for (const Entry& entry : entries_) {
        if (all.empty() || all.back() != entry.tsid.uuid) all.push_back(entry.tsid.uuid);
    }
    return all;
}

std::int64_t GtidSet::highest(const Tsid& tsid) const {
    const auto entry = std::lower_bound(entries_.begin(), entries_.end(), tsid, ByTsid{});
    return entry == entries_.end() || entry->tsid != tsid ? 0 : entry->intervals.back().last;
}

void GtidSet::add(const Tsid& tsid, GtidInterval interval) {
    if (interval.last < interval.first) return;
    FIXPOINT_ASSERT(interval.first >= 1 && interval.last < std::numeric_limits<std::int64_t>::max(),
                    "transaction numbers are 1 to 2^63-2");
    auto entry = std::lower_bound(entries_.begin(), entries_.end(), tsid, ByTsid{});
    if (entry == entries_.end() || entry->tsid != tsid) entry = entries_.insert(entry, Entry{tsid, {}});
    add_interval(entry->intervals, interval);
}

void GtidSet::add(const Gtid& gtid) {
    add(gtid.tsid, GtidInterval{gtid.number, gtid.number});
}

void GtidSet::add(const GtidSet& other) {
    if (&other == this) return;
    if (entries_.empty()) {
        entries_ = other.entries_;
        return;
    }
    std::size_t at = 0;  // an index: insertions move the entries
    for (const Entry& added : other.entries_) {
        while (at < entries_.size() && entries_[at].tsid < added.tsid) ++at;
        if (at < entries_.size() && entries_[at].tsid == added.tsid) {
            add_all(entries_[at].intervals, added.intervals);
        } else {
            entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), added);
        }
    }
}

void GtidSet::subtract(const GtidSet& other) {
    if (&other == this) {
        entries_.clear();
        return;
    }
    auto cut = other.entries_.begin();
    bool emptied = false;
    for (Entry& entry : entries_) {
        while (cut != other.entries_.end() && cut->tsid < entry.tsid) ++cut;
        if (cut == other.entries_.end()) break;
        if (cut->tsid != entry.tsid || !meet(entry.intervals, cut->intervals)) continue;
        entry.intervals = without(entry.intervals, cut->intervals);
        emptied = emptied || entry.intervals.empty();
    }
    if (emptied) std::erase_if(entries_, [](const Entry& entry) { return entry.intervals.empty(); });
}

GtidSet operator&(const GtidSet& a, const GtidSet& b) {
    GtidSet both;
    for_common_tsids(a.entries_, b.entries_,
                     [&both](const GtidSet::Entry& left, const GtidSet::Entry& right) {
                         std::vector<GtidInterval> shared = common(left.intervals, right.intervals);
                         if (!shared.empty()) both.entries_.push_back({left.tsid, std::move(shared)});
                         return true;
                     });
    return both;
}

}  // namespace fixpoint
