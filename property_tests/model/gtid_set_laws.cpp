// The algebra of GTID sets against the plainest model there is: a std::set of single GTIDs.
// Every operation is compared with the same one on the model, over sets that meet, touch and overlap.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "fixpoint/model/gtid_set.hpp"
#include "property_tests/support/gen_gtid.hpp"

namespace fixpoint {
namespace {

using Model = std::set<Gtid>;

Model model_of(const GtidSet& set) {
    Model members;
    for (const GtidSet::Entry& entry : set.entries()) {
        for (const GtidInterval& interval : entry.intervals) {
            for (std::int64_t n = interval.first; n <= interval.last; ++n) members.insert({entry.tsid, n});
        }
    }
    return members;
}

// Sorted, no empty entry, intervals closed, disjoint and not adjacent: the one form that a set has.
bool is_canonical(const GtidSet& set) {
    const auto& entries = set.entries();
    for (std::size_t e = 0; e < entries.size(); ++e) {
        if (e > 0 && !(entries[e - 1].tsid < entries[e].tsid)) return false;
        const auto& intervals = entries[e].intervals;
        if (intervals.empty()) return false;
        for (std::size_t i = 0; i < intervals.size(); ++i) {
            if (intervals[i].first < 1 || intervals[i].last < intervals[i].first) return false;
            if (i > 0 && intervals[i - 1].last + 1 >= intervals[i].first) return false;
        }
    }
    return true;
}

void expect_same(const GtidSet& set, const Model& model) {
    RC_ASSERT(is_canonical(set));
    RC_ASSERT(model_of(set) == model);
    RC_ASSERT(set.count() == static_cast<std::int64_t>(model.size()));
    RC_ASSERT(set.empty() == model.empty());
}

RC_GTEST_PROP(GtidSetLaws, adding_members_one_by_one_gives_those_members, ()) {
    const auto members = *rc::gen::container<std::vector<Gtid>>(gen::gtid());
    GtidSet set;
    Model model;
    for (const Gtid& member : members) {
        set.add(member);
        model.insert(member);
        expect_same(set, model);
    }
}

RC_GTEST_PROP(GtidSetLaws, adding_an_interval_adds_its_members, ()) {
    GtidSet set = *gen::gtid_set();
    const Tsid tsid = *gen::tsid();
    const auto first = *rc::gen::inRange<std::int64_t>(1, 20);
    const auto length = *rc::gen::inRange<std::int64_t>(0, 8);
    Model model = model_of(set);
    for (std::int64_t n = first; n < first + length; ++n) model.insert({tsid, n});
    set.add(tsid, {first, first + length - 1});
    expect_same(set, model);
}

RC_GTEST_PROP(GtidSetLaws, union_difference_intersection_are_those_of_sets, ()) {
    const GtidSet a = *gen::gtid_set();
    const GtidSet b = *gen::gtid_set();
    const Model ma = model_of(a);
    const Model mb = model_of(b);
    Model united = ma;
    united.insert(mb.begin(), mb.end());
    Model rest;
    std::ranges::set_difference(ma, mb, std::inserter(rest, rest.end()));
    Model both;
    std::ranges::set_intersection(ma, mb, std::inserter(both, both.end()));
    expect_same(a | b, united);
    expect_same(a - b, rest);
    expect_same(a & b, both);
    RC_ASSERT(a.intersects(b) == !both.empty());
    RC_ASSERT(a.contains(b) == std::ranges::includes(ma, mb));
    RC_ASSERT(a.contains(b) ==
              std::ranges::all_of(b.entries(), [&](const GtidSet::Entry& e) { return a.contains(e); }));
    RC_ASSERT((a == b) == (ma == mb));
}

RC_GTEST_PROP(GtidSetLaws, the_laws_of_sets_hold, ()) {
    const GtidSet a = *gen::gtid_set();
    const GtidSet b = *gen::gtid_set();
    const GtidSet c = *gen::gtid_set();
    RC_ASSERT((a | b) == (b | a));
    RC_ASSERT(((a | b) | c) == (a | (b | c)));
    RC_ASSERT((a & b) == (b & a));
    RC_ASSERT(((a | b) & c) == ((a & c) | (b & c)));
    RC_ASSERT((a - (b | c)) == ((a - b) - c));
    RC_ASSERT(((a - b) | (a & b)) == a);
    RC_ASSERT((a - a).empty());
    RC_ASSERT((a | a) == a);
    RC_ASSERT((a | GtidSet{}) == a);
    RC_ASSERT((a | b).contains(a));
    RC_ASSERT(a.contains(a & b));
    RC_ASSERT(a.contains(b) == ((a | b) == a));
    RC_ASSERT(!(a - b).intersects(b));
}

RC_GTEST_PROP(GtidSetLaws, operations_on_oneself_are_safe, ()) {
    GtidSet a = *gen::gtid_set();
    const GtidSet before = a;
    a.add(a);
    RC_ASSERT(a == before);
    a.subtract(a);
    RC_ASSERT(a.empty());
}

RC_GTEST_PROP(GtidSetLaws, one_uuid_and_all_the_others_make_the_set, ()) {
    const GtidSet a = *gen::gtid_set();
    const Uuid uuid = *gen::uuid();
    RC_ASSERT((a.of_uuid(uuid) | a.without_uuid(uuid)) == a);
    RC_ASSERT(!a.of_uuid(uuid).intersects(a.without_uuid(uuid)));
    for (const Gtid& member : model_of(a))
        RC_ASSERT(a.of_uuid(uuid).contains(member) == (member.tsid.uuid == uuid));
    std::set<Uuid> uuids;
    for (const Gtid& member : model_of(a)) uuids.insert(member.tsid.uuid);
    const std::vector<Uuid> listed = a.uuids();
    RC_ASSERT(std::vector<Uuid>(uuids.begin(), uuids.end()) == listed);
}

RC_GTEST_PROP(GtidSetLaws, membership_and_the_highest_number_are_those_of_the_members, ()) {
    const GtidSet a = *gen::gtid_set();
    const Gtid asked = *gen::gtid();
    const Model model = model_of(a);
    RC_ASSERT(a.contains(asked) == model.contains(asked));
    std::int64_t highest = 0;
    for (const Gtid& member : model) {
        if (member.tsid == asked.tsid) highest = std::max(highest, member.number);
    }
    RC_ASSERT(a.highest(asked.tsid) == highest);
}

TEST(GtidSet, millions_of_transactions_in_few_intervals_cost_a_few_words) {
    const Uuid uuid = gen::uuid_number(0);
    GtidSet much = GtidSet::interval(uuid, 1, 4'000'000'000'000);
    much.subtract(GtidSet::single({{uuid, {}}, 7}));
    EXPECT_EQ(much.entries().front().intervals.size(), 2U);
    EXPECT_EQ(much.count(), 3'999'999'999'999);
    much.add(GtidSet::single({{uuid, {}}, 7}));
    EXPECT_EQ(much, GtidSet::interval(uuid, 1, 4'000'000'000'000));
}

TEST(GtidSet, the_count_of_more_than_there_are_numbers_is_the_greatest_number) {
    constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max() - 1;
    GtidSet all = GtidSet::interval(gen::uuid_number(0), 1, greatest);
    all.add(GtidSet::interval(gen::uuid_number(1), 1, greatest));
    EXPECT_EQ(all.count(), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace fixpoint
