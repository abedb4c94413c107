// See generate.hpp. The shard is drawn first, then the faults upon it, each parameter by its place in the
// fault table.
#include "sim/explore/generate.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "fixpoint/model/assert.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

class Generation {
  public:
    Generation(Chooser& chooser, const GenerateOptions& options)
        : chooser_(chooser), stream_(chooser.stream("scenario")), options_(options) {}

    Scenario scenario() {
        draw_shard();
        draw_managers();
        draw_surroundings();
        draw_faults();
        return std::move(scenario_);
    }

  private:
    // ---- chance
    bool chance(int permille) { return chooser_.chance(stream_, permille); }
    std::int64_t range(std::int64_t lo, std::int64_t hi) { return chooser_.range(stream_, lo, hi); }
    template <class T, std::size_t N>
    T one_of(const std::array<T, N>& items) {
        return items[static_cast<std::size_t>(chooser_.choose(stream_, N))];
    }
    // Whole milliseconds, so that what is printed is short. As often near the lower end as near the upper
    // one.
    Duration time_between(Duration lo, Duration hi) {
        std::int64_t low = to_ms(lo), high = to_ms(hi);
        for (std::int64_t middle = low; high > low + 10 && chance(500);) {
            middle = low + (high - low) / 4;
            high = middle;
        }
        return std::chrono::milliseconds(range(low, high));
    }

    // ---- the shard
    void draw_shard() {
        const auto cells = range(1, 4);
        const auto count = range(1, options_.most_tablets);
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t cell = range(1, cells);
            ScenarioTablet tablet;
            tablet.alias = {"zone" + std::to_string(cell), static_cast<std::uint32_t>(100 * cell + i)};
            tablet.type = i == 0        ? TabletType::primary
                          : chance(150) ? TabletType::rdonly
                                        : TabletType::replica;
            tablet.promotion_rule =
                chance(700) ? PromotionRule::neutral : static_cast<PromotionRule>(range(0, 4));
            if (i > 0 && chance(80)) tablet.apply_delay = time_between(20ms, 1500ms);
            tablet.semi_sync_plugins = !chance(15);
            scenario_.tablets.push_back(tablet);
        }
        scenario_.policy = draw_policy(!chance(30));
    }

    // How many could acknowledge the primary's commits under it.
    int ackers(const DurabilityPolicy& policy) const {
        int count = 0;
        for (const ScenarioTablet& t : scenario_.tablets) {
            Tablet record;
            record.alias = t.alias;
            record.type = t.type;
            const TabletAlias& primary = scenario_.tablets.front().alias;
            if (t.alias != primary && t.semi_sync_plugins && policy.may_ack(primary, record)) ++count;
        }
        return scenario_.tablets.front().semi_sync_plugins ? count : 0;
    }

    DurabilityPolicy draw_policy(bool can_be_met) {
        DurabilityPolicy policy;
        for (int tries = 0; tries < 8; ++tries) {
            policy.name = static_cast<DurabilityName>(range(0, 4));
            policy.ackers_needed = policy.name == DurabilityName::none ? 0
                                   : chance(650)                       ? 1
                                                                       : static_cast<int>(range(1, 3));
            if (!can_be_met || ackers(policy) >= policy.ackers_needed) return policy;
        }
        return {};
    }

    void draw_managers() {
        const int count = chance(550) ? 1 : chance(800) ? 2 : 3;
        for (int i = 1; i <= count; ++i) scenario_.managers.push_back({"m" + std::to_string(i), any_cell()});
    }

    void draw_surroundings() {
        scenario_.name = "generated_" + std::to_string(chooser_.seed());
        scenario_.why = "Generated from seed " + std::to_string(chooser_.seed()) + ".";
        scenario_.seed = static_cast<std::uint64_t>(range(1, 1'000'000));
        scenario_.workload.writes_per_second = one_of(std::array{1.0, 2.0, 5.0, 10.0, 20.0, 50.0});
        scenario_.workload.clients = static_cast<int>(range(1, 4));
        scenario_.limits.backoff_greatest = one_of(std::array<Duration, 4>{4s, 8s, 8s, 60s});
        if (chance(100)) scenario_.limits.poll = one_of(std::array<Duration, 2>{250ms, 2s});
        if (chance(100)) scenario_.limits.lease = one_of(std::array<Duration, 2>{15s, 20s});
        if (chance(60)) scenario_.pinned_primary = any_tablet();
        if (options_.boots && chance(200)) scenario_.boot = chance(600) ? Boot::unmanaged : Boot::blank;
    }

    std::string any_cell() { return any_tablet().cell; }
    TabletAlias any_tablet() {
        return scenario_.tablets[static_cast<std::size_t>(chooser_.choose(stream_, scenario_.tablets.size()))]
            .alias;
    }
    TabletAlias another_tablet(const TabletAlias& than) {
        FIXPOINT_ASSERT(scenario_.tablets.size() > 1, "another tablet exists");
        TabletAlias other = any_tablet();
        while (other == than) other = any_tablet();
        return other;
    }

    // ---- faults
    // Swarm: a seed enables some groups only, so that what they do is not drowned by all the others.
    void draw_faults() {
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

    bool possible(const FaultRow& row) const {
        const bool two = std::ranges::any_of(
            row.parameters, [](const FaultParameter& p) { return p.field == FaultField::to_tablet; });
        return !two || scenario_.tablets.size() > 1;
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
            fault.when.event = "record";
            fault.when.before = chance(500);
        } else if (options_.triggers && chance(by_event)) {
            draw_trigger(fault);
        } else {
            fault.when.at = time_between(1s, options_.faults_until);
        }
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
    // there, and a manager.
    bool can_last(const Fault& fault) const {
        static constexpr std::array kinds{
            FaultKind::cut,           FaultKind::cut_one_way,     FaultKind::crash,
            FaultKind::shutdown,      FaultKind::pause,           FaultKind::wrong_password,
            FaultKind::block_applier, FaultKind::cell_store_down, FaultKind::manager_crash};
        if (std::ranges::find(kinds, fault.kind) == kinds.end()) return false;
        if (fault.kind == FaultKind::manager_crash)
            return scenario_.managers.size() > 1 && !fault.manager.empty();
        const auto names_clients = [](const std::vector<std::string>& set) {
            return std::ranges::find(set, "clients") != set.end();
        };
        return !names_clients(fault.from_set) && !names_clients(fault.to_set);
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
            return;
        }
        when.event = "statement";
        when.nth = static_cast<int>(range(1, 20));
        if (fault.tablet) when.tablet = fault.tablet->to_string();
        if (chance(150))
            when.recovery =
                std::string(to_string(chance(500) ? Recovery::emergency_reparent : Recovery::fix_replica));
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

    // A drift is mostly drawn where it is one: what makes a server writable on a replica, what closes it on
    // the primary. Now and then anywhere: who is primary may have changed by then.
    TabletAlias draw_subject(FaultKind kind) {
        switch (kind) {
            case FaultKind::set_read_only:
            case FaultKind::semi_sync_source_off:
            case FaultKind::semi_sync_timeout:
            case FaultKind::primary_replicates_from:
                return chance(800) ? scenario_.tablets.front().alias : any_tablet();
            case FaultKind::set_writable:
            case FaultKind::set_super_read_only_off:
            case FaultKind::stop_receiver:
            case FaultKind::stop_applier:
            case FaultKind::stop_replication:
            case FaultKind::reset_replication:
            case FaultKind::repoint:
            case FaultKind::wrong_heartbeat:
            case FaultKind::semi_sync_replica_off:
            case FaultKind::semi_sync_source_on:
            case FaultKind::applier_error:
            case FaultKind::block_applier:
            case FaultKind::unblock_applier:
            case FaultKind::relay_log_lost:
            case FaultKind::relay_log_hole:
            case FaultKind::torn_relay_log:
                return scenario_.tablets.size() > 1 && chance(800)
                           ? another_tablet(scenario_.tablets.front().alias)
                           : any_tablet();
            default:
                return any_tablet();
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
                if (!fault.from_set.empty() && other == fault.from_set.front())
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

    Chooser& chooser_;
    Stream stream_;
    GenerateOptions options_;
    Scenario scenario_;
};

}  // namespace

Scenario generate_scenario(Chooser& chooser, const GenerateOptions& options) {
    return Generation(chooser, options).scenario();
}

Scenario generate_scenario(std::uint64_t seed, const GenerateOptions& options) {
    Chooser chooser(seed);
    return generate_scenario(chooser, options);
}

}  // namespace fixpoint::sim
