// What the shard and the faults upon it are drawn with: chance, ranges, times, and the subjects that a
// drawing names. A stream of the chooser for each, in the order of the calls: another order is another
// scenario.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "fixpoint/model/assert.hpp"
#include "sim/explore/generate.hpp"

namespace fixpoint::sim {

class Drawing {
  public:
    Drawing(Chooser& chooser, std::string_view stream, const GenerateOptions& options, Scenario& scenario)
        : chooser_(chooser), stream_(chooser.stream(stream)), options_(options), scenario_(scenario) {}

  protected:
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

    Chooser& chooser_;
    Stream stream_;
    GenerateOptions options_;
    Scenario& scenario_;
};

}  // namespace fixpoint::sim
