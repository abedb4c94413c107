// The core's doors beside run(): a look that changes nothing and says what a pass would do, and an end in
// mid-operation that leaves no lock behind. The core runs here on a process of the test's own.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "fixpoint/engine/reconciler.hpp"
#include "fixpoint/engine/record_codec.hpp"
#include "property_tests/world/scenarios.hpp"
#include "sim/asio/clock.hpp"
#include "sim/asio/executor.hpp"
#include "sim/asio/sim_sql.hpp"
#include "sim/asio/sim_topology_store.hpp"
#include "sim/world/world.hpp"

namespace fixpoint::sim {
namespace {

using std::chrono::seconds;

// One core in a world that has booted and whose own managers were never started.
class Core final : private NotificationGate, private ManagerHooks, private EventLog {
  public:
    explicit Core(World& world, std::string name = "m9")
        : world_(world),
          name_(std::move(name)),
          process_(world.scheduler().add_process(name_)),
          sim_process_(world.scheduler(), process_),
          endpoint_(world.network().endpoint(name_)),
          clock_(sim_process_, WallTime{}),
          client_(world.scheduler(), world.network(), world.store(), *this, process_, endpoint_),
          store_(sim_process_, client_, clock_),
          sql_(sim_process_,
               ClientSide{world.scheduler(), world.network(), world.mysql_world(), process_, endpoint_},
               *this, name_, client_),
          reconciler(std::make_unique<Reconciler>(
              ReconcilerConfig{
                  .manager = name_, .shard = world.scenario().shard, .cells = world.cells(), .instance = 1},
              ReconcilerPorts{clock_, sql_, store_, *this})) {}
    ~Core() override { world_.scheduler().kill(process_); }

    // Runs the coroutine to its end; false: not within `limit`.
    bool finish(awaitable<void> work, Duration limit) {
        bool ended = false;
        world_.scheduler().post(process_, [&] {
            spawn(sim_process_, std::move(work), [&](std::exception_ptr error) {
                ended = true;
                EXPECT_FALSE(error);
            });
        });
        const Instant deadline = world_.scheduler().now() + limit;
        while (!ended && world_.scheduler().now() < deadline)
            world_.scheduler().run_until(world_.scheduler().now() + std::chrono::milliseconds(10));
        return ended;
    }

    ShardReport look(Duration apart = seconds(2)) {
        ShardReport report;
        const auto twice = [&]() -> awaitable<void> {
            co_await reconciler->look();
            co_await clock_.sleep_until(clock_.now() + apart);
            report = co_await reconciler->look();
        };
        EXPECT_TRUE(finish(twice(), seconds(20)));
        return report;
    }

    std::optional<topo::LockHolder> shard_lock() {
        std::optional<topo::LockHolder> holder;
        const auto read = [&]() -> awaitable<void> {
            auto answer = co_await store_.lock_holder(shard_lock_path(world_.scenario().shard), seconds(2));
            if (answer) holder = *answer;
        };
        EXPECT_TRUE(finish(read(), seconds(5)));
        return holder;
    }

    int mutating = 0;
    std::function<void()> at_first_change;
    std::vector<fixpoint::Event> events;

  private:
    bool lose(const std::string& /*manager*/, const std::string& /*name*/) override { return false; }
    bool wants_names() const override { return false; }
    StatementFate about_to_send(const SentStatement& sent) override {
        if (sql::is_mutating(sent.statement) && mutating++ == 0 && at_first_change) at_first_change();
        return {};
    }
    Connection::Arrival answer_arrived(const SentStatement& /*sent*/) override { return {}; }
    void append(fixpoint::Event event) override { events.push_back(std::move(event)); }

    World& world_;
    std::string name_;
    Process& process_;
    SimProcess sim_process_;
    Endpoint endpoint_;
    SimClock clock_;
    StoreClient client_;
    SimTopologyStore store_;
    SimSqlConnector sql_;

  public:
    std::unique_ptr<Reconciler> reconciler;
};

std::vector<Problem> problems_of(const ShardReport& report) {
    std::vector<Problem> problems;
    for (const ProblemReport& p : report.problems) problems.push_back(p.key.problem);
    return problems;
}

TEST(Doors, a_look_at_a_shard_that_is_as_declared_finds_nothing) {
    World world(shard_of_three("semi_sync"), {});
    world.boot();
    Core core(world);
    const ShardReport report = core.look();
    EXPECT_EQ(problems_of(report), std::vector<Problem>{});
    ASSERT_EQ(report.tablets.size(), 3u);
    EXPECT_TRUE(report.tablets[0].is_primary);
    EXPECT_TRUE(report.tablets[1].in_ackers && report.tablets[1].vouching);
    ASSERT_TRUE(report.tablets[2].age.has_value());
    EXPECT_LT(*report.tablets[2].age, seconds(1));
    EXPECT_EQ(core.mutating, 0);
}

TEST(Doors, a_look_says_what_a_pass_would_do_and_changes_nothing) {
    World world(shard_of_three("semi_sync"), {});
    world.boot();
    world.server(alias("zone2-200"))->set_variable_silently(sql::Variable::super_read_only, 0);
    world.server(alias("zone2-200"))->set_variable_silently(sql::Variable::read_only, 0);
    Core core(world);
    const ShardReport report = core.look();
    ASSERT_EQ(problems_of(report), std::vector<Problem>{Problem::replica_is_writable});
    EXPECT_EQ(report.problems[0].recovery, Recovery::make_read_only);
    EXPECT_EQ(report.problems[0].key.tablet, alias("zone2-200"));
    EXPECT_TRUE(report.problems[0].next);
    EXPECT_EQ(report.problems[0].refusal, Reason::none);
    EXPECT_EQ(core.mutating, 0);
    EXPECT_FALSE(core.shard_lock().has_value());
}

TEST(Doors, a_look_names_the_refusal_that_is_certain) {
    World world(shard_of_three("none"),
                {});  // with no acknowledgements nobody can know what a dead primary told
    world.boot();
    world.server(alias("zone1-100"))->crash();
    Core core(world);
    const ShardReport report = core.look();
    ASSERT_FALSE(report.problems.empty());
    EXPECT_EQ(report.problems[0].key.problem, Problem::dead_primary);
    EXPECT_EQ(report.problems[0].refusal, Reason::unfenced_promotion_not_allowed);
    EXPECT_EQ(core.mutating, 0);
}

// Some are missed without any error, and without this one nothing can be read at all: named all the same.
TEST(Doors, a_missing_privilege_is_named_even_where_the_look_fails_for_it) {
    for (const char* privilege : {"REPLICATION CLIENT ON *.*", "PROCESS ON *.*"}) {
        World world(shard_of_three("semi_sync"), {});
        world.boot();
        world.server(alias("zone2-200"))->peculiarities().missing_privileges = {privilege};
        Core core(world);
        const ShardReport report = core.look();
        const auto found = std::ranges::find(report.problems, Problem::not_manageable,
                                             [](const ProblemReport& p) { return p.key.problem; });
        ASSERT_NE(found, report.problems.end()) << privilege;
        EXPECT_EQ(found->key.tablet, alias("zone2-200"));
        EXPECT_NE(found->detail.find(privilege), std::string::npos) << found->detail;
        // Once it is granted, the next look sees it.
        world.server(alias("zone2-200"))->peculiarities().missing_privileges.clear();
        EXPECT_EQ(problems_of(core.look()), std::vector<Problem>{}) << privilege;
    }
}

TEST(Doors, a_server_that_lets_us_not_in_is_alive) {
    World world(shard_of_three("semi_sync"), {});
    world.boot();
    world.server(alias("zone1-100"))->reject_passwords(true);
    Core core(world);
    const ShardReport report = core.look();
    ASSERT_TRUE(report.find(alias("zone1-100")) != nullptr);
    EXPECT_TRUE(report.find(alias("zone1-100"))->refused);
    EXPECT_EQ(report.find(alias("zone1-100"))->error.number, sql::error_number::access_denied);
}

TEST(Doors, who_gives_up_in_mid_operation_ends_soon_and_leaves_no_lock) {
    World world(shard_of_three("semi_sync"), {});
    world.boot();
    world.server(alias("zone1-100"))->crash();
    Core core(world);
    core.at_first_change = [&core] { core.reconciler->give_up(); };
    EXPECT_TRUE(core.finish(core.reconciler->run(), seconds(15)));
    EXPECT_GE(core.mutating, 1);
    EXPECT_FALSE(core.shard_lock().has_value());
    const bool failed = std::ranges::any_of(
        core.events, [](const fixpoint::Event& e) { return e.kind == fixpoint::EventKind::recovery_failed; });
    EXPECT_TRUE(failed);
    // Another one finds no server lock in its way and goes on.
    Core next(world, "m8");
    bool recorded = false;
    const auto until_recorded = [&]() -> awaitable<void> {
        for (int i = 0; i < 50 && !recorded; ++i) {
            co_await next.reconciler->pass();
            recorded = std::ranges::any_of(next.events, [](const fixpoint::Event& e) {
                return e.kind == fixpoint::EventKind::commit_point;
            });
        }
    };
    EXPECT_TRUE(next.finish(until_recorded(), seconds(60)));
    EXPECT_TRUE(recorded);
}

}  // namespace
}  // namespace fixpoint::sim
