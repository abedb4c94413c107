// The wiring of a real run, and the one place through which every event goes.
#include "property_tests/real/shard/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "property_tests/real/shard/nemesis.hpp"
#include "sim/checkers/books.hpp"

namespace fixpoint::real_shards {
namespace {

using sim::JudgeEvent;
using sim::StoreState;
using sim::WorldState;

constexpr Duration state_is_fresh = 10ms;
constexpr Duration between_samples = 200ms;
constexpr Duration glance = 500ms;   // what a look may take …
constexpr Duration close_look = 5s;  // … and where the verdict rests on it

std::vector<std::string> cells_of(const sim::Scenario& scenario) {
    std::set<std::string> cells;
    for (const sim::ScenarioTablet& t : scenario.tablets) cells.insert(t.alias.cell);
    for (const sim::ScenarioManager& m : scenario.managers) {
        if (!m.cell.empty()) cells.insert(m.cell);
    }
    return {cells.begin(), cells.end()};
}

}  // namespace

World::World(const sim::Scenario& scenario, const std::filesystem::path& folder)
    : scenario_(scenario),
      folder_(folder),
      passwords_(contract::Passwords::draw()),
      replication_{"replication", passwords_.replication, false},
      proxy_(owners_) {
    std::filesystem::create_directories(folder_);
    owners_.add(::getpid(), "clients");
    judge_ = std::make_unique<sim::Judge>(scenario_, *this);
    store_ = std::make_unique<Store>(folder_ / "topology.db", scenario_.shard, cells_of(scenario_));
    int number = 0;
    for (const sim::ScenarioTablet& t : scenario_.tablets) {
        tablets_.push_back(std::make_unique<Tablet>(t.alias, number, folder_ / t.alias.to_string(),
                                                    passwords_, proxy_, owners_));
        ++number;
    }
    for (const sim::ScenarioManager& m : scenario_.managers) {
        managers_.push_back(std::make_unique<Manager>(
            ManagerSetting{m.name, folder_, folder_ / "topology.db", "manager", passwords_.manager,
                           replication_.user, replication_.password, scenario_.shard},
            owners_));
    }
    nemesis_ = std::make_unique<Nemesis>(*this);
    clients_ = std::make_unique<Clients>(
        Clients::World{clock_, [this] { return store_->primaries_for_clients(); },
                       [this](const TabletAlias& alias) { return tablet(alias)->address(); },
                       [this](Instant at, const JudgeEvent& event) { enqueue(at, event); },
                       [this] { store_->look(); }, passwords_.client},
        scenario_.workload.writes_per_second, scenario_.workload.clients, scenario_.seed);
    state_.shard = scenario_.shard;
    state_.servers.resize(tablets_.size());
    for (const auto& t : tablets_) state_.core.tablets.push_back(t->alias());
    for (const auto& m : managers_) state_.core.managers.push_back(m->name());
    state_.core.cells_with_store = cells_of(scenario_);
}

World::~World() {
    end();
}

void World::end() {
    for (const auto& m : managers_) m->crash();
    // First the servers: what waits for one of them ends then.
    for (const auto& t : tablets_) {
        t->tell({});
        t->crash();
    }
    if (clients_) clients_->end();
    if (store_) store_->end_watch();
}

void World::boot() {
    std::vector<Tablet*> all;
    for (const auto& t : tablets_) all.push_back(t.get());
    real_shards::boot(scenario_, all, *store_, replication_);
    for (const auto& t : tablets_) {
        const TabletAlias alias = t->alias();
        t->tell({[this, alias, tablet = t.get()] {
                     enqueue(clock_.now(), sim::ServerStarted{alias, tablet->boot()});
                 },
                 [this, alias](bool clean) { enqueue(clock_.now(), sim::ServerStopped{alias, clean}); }});
    }
    state_.store = store_->now();
    store_->watch([this](const StoreState& before, const StoreState& after, bool by_hand) {
        store_changed(before, after, by_hand);
    });
    state_.store = store_->now();
    clock_.begin();
}

void World::start() {
    for (const auto& m : managers_) m->start();
    clients_->start();
    nemesis_->start();
}

Tablet* World::tablet(const TabletAlias& alias) const {
    for (const auto& t : tablets_) {
        if (t->alias() == alias) return t.get();
    }
    return nullptr;
}

// ---- events

void World::enqueue(Instant at, JudgeEvent event, std::optional<StoreState> store) {
    const std::scoped_lock lock(mutex_);
    reported_.push_back({at, ++reports_, std::move(event), std::move(store)});
}

void World::store_changed(const StoreState& before, const StoreState& after, bool by_hand) {
    sim::RecordWritten written;
    // People delete Fixpoint's record or set it back. Where it went forward, a manager was as quick as they.
    const auto place = [](const FixpointRecord& r) { return std::pair(r.term, r.revision); };
    if (before.fixpoint && after.fixpoint && place(*after.fixpoint) > place(*before.fixpoint))
        by_hand = false;
    if (!by_hand) {
        written.manager = managers_.empty() ? "somebody" : managers_.front()->name();
        const auto& lock = before.shard_lock ? before.shard_lock : after.shard_lock;
        if (lock && !lock->manager.empty()) written.manager = lock->manager;
    }
    written.before = before.fixpoint;
    written.after = after.fixpoint;
    written.shard_changed = before.shard != after.shard;
    written.tablet_changed = before.tablets != after.tablets;
    // Whoever only takes or renews a lock writes no record.
    if (written.before == written.after && !written.shard_changed && !written.tablet_changed &&
        before.keyspace == after.keyspace && before.goal == after.goal)
        return;
    enqueue(clock_.now(), written, after);
}

void World::hand_on() {
    std::vector<Reported> some;
    {
        const std::scoped_lock lock(mutex_);
        some.swap(reported_);
    }
    std::ranges::sort(some, {}, [](const Reported& r) { return std::pair(r.at, r.number); });
    for (Reported& one : some) hand_on(std::move(one));
}

void World::hand_on(Reported reported) {
    JudgeEvent& event = reported.event;
    const sim::Books& books = judge_->books();
    if (const auto* begun = std::get_if<sim::WriteBegun>(&event))
        begun_in_[begun->write] = books.terms.size();
    if (auto* ack = std::get_if<sim::WriteAcknowledged>(&event)) {
        ack->by_shutdown = shutting_down_.contains(ack->tablet);
        // A client knows when it sent a write, not when the server began with it. One that was sent before a
        // commit point and acknowledged by the primary of the new term was begun there after its opening.
        if (books.in_force && books.in_force->primary.alias == ack->tablet &&
            begun_in_[ack->write] != books.terms.size())
            judge_->on(reported.at, sim::WriteBegun{ack->write, ack->tablet, false});
    }
    if (const auto* started = std::get_if<sim::ServerStarted>(&event)) {
        shutting_down_.erase(started->tablet);
        looked_at_ = Instant::min();
    }
    if (const auto* written = std::get_if<sim::RecordWritten>(&event)) {
        looked_at_ = Instant::min();
        if (!written->manager.empty()) {
            acted(written->manager);
            last_mutating_ = reported.at;
        }
        closely_ = written->is_commit_point();
    }
    if (const auto* said = std::get_if<sim::ManagerSaid>(&event))
        heard(reported.at, said->manager, said->event);
    timeline_.on(reported.at, event);
    judge_->on(reported.at, event);
    if (reported.store) state_.store = std::move(*reported.store);
    nemesis_->on(event);
}

void World::report(const JudgeEvent& event) {
    hand_on();
    if (std::holds_alternative<sim::FaultHappened>(event)) looked_at_ = Instant::min();
    if (std::holds_alternative<sim::PhaseBegan>(event)) look_closely();
    timeline_.on(clock_.now(), event);
    if (const auto* phase = std::get_if<sim::PhaseBegan>(&event);
        phase && phase->phase == sim::Phase::faults_ceased) {
        judge_->on(clock_.now(), event);
        // A complaint that stands is said once on a log, and in every pass to a judge who listens.
        for (const auto& [manager, complaint] : standing_) {
            if (complaint) judge_->on(clock_.now(), sim::ManagerSaid{manager, true, *complaint});
        }
        return;
    }
    judge_->on(clock_.now(), event);
}

void World::go_on() {
    clients_->tick();
    hear_managers();
    hand_on();
    nemesis_->go_on();
    if (clock_.now() - sampled_at_ < between_samples) return;
    timeline_.sample();
    sampled_at_ = clock_.now();
}

// ---- what managers say

void World::hear_managers() {
    for (const auto& m : managers_) {
        m->died_of();
        for (const Event& event : m->said()) {
            enqueue(clock_.now(), sim::ManagerSaid{m->name(), m->alive(), event});
        }
    }
}

void World::heard(Instant at, const std::string& manager, const Event& event) {
    switch (event.kind) {
        case EventKind::looked:
            standing_[manager].reset();
            break;
        case EventKind::recovery_began:
            under_way_[manager] = event.recovery;
            break;
        case EventKind::step:
            if (const auto colon = event.text.find(": ");
                colon != std::string::npos && TabletAlias::parse(event.text.substr(0, colon))) {
                ++mutating_statements_;
                last_mutating_ = at;
                acted(manager);
            }
            break;
        case EventKind::recovery_succeeded:
            acted(manager);  // what it wrote may have been seen before its words
            [[fallthrough]];
        case EventKind::recovery_refused:
        case EventKind::recovery_failed:
            under_way_.erase(manager);
            break;
        case EventKind::reported:
            if (event.operation.empty()) standing_[manager] = event;
            break;
        default:
            break;
    }
}

void World::acted(const std::string& manager) {
    const auto it = under_way_.find(manager);
    if (it == under_way_.end() || it->second == Recovery::none) return;
    if (std::ranges::find(recoveries_, it->second) == recoveries_.end()) recoveries_.push_back(it->second);
}

// ---- the state, for the judge

const WorldState& World::now() {
    const Instant at = clock_.now();
    state_.at = at;
    if (looked_at_ == Instant::min() || at - looked_at_ > state_is_fresh) {
        unseen_.clear();
        for (std::size_t i = 0; i < tablets_.size(); ++i) {
            if (!tablets_[i]->look(scenario_.shard, state_.servers[i], closely_ ? close_look : glance))
                unseen_.push_back(tablets_[i]->alias());
        }
        closely_ = false;
        looked_at_ = clock_.now();
    }
    state_.store.shard_lock = store_->now().shard_lock;
    if (auto& lock = state_.store.shard_lock) {
        lock->manager_alive = std::ranges::any_of(
            managers_, [&](const auto& m) { return m->name() == lock->manager && m->alive(); });
    }
    state_.managers.clear();
    for (const auto& m : managers_) state_.managers.push_back({m->name(), m->alive(), m->paused(), false, 0});
    return state_;
}

bool World::nothing_is_under_way() const {
    if (const auto lock = store_->now().shard_lock; lock && !lock->lease_expired) return false;
    return std::ranges::none_of(tablets_,
                                [&](const auto& t) { return state_.core.has(t->alias()) && t->busy(); });
}

std::string World::manager_that_died() const {
    for (const auto& m : managers_) {
        if (const std::string why = m->died_of(); !why.empty()) return why;
    }
    return {};
}

}  // namespace fixpoint::real_shards
