// What every contract test stands on: one body, run once on each arm; and the few sentences that most of them
// begin with. The arm outlives the tests (real servers cost seconds to start); a world does not
// (start_servers makes a new one).
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "property_tests/contract/arm.hpp"

namespace fixpoint::contract {

using namespace std::chrono_literals;

enum class ArmKind { fake, real };

// Made at its first use, ended when the program ends.
Arm& arm_of(ArmKind kind);

inline const ShardName shard{"commerce", "0"};
inline constexpr int connection_metadata = 1871;  // "failed to initialize connection metadata"

class Contract : public testing::TestWithParam<ArmKind> {
  protected:
    using Manager = std::unique_ptr<Session>;

    Arm& arm() { return arm_of(GetParam()); }

    // ---- looking

    sql::LookAnswer look(Session& manager) { return arm().run(manager, sql::Look{shard}); }
    sql::ServerRow server(Session& manager) { return look(manager).server; }
    Uuid server_uuid(Session& manager) { return server(manager).server_uuid; }
    GtidSet executed(Session& manager) { return arm().run(manager, sql::ReadGtids{}).executed; }
    GtidSet owned(Session& manager) { return arm().run(manager, sql::ReadGtids{}).owned; }
    sql::ReplicaRow channel(Session& manager);  // its only one
    sql::SemiSyncStatusRow semi_sync(Session& manager) { return look(manager).semi_sync; }
    std::vector<std::int64_t> ids(int server);  // what a client reads there
    std::optional<sql::SessionRow> session_row(Session& manager, std::uint64_t id);

    // ---- changing, each with a success that is not in question

    void set(Session& manager, sql::Variable variable, std::int64_t value) {
        arm().run(manager, sql::SetGlobal{variable, value});
    }
    void open(Session& manager) { set(manager, sql::Variable::read_only, 0); }
    void acks(Session& manager, bool on) {
        set(manager, sql::Variable::rpl_semi_sync_replica_enabled, on ? 1 : 0);
    }
    void semi_sync_source(Session& manager, bool on);  // AFTER_SYNC, one acknowledgement, no time-out

    // Points a replica at a source, without starting it.
    void point(Session& replica, int source) {
        arm().run(replica, sql::ChangeSource{.source = arm().address(source), .heartbeat_period = 1s});
    }
    void start_receiver(Session& replica);      // returns when it receives
    void follow(Session& replica, int source);  // both threads run

    // ---- expecting

    // Waits until it has executed all of `set`.
    testing::AssertionResult executes(Session& replica, const GtidSet& set);
    testing::AssertionResult receives(Session& replica, const GtidSet& set);
    testing::AssertionResult applier_stops(Session& replica, int with_errno);
    testing::AssertionResult becomes_true(const std::function<bool()>& condition, Duration limit = 15s);

    // Still pending after a while in which it would have ended if nothing held it.
    template <class Result>
    testing::AssertionResult stays_pending(const Pending<Result>& pending, Duration while_ = 400ms) {
        arm().pass(while_);
        if (pending.outcome() == Outcome::pending) return testing::AssertionSuccess();
        return testing::AssertionFailure() << "it ended, with error " << pending.error_number();
    }
    template <class Result>
    testing::AssertionResult ends_as(const Pending<Result>& pending, Outcome outcome, Duration limit = 15s) {
        if (!arm().eventually([&] { return pending.done(); }, limit))
            return testing::AssertionFailure() << "it did not end";
        if (pending.outcome() == outcome) return testing::AssertionSuccess();
        return testing::AssertionFailure() << "it ended otherwise, with error " << pending.error_number();
    }
};

std::string arm_name(const testing::TestParamInfo<ArmKind>& info);

// FIXPOINT_ONLY_REAL_ARM: for whoever works on these tests while the simulator does not build.
#ifdef FIXPOINT_ONLY_REAL_ARM
#define FIXPOINT_CONTRACT_SUITE(name) \
    INSTANTIATE_TEST_SUITE_P(Arms, name, testing::Values(ArmKind::real), arm_name)
#else
#define FIXPOINT_CONTRACT_SUITE(name) \
    INSTANTIATE_TEST_SUITE_P(Arms, name, testing::Values(ArmKind::fake, ArmKind::real), arm_name)
#endif

}  // namespace fixpoint::contract
