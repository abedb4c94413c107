// What undoes what, as the nemesis does it; where only a part is undone the fault counts as over.
#include "sim/checkers/fault_ends.hpp"

#include <algorithm>

#include "sim/checkers/fault_costs.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {

using enum FaultKind;

namespace {

bool goes_on(FaultKind kind) {
    switch (kind) {
        case cut_one_way:
        case cut:
        case loss:
        case delay:
        case duplicate:
        case clog:
        case crash:
        case crash_before_durable:
        case shutdown:
        case restart_loop:
        case pause:
        case too_many_connections:
        case wrong_password:
        case block_applier:
        case delay_applier:
        case purge_binary_logs:
        case primary_replicates_from:
        case long_transaction:
        case pause_shard:
        case store_unreachable:
        case store_slow:
        case cell_store_down:
        case manager_crash:
        case manager_pause:
            return true;
        default:
            return false;
    }
}

bool stops(FaultKind kind) {
    return kind == crash || kind == crash_before_durable || kind == shutdown;
}

bool ends_a_loop(FaultKind kind) {
    return kind == restart || kind == restart_writable || kind == restart_without_persisted ||
           kind == relay_log_lost || kind == relay_log_hole || kind == torn_relay_log;
}

bool undoes(const Fault& later, const Fault& one) {
    if (heals(later, one)) return true;
    const bool same_tablet = later.tablet == one.tablet;
    const bool same_manager = later.manager.empty() || one.manager.empty() || later.manager == one.manager;
    switch (one.kind) {
        case crash:
        case crash_before_durable:
        case shutdown:
            return same_tablet && starts_again(later.kind);
        case pause:
            return same_tablet && (later.kind == resume || starts_again(later.kind));
        case restart_loop:
            return same_tablet && ends_a_loop(later.kind);
        case purge_binary_logs:
        case primary_replicates_from:
            return same_tablet && later.kind == restart;
        case block_applier:
            return same_tablet && later.kind == unblock_applier;
        case long_transaction:  // its session ends with its server
            return same_tablet && (stops(later.kind) || starts_again(later.kind));
        case store_unreachable:
            return same_manager && later.kind == store_reachable;
        case cell_store_down:
            return later.kind == cell_store_up && later.cell == one.cell;
        case manager_crash:
            return same_manager && later.kind == manager_restart;
        case manager_pause:
            return same_manager && (later.kind == manager_resume || later.kind == manager_restart);
        default:
            return false;
    }
}

}  // namespace

std::optional<Instant> over(const DeliveredFault& one, const std::vector<DeliveredFault>& all,
                            std::optional<Instant> ceased) {
    const Fault& fault = one.fault;
    if (!goes_on(fault.kind)) return starts_again(fault.kind) ? one.at + fault.amount : one.at;
    std::optional<Instant> end;
    const auto at_latest = [&](Instant when) { end = std::min(end.value_or(when), when); };
    if (fault.for_time > Duration{} && !fault.permanent) at_latest(one.at + fault.for_time);
    if (ceased && !fault.permanent && is_environment(fault.kind)) at_latest(*ceased);
    for (const DeliveredFault& later : all) {
        if (later.at > one.at && undoes(later.fault, fault)) at_latest(later.at);
    }
    return end;
}

}  // namespace fixpoint::sim
