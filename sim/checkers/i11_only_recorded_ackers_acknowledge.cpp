// I11: no step points a receiver with acknowledgements on at a primary whose record does not name that
// tablet. Looks at each receiver that connects to the primary in force with acknowledgements in effect.
// Excused: a fault pointed it there or switched them on, and no step has started that receiver since; or
// people deleted both records that named it.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checkers/fault_costs.hpp"
#include "sim/checkers/invariants.hpp"

namespace fixpoint::sim {
namespace {

class I11 final : public Checker {
  public:
    I11(const Books& books, WorldView& view) : Checker("I11", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        const auto* e = std::get_if<ReceiverConnected>(&event);
        if (!e || !e->acks || e->by_hand || !books_.in_force) return;
        if (books_.acks_by_hand.contains(e->tablet)) return;
        const FixpointRecord& record = *books_.in_force;
        if (e->source != record.primary.alias || record.has_acker(e->tablet)) return;
        if (nobody_names(e->tablet)) return;
        violated(
            at,
            fmt::format(
                "{} receives from {} with acknowledgements on, and the record of term {} does not name it",
                e->tablet.to_string(), e->source.to_string(), record.term));
    }

  private:
    // People deleted its record and the one in force that named it: no manager can know of it.
    bool nobody_names(const TabletAlias& tablet) const {
        const bool record_taken = std::ranges::any_of(books_.delivered, [&](const DeliveredFault& d) {
            return cost_of(d.fault.kind) == Cost::record && d.in_force && d.in_force->has_acker(tablet);
        });
        return record_taken && !view_.now().store.tablets.contains(tablet) &&
               books_.struck(FaultKind::delete_tablet_record, tablet);
    }
};

}  // namespace

std::unique_ptr<Checker> make_i11_only_recorded_ackers_acknowledge(const Books& books, WorldView& view) {
    return std::make_unique<I11>(books, view);
}

}  // namespace fixpoint::sim
