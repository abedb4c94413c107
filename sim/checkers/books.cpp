// Keeps the judge's books, event by event.
#include "sim/checkers/books.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/checkers/fault_costs.hpp"

namespace fixpoint::sim {
namespace {

using enum FaultKind;

bool semi_sync_whole(const sql::ServerRow& row, int k) {
    return row.semi_sync_plugins && row.semi_sync_source_enabled && row.semi_sync_source_wait_no_replica &&
           row.semi_sync_source_wait_for_replica_count >= k &&
           row.semi_sync_source_timeout_ms >= Limits::semi_sync_timeout_ms &&
           row.semi_sync_source_wait_point == sql::WaitPoint::after_sync;
}

bool closes(const sql::Statement& statement) {
    const auto* set = std::get_if<sql::SetGlobal>(&statement);
    return std::holds_alternative<sql::CloseInOnePacket>(statement) ||
           (set && set->variable == sql::Variable::super_read_only && set->value == 1);
}

bool opens(const sql::Statement& statement) {
    const auto* set = std::get_if<sql::SetGlobal>(&statement);
    return set && set->variable == sql::Variable::read_only && set->value == 0;
}

bool sets_semi_sync(const sql::Statement& statement) {
    const auto* set = std::get_if<sql::SetGlobal>(&statement);
    return set && set->variable >= sql::Variable::rpl_semi_sync_source_enabled &&
           set->variable <= sql::Variable::rpl_semi_sync_source_wait_point;
}

}  // namespace

void Books::no_longer_weak(const TabletAlias& tablet) {
    weakened.erase(tablet);
    stepped.erase(tablet);
}

bool Books::struck(FaultKind kind, const TabletAlias& tablet) const {
    return std::ranges::any_of(
        delivered, [&](const DeliveredFault& d) { return d.fault.kind == kind && d.fault.tablet == tablet; });
}

void Books::acted(const std::string& manager) {
    const auto it = under_way.find(manager);
    if (it == under_way.end() || it->second.recovery == Recovery::none) return;
    if (std::ranges::find(recoveries, it->second.recovery) == recoveries.end())
        recoveries.push_back(it->second.recovery);
}

struct Books::Visitor {
    Books& books;
    Instant at;
    WorldView& view;

    void operator()(const WriteBegun& e) {
        WriteBook& write = books.writes[e.write];
        write.begun.push_back({e.tablet, books.term_index(), at});
        write.privileged = write.privileged || e.privileged;
    }

    void operator()(const WriteAcknowledged& e) {
        WriteBook& write = books.writes[e.write];
        WriteBook::Acknowledged ack{e.tablet, books.term_index(), {}, at, e.privileged, false};
        if (books.in_force) ack.policy = books.in_force->policy;
        for (const WriteBook::Begun& begun : write.begun) {
            if (begun.tablet == e.tablet) ack.term = begun.term;
        }
        if (e.by_shutdown) {
            ack.excused = true;
            write.by_hand = "released by a clean shutdown of " + e.tablet.to_string();
        } else if (still_weak(e.tablet)) {
            ack.excused = true;
            write.by_hand = books.weakened[e.tablet];
        }
        write.privileged = write.privileged || e.privileged;
        write.acknowledged.push_back(ack);
    }

    bool still_weak(const TabletAlias& tablet) {
        if (!books.weakened.contains(tablet)) return false;
        if (!books.stepped.contains(tablet)) return true;
        const ServerState* server = view.now().server(tablet);
        const int k = books.in_force ? books.in_force->k() : 0;
        if (!server || !semi_sync_whole(server->server, std::max(1, k))) return true;
        books.no_longer_weak(tablet);
        return false;
    }

    void operator()(const WriteAnswered& e) {
        switch (e.outcome) {
            case WriteAnswered::Outcome::failed:
                ++books.failed;
                return;
            case WriteAnswered::Outcome::unknown:
                ++books.unknown;
                return;
            case WriteAnswered::Outcome::acknowledged:
                break;
        }
        WriteBook& write = books.writes[e.write];
        if (write.told) return;
        write.told = true;
        write.told_at = at;
        ++books.told;
        if (books.last_told) books.blocked_longest = std::max(books.blocked_longest, at - *books.last_told);
        if (!books.first_told) books.first_told = at;
        books.last_told = at;
    }

    void operator()(const StatementSent&) {}

    void operator()(const StatementTookEffect& e) {
        if (e.mutating) books.acted(e.manager);
        if (closes(e.statement)) books.no_longer_weak(e.tablet);
        if (closes(e.statement) || opens(e.statement)) books.closed_by_hand.erase(e.tablet);
        if (sets_semi_sync(e.statement) && books.weakened.contains(e.tablet)) books.stepped.insert(e.tablet);
        came_to_its_receiver(e);
    }

    // Who acknowledges by a person's hand goes on until a step comes to its receiver.
    void came_to_its_receiver(const StatementTookEffect& e) {
        const auto* set = std::get_if<sql::SetGlobal>(&e.statement);
        const bool sets = set && set->variable == sql::Variable::rpl_semi_sync_replica_enabled;
        const bool starts = std::holds_alternative<sql::StartReceiver>(e.statement);
        if (!sets && !starts) return;
        if (sets) books.acks_set.insert(e.tablet);
        const bool had_set = starts && books.acks_set.erase(e.tablet) > 0;
        const auto it = books.acks_by_hand.find(e.tablet);
        if (it == books.acks_by_hand.end()) return;
        AcksByHand& hand = it->second;
        // Who had just set them need not foresee a hand between that and the start.
        if (!had_set) hand.switched_on = false;
        // Nor an operation a record that is gone since it began.
        const auto operation = books.under_way.find(e.manager);
        if (hand.unnamed && (operation == books.under_way.end() || operation->second.began > *hand.unnamed))
            hand.unnamed.reset();
        if (!hand.switched_on && !hand.unnamed) books.acks_by_hand.erase(it);
    }

    void operator()(const ServerLockTaken&) {}

    void operator()(const RelayLogDiscarded& e) {
        if (e.manager.empty())
            lost(e.tablet, e.writes, e.by_hand || books.dropped_by_hand.contains(e.tablet));
    }
    void operator()(const CopiesLost& e) { lost(e.tablet, e.writes, e.by_hand); }

    void lost(const TabletAlias& tablet, const WriteIds& gone, bool by_hand) {
        for (const WriteId id : gone) {
            WriteBook& write = books.writes[id];
            write.copies_lost.insert(tablet);
            if (by_hand) write.by_hand = "its copy on " + tablet.to_string() + " was dropped by hand";
        }
    }

    void operator()(const ReceiverConnected&) {}
    void operator()(const Committed&) {}

    void operator()(const ServerStarted& e) {
        books.acks_by_hand.erase(e.tablet);
        const ServerState* server = view.now().server(e.tablet);
        if (const auto before = books.disk_before.find(e.tablet); before != books.disk_before.end()) {
            WriteIds gone;
            if (server) {
                const WriteIds now = on_disk(*server);
                std::set_difference(before->second.begin(), before->second.end(), now.begin(), now.end(),
                                    std::back_inserter(gone));
            }
            lost(e.tablet, gone, false);
            books.disk_before.erase(before);
        }
        if (books.started_by_hand.erase(e.tablet) == 0) return;
        if (server && !server->server.read_only && !server->server.super_read_only) {
            books.weakened[e.tablet] = e.tablet.to_string() + " was started without its persisted settings";
            gives_numbers_again(e.tablet);
        }
    }

    void operator()(const ServerStopped& e) {
        books.touched.insert(e.tablet);  // acknowledgements are off after every start
        books.no_longer_weak(e.tablet);
        books.dropped_by_hand.erase(e.tablet);
        remember_disk(e.tablet);
    }

    // Executed, in its own log, or received and still to be applied.
    static WriteIds on_disk(const ServerState& server) {
        WriteIds logged, all;
        std::ranges::set_union(server.writes.ids(), server.writes_in_log.ids(), std::back_inserter(logged));
        if (!server.relay_log_readable) return logged;
        std::ranges::set_union(logged, server.writes_received.ids(), std::back_inserter(all));
        return all;
    }

    // The fault may take something before the stop is reported, or after.
    void remember_disk(const TabletAlias& tablet) {
        if (const ServerState* server = view.now().server(tablet))
            books.disk_before.try_emplace(tablet, on_disk(*server));
    }

    void operator()(const RecordWritten& e) { books.written(at, e, view); }
    void operator()(const ShardLockTaken&) {}
    void operator()(const ShardLockReleased&) {}

    void operator()(const ManagerSaid& e) {
        const fixpoint::Event& said = e.event;
        switch (said.kind) {
            case EventKind::looked:
                books.looked[e.manager] = said.problems;
                break;
            case EventKind::recovery_began:
                books.under_way[e.manager] = {said.recovery, said.key.tablet, at};
                break;
            case EventKind::recovery_succeeded:
                books.refusals.erase(said.key);
                books.under_way.erase(e.manager);
                break;
            case EventKind::recovery_refused:
                books.under_way.erase(e.manager);
                if (e.alive) books.refusals[said.key] = {at, e.manager, said.key, said.reason, said.text};
                break;
            case EventKind::recovery_failed:
                books.under_way.erase(e.manager);
                break;
            case EventKind::reported:
                if (e.alive) books.reported.insert(said.key);
                if (e.alive && said.reason != Reason::none) {
                    books.refusals[said.key] = {at, e.manager, said.key, said.reason, said.text};
                }
                break;
            default:
                break;
        }
    }

    void operator()(const ManagerStarted&) {}
    void operator()(const ManagerStopped& e) {
        books.under_way.erase(e.manager);
        books.looked.erase(e.manager);
    }

    void operator()(const FaultHappened& e) {
        FaultCount& count = books.fault_counts[e.fault.kind];
        if (e.stage == FaultStage::requested) ++count.requested;
        if (e.stage == FaultStage::observed) ++count.observed;
        if (e.stage != FaultStage::delivered) return;
        ++count.delivered;
        books.last_delivered = at;
        books.delivered.push_back({at, e.fault, books.in_force});
        if (e.fault.tablet) touch(e.fault, *e.fault.tablet);
        // Who strikes the primary while an acker is being qualified leaves that one without its mark.
        if (!books.in_force || e.fault.tablet != books.in_force->primary.alias) return;
        for (const auto& [manager, operation] : books.under_way) {
            if (operation.tablet) books.touched.insert(operation.tablet);
        }
    }

    void gives_numbers_again(const TabletAlias& tablet) {
        for (auto& [id, write] : books.writes) {
            if (!write.copies_lost.contains(tablet)) continue;
            write.number_reused = true;
            write.by_hand = tablet.to_string() + " was opened by hand, and gave its number again";
        }
    }

    void touch(const Fault& fault, const TabletAlias& tablet) {
        if (takes_the_mark(fault.kind)) books.touched.insert(tablet);
        if (may_lose_data(fault.kind)) remember_disk(tablet);
        if (opens_by_hand(fault.kind)) gives_numbers_again(tablet);
        if (fault.kind == set_read_only) books.closed_by_hand.insert(tablet);
        switch (fault.kind) {
            case set_writable:
            case second_primary: {
                const ServerState* server = view.now().server(tablet);
                if (server && !is_open(*server))
                    books.weakened[tablet] = tablet.to_string() + " was made writable by hand";
                break;
            }
            case semi_sync_source_off:
            case semi_sync_timeout: {
                // On one that is closed it changes nothing: whoever opens that one sets semi-sync first. A
                // paused one serves as soon as it is resumed.
                const ServerState* server = view.now().server(tablet);
                if (server && is_open(*server))
                    books.weakened[tablet] = "semi-sync of " + tablet.to_string() + " was weakened by hand";
                break;
            }
            case restart_writable:
            case restart_without_persisted:
            case unpersist_settings:
                books.started_by_hand.insert(tablet);
                break;
            case semi_sync_replica_on:
                books.acks_by_hand[tablet].switched_on = true;
                for (auto& [id, write] : books.writes) {
                    if (write.copies_lost.contains(tablet))
                        write.by_hand =
                            tablet.to_string() + " was made to vouch by hand for what it had lost";
                }
                break;
            case repoint:
                books.acks_by_hand[tablet].switched_on = true;
                books.dropped_by_hand.insert(tablet);
                break;
            case reset_replication:
            case primary_replicates_from:
                books.dropped_by_hand.insert(tablet);
                break;
            default:
                break;
        }
    }

    void operator()(const PhaseBegan& e) {
        books.phase = e.phase;
        const WorldState& state = view.now();
        if (books.terms.empty() && state.store.fixpoint && !books.in_force) {
            books.believe(*state.store.fixpoint, state);
            books.in_force = std::make_shared<const FixpointRecord>(*state.store.fixpoint);
            books.begin_term(at, *books.in_force, false);
        }
        if (e.phase == Phase::faults_ceased) {
            books.faults_ceased = at;
            books.reported.clear();
            books.refusals.clear();
        }
    }
};

void Books::on(Instant at, const JudgeEvent& event, WorldView& view) {
    std::visit(Visitor{*this, at, view}, event);
}

void Books::saw(const WorldState& state, const std::vector<Clause>& unmet) {
    if (touched.empty()) return;
    for (const ServerState& server : state.servers) {
        const bool spoiled =
            std::ranges::any_of(unmet, [&](const Clause& c) { return c.tablet == server.alias; });
        if (!spoiled && alive(server)) touched.erase(server.alias);
    }
}

bool is_reported(const Books& books, const TabletAlias& tablet) {
    const auto names = [&](const ProblemKey& key) { return key.tablet == tablet; };
    if (std::ranges::any_of(books.reported, names)) return true;
    if (std::ranges::any_of(books.refusals, [&](const auto& r) { return names(r.first); })) return true;
    return std::ranges::any_of(books.looked,
                               [&](const auto& l) { return std::ranges::any_of(l.second, names); });
}

}  // namespace fixpoint::sim
