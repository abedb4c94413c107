// I11: no step points a receiver with acknowledgements on at a primary whose record does not name that
// tablet. Looks at each receiver that connects to the primary in force with acknowledgements in effect.
// Excused: a fault pointed it there or switched them on, and no step has started that receiver since.
#include <fmt/format.h>

#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I11 final : public Checker {
  public:
    I11(const Books& books, WorldView& view) : Checker("I11", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        const auto* e = std::get_if<ReceiverConnected>(&event);
        if (!e || !e->acks || e->by_hand || books_.acks_by_hand.contains(e->tablet) || !books_.in_force)
            return;
        const FixpointRecord& record = *books_.in_force;
        if (e->source != record.primary.alias || record.has_acker(e->tablet)) return;
        violated(
            at,
            fmt::format(
                "{} receives from {} with acknowledgements on, and the record of term {} does not name it",
                e->tablet.to_string(), e->source.to_string(), record.term));
    }
};

}  // namespace

std::unique_ptr<Checker> make_i11_only_recorded_ackers_acknowledge(const Books& books, WorldView& view) {
    return std::make_unique<I11>(books, view);
}

}  // namespace fixpoint::sim
