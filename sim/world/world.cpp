// The wiring, and the one place through which every event goes.
#include "sim/world/world.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "fixpoint/engine/record_codec.hpp"
#include "fixpoint/model/assert.hpp"
#include "sim/faults/nemesis.hpp"
#include "sim/world/boot.hpp"
#include "sim/world/timeline.hpp"

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> cells_of(const Scenario& scenario) {
    std::set<std::string> cells;
    for (const ScenarioTablet& t : scenario.tablets) cells.insert(t.alias.cell);
    for (const ScenarioManager& m : scenario.managers) {
        if (!m.cell.empty()) cells.insert(m.cell);
    }
    return {cells.begin(), cells.end()};
}

Core everything(const Scenario& scenario, const std::vector<std::string>& cells) {
    Core core;
    for (const ScenarioTablet& t : scenario.tablets) core.tablets.push_back(t.alias);
    for (const ScenarioManager& m : scenario.managers) core.managers.push_back(m.name);
    core.cells_with_store = cells;
    return core;
}

}  // namespace

World::World(const Scenario& scenario, const SimulateOptions& options)
    : scenario_(scenario),
      options_(options),
      cells_(cells_of(scenario)),
      chooser_(scenario.seed),
      scheduler_(chooser_, scenario.random_order ? Order::drawn : Order::fifo),
      network_(scheduler_),
      mysql_(scheduler_, network_, this),
      stage_(scheduler_.add_process("stage")),
      clients_(scheduler_.add_process("clients")),
      notification_stream_(chooser_.stream("lost notification")),
      core_(everything(scenario, cells_)) {
    mysql_.shard = scenario_.shard;
    judge_ = std::make_unique<Judge>(scenario_, *this);
    if (options.timeline) timeline_ = std::make_unique<Timeline>(*this);
    store_ = std::make_unique<FakeStore>(scheduler_, network_, cells_, static_cast<StoreListener&>(*this));
    topology_ = std::make_unique<Topology>(*store_, scenario_.shard, cells_);
    for (std::size_t i = 0; i < scenario_.tablets.size(); ++i) {
        const TabletAlias& alias = scenario_.tablets[i].alias;
        servers_.push_back(std::make_unique<mysql::FakeMysql>(mysql_, alias, address_of(alias),
                                                              start_options(scenario_, i)));
    }
    nemesis_ = std::make_unique<Nemesis>(*this);
    writers_ = std::make_unique<Writers>(
        ClientSide{scheduler_, network_, mysql_, clients_, network_.endpoint("clients")},
        [this](const TabletAlias& alias) { return server(alias); },
        [this] { return topology_->primaries_for_clients(); }, static_cast<Observer&>(*this),
        Writers::Options{scenario_.workload.writes_per_second, scenario_.workload.clients});
    const ManagerWorld manager_world{scheduler_, network_, mysql_, *store_,         *this,
                                     *this,      *this,    cells_, options.timeline};
    for (std::size_t i = 0; i < scenario_.managers.size(); ++i) {
        managers_.push_back(std::make_unique<ManagerProcess>(manager_world, scenario_.managers[i].name,
                                                             scenario_.shard, i + 1));
    }
    seen_versions_.assign(servers_.size(), 0);
    state_.shard = scenario_.shard;
    state_.servers.resize(servers_.size());
}

World::~World() {
    // Clients and managers say good-bye to servers when they go: nobody listens any more.
    reporting_ = false;
    writers_.reset();
    managers_.clear();
}

void World::boot() {
    std::vector<mysql::FakeMysql*> servers;
    for (const auto& s : servers_) servers.push_back(s.get());
    sim::boot(scenario_, servers, *topology_, mysql_);
    for (std::size_t i = 0; i < servers.size(); ++i)
        servers[i]->set_apply_delay(scenario_.tablets[i].apply_delay);
    reporting_ = true;
}

void World::start() {
    for (const auto& m : managers_) m->start();
    writers_->start();
    if (scenario_.workload.until > Duration{}) {
        scheduler_.after(stage_, scenario_.workload.until, [this] { writers_->slow_down(); });
    }
    nemesis_->start();
}

mysql::FakeMysql* World::server(const TabletAlias& alias) {
    for (const auto& s : servers_) {
        if (s->alias() == alias) return s.get();
    }
    return nullptr;
}

ManagerProcess* World::manager(std::string_view name) {
    for (const auto& m : managers_) {
        if (m->name() == name) return m.get();
    }
    return nullptr;
}

void World::set_core(Core core) {
    core_ = std::move(core);
    ++other_changes_;
}

// ---- events

void World::on(Instant at, const JudgeEvent& event) {
    if (!reporting_) return;
    scheduler_.note(event.index());
    if (const auto* effect = std::get_if<StatementTookEffect>(&event);
        effect != nullptr && effect->mutating) {
        ++counts_.mutating_effects;
        counts_.last_mutating = at;
    } else if (const auto* written = std::get_if<RecordWritten>(&event);
               written != nullptr && !written->manager.empty()) {
        counts_.last_mutating = at;
    } else if (std::holds_alternative<ManagerStarted>(event) ||
               std::holds_alternative<ManagerStopped>(event)) {
        ++other_changes_;
    }
    if (timeline_) timeline_->on(at, event);
    judge_->on(at, event);
}

void World::store_written(const std::string& manager, std::int64_t lock_id,
                          const std::vector<StoreChange>& changes) {
    RecordWritten written;
    written.manager = manager;
    written.lock_id = lock_id;
    written.before = topology_->fixpoint();
    written.after = written.before;
    const std::string fixpoint = fixpoint_path(scenario_.shard);
    const std::string shard = shard_path(scenario_.shard);
    for (const StoreChange& change : changes) {
        topology_->remember(change);
        if (change.path == fixpoint) {
            written.after.reset();
            if (change.after) {
                if (auto record = decode_fixpoint(*change.after)) written.after = std::move(*record);
            }
        }
        written.shard_changed =
            written.shard_changed || (change.path == shard && change.before != change.after);
        written.tablet_changed =
            written.tablet_changed || (!change.cell.empty() && change.before != change.after);
    }
    report(written);
}

void World::shard_lock_taken(const std::string& manager, std::int64_t lock_id) {
    if (const ManagerProcess* holder = this->manager(manager)) lock_incarnation_ = holder->incarnation();
    report(ShardLockTaken{manager, lock_id});
}
void World::shard_lock_released(const std::string& manager, std::int64_t lock_id, bool expired) {
    report(ShardLockReleased{manager, lock_id, expired});
}

// ---- notifications and statements

bool World::lose(const std::string& /*manager*/, const std::string& name) {
    ++counts_.notifications;
    if (options_.notification_names) notification_names_.push_back(name);
    nemesis_->notification(counts_.notifications);
    return counts_.notifications == options_.lose_notification;
}

void World::request_leaves(const std::string& manager, std::uint64_t call, const StoreRequest& request) {
    if (!nemesis_->wants_record_writes() || !request.writes_records()) return;
    const std::string path = fixpoint_path(scenario_.shard);
    for (const StorePut& put : request.puts) {
        if (put.path != path) continue;
        const auto before = topology_->fixpoint();
        const auto after = decode_fixpoint(put.bytes);
        const bool commit_point = after && (!before || before->term != after->term);
        record_writes_[{manager, call}] = commit_point;
        nemesis_->record_write(manager, commit_point, true);
        return;
    }
}

void World::record_write_answered(const std::string& manager, std::uint64_t call) {
    const auto it = record_writes_.find({manager, call});
    if (it == record_writes_.end()) return;
    const bool commit_point = it->second;
    record_writes_.erase(it);
    nemesis_->record_write(manager, commit_point, false);
}

StatementFate World::about_to_send(const SentStatement& sent) {
    bool mutating = sql::is_mutating(sent.statement);
    if (const auto* kill = std::get_if<sql::Kill>(&sent.statement)) {
        mutating = sent.server.manager_of(kill->id) != sent.manager;
    }
    ++counts_.statements;
    if (std::holds_alternative<sql::GetLock>(sent.statement)) {
        session_incarnations_[{sent.server.alias(), sent.connection}] = manager(sent.manager)->incarnation();
    }
    if (mutating) ++counts_.mutating;
    const StatementFate fate = nemesis_->about_to_send(sent);
    if (reporting_) {
        report(StatementSent{sent.manager, sent.server.alias(), sent.connection, sent.lock_id, mutating,
                             sent.statement});
    }
    return fate;
}

Connection::Arrival World::answer_arrived(const SentStatement& sent) {
    std::string name;
    if (options_.notification_names) {
        name = std::string(sql::name_of(sent.statement)) + " answer of " + sent.server.alias().to_string() +
               " to " + sent.manager;
    }
    const bool lost = lose(sent.manager, name);
    nemesis_->answered(sent);
    if (!lost) return Connection::Arrival::handed_over;
    return chooser_.choose(notification_stream_, 2) == 0 ? Connection::Arrival::lost
                                                         : Connection::Arrival::session_breaks;
}

// ---- the state, for the judge

std::uint64_t World::version() const {
    std::uint64_t mixed = other_changes_ * 0x9E3779B97F4A7C15ULL + store_->version();
    for (const auto& s : servers_) mixed = mixed * 0x100000001B3ULL + s->version();
    return mixed | 1;
}

bool World::lives(std::string_view name, std::uint64_t incarnation) {
    const ManagerProcess* holder = manager(name);
    return holder != nullptr && holder->alive() && holder->incarnation() == incarnation;
}

void World::refresh_server(std::size_t index) {
    ServerState& state = state_.servers[index];
    if (seen_versions_[index] != servers_[index]->version()) {
        state = servers_[index]->snapshot(scenario_.shard);
        seen_versions_[index] = servers_[index]->version();
    }
    for (std::optional<LockSession>* lock : {&state.server_lock, &state.helper_lock, &state.rebuild_lock}) {
        if (!*lock) continue;
        const auto session = session_incarnations_.find({state.alias, (*lock)->session});
        (*lock)->manager_alive =
            session != session_incarnations_.end() && lives((*lock)->manager, session->second);
    }
}

const WorldState& World::now() {
    state_.at = scheduler_.now();
    for (std::size_t i = 0; i < servers_.size(); ++i) refresh_server(i);
    if (seen_store_ != store_->version()) {
        seen_store_ = store_->version();
        state_.store = topology_->read();
    }
    state_.store.shard_lock.reset();
    if (const auto lock = topology_->lock()) {
        state_.store.shard_lock = LockState{lock->id, lock->manager, lives(lock->manager, lock_incarnation_),
                                            lock->expires <= scheduler_.now()};
    }
    state_.managers.clear();
    for (const auto& m : managers_) {
        state_.managers.push_back(
            {m->name(), m->alive(), m->paused(), m->asleep(), m->asleep() ? m->digest() : 0});
    }
    state_.core = core_;
    return state_;
}

std::string World::manager_that_died() const {
    for (const auto& m : managers_) {
        if (!m->died_of().empty()) return m->name() + ": " + m->died_of();
    }
    return {};
}

bool World::nothing_is_under_way() const {
    if (const auto lock = topology_->lock(); lock && lock->expires > scheduler_.now()) return false;
    return std::ranges::none_of(
        servers_, [&](const auto& server) { return core_.has(server->alias()) && server->starting(); });
}

bool World::all_managers_asleep() const {
    return std::all_of(managers_.begin(), managers_.end(), [&](const auto& m) {
        const bool in_core =
            std::find(core_.managers.begin(), core_.managers.end(), m->name()) != core_.managers.end();
        return !in_core || m->asleep();
    });
}

}  // namespace fixpoint::sim
