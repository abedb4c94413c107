// The tables behind settings.hpp.
#include "engine/settings.hpp"

#include <algorithm>

#include "fixpoint/engine/canary.hpp"

namespace fixpoint {

using sql::Variable;

std::int64_t whole_seconds(Duration d) {
    const auto s = std::chrono::ceil<std::chrono::seconds>(d).count();
    return std::max<std::int64_t>(1, s);
}

namespace {

// A time-out that nobody lives to see: 10^15 ms are more than thirty thousand years.
constexpr std::int64_t practically_infinite_ms = 1'000'000'000'000'000;

struct WantedSetting {
    Variable variable;
    std::int64_t value;
    bool semi_sync;
    bool at_least;  // a greater value will do
};

std::vector<WantedSetting> wanted(const Limits& limits) {
    return {
        {Variable::super_read_only, 1, false, false},
        {Variable::skip_replica_start, 1, false, false},
        {Variable::relay_log_recovery, 0, false, false},
        {Variable::rpl_semi_sync_source_enabled, 1, true, false},
        {Variable::rpl_semi_sync_source_timeout, practically_infinite_ms, true, true},
        {Variable::rpl_semi_sync_source_wait_no_replica, 1, true, false},
        {Variable::rpl_semi_sync_source_wait_for_replica_count, 1, true, true},
        {Variable::rpl_semi_sync_source_wait_point, 0, true, false},
        {Variable::rpl_stop_replica_timeout, Limits::stop_replica_timeout_s, false, false},
        {Variable::replica_net_timeout, whole_seconds(limits.replica_net_timeout), false, false},
        // Last: it is what makes acks ON mean that this process has not restarted (protocol 6, 7).
        {Variable::rpl_semi_sync_replica_enabled, 0, true, false},
    };
}

}  // namespace

std::vector<Setting> settings_to_persist(const sql::ServerRow& server,
                                         const sql::PersistedVariables& persisted, const Limits& limits) {
    std::vector<Setting> missing;
    for (const WantedSetting& w : wanted(limits)) {
        if (w.semi_sync && !server.semi_sync_plugins) continue;
        const auto it = persisted.find(w.variable);
        const bool there =
            it != persisted.end() && (w.at_least ? it->second >= w.value : it->second == w.value);
        if (there) continue;
        const std::int64_t value =
            w.variable == Variable::rpl_semi_sync_source_timeout ? Limits::semi_sync_timeout_ms : w.value;
        missing.emplace_back(w.variable, value);
    }
    return missing;
}

std::vector<Setting> semi_sync_to_set(const sql::ServerRow& server, int k) {
    std::vector<Setting> missing;
    if (server.semi_sync_source_wait_point != sql::WaitPoint::after_sync) {
        missing.emplace_back(Variable::rpl_semi_sync_source_wait_point, 0);
    }
    if (server.semi_sync_source_wait_for_replica_count != k) {
        missing.emplace_back(Variable::rpl_semi_sync_source_wait_for_replica_count, k);
    }
    if (server.semi_sync_source_timeout_ms < practically_infinite_ms &&
        !canary(Canary::timeout_only_persisted)) {
        missing.emplace_back(Variable::rpl_semi_sync_source_timeout, Limits::semi_sync_timeout_ms);
    }
    if (!server.semi_sync_source_wait_no_replica) {
        missing.emplace_back(Variable::rpl_semi_sync_source_wait_no_replica, 1);
    }
    if (!server.semi_sync_source_enabled) {
        missing.emplace_back(Variable::rpl_semi_sync_source_enabled, 1);
    }
    return missing;
}

bool semi_sync_is_on(const sql::ServerRow& server, int k) {
    return server.semi_sync_plugins && semi_sync_to_set(server, k).empty();
}

bool semi_sync_is_weaker_than(const sql::ServerRow& server, int k) {
    if (k == 0) return false;
    sql::ServerRow as_strict = server;
    as_strict.semi_sync_source_wait_for_replica_count =
        std::min<std::int64_t>(as_strict.semi_sync_source_wait_for_replica_count, k);
    return !semi_sync_is_on(as_strict, k);
}

bool semi_sync_is_stricter_than(const sql::ServerRow& server, int k) {
    if (!server.semi_sync_plugins || !server.semi_sync_source_enabled) return false;
    return k == 0 || server.semi_sync_source_wait_for_replica_count > k;
}

}  // namespace fixpoint
