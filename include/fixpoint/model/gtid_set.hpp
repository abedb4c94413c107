// Sets of global transaction identifiers, exactly as MySQL has them (8.4 manual, "GTID Format and
// Storage"): `uuid:1-5:7`, tagged `uuid:tag:1-3`, joined by commas. A set is a sorted vector of
// (uuid, tag) with a sorted vector of closed, disjoint, non-adjacent intervals: millions of
// transactions in a few intervals cost a few words. Values: copy, compare, order.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace fixpoint {

// A server's identity, `auto.cnf`'s server_uuid. The zero value means "none".
struct Uuid {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    auto operator<=>(const Uuid&) const = default;
    explicit operator bool() const { return high != 0 || low != 0; }

    // Accepts 8-4-4-4-12 hexadecimal digits, either case. Error: what is wrong, for a person.
    static std::expected<Uuid, std::string> parse(std::string_view text);
    std::string to_string() const;  // lower case, as @@server_uuid prints it
};

// Where numbers are counted: a server's uuid and, since 8.3, a tag (empty: untagged; at most 32 of [a-z0-9_]).
struct Tsid {
    Uuid uuid;
    std::string tag;
    auto operator<=>(const Tsid&) const = default;
};

struct Gtid {
    Tsid tsid;
    std::int64_t number = 0;  // from 1
    auto operator<=>(const Gtid&) const = default;
    std::string to_string() const;
};

struct GtidInterval {
    std::int64_t first = 0;
    std::int64_t last = 0;  // inclusive
    auto operator<=>(const GtidInterval&) const = default;
};

class GtidSet {
  public:
    struct Entry {
        Tsid tsid;
        std::vector<GtidInterval> intervals;
        bool operator==(const Entry&) const = default;
    };

    GtidSet() = default;

    // Accepts what MySQL accepts: white space and newlines after commas, any order, overlapping intervals,
    // several tags behind one uuid (`uuid:1-3:tag:1-2`), the empty string. Error: the place and what is wrong.
    static std::expected<GtidSet, std::string> parse(std::string_view text);
    static GtidSet interval(const Uuid& uuid, std::int64_t first, std::int64_t last);
    static GtidSet single(const Gtid& gtid);

    // As MySQL prints it: entries ordered by uuid, untagged before tagged, `,` without newline.
    std::string to_string() const;

    bool empty() const { return entries_.empty(); }
    std::int64_t count() const;
    bool contains(const Gtid& gtid) const;
    bool contains(const GtidSet& other) const;  // other is a subset of this
    bool contains(const Entry& entry) const;    // one uuid's (and tag's) transactions
    bool intersects(const GtidSet& other) const;

    // All GTIDs of one uuid, tagged ones too.
    GtidSet of_uuid(const Uuid& uuid) const;
    GtidSet without_uuid(const Uuid& uuid) const;
    std::vector<Uuid> uuids() const;
    std::int64_t highest(const Tsid& tsid) const;  // 0: none

    void add(const Gtid& gtid);
    void add(const Tsid& tsid, GtidInterval interval);  // last < first: nothing
    void add(const GtidSet& other);
    void subtract(const GtidSet& other);

    friend GtidSet operator|(GtidSet a, const GtidSet& b) { a.add(b); return a; }
    friend GtidSet operator-(GtidSet a, const GtidSet& b) { a.subtract(b); return a; }
    friend GtidSet operator&(const GtidSet& a, const GtidSet& b);
    bool operator==(const GtidSet&) const = default;

    const std::vector<Entry>& entries() const { return entries_; }

  private:
    std::vector<Entry> entries_;  // sorted by tsid, no entry without intervals
};

}  // namespace fixpoint
