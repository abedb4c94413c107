// Keeps the judge's books, event by event.
#include "sim/checkers/books.hpp"

#include <algorithm>
#include <functional>
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

// What at least `count` of the servers have.
GtidSet had_by(const std::vector<GtidSet>& sets, std::size_t count) {
    GtidSet all;
    std::function<void(std::size_t, std::size_t, const GtidSet&)> choose =
        [&](std::size_t from, std::size_t left, const GtidSet& common) {
            if (left == 0) return all.add(common);
            for (std::size_t i = from; i + left <= sets.size(); ++i) {
                choose(i + 1, left - 1, left == count ? sets[i] : common & sets[i]);
            }
        };
    if (count > 0) choose(0, count, {});
    return all;
}

}  // namespace

bool Books::struck(FaultKind kind, const TabletAlias& tablet) const {
    return std::ranges::any_of(
        delivered, [&](const DeliveredFault& d) { return d.fault.kind == kind && d.fault.tablet == tablet; });
}

void Books::begin_term(Instant at, const FixpointRecord& record, bool unfenced) {
    terms.push_back({at, record.term, record.primary, unfenced});
}

void Books::acted(const std::string& manager) {
    const auto it = under_way.find(manager);
    if (it == under_way.end() || it->second.recovery == Recovery::none) return;
    if (std::ranges::find(recoveries, it->second.recovery) == recoveries.end())
        recoveries.push_back(it->second.recovery);
}

void Books::believe(const FixpointRecord& after, const WorldState& state) {
    const ServerState* primary = state.server(after.primary.alias);
    const bool new_term = !in_force || in_force->term != after.term;
    if (new_term) believed.opened_at = primary ? after.opened_at & primary->server.gtid_executed : GtidSet{};
    std::vector<GtidSet> sets;
    for (const ServerState& server : state.servers) sets.push_back(has(server));
    GtidSet provable = had_by(sets, static_cast<std::size_t>(after.k()) + 1);
    provable.add(believed.high_water);
    believed.high_water = after.k() > 0 ? after.high_water & provable : GtidSet{};

    GtidSet errant;
    for (const ServerState& server : state.servers) {
        errant.add(errant_on(server, state));
        const auto t = state.store.tablets.find(server.alias);
        // The rebuild rule: numbers of a quarantined server's own uuid, whether or not anybody still has
        // them.
        if (t != state.store.tablets.end() && t->second.drained_by_fixpoint()) {
            errant.add(after.retired_gtids().of_uuid(server.server.server_uuid));
        }
    }
    errant.add(believed.retired);
    believed.retired = after.retired_gtids() & errant;

    std::vector<TabletAlias> ackers;
    for (const RecordedServer& a : after.ackers) {
        const bool before = std::ranges::find(believed.ackers, a.alias) != believed.ackers.end();
        const ServerState* server = state.server(a.alias);
        const bool acks = server && alive(*server) && server->server.semi_sync_replica_enabled;
        // One that does not answer stays: it may follow already.
        if (acks || (before && (!new_term || !server || !alive(*server)))) ackers.push_back(a.alias);
    }
    believed.ackers = std::move(ackers);
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
        no_longer_weak(tablet);
        return false;
    }

    void no_longer_weak(const TabletAlias& tablet) {
        books.weakened.erase(tablet);
        books.stepped.erase(tablet);
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
        if (closes(e.statement)) no_longer_weak(e.tablet);
        if (closes(e.statement) || opens(e.statement)) books.closed_by_hand.erase(e.tablet);
        if (sets_semi_sync(e.statement) && books.weakened.contains(e.tablet)) books.stepped.insert(e.tablet);
        const auto* set = std::get_if<sql::SetGlobal>(&e.statement);
        if (set && set->variable == sql::Variable::rpl_semi_sync_replica_enabled) {
            books.acks_by_hand.erase(e.tablet);
            books.acks_set.insert(e.tablet);
        }
        // Who had just set them need not foresee a hand between that and the start.
        if (std::holds_alternative<sql::StartReceiver>(e.statement) && !books.acks_set.erase(e.tablet))
            books.acks_by_hand.erase(e.tablet);
        // Nor an operation that began under the record that is gone.
        const auto unnamed = books.unnamed_by_hand.find(e.tablet);
        const auto operation = books.under_way.find(e.manager);
        const bool knows = unnamed != books.unnamed_by_hand.end() &&
                           (operation == books.under_way.end() || operation->second.began > unnamed->second);
        if (knows && (std::holds_alternative<sql::StartReceiver>(e.statement) ||
                      (set && set->variable == sql::Variable::rpl_semi_sync_replica_enabled)))
            books.unnamed_by_hand.erase(unnamed);
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
        books.unnamed_by_hand.erase(e.tablet);
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
        no_longer_weak(e.tablet);
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

    void operator()(const RecordWritten& e) {
        if (e.manager.empty()) return edited_by_hand(e);
        books.acted(e.manager);
        if (!e.after) return;
        const WorldState& state = view.now();
        const bool changed = !books.in_force || *books.in_force != *e.after;
        if (changed) books.believe(*e.after, state);
        if (e.is_commit_point()) {
            ++books.commit_points;
            books.begin_term(at, *e.after, unfenced(e, state));
            if (books.terms.back().unfenced) {
                for (auto& [id, write] : books.writes)
                    write.by_hand = "the goal allowed an unfenced promotion";
            }
            no_longer_weak(e.after->primary.alias);
        }
        if (changed) books.in_force = std::make_shared<const FixpointRecord>(*e.after);
    }

    static bool unfenced(const RecordWritten& e, const WorldState& state) {
        if (!state.store.goal || !e.before || e.before->k() > 0) return false;
        return std::ranges::any_of(state.store.goal->allowed, [&](const AllowedStep& a) {
            return a.step == "unfenced_promotion" && (a.term == e.before->term || a.term == e.after->term);
        });
    }

    // A record set back so little that nobody in reach can know: what was told since is nobody's fault, and
    // what it says is in force again.
    void edited_by_hand(const RecordWritten& e) {
        if (!books.in_force) return;
        // Who acknowledges by the record that is gone goes on until a step comes to its receiver.
        for (const RecordedServer& acker : books.in_force->ackers) {
            if (!e.after || !e.after->has_acker(acker.alias)) books.unnamed_by_hand[acker.alias] = at;
        }
        const auto place = [](const auto& r) { return std::pair(r.term, r.revision); };
        const std::pair<std::int64_t, std::int64_t> left =
            e.after ? place(*e.after) : std::pair<std::int64_t, std::int64_t>{-1, 0};
        if (left >= place(*books.in_force)) return;
        const WorldState& state = view.now();
        for (const ServerState& server : state.servers) {
            if (!alive(server)) continue;
            for (const sql::JournalRow& row : server.journal) {
                if (row.shard == state.shard && place(row) > left) return;
            }
        }
        for (auto& [id, write] : books.writes)
            write.by_hand = "the record was set back, and no journal says so";
        if (!e.after) return;
        if (e.is_commit_point()) {
            // Who was primary by the record that is gone serves until somebody closes it.
            if (e.after->primary != books.in_force->primary)
                books.weakened[books.in_force->primary.alias] =
                    "the record was set back, and no journal says so";
            no_longer_weak(e.after->primary.alias);
            books.begin_term(at, *e.after, false);
        }
        books.believe(*e.after, state);
        books.in_force = std::make_shared<const FixpointRecord>(*e.after);
    }

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
                books.acks_by_hand.insert(tablet);
                for (auto& [id, write] : books.writes) {
                    if (write.copies_lost.contains(tablet))
                        write.by_hand =
                            tablet.to_string() + " was made to vouch by hand for what it had lost";
                }
                break;
            case repoint:
                books.acks_by_hand.insert(tablet);
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
