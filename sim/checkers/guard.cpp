// Counts failures that overlap, per tablet, against the k in force; then asks whether what is left for good
// can still be a shard under the policy that was declared last.
#include "sim/checkers/guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "sim/checkers/as_declared.hpp"
#include "sim/checkers/fault_costs.hpp"

namespace fixpoint::sim {

using enum FaultKind;

namespace {

// How long a primary that waits for an acknowledgement has connections left, at 40 writes a second.
constexpr Duration connections_last = std::chrono::seconds(4);

// From the choice of a candidate, which the fault may follow, to its record.
constexpr Duration operation_lasts = std::chrono::seconds(1);

class Guarding {
  public:
    explicit Guarding(const GuardInput& input) : in_(input), policy_(input.policy) {}

    GuardVerdict run() {
        for (const DeliveredFault& d : in_.faults) deliver(d);
        while_nobody_can_act();
        for (const DeliveredFault& d : in_.faults) overlapping(d);
        const bool all_well = failures_.empty() && unfit_.empty() && undeclared_.empty();
        if ((record_lost_ || !in_.recorded) && !all_well)
            beyond("there was no record in force while a tablet had failed");
        what_there_was();
        what_is_left();
        return verdict_;
    }

  private:
    struct Failure {
        TabletAlias tablet;
        Instant from, until;  // max(): for good
    };

    void beyond(std::string what) {
        if (!verdict_.within) return;
        verdict_ = {false, std::move(what)};
    }

    std::vector<TabletAlias> subjects(const Fault& fault) const {
        std::vector<TabletAlias> all;
        if (fault.tablet) all.push_back(*fault.tablet);
        for (const auto* set : {&fault.from_set, &fault.to_set}) {
            // A cut has two sides: the smaller one is taken to be the one that failed.
            const auto* other = set == &fault.from_set ? &fault.to_set : &fault.from_set;
            if (set->size() > other->size() && !other->empty()) continue;
            for (const std::string& endpoint : *set) {
                if (const auto alias = TabletAlias::parse(endpoint)) all.push_back(*alias);
            }
        }
        return all;
    }

    void deliver(const DeliveredFault& d) {
        const Fault& fault = d.fault;
        const Cost cost = cost_of(fault.kind);
        if (fault.kind == declare_policy) {
            if (const auto declared = DurabilityPolicy::parse(fault.text)) policy_ = *declared;
        }
        if (fault.kind == declare_type && fault.tablet) {
            if (const auto type = parse_tablet_type(fault.text)) types_[*fault.tablet] = *type;
        }
        if (fault.tablet) {
            // Neither declared nor asked any more.
            if (fault.kind == delete_tablet_record || fault.kind == forget) undeclared_.insert(*fault.tablet);
            if (fault.kind == delete_tablet_record) deleted_.insert(*fault.tablet);
            // Not to be made restart-safe from outside, until it is started otherwise.
            if (fault.kind == restart_without_persisted) unsafe_.insert(*fault.tablet);
            if (fault.kind == restart) unsafe_.erase(*fault.tablet);
            if (fault.kind == new_uuid && d.in_force && d.in_force->primary.alias == *fault.tablet)
                another_server_.insert(*fault.tablet);
        }
        if ((fault.kind == stop_receiver || fault.kind == stop_replication) && fault.tablet)
            stopped_.push_back({*fault.tablet, d.at, d.at + in_.recovering});
        if (cost == Cost::beyond) beyond("not promised: " + describe(fault));
        if (cost == Cost::record) record_lost_ = true;
        if (cost == Cost::store && fault.permanent && fault.kind != cell_store_down)
            beyond("the store is out of reach for good");
        if (cost == Cost::manager && fault.permanent) {
            if (fault.manager.empty())
                managers_gone_.insert(in_.managers.begin(), in_.managers.end());
            else
                managers_gone_.insert(fault.manager);
            if (managers_gone_.size() >= in_.managers.size()) beyond("no manager is left");
        }
        if (cost == Cost::unfit) {
            for (const TabletAlias& t : subjects(fault)) unfit_.insert(t);
            if (fault.kind == applier_error && fault.tablet) applier_stands_.insert(*fault.tablet);
        }
        if (!d.in_force && (cost == Cost::gone || cost == Cost::unqualified || cost == Cost::unfit))
            beyond("a tablet had failed before there was a record in force");
        // A server that was set back has also lost what it vouched for.
        if (cost != Cost::gone && cost != Cost::unqualified && fault.kind != restore_older_state) return;
        for (const TabletAlias& t : subjects(fault)) {
            const std::optional<Instant> end = ends(d);
            if (!end && fault.permanent) lost_for_good_.insert(t);
            // What comes back is gone no more, but it is qualified anew only after a while.
            failures_.push_back({t, d.at, end ? *end + in_.recovering : Instant::max()});
        }
    }

    // When faults cease the guard need not know: no further one strikes then.
    std::optional<Instant> ends(const DeliveredFault& d) const { return over(d, in_.faults, std::nullopt); }

    // A manager, or the store, is out of reach: nothing is qualified anew until that ends.
    bool stops_managers(const Fault& fault) const {
        const bool all_managers = fault.manager.empty() || in_.managers.size() == 1;
        switch (fault.kind) {
            case store_unreachable:
            case manager_crash:
            case manager_pause:
                return all_managers;
            case cut:
            case cut_one_way:
            case loss:
            case clog:
                return std::ranges::any_of(std::array{&fault.from_set, &fault.to_set}, [&](const auto* set) {
                    return std::ranges::any_of(*set, [&](const std::string& name) {
                        return name == "store" || (in_.managers.size() == 1 && name == in_.managers.front());
                    });
                });
            default:
                return false;
        }
    }

    void while_nobody_can_act() {
        for (const DeliveredFault& d : in_.faults) {
            if (!stops_managers(d.fault)) continue;
            const bool is_stopped = std::ranges::any_of(
                stopped_, [&](const Failure& s) { return s.from <= d.at && d.at <= s.until; });
            if (is_stopped && d.fault.kind == manager_crash)
                beyond("no manager was there while a receiver was stopped");
            const Instant end = ends(d).value_or(Instant::max());
            for (Failure& f : failures_) {
                if (d.at > f.until || end < f.from) continue;
                // Commits that wait use up the primary's connections, and a manager that comes only then has
                // no session on it.
                if (d.fault.kind == manager_crash &&
                    std::min(end, f.until) - std::max(d.at, f.from) >= connections_last)
                    beyond("no manager was there while a tablet had failed");
                prolong(f, end);
            }
            for (Failure& s : stopped_) {
                if (s.from <= end && d.at <= s.until) prolong(s, end);
            }
        }
    }

    void prolong(Failure& failure, Instant nobody_acts_until) const {
        if (failure.until == Instant::max()) return;
        failure.until = nobody_acts_until == Instant::max()
                            ? nobody_acts_until
                            : std::max(failure.until, nobody_acts_until + in_.recovering);
    }

    // Those of P and A that had failed at the moment of this fault; and whoever was just being made primary.
    void overlapping(const DeliveredFault& d) {
        const auto counts = [&](const TabletAlias& t) {
            const bool next = std::ranges::any_of(in_.terms, [&](const TermBook& term) {
                return term.primary.alias == t && term.began > d.at && term.began <= d.at + operation_lasts;
            });
            return next || !d.in_force || d.in_force->primary.alias == t || d.in_force->has_acker(t);
        };
        std::set<TabletAlias> failed;
        for (const Failure& f : failures_) {
            if (f.from <= d.at && d.at <= f.until && counts(f.tablet)) failed.insert(f.tablet);
        }
        const int k = d.in_force ? d.in_force->k() : policy_.ackers_needed;
        if (static_cast<int>(failed.size()) > k) {
            std::string names;
            for (const TabletAlias& t : failed) names += (names.empty() ? "" : ", ") + t.to_string();
            beyond(fmt::format("{} had failed at once, the policy in force tolerates {}", names, k));
        }
    }

    // A shard that began under a policy which its primary could not meet.
    void what_there_was() {
        const TabletAlias& primary = in_.tablets.front().alias;
        int could = 0;
        for (const ScenarioTablet& t : in_.tablets) {
            Tablet tablet;
            tablet.alias = t.alias;
            tablet.type = t.type;
            if (t.semi_sync_plugins && may_acknowledge(in_.policy, primary, tablet)) ++could;
        }
        if (could < in_.policy.ackers_needed)
            beyond(fmt::format("{} tablets could acknowledge under {}", could, in_.policy.to_string()));
    }

    TabletAlias last_primary() const {
        for (auto d = in_.faults.rbegin(); d != in_.faults.rend(); ++d) {
            if (d->in_force) return d->in_force->primary.alias;
        }
        return in_.tablets.front().alias;
    }

    // Its cell's store is down for good, no record in force names it, and a manager has lost its memory.
    bool nobody_knows(const TabletAlias& alias) const {
        bool silent = false, forgot = false;
        RecordInForce last;
        for (const DeliveredFault& d : in_.faults) {
            if (d.fault.kind == cell_store_down && d.fault.permanent && d.fault.cell == alias.cell)
                silent = true;
            if (d.fault.kind == manager_crash || d.fault.kind == manager_restart) forgot = true;
            if (d.in_force) last = d.in_force;
        }
        return silent && forgot && last && last->primary.alias != alias && !last->has_acker(alias);
    }

    Tablet tablet_of(const ScenarioTablet& t) const {
        Tablet tablet;
        tablet.alias = t.alias;
        const auto declared = types_.find(t.alias);
        tablet.type = declared == types_.end() ? t.type : declared->second;
        return tablet;
    }

    // Declared, in reach, restart-safe and known of, when all has happened.
    void what_is_left() {
        for (const ScenarioTablet& t : in_.tablets) {
            if (lost_for_good_.contains(t.alias) || undeclared_.contains(t.alias) ||
                unsafe_.contains(t.alias) || nobody_knows(t.alias))
                continue;
            if (t.promotion_rule == PromotionRule::must_not) never_primary_.insert(t.alias);
            if (policy_.ackers_needed == 0 || t.semi_sync_plugins) left_.push_back(tablet_of(t));
        }
        if (!somebody_serves())
            beyond(fmt::format("nobody that is left could be primary under {}", policy_.to_string()));
    }

    bool could_serve(const Tablet& c) const {
        const bool may_be_primary = c.type == TabletType::primary || c.type == TabletType::replica;
        // An errant one follows where it is needed, and that is all; one whose applier stands stays, and only
        // people can mend it.
        const auto followers = std::ranges::count_if(left_, [&](const Tablet& t) {
            return !applier_stands_.contains(t.alias) && may_acknowledge(policy_, c.alias, t);
        });
        return may_be_primary && !unfit_.contains(c.alias) && followers >= policy_.ackers_needed;
    }
    bool could_be_elected(const Tablet& c) const {
        return could_serve(c) && !never_primary_.contains(c.alias);
    }

    // What becomes of the primary in force.
    enum class Fate {
        serves,                 // for having too few that acknowledge it is not replaced: a term begins with
                                // ackers that vouch
        serves_until_replaced,  // nobody declares it any more
        is_replaced,
    };
    Fate fate_of(const TabletAlias& primary) const {
        if (lost_for_good_.contains(primary) || unfit_.contains(primary) || unsafe_.contains(primary) ||
            another_server_.contains(primary))
            return Fate::is_replaced;
        return deleted_.contains(primary) ? Fate::serves_until_replaced : Fate::serves;
    }

    bool somebody_serves() const {
        const auto primary = std::ranges::find(in_.tablets, last_primary(), &ScenarioTablet::alias);
        const bool another = std::ranges::any_of(left_, [&](const Tablet& c) { return could_be_elected(c); });
        if (primary == in_.tablets.end()) return another;
        switch (fate_of(primary->alias)) {
            case Fate::serves:
                return serves_on(*primary);
            case Fate::serves_until_replaced:
                return serves_on(*primary) && another;
            case Fate::is_replaced:
                break;
        }
        return another;
    }

    // One that is in force goes on, whatever its rule; without a record the first one is elected.
    bool serves_on(const ScenarioTablet& primary) const {
        const bool in_force = in_.recorded && !record_lost_;
        const Tablet tablet = tablet_of(primary);
        return (primary.semi_sync_plugins || policy_.is_none()) &&
               (in_force ? could_serve(tablet) : could_be_elected(tablet));
    }

    static std::string describe(const Fault& fault) {
        return fault.kind == pause_shard ? "the shard was paused" : "a transaction that nobody ends";
    }

    const GuardInput& in_;
    DurabilityPolicy policy_;
    GuardVerdict verdict_;
    std::vector<Failure> failures_;
    std::vector<Failure> stopped_;  // receivers, by hand, until a manager has started them
    std::set<TabletAlias> lost_for_good_, undeclared_, deleted_, unsafe_, unfit_, applier_stands_,
        another_server_, never_primary_;
    std::vector<Tablet> left_;
    std::set<std::string> managers_gone_;
    std::map<TabletAlias, TabletType> types_;
    bool record_lost_ = false;
};

}  // namespace

GuardVerdict guard(const GuardInput& input) {
    return Guarding(input).run();
}

}  // namespace fixpoint::sim
