// RapidCheck generators of GTID values: few uuids and tags and small numbers, so that sets meet, touch and
// overlap. Shared by every area that needs GTID sets; values only, so including it links nothing but
// fixpoint_model. The generators never build a set through the operations that the laws are about: they go
// through parse or add(Gtid).
#pragma once

#include <rapidcheck.h>

#include <ostream>
#include <string>
#include <vector>

#include "fixpoint/model/gtid_set.hpp"

namespace fixpoint {

// For RapidCheck's and GoogleTest's messages.
inline void showValue(const GtidSet& set, std::ostream& os) {
    os << '"' << set.to_string() << '"';
}
inline void showValue(const Gtid& gtid, std::ostream& os) {
    os << gtid.to_string();
}
inline void showValue(const Uuid& uuid, std::ostream& os) {
    os << uuid.to_string();
}
inline void PrintTo(const GtidSet& set, std::ostream* os) {
    *os << '"' << set.to_string() << '"';
}
inline void PrintTo(const Uuid& uuid, std::ostream* os) {
    *os << uuid.to_string();
}

}  // namespace fixpoint

namespace fixpoint::gen {

// The n-th of a few uuids that differ in the places where mistakes hide: first and last digits.
inline Uuid uuid_number(unsigned n) {
    return n % 2 == 0 ? Uuid{0x3e11fa4771ca11e1ULL, 0x9e33c80aa9429562ULL + n}
                      : Uuid{0x01ULL + n, 0xffffffffffffff00ULL};
}

inline rc::Gen<Uuid> uuid() {
    return rc::gen::map(rc::gen::inRange(0U, 3U), uuid_number);
}

inline rc::Gen<Tsid> tsid() {
    return rc::gen::map(rc::gen::pair(uuid(), rc::gen::element<std::string>("", "", "", "b", "a_1")),
                        [](const std::pair<Uuid, std::string>& p) { return Tsid{p.first, p.second}; });
}

inline rc::Gen<Gtid> gtid() {
    return rc::gen::map(rc::gen::pair(tsid(), rc::gen::inRange<std::int64_t>(1, 20)),
                        [](const std::pair<Tsid, std::int64_t>& p) { return Gtid{p.first, p.second}; });
}

inline rc::Gen<GtidSet> gtid_set() {
    return rc::gen::map(rc::gen::container<std::vector<Gtid>>(gtid()), [](const std::vector<Gtid>& members) {
        GtidSet set;
        for (const Gtid& member : members) set.add(member);
        return set;
    });
}

}  // namespace fixpoint::gen
