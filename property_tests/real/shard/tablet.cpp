// See tablet.hpp. Two threads: one for what was asked for, one that looks; a look that hangs holds up nobody.
#include "property_tests/real/shard/tablet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace fixpoint::real_shards {
namespace {

using namespace std::chrono_literals;
using real::BlockingSession;

// So that a relay log says which rows it holds; no setting that anybody judges or leads.
constexpr const char* say_rows = "SET GLOBAL binlog_rows_query_log_events = ON";

std::optional<std::uint16_t> port_of(const std::string& host) {
    const std::size_t colon = host.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    return static_cast<std::uint16_t>(std::stoi(host.substr(colon + 1)));
}

bool is_manageable(const sql::LookAnswer& look) {
    if (!look.group_replication.empty() || !look.server.gtid_mode_on || !look.server.log_replica_updates)
        return false;
    if (look.channels.size() > 1) return false;
    for (const sql::ReplicaRow& channel : look.channels) {
        if (!channel.channel.empty() || channel.filters) return false;
    }
    return look.server.version.find("MariaDB") == std::string::npos;
}

bool relay_log_is_readable(const std::vector<sql::ReplicaRow>& channels) {
    for (const sql::ReplicaRow& channel : channels) {
        using namespace sql::error_number;
        if (channel.applier_errno == relay_log_corrupt || channel.applier_errno == relay_log_missing ||
            channel.applier_errno == relay_log_init)
            return false;
    }
    return true;
}

}  // namespace

struct Tablet::Work {
    std::mutex process;  // held while the process is started or ended
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::function<void()>> tasks;
    bool ending = false;
    std::string trouble;
    std::thread worker;

    // The look that was asked for last, and the last one that was made.
    std::uint64_t wanted = 0, made = 0;
    ShardName shard;
    bool good = false;
    sim::ServerState seen;
    std::condition_variable looked;
    std::thread looker;
    std::optional<BlockingSession> session;  // the looker's own
    GtidSet waited;                          // received, and not applied at the last look
};

Tablet::Tablet(TabletAlias alias, int number, const std::filesystem::path& folder,
               const contract::Passwords& passwords, Proxy& proxy, Owners& owners)
    : alias_(std::move(alias)),
      directory_(folder),
      proxy_(proxy),
      owners_(owners),
      server_(folder, number, passwords),
      address_(proxy.add(alias_.to_string(), server_.address())),
      work_(std::make_unique<Work>()) {
    work_->worker = std::thread([this] { run_tasks(); });
    work_->looker = std::thread([this] {
        Work& work = *work_;
        std::unique_lock lock(work.mutex);
        while (true) {
            work.wake.wait(lock, [&] { return work.ending || work.wanted > work.made; });
            if (work.ending) return;
            const std::uint64_t asked = work.wanted;
            const ShardName shard = work.shard;
            lock.unlock();
            sim::ServerState state;
            bool good = false;
            try {
                good = look_now(shard, state) || look_now(shard, state);  // its session may be killed
            } catch (const std::exception&) {
                // Its files are being moved under the reader: seen at the next look.
            }
            lock.lock();
            work.made = asked;
            work.good = good;
            if (good) work.seen = std::move(state);
            work.looked.notify_all();
        }
    });
}

Tablet::~Tablet() {
    tell({});
    crash();
    {
        const std::scoped_lock lock(work_->mutex);
        work_->ending = true;
        work_->tasks.clear();
        work_->wake.notify_all();
    }
    work_->worker.join();
    work_->looker.join();
    for (std::thread& hand : hands_) hand.join();
}

void Tablet::begin(const contract::StartOptions& options) {
    options_ = options;
    server_.begin_renewal(options);
}

void Tablet::finish() {
    server_.finish_renewal();
    owners_.add(server_.pid(), alias_.to_string());
    server_.as_root({say_rows});
    proxy_.open(alias_.to_string());
    up_ = true;
    ++boot_;
}

// ---- what takes long

void Tablet::run_tasks() {
    Work& work = *work_;
    std::unique_lock lock(work.mutex);
    while (true) {
        work.wake.wait(lock, [&] { return work.ending || !work.tasks.empty(); });
        if (work.ending) return;
        const std::function<void()> task = std::move(work.tasks.front());
        work.tasks.pop_front();
        lock.unlock();
        task();
        --tasks_;
        lock.lock();
    }
}

void Tablet::enqueue(std::function<void()> task) {
    const std::scoped_lock lock(work_->mutex);
    ++tasks_;
    work_->tasks.push_back(std::move(task));
    work_->wake.notify_all();
}

// ---- the process

void Tablet::ended(bool clean) {
    up_ = paused_ = false;
    applier_blocked_ = false;
    if (told_.stopped) told_.stopped(clean);
}

void Tablet::crash() {
    const std::scoped_lock lock(work_->process);
    if (!server_.running()) return;
    const pid_t pid = server_.pid();
    // A process takes its listening socket with it: nobody is let in who would only be thrown out.
    proxy_.shut(alias_.to_string());
    server_.kill();
    owners_.remove(pid);
    ended(false);
}

void Tablet::shut_down() {
    enqueue([this] {
        const std::scoped_lock lock(work_->process);
        if (!server_.running()) return;
        const pid_t pid = server_.pid();
        proxy_.shut(alias_.to_string());
        server_.shut_down();
        owners_.remove(pid);
        ended(true);
    });
}

void Tablet::start(const contract::StartOptions& once, bool passing) {
    ++starts_;
    enqueue([this, once, passing] {
        start_now(once, passing);
        --starts_;
    });
}

void Tablet::start_now(const contract::StartOptions& once, bool passing) {
    const std::scoped_lock lock(work_->process);
    if (server_.running()) return;
    try {
        server_.start(once);
        if (passing) return server_.kill();
        server_.as_root({say_rows});
    } catch (const std::runtime_error& error) {
        const std::scoped_lock words(work_->mutex);
        work_->trouble = alias_.to_string() + ": " + error.what();
        return;
    }
    owners_.add(server_.pid(), alias_.to_string());
    ++boot_;
    up_ = true;
    if (told_.started) told_.started();
    proxy_.open(alias_.to_string());
}

std::string Tablet::trouble() const {
    const std::scoped_lock lock(work_->mutex);
    return work_->trouble;
}

void Tablet::pause() {
    paused_ = true;
    server_.pause();
}

void Tablet::resume() {
    server_.resume();
    paused_ = false;
}

// ---- a person at its prompt

void Tablet::by_hand(const std::vector<std::string>& statements, const Done& done) {
    by_hand([this, statements, done] {
        std::string error;
        try {
            server_.as_root(statements);
        } catch (const std::runtime_error& what) {
            error = what.what();
        }
        if (done) done(error);
    });
}

void Tablet::by_hand(std::function<void()> work) {
    hands_.emplace_back([work = std::move(work)] {
        try {
            work();
        } catch (const std::runtime_error&) {
            // The server went away under it; what it was to do is not observed, and so not counted.
        }
    });
}

// ---- its state

bool Tablet::look(const ShardName& shard, sim::ServerState& state, Duration limit) {
    state.alias = alias_;
    state.up = up_;
    state.paused = paused_;
    state.starting = starting() && !up_;
    state.boot = boot_;
    state.applier_blocked = applier_blocked_;
    if (!state.up || state.paused) return true;
    Work& work = *work_;
    std::unique_lock lock(work.mutex);
    work.shard = shard;
    const std::uint64_t mine = ++work.wanted;
    work.wake.notify_all();
    if (!work.looked.wait_for(lock, limit, [&] { return work.made >= mine; })) return false;
    if (!work.good) return false;
    const sim::ServerState facts = std::exchange(state, work.seen);
    state.alias = alias_;
    state.up = facts.up;
    state.paused = facts.paused;
    state.starting = facts.starting;
    state.boot = facts.boot;
    state.applier_blocked = facts.applier_blocked;
    return true;
}

namespace {

// The first field of each row.
bool ask(BlockingSession& session, const std::string& query,
         const std::function<void(const std::string&)>& row) {
    const real::RawAnswer answer = session.query(query);
    if (answer.error) return false;
    for (const auto& fields : answer.results.at(0).rows) row(fields.at(0).value_or(""));
    return true;
}

}  // namespace

namespace {

// Writes that its relay log holds and its data do not: from the events, which name each row's statement. Not
// known while the log is being read or written: then none.
void read_received(BlockingSession& session, const std::filesystem::path& data, const GtidSet& received,
                   sim::WriteSet& writes) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(data)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("relay.0")) files.push_back(name);
    }
    std::ranges::sort(files);
    for (const std::string& file : files) {
        const real::RawAnswer events = session.query("SHOW RELAYLOG EVENTS IN " + real::literal(file));
        if (events.error) continue;
        bool wanted = false;
        for (const auto& row : events.results.at(0).rows) {
            const std::string type = row.at(2).value_or(""), info = row.at(5).value_or("");
            if (type == "Gtid") {
                const std::size_t begin = info.find('\''), end = info.rfind('\'');
                const auto gtid = GtidSet::parse(info.substr(begin + 1, end - begin - 1));
                wanted = gtid && received.contains(*gtid);
            } else if (type == "Rows_query" && wanted) {
                constexpr std::string_view row_of_ours = "contract.`rows` VALUES (";
                const std::size_t at = info.find(row_of_ours);
                if (at != std::string::npos) writes.insert(std::stoull(info.substr(at + row_of_ours.size())));
            }
        }
    }
}

}  // namespace

bool Tablet::look_now(const ShardName& shard, sim::ServerState& state) {
    std::optional<BlockingSession>& session = work_->session;
    const auto failed = [&] {
        session.reset();
        return false;
    };
    try {
        if (!session) session = server_.root();
    } catch (const std::runtime_error&) {
        return failed();
    }
    const sql::Result answer = session->execute(sql::Look{shard});
    if (!answer) return failed();
    const auto& look = std::get<sql::LookAnswer>(*answer);
    state.server = look.server;
    state.channels = look.channels;
    state.semi_sync = look.semi_sync;
    state.persisted = look.persisted;
    state.manageable = is_manageable(look);
    state.relay_log_readable = relay_log_is_readable(look.channels);
    const sql::Result journal = session->execute(sql::ReadJournal{shard});
    if (!journal) return failed();
    state.journal = std::get<std::vector<sql::JournalRow>>(*journal);
    if (!ask(*session, "SELECT id FROM contract.`rows`",
             [&](const std::string& id) { state.writes.insert(std::stoull(id)); }))
        return failed();
    state.writes_in_log = state.writes;
    GtidSet waiting;
    for (const sql::ReplicaRow& channel : state.channels) waiting.add(channel.retrieved);
    waiting.subtract(state.server.gtid_executed);
    // What is only passing through is not looked up.
    if (waiting.intersects(work_->waited))
        read_received(*session, directory_ / "data", waiting, state.writes_received);
    work_->waited = std::move(waiting);
    if (!ask(*session,
             "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND "
             "state LIKE 'Waiting for%' AND info LIKE 'SET GLOBAL super_read_only%'",
             [&](const std::string& count) { state.closing_pending = count != "0"; }))
        return failed();
    const auto holder = [&](const std::optional<std::uint64_t>& id) -> std::optional<sim::LockSession> {
        if (!id) return std::nullopt;
        sim::LockSession held{*id, "", true};
        ask(*session, fmt::format("SELECT host FROM information_schema.processlist WHERE id = {}", *id),
            [&](const std::string& host) {
                const auto port = port_of(host);
                const auto owner = port ? proxy_.behind(*port) : std::nullopt;
                if (!owner) return;
                held.manager = owner->name;
                held.manager_alive = owners_.lives(owner->pid);
            });
        return held;
    };
    state.server_lock = holder(look.locks.server);
    state.helper_lock = holder(look.locks.helper);
    state.rebuild_lock = holder(look.locks.rebuild);
    return true;
}

}  // namespace fixpoint::real_shards
