// See generate.hpp. The shard is drawn first, then the faults upon it (generate_faults.cpp).
#include "sim/explore/generate.hpp"

#include "sim/explore/drawing.hpp"
#include "sim/explore/generate_faults.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

class ShardDrawing : private Drawing {
  public:
    using Drawing::Drawing;

    void draw() {
        draw_shard();
        draw_managers();
        draw_surroundings();
    }

  private:
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
            tablet.semi_sync_plugins = i == 0 || !chance(15);
            scenario_.tablets.push_back(tablet);
        }
        scenario_.policy = draw_policy(!chance(30));
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
};

}  // namespace

// Not yet: with them every seed of the open findings (property_tests/campaign/OPEN.md) would mean another case.
Scenario generate_scenario(Chooser& chooser, const GenerateOptions& options) {
    Scenario scenario;
    ShardDrawing(chooser, "shard", options, scenario).draw();
    draw_faults(chooser, options, scenario);
    return scenario;
}

Scenario generate_scenario(std::uint64_t seed, const GenerateOptions& options) {
    Chooser chooser(seed);
    return generate_scenario(chooser, options);
}

}  // namespace fixpoint::sim
