// I1: of the writes begun in one term, no two tablets acknowledge any.
// Looks at each acknowledgement by a server. Not judged: privileged clients, the policy none, and a server
// that a fault made writable or weak by hand.
#include <fmt/format.h>

#include <map>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I1 final : public Checker {
  public:
    I1(const Books& books, WorldView& view) : Checker("I1", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        const auto* e = std::get_if<WriteAcknowledged>(&event);
        if (!e || e->privileged) return;
        const WriteBook::Acknowledged& ack = books_.writes.at(e->write).acknowledged.back();
        if (ack.excused || ack.term < 0 || ack.policy.ackers_needed == 0) return;
        const auto [it, first] = acknowledging_.try_emplace(ack.term, ack.tablet);
        if (first || it->second == ack.tablet) return;
        violated(at, fmt::format("in term {} both {} and {} acknowledged writes (write {})",
                                 books_.terms.at(static_cast<std::size_t>(ack.term)).term,
                                 it->second.to_string(), ack.tablet.to_string(), e->write));
        it->second = ack.tablet;
    }

  private:
    std::map<int, TabletAlias> acknowledging_;  // by index of the term in which the write was begun
};

}  // namespace

std::unique_ptr<Checker> make_i1_one_acknowledging_primary(const Books& books, WorldView& view) {
    return std::make_unique<I1>(books, view);
}

}  // namespace fixpoint::sim
