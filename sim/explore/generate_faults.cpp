// See generate_faults.hpp. Each parameter is drawn by its place in the fault table.
#include "sim/explore/generate_faults.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "sim/explore/drawing.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

class FaultDrawing : private Drawing {
  public:
    using Drawing::Drawing;

    // Swarm: a seed enables some groups only, so that what they do is not drowned by all the others.
    void draw() {
        std::vector<const FaultRow*> enabled;
        while (enabled.empty()) {
            std::array<bool, 7> groups{};
            for (bool& on : groups) on = chance(500);
            for (const FaultRow& row : fault_table()) {
                if (groups[static_cast<std::size_t>(row.group)] && possible(row)) enabled.push_back(&row);
            }
        }
        const auto count = range(scenario_.boot == Boot::converged ? 1 : 0, options_.most_faults);
        for (std::int64_t i = 0; i < count; ++i) {
            const FaultRow& row =
                *enabled[static_cast<std::size_t>(chooser_.choose(stream_, enabled.size()))];
            draw_fault(row);
        }
    }

  private:
    bool possible(const FaultRow& row) const {
        const bool two = std::ranges::any_of(
            row.parameters, [](const FaultParameter& p) { return p.field == FaultField::to_tablet; });
        if ((two || needs_replica(row.kind)) && scenario_.tablets.size() < 2) return false;
        switch (row.kind) {
            case FaultKind::semi_sync_source_off:
            case FaultKind::semi_sync_timeout:
            case FaultKind::semi_sync_replica_off:
                return !declared_ackers().empty();
            case FaultKind::semi_sync_replica_on:
                return declared_ackers().size() + 1 < scenario_.tablets.size();
            default:
                return true;
        }
    }

    // A drift is one only where there is something to drift from: a channel, a relay log.
    static bool needs_replica(FaultKind kind) {
        switch (kind) {
            case FaultKind::set_writable:
            case FaultKind::set_super_read_only_off:
            case FaultKind::stop_receiver:
            case FaultKind::stop_applier:
            case FaultKind::stop_replication:
            case FaultKind::reset_replication:
            case FaultKind::repoint:
            case FaultKind::wrong_heartbeat:
            case FaultKind::semi_sync_source_on:
            case FaultKind::applier_error:
            case FaultKind::relay_log_lost:
            case FaultKind::relay_log_hole:
            case FaultKind::torn_relay_log:
            case FaultKind::lease_expires:
                return true;
            default:
                return false;
        }
    }

    // Those that acknowledge for the primary with which the shard begins.
    std::vector<TabletAlias> declared_ackers() const {
        std::vector<TabletAlias> found;
        const ScenarioTablet& primary = scenario_.tablets.front();
        if (scenario_.policy.ackers_needed == 0 || !primary.semi_sync_plugins ||
            scenario_.boot != Boot::converged)
            return found;
        for (const ScenarioTablet& t : scenario_.tablets) {
            Tablet record;
            record.alias = t.alias;
            record.type = t.type;
            if (t.alias != primary.alias && t.semi_sync_plugins &&
                scenario_.policy.may_ack(primary.alias, record))
                found.push_back(t.alias);
        }
        return found;
    }

    TabletAlias one_of_those(const std::vector<TabletAlias>& those) {
        return those[static_cast<std::size_t>(chooser_.choose(stream_, those.size()))];
    }

    TabletAlias one_that_does_not_acknowledge() {
        const std::vector<TabletAlias> ackers = declared_ackers();
        std::vector<TabletAlias> rest;
        for (const ScenarioTablet& t : scenario_.tablets) {
            if (t.alias != scenario_.tablets.front().alias &&
                std::ranges::find(ackers, t.alias) == ackers.end())
                rest.push_back(t.alias);
        }
        return one_of_those(rest);
    }

    // By time, those that wait for an event last.
    void add(Fault fault) {
        const auto time = [](const Fault& f) { return f.when.at.value_or(Duration::max()); };
        const auto place = std::ranges::upper_bound(scenario_.faults, time(fault), {}, time);
        scenario_.faults.insert(place, std::move(fault));
    }

    // What there must be before this kind can undo it.
    static std::optional<FaultKind> undone_by(FaultKind kind) {
        switch (kind) {
            case FaultKind::heal:
                return FaultKind::cut;
            case FaultKind::resume:
                return FaultKind::pause;
            case FaultKind::unblock_applier:
                return FaultKind::block_applier;
            case FaultKind::store_reachable:
                return FaultKind::store_unreachable;
            case FaultKind::cell_store_up:
                return FaultKind::cell_store_down;
            case FaultKind::manager_resume:
                return FaultKind::manager_pause;
            default:
                return std::nullopt;
        }
    }

    // A fault, and where it only undoes another one that one first.
    void draw_fault(const FaultRow& row) {
        Fault fault;
        fault.kind = row.kind;
        for (const FaultParameter& parameter : row.parameters) {
            if (parameter.needed || !chance(optional_left_out(parameter.field)))
                draw_parameter(fault, row, parameter);
        }
        if (const auto undone = undone_by(row.kind)) {
            if (row.kind == FaultKind::heal && fault.from_set.empty()) fault.from_set = {any_endpoint()};
            if (row.kind == FaultKind::heal) fault.to_set.clear();
            fault.when.at = time_between(2s, options_.faults_until);
            Fault first = fault;
            first.kind = *undone;
            first.when.at = time_between(1s, *fault.when.at);
            add(std::move(first));
            return add(std::move(fault));
        }
        draw_moment(fault, row);
        fault.permanent = options_.permanent && can_last(fault) && chance(80);
        if (fault.permanent) fault.for_time = {};
        add(std::move(fault));
    }

    void draw_moment(Fault& fault, const FaultRow& row) {
        int by_event = 0;  // of 1000
        switch (row.group) {
            case FaultGroup::drift:
            case FaultGroup::declaration:
                break;
            case FaultGroup::statement:
                by_event = 700;
                break;
            default:
                by_event = 200;
        }
        if (row.kind == FaultKind::lease_expires) {  // there is a lease only while somebody works
            fault.when.event = "statement";
            fault.when.nth = static_cast<int>(range(1, 4));
            provoke(Recovery::fix_replica, fault.when);
            fault.when.before = chance(500);
        } else if (options_.triggers && chance(by_event)) {
            draw_trigger(fault);
        } else {
            fault.when.at = time_between(1s, options_.faults_until);
        }
    }

    // What makes a manager do this: else the event never comes that the fault waits for.
    void provoke(Recovery recovery, FaultTrigger& when) {
        const TabletAlias& primary = scenario_.tablets.front().alias;
        Fault cause;
        cause.when.at = time_between(1s, options_.faults_until / 2);
        switch (recovery) {
            case Recovery::emergency_reparent:
                cause.kind = FaultKind::crash;
                cause.tablet = primary;
                break;
            case Recovery::planned_reparent:
                cause.kind = FaultKind::declare_primary;
                cause.tablet = another_tablet(primary);
                break;
            default:
                cause.kind = FaultKind::stop_receiver;
                cause.tablet = another_tablet(primary);
        }
        if (when.event == "statement") when.recovery = std::string(to_string(recovery));
        add(std::move(cause));
    }

    static int optional_left_out(FaultField field) {
        switch (field) {
            case FaultField::for_time:
                return 150;
            case FaultField::from_set:
            case FaultField::to_set:
                return 600;
            default:
                return 400;
        }
    }

    // What may stay for good, and still leaves a shard of which something can be asked: its clients are
    // there, and a manager. (A refused password leaves open sessions, and a blocked applier a primary that is
    // in reach: neither says whether its tablet is gone.)
    bool can_last(const Fault& fault) const {
        static constexpr std::array kinds{
            FaultKind::cut,   FaultKind::cut_one_way,     FaultKind::crash,        FaultKind::shutdown,
            FaultKind::pause, FaultKind::cell_store_down, FaultKind::manager_crash};
        if (std::ranges::find(kinds, fault.kind) == kinds.end()) return false;
        if (fault.kind == FaultKind::manager_crash)
            return scenario_.managers.size() > 1 && !fault.manager.empty();
        const auto names_tablets_only = [](const std::vector<std::string>& set) {
            return std::ranges::all_of(
                set, [](const std::string& end) { return TabletAlias::parse(end).has_value(); });
        };
        const bool network = fault_row(fault.kind).group == FaultGroup::network;
        // From everybody: two tablets that only miss each other are both in reach.
        const bool one_side = fault.from_set.empty() != fault.to_set.empty();
        return names_tablets_only(fault.from_set) && names_tablets_only(fault.to_set) &&
               (one_side || !network);
    }

    void draw_trigger(Fault& fault) {
        FaultTrigger& when = fault.when;
        const std::int64_t draw = range(0, 99);
        if (draw < 35) {
            when.event = "notification";
            when.nth = static_cast<int>(range(1, 200));
            return;
        }
        if (draw < 50) {
            when.event = chance(700) ? "record" : "commit_point";
            when.nth = chance(800) ? 1 : 2;
            when.before = chance(500);
            if (scenario_.tablets.size() > 1) provoke(Recovery::planned_reparent, when);
            return;
        }
        when.event = "statement";
        when.nth = static_cast<int>(range(1, 20));
        if (scenario_.tablets.size() > 1 && chance(200)) {
            const std::array recoveries{Recovery::emergency_reparent, Recovery::fix_replica,
                                        Recovery::planned_reparent};
            provoke(one_of(recoveries), when);
        } else if (fault.tablet) {
            when.tablet = fault.tablet->to_string();
        }
        when.before = chance(600);
        if (when.before && chance(500)) when.plus = std::chrono::microseconds(1);
    }

    std::string any_endpoint() {
        const auto n = chooser_.choose(stream_, scenario_.tablets.size() + scenario_.managers.size() + 2);
        if (n < scenario_.tablets.size()) return scenario_.tablets[n].alias.to_string();
        if (n < scenario_.tablets.size() + scenario_.managers.size())
            return scenario_.managers[n - scenario_.tablets.size()].name;
        return n == scenario_.tablets.size() + scenario_.managers.size() ? "store" : "clients";
    }

    // Whether those two ever send each other anything. Nobody talks to himself.
    bool talk(const std::string& one, const std::string& other) const {
        const auto is_tablet = [](const std::string& end) { return TabletAlias::parse(end).has_value(); };
        if (is_tablet(one) && is_tablet(other)) return one != other;
        if (is_tablet(other)) return talk(other, one);
        if (is_tablet(one)) return other != "store";
        const auto is_manager = [](const std::string& end) { return end != "store" && end != "clients"; };
        return (is_manager(one) && other == "store") || (one == "store" && is_manager(other));
    }

    // A drift is drawn where it is one as the shard begins: what makes a server writable on a replica, what
    // closes it on the primary. (Who is primary may have changed by then.)
    TabletAlias draw_subject(FaultKind kind) {
        switch (kind) {
            case FaultKind::set_read_only:
            case FaultKind::semi_sync_source_off:
                return scenario_.tablets.front().alias;
            case FaultKind::semi_sync_timeout:
            case FaultKind::primary_replicates_from:
                return chance(800) ? scenario_.tablets.front().alias : any_tablet();
            case FaultKind::semi_sync_replica_off:
                return one_of_those(declared_ackers());
            case FaultKind::semi_sync_replica_on:
                return one_that_does_not_acknowledge();
            case FaultKind::block_applier:
            case FaultKind::unblock_applier:
                return scenario_.tablets.size() > 1 && chance(800)
                           ? another_tablet(scenario_.tablets.front().alias)
                           : any_tablet();
            default:
                return needs_replica(kind) ? another_tablet(scenario_.tablets.front().alias) : any_tablet();
        }
    }

    void draw_parameter(Fault& fault, const FaultRow& row, const FaultParameter& parameter) {
        switch (parameter.field) {
            case FaultField::tablet:
                fault.tablet = draw_subject(row.kind);
                return;
            case FaultField::to_tablet:
                fault.to = another_tablet(*fault.tablet);
                return;
            case FaultField::manager:
                fault.manager = scenario_
                                    .managers[static_cast<std::size_t>(
                                        chooser_.choose(stream_, scenario_.managers.size()))]
                                    .name;
                return;
            case FaultField::cell:
                fault.cell = any_cell();
                return;
            case FaultField::from_set:
                fault.from_set = {any_endpoint()};
                return;
            case FaultField::to_set: {
                std::string other = any_endpoint();
                if (!fault.from_set.empty() && !talk(fault.from_set.front(), other))
                    return;  // then: from everybody
                fault.to_set = {std::move(other)};
                return;
            }
            case FaultField::for_time:
                fault.for_time = time_between(100ms, 15s);
                return;
            case FaultField::amount:
                fault.amount = draw_amount(row.kind);
                return;
            case FaultField::permille:
                fault.permille = static_cast<int>(range(10, 500));
                return;
            case FaultField::number:
                fault.number = draw_number(row.kind);
                return;
            case FaultField::text:
                fault.text =
                    row.kind == FaultKind::declare_policy
                        ? draw_policy(!chance(100)).to_string()
                        : std::string(to_string(one_of(std::array{TabletType::replica, TabletType::rdonly,
                                                                  TabletType::spare, TabletType::drained})));
                return;
        }
    }

    Duration draw_amount(FaultKind kind) {
        switch (kind) {
            case FaultKind::late_effect:
                return time_between(100ms, 15s);
            case FaultKind::delay:
                return time_between(1ms, 400ms);
            case FaultKind::delay_applier:
                return time_between(50ms, 5s);
            case FaultKind::restart_loop:
                return time_between(500ms, 5s);
            case FaultKind::semi_sync_timeout:
                return time_between(100ms, 10s);
            case FaultKind::wrong_heartbeat:
                return time_between(500ms, 60s);
            case FaultKind::manager_clock_jump:
                return time_between(100ms, 60s);
            case FaultKind::store_slow:
                return time_between(10ms, 3s);
            default:
                return time_between(1ms, 5s);
        }
    }

    int draw_number(FaultKind kind) {
        switch (kind) {
            case FaultKind::statement_error:
                return one_of(std::array{1040, 1205, 1290, 1317});
            case FaultKind::applier_error:
                return one_of(std::array{1062, 1032});
            case FaultKind::restore_older_state:
                return static_cast<int>(range(1, 50));
            default:
                return static_cast<int>(range(1, 3));
        }
    }
};

}  // namespace

void draw_faults(Chooser& chooser, const GenerateOptions& options, Scenario& scenario) {
    FaultDrawing(chooser, "faults", options, scenario).draw();
}

}  // namespace fixpoint::sim
