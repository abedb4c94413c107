// Words for events, and letters for states: P primary in force that serves, p one that does not, r a replica
// that receives, s one that does not, w writable without being primary.
#include "sim/world/timeline.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "sim/checkers/as_declared.hpp"
#include "sim/faults/fault_table.hpp"

namespace fixpoint::sim {
namespace {

std::string_view phase_name(Phase phase) {
    static constexpr std::array<std::string_view, 6> names{"boot",        "safety", "faults_ceased",
                                                           "convergence", "hold",   "end"};
    return names[static_cast<std::size_t>(phase)];
}

std::string subject_of(const Fault& fault) {
    std::string text(to_string(fault.kind));
    if (fault.tablet) text += " " + fault.tablet->to_string();
    if (fault.to) text += " to " + fault.to->to_string();
    if (!fault.manager.empty()) text += " " + fault.manager;
    if (!fault.cell.empty()) text += " " + fault.cell;
    for (const std::string& name : fault.from_set) text += " " + name;
    if (!fault.to_set.empty()) text += " |";
    for (const std::string& name : fault.to_set) text += " " + name;
    if (!fault.text.empty()) text += " " + fault.text;
    return text;
}

}  // namespace

void Timeline::say(Instant at, std::string lane, std::string kind, std::string text) {
    entries_.push_back(TimelineEntry{at, std::move(lane), std::move(kind), std::move(text), {}});
}

// One overload per event that is worth a line.
struct Timeline::Teller {
    Timeline& t;
    Instant at;

    void operator()(const WriteBegun&) const {}
    void operator()(const WriteAcknowledged&) const {}
    void operator()(const WriteAnswered& e) const {
        if (e.outcome == WriteAnswered::Outcome::acknowledged) return;
        t.say(at, "clients", "write",
              fmt::format("write {} on {}: {}{}", e.write, e.tablet ? e.tablet.to_string() : "nobody",
                          e.outcome == WriteAnswered::Outcome::failed ? "failed" : "unknown",
                          e.error != 0 ? fmt::format(" ({})", e.error) : ""));
    }
    void operator()(const StatementSent& e) const {
        if (e.mutating)
            t.say(at, e.manager, "statement", e.tablet.to_string() + ": " + sql::to_string(e.statement));
    }
    void operator()(const StatementTookEffect& e) const {
        if (e.mutating)
            t.say(at, e.tablet.to_string(), "statement", e.manager + ": " + sql::to_string(e.statement));
    }
    void operator()(const ServerLockTaken& e) const {
        t.say(at, e.tablet.to_string(), "lock",
              fmt::format("server lock taken by {} under {}", e.manager, e.lock_id));
    }
    void operator()(const RelayLogDiscarded& e) const {
        t.say(at, e.tablet.to_string(), "state", "relay log discarded: " + e.gtids.to_string());
    }
    void operator()(const CopiesLost& e) const {
        t.say(at, e.tablet.to_string(), "state", fmt::format("{} copies of writes lost", e.writes.size()));
    }
    void operator()(const ReceiverConnected& e) const {
        t.say(at, e.tablet.to_string(), "state",
              "receives from " + e.source.to_string() + (e.acks ? ", acknowledging" : ""));
    }
    void operator()(const Committed&) const {}
    void operator()(const ServerStarted& e) const { t.say(at, e.tablet.to_string(), "state", "started"); }
    void operator()(const ServerStopped& e) const {
        t.say(at, e.tablet.to_string(), "state", e.clean ? "shut down" : "died");
    }
    void operator()(const RecordWritten& e) const {
        if (e.is_commit_point()) {
            t.say(at, "store", "commit_point",
                  fmt::format("{} recorded {}, term {}", e.manager.empty() ? "somebody" : e.manager,
                              e.after->primary.alias.to_string(), e.after->term));
        } else {
            t.say(at, "store", "record", (e.manager.empty() ? "somebody" : e.manager) + " wrote records");
        }
    }
    void operator()(const ShardLockTaken& e) const {
        t.say(at, "store", "lock", fmt::format("shard lock {} taken by {}", e.lock_id, e.manager));
    }
    void operator()(const ShardLockReleased& e) const {
        t.say(
            at, "store", "lock",
            fmt::format("shard lock {} of {} {}", e.lock_id, e.manager, e.expired ? "expired" : "released"));
    }
    void operator()(const ManagerSaid& e) const {
        using K = fixpoint::EventKind;
        const fixpoint::Event& said = e.event;
        if (said.kind == K::looked) return;
        std::string text(fixpoint::to_string(said.kind));
        if (said.recovery != Recovery::none) text += fmt::format(" {}", to_string(said.recovery));
        if (said.kind != K::step)
            text += fmt::format(" [{}{}]", to_string(said.key.problem),
                                said.key.tablet ? " " + said.key.tablet.to_string() : "");
        if (said.reason != Reason::none) text += fmt::format(" {}", to_string(said.reason));
        if (!said.text.empty()) text += ": " + said.text;
        if (said.kind == K::recovery_began) t.open_recovery_[e.manager] = t.entries_.size();
        if (said.kind == K::recovery_succeeded || said.kind == K::recovery_refused ||
            said.kind == K::recovery_failed) {
            if (const auto open = t.open_recovery_.find(e.manager); open != t.open_recovery_.end()) {
                t.entries_[open->second].lasts = at - t.entries_[open->second].at;
                t.open_recovery_.erase(open);
            }
        }
        const bool recovery = said.kind == K::recovery_began || said.kind == K::recovery_succeeded ||
                              said.kind == K::recovery_refused || said.kind == K::recovery_failed;
        t.say(at, e.manager, recovery ? "recovery" : "step", std::move(text));
    }
    void operator()(const ManagerStarted& e) const { t.say(at, e.manager, "state", "started"); }
    void operator()(const ManagerStopped& e) const {
        t.open_recovery_.erase(e.manager);
        t.say(at, e.manager, "state", "died");
    }
    void operator()(const FaultHappened& e) const {
        if (e.stage != FaultStage::delivered) return;
        t.say(at, "faults", "fault", subject_of(e.fault));
        t.entries_.back().lasts = e.fault.for_time;
    }
    void operator()(const PhaseBegan& e) const {
        t.say(at, "faults", "phase", std::string(phase_name(e.phase)));
    }
};

void Timeline::on(Instant at, const JudgeEvent& event) {
    std::visit(Teller{*this, at}, event);
}

std::string Timeline::state_of(const ServerState& server, const WorldState& state) const {
    if (server.paused) return "paused";
    if (server.starting) return "starting";
    if (!server.up) return "dead";
    const auto& record = state.store.fixpoint;
    const bool in_force = record && record->primary.alias == server.alias;
    const bool receives =
        !server.channels.empty() && server.channels.front().receiver == sql::ThreadState::yes;
    char letter = receives ? 'r' : 's';
    if (in_force) {
        letter = serves_clients(server) ? 'P' : 'p';
    } else if (!server.server.super_read_only) {
        letter = 'w';
    }
    const GtidSet& executed = server.server.gtid_executed;
    const Uuid uuid = record ? record->primary.uuid : server.server.server_uuid;
    std::string text = executed.of_uuid(uuid).to_string();
    if (const auto colon = text.find(':'); colon != std::string::npos) text = text.substr(colon + 1);
    const std::int64_t others = executed.without_uuid(uuid).count();
    return fmt::format("{}  {}{}", letter, text.empty() ? "-" : text,
                       others > 0 ? fmt::format(" +{}", others) : "");
}

void Timeline::sample() {
    const WorldState& state = world_.now();
    for (const ServerState& server : state.servers) {
        std::string text = state_of(server, state);
        std::string& last = last_[server.alias];
        if (last == text) continue;
        last = text;
        samples_.push_back(TabletSample{state.at, server.alias.to_string(), std::move(text)});
    }
}

}  // namespace fixpoint::sim
