// I7: every operation ends, as a success or as a refusal with a reason. A success: its own row no longer
// holds in the same manager's next look, if nothing happened in between. A refusal: at the end P serves if it
// can, and every receiver runs that ran before. Looks at the event log and, at the end, at the state.
// Excused: a tablet that a fault touched since, one that is quarantined or primary by then.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/checkers/fault_costs.hpp"
#include "sim/checkers/invariants.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

std::string text_of(const ProblemKey& key) {
    return std::string(to_string(key.problem)) + (key.tablet ? " of " + key.tablet.to_string() : "");
}

class I7 final : public Checker {
  public:
    I7(const Books& books, WorldView& view) : Checker("I7", books, view) {}

    void on(Instant at, const JudgeEvent& event) override {
        if (const auto* said = std::get_if<ManagerSaid>(&event)) {
            says(at, said->manager, said->event);
        } else if (const auto* stopped = std::get_if<ManagerStopped>(&event)) {
            open_.erase(stopped->manager);
            succeeded_.erase(stopped->manager);
        } else if (const auto* fault = std::get_if<FaultHappened>(&event)) {
            if (fault->stage == FaultStage::delivered || fault->stage == FaultStage::going_on)
                something_happened(fault->fault);
        } else if (std::holds_alternative<ServerStarted>(event)) {
            succeeded_.clear();
        } else if (const auto* lock = std::get_if<ServerLockTaken>(&event)) {
            // Another operation of another manager: its lock is another one.
            for (auto& [manager, keys] : succeeded_) {
                if (manager != lock->manager)
                    std::erase_if(keys, [&](const auto& key) { return key.first.tablet == lock->tablet; });
            }
        } else if (const auto* written = std::get_if<RecordWritten>(&event)) {
            // What another manager writes is seen by this one at some later moment.
            std::erase_if(succeeded_, [&](const auto& of) { return of.first != written->manager; });
        } else if (const auto* server = std::get_if<ServerStopped>(&event)) {
            succeeded_.clear();
            nobody_owes(server->tablet);  // it comes back closed, and its receiver stopped
        }
    }

    void at_end(Instant at) override {
        const Limits& limits = books_.scenario.limits;
        const Duration longest = limits.lease + limits.catching_up + limits.applying + 10 * limits.stop();
        for (const auto& [manager, operation] : open_) {
            if (at - operation.began > longest)
                violated(at, fmt::format("{} has not ended {}", manager, text_of(operation.key)));
        }
        after_refusals(at);
    }

  private:
    struct Operation {
        ProblemKey key;
        Instant began;
        std::set<TabletAlias> received;        // whose receivers ran when it began
        std::optional<RecordedServer> served;  // P, if it served then
        bool disturbed = false;                // declared anew, or struck anew, since
    };

    void says(Instant at, const std::string& manager, const fixpoint::Event& e) {
        switch (e.kind) {
            case EventKind::recovery_began:
                open_[manager] = began(at, e.key);
                return;
            case EventKind::recovery_succeeded:
                // What was declared or struck anew meanwhile is another row of the same name.
                if (const auto it = open_.find(manager); it != open_.end() && !it->second.disturbed)
                    succeeded_[manager][e.key] = at;
                open_.erase(manager);
                return;
            case EventKind::recovery_refused:
                if (e.reason == Reason::none)
                    violated(at, fmt::format("{} refused {} without a reason", manager, text_of(e.key)));
                ended_without_success(manager);
                return;
            case EventKind::recovery_failed:
                ended_without_success(manager);
                return;
            case EventKind::looked:
                looked(at, manager, e.problems);
                return;
            default:
                return;
        }
    }

    Operation began(Instant at, const ProblemKey& key) {
        Operation operation{key, at, {}, {}};
        const WorldState& state = view_.now();
        for (const ServerState& s : state.servers) {
            if (std::ranges::any_of(s.channels, [](const sql::ReplicaRow& r) {
                    return r.receiver != sql::ThreadState::no;
                })) {
                operation.received.insert(s.alias);
            }
        }
        if (const auto& record = state.store.fixpoint) {
            const ServerState* p = state.server(record->primary.alias);
            if (p && serves_clients(*p)) operation.served = record->primary;
        }
        return operation;
    }

    void ended_without_success(const std::string& manager) {
        const auto it = open_.find(manager);
        if (it == open_.end()) return;
        for (const TabletAlias& tablet : it->second.received) owed_.try_emplace(tablet, it->second.key);
        if (it->second.served) served_ = {*it->second.served, it->second.key};
        open_.erase(it);
    }

    void looked(Instant at, const std::string& manager, const std::vector<ProblemKey>& problems) {
        for (const auto& [key, when] : succeeded_[manager]) {
            if (std::ranges::find(problems, key) == problems.end() || a_fault_ended(when, at)) continue;
            if (key.problem == Problem::applier_failed && stands_on_data_error(key.tablet)) continue;
            violated(at, fmt::format("{} reported success for {}, and its next look finds it again", manager,
                                     text_of(key)));
        }
        succeeded_.erase(manager);
    }

    // Its relay log was mended, and what it fetched does not fit its data: another error.
    bool stands_on_data_error(const TabletAlias& tablet) const {
        const ServerState* server = view_.now().server(tablet);
        return server && on_data_error(*server);
    }

    // The end of a fault that goes on for a while changes the world as well.
    bool a_fault_ended(Instant from, Instant to) const {
        return std::ranges::any_of(books_.delivered, [&](const DeliveredFault& d) {
            const std::optional<Instant> end = books_.over(d);
            return end && *end > d.at && from <= *end && *end <= to;
        });
    }

    void something_happened(const Fault& fault) {
        succeeded_.clear();
        const bool declaration = fault_row(fault.kind).group == FaultGroup::declaration;
        const bool record_lost = cost_of(fault.kind) == Cost::record;
        for (auto& [manager, operation] : open_) {
            const bool whole_shard = !operation.key.tablet;
            if (declaration || (fault.tablet && (whole_shard || fault.tablet == operation.key.tablet)))
                operation.disturbed = true;
            // Without the record in force nobody may put back what it had begun (protocol 11).
            if (!record_lost) continue;
            operation.received.clear();
            operation.served.reset();
        }
        if (record_lost) {  // nor what it had left so before
            owed_.clear();
            served_.reset();
        }
        if (fault.tablet) nobody_owes(*fault.tablet);
    }

    // What was struck is owed by nobody, whether the operation has ended by then or not.
    void nobody_owes(const TabletAlias& tablet) {
        for (auto& [manager, operation] : open_) {
            operation.received.erase(tablet);
            if (operation.served && operation.served->alias == tablet) operation.served.reset();
        }
        owed_.erase(tablet);
        if (served_ && served_->first.alias == tablet) served_.reset();
    }

    void after_refusals(Instant at) {
        const WorldState& state = view_.now();
        if (state.store.goal && state.store.goal->paused) return;  // people's hands, and nobody may act
        const auto& record = state.store.fixpoint;
        for (const auto& [tablet, key] : owed_) {
            const ServerState* s = state.server(tablet);
            if (!s || !alive(*s) || !state.core.has(tablet) || (record && record->primary.alias == tablet))
                continue;
            const auto t = state.store.tablets.find(tablet);
            if (t != state.store.tablets.end() && t->second.drained_by_fixpoint()) continue;
            if (is_undeclared(state, tablet)) continue;
            if (!record && serves_clients(*s)) continue;  // the primary of a record that people took away
            if (!errant_on(*s, state).empty() || on_data_error(*s)) continue;
            const bool stopped = std::ranges::none_of(s->channels, [](const sql::ReplicaRow& r) {
                return r.receiver != sql::ThreadState::no || r.receiver_errno != 0;
            });
            if (stopped)
                violated(at, fmt::format("{} did not succeed, and the receiver of {} is stopped since",
                                         text_of(key), tablet.to_string()));
        }
        if (!served_ || !record || record->primary != served_->first) return;
        const ServerState* p = state.server(served_->first.alias);
        if (p && alive(*p) && state.core.has(p->alias) && p->server.server_uuid == served_->first.uuid &&
            !serves_clients(*p)) {
            violated(at, fmt::format("{} did not succeed, and {} does not serve since",
                                     text_of(served_->second), p->alias.to_string()));
        }
    }

    std::map<std::string, Operation> open_;                           // by manager
    std::map<std::string, std::map<ProblemKey, Instant>> succeeded_;  // by manager, since its last look
    std::map<TabletAlias, ProblemKey> owed_;  // receivers that ran before something that did not succeed
    std::optional<std::pair<RecordedServer, ProblemKey>> served_;
};

}  // namespace

std::unique_ptr<Checker> make_i7_every_operation_ends(const Books& books, WorldView& view) {
    return std::make_unique<I7>(books, view);
}

}  // namespace fixpoint::sim
