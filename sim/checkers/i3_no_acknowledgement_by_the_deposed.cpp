// I3: a write begun after the commit point of a reparent is never acknowledged by the old primary, nor by
// anybody else whom the record does not name, then or now. Looks at each acknowledgement by a server. Not
// judged: privileged clients, the policy none, a promotion that the goal allowed unfenced, a server made
// writable or weak by hand.
#include <fmt/format.h>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I3 final : public Checker {
  public:
    I3(const Books& books, WorldView& view) : Checker("I3", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        const auto* e = std::get_if<WriteAcknowledged>(&event);
        if (!e || e->privileged) return;
        const WriteBook::Acknowledged& ack = books_.writes.at(e->write).acknowledged.back();
        if (ack.excused || ack.term < 0 || ack.policy.ackers_needed == 0) return;
        const TermBook& term = books_.terms.at(static_cast<std::size_t>(ack.term));
        if (term.unfenced || term.primary.alias == ack.tablet) return;
        // Begun on the new primary while a record set back by hand named another: it is none of the deposed.
        if (books_.in_force && books_.in_force->primary.alias == ack.tablet) return;
        violated(at, fmt::format("write {} was begun in term {} of {} and acknowledged by {}", e->write,
                                 term.term, term.primary.alias.to_string(), ack.tablet.to_string()));
    }
};

}  // namespace

std::unique_ptr<Checker> make_i3_no_acknowledgement_by_the_deposed(const Books& books, WorldView& view) {
    return std::make_unique<I3>(books, view);
}

}  // namespace fixpoint::sim
