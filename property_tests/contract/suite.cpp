// The arms, and the tests' names: Arms/Contract.<sentence>/real.
#include "property_tests/contract/suite.hpp"

#include <map>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::contract {

Arm& arm_of(ArmKind kind) {
    static std::map<ArmKind, std::unique_ptr<Arm>> arms;
    std::unique_ptr<Arm>& arm = arms[kind];
#ifndef FIXPOINT_ONLY_REAL_ARM
    if (!arm && kind == ArmKind::fake) arm = make_fake_arm();
#endif
    if (!arm && kind == ArmKind::real) arm = make_real_arm();
    FIXPOINT_ASSERT(arm, "an arm that does not exist");
    return *arm;
}

sql::ReplicaRow Contract::channel(Session& manager) {
    std::vector<sql::ReplicaRow> channels = arm().run(manager, sql::ReadReplica{});
    if (channels.size() != 1) throw std::runtime_error("not one channel");
    return channels[0];
}

std::vector<std::int64_t> Contract::ids(int server) {
    auto client = arm().login(server, Account::client);
    return arm().work(*client, ReadIds{});
}

std::optional<sql::SessionRow> Contract::session_row(Session& manager, std::uint64_t id) {
    for (const sql::SessionRow& row : arm().run(manager, sql::ReadSessions{})) {
        if (row.id == id) return row;
    }
    return {};
}

void Contract::semi_sync_source(Session& manager, bool on) {
    if (on) {
        set(manager, sql::Variable::rpl_semi_sync_source_wait_point, 0);
        set(manager, sql::Variable::rpl_semi_sync_source_wait_for_replica_count, 1);
        set(manager, sql::Variable::rpl_semi_sync_source_timeout, 1'000'000'000'000);
        set(manager, sql::Variable::rpl_semi_sync_source_wait_no_replica, 1);
    }
    set(manager, sql::Variable::rpl_semi_sync_source_enabled, on ? 1 : 0);
}

void Contract::start_receiver(Session& replica) {
    arm().run(replica, sql::StartReceiver{});
    if (!arm().eventually([&] { return channel(replica).receiver == sql::ThreadState::yes; })) {
        throw std::runtime_error("the receiver does not connect: " + channel(replica).receiver_error);
    }
}

void Contract::follow(Session& replica, int source) {
    point(replica, source);
    arm().run(replica, sql::StartApplier{});
    start_receiver(replica);
}

testing::AssertionResult Contract::executes(Session& replica, const GtidSet& set) {
    if (arm().eventually([&] { return executed(replica).contains(set); }, 15s))
        return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "executed " << executed(replica).to_string() << ", not " << set.to_string();
}

testing::AssertionResult Contract::receives(Session& replica, const GtidSet& set) {
    if (arm().eventually([&] { return channel(replica).retrieved.contains(set); }, 15s))
        return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "received " << channel(replica).retrieved.to_string() << ", not " << set.to_string();
}

// The applier's error is that of the worker which failed last: with parallel workers it may be one that only
// stopped because another had failed before it.
testing::AssertionResult Contract::applier_stops(Session& replica, int with_errno) {
    constexpr int stopped_after_another = 3030;
    const auto stopped = [&] {
        const sql::ReplicaRow row = channel(replica);
        return !row.applier_running &&
               (row.applier_errno == with_errno || row.applier_errno == stopped_after_another);
    };
    if (arm().eventually(stopped, 15s)) return testing::AssertionSuccess();
    const sql::ReplicaRow row = channel(replica);
    return testing::AssertionFailure()
           << "applier running " << row.applier_running << ", error " << row.applier_errno << " "
           << row.applier_error << ", executed " << executed(replica).to_string();
}

testing::AssertionResult Contract::becomes_true(const std::function<bool()>& condition, Duration limit) {
    if (arm().eventually(condition, limit)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "it did not come true";
}

std::string arm_name(const testing::TestParamInfo<ArmKind>& info) {
    return info.param == ArmKind::fake ? "fake" : "real";
}

}  // namespace fixpoint::contract
