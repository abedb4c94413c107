// The server side of the fake topology store. Every operation takes effect at one instant, in the order of
// arrival: that is all that "linearizable" means here. It refuses nothing that a real store would accept.
#include "sim/fakes/store/fake_store.hpp"

#include <algorithm>
#include <utility>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {

FakeStore::FakeStore(Scheduler& scheduler, Network& network, const std::vector<std::string>& cells,
                     StoreListener& listener)
    : scheduler_(scheduler), listener_(listener) {
    const auto add = [&](const std::string& cell) {
        const std::string name = cell.empty() ? "store" : "store:" + cell;
        Member member;
        member.cell = cell;
        member.process = &scheduler.add_process(name);
        member.endpoint = network.endpoint(name);
        members_.push_back(std::move(member));
    };
    add("");
    for (const std::string& cell : cells) add(cell);
}

FakeStore::Member& FakeStore::member(std::string_view cell) {
    return const_cast<Member&>(std::as_const(*this).member(cell));
}

const FakeStore::Member& FakeStore::member(std::string_view cell) const {
    for (const Member& m : members_) {
        if (m.cell == cell) return m;
    }
    FIXPOINT_ASSERT(false, "a cell that the world does not have");
    return members_.front();
}

bool FakeStore::has_cell(std::string_view cell) const {
    return std::any_of(members_.begin(), members_.end(), [&](const Member& m) { return m.cell == cell; });
}

Process& FakeStore::process(std::string_view cell) {
    return *member(cell).process;
}
Endpoint FakeStore::endpoint(std::string_view cell) {
    return member(cell).endpoint;
}

// ---- requests

const FakeStore::Outage* FakeStore::outage(const Member& m, std::string_view manager) const {
    for (const Outage& o : m.outages) {
        if (o.manager.empty() || o.manager == manager) return &o;
    }
    return nullptr;
}

bool FakeStore::is_down(std::string_view cell, std::string_view manager) const {
    return outage(member(cell), manager) != nullptr;
}

Duration FakeStore::slowness(std::string_view cell, std::string_view manager) {
    Duration extra{};
    for (const Slow& s : member(cell).slow) {
        if (s.manager.empty() || s.manager == manager) extra += s.extra;
    }
    if (extra > Duration{}) ++struck_.slow;
    return extra;
}

std::optional<StoreReply> FakeStore::serve(const std::string& manager, const StoreRequest& request) {
    Member& m = member(request.cell);
    if (const Outage* o = outage(m, manager)) {
        ++struck_.down;
        if (o->silent) return std::nullopt;
        return StoreReply{.status = StoreStatus::unreachable, .text = "the store refuses connections"};
    }
    if (const auto late = request.writes_records() ? take_late(manager) : std::nullopt) {
        ++struck_.late;
        scheduler_.after(*m.process, *late, [this, manager, request] { serve(manager, request); });
        return std::nullopt;
    }
    StoreReply reply;
    switch (request.kind) {
        case StoreRequestKind::get:
            reply.value = peek(request.cell, request.path);
            break;
        case StoreRequestKind::list:
            reply.listed = peek_list(request.cell, request.path);
            break;
        case StoreRequestKind::transact:
        case StoreRequestKind::put:
            reply = transact(m, manager, request);
            break;
        case StoreRequestKind::lock:
            reply = take_lock(manager, request);
            break;
        case StoreRequestKind::renew:
            reply = renew(request);
            break;
        case StoreRequestKind::unlock:
            reply = unlock(request);
            break;
        case StoreRequestKind::holder:
            if (const auto held = lock(request.path)) reply.holder = StoreHolder{held->id, held->content};
            break;
    }
    if (request.writes_records() && take(answers_to_lose_, manager)) {
        ++struck_.answer_lost;
        return std::nullopt;
    }
    return reply;
}

StoreReply FakeStore::transact(Member& m, const std::string& manager, const StoreRequest& request) {
    if (request.kind == StoreRequestKind::transact && take(conflicts_to_make_, manager)) {
        ++struck_.conflict;
        for (const StorePut& p : request.puts) {
            if (const auto it = m.values.find(p.path); it != m.values.end()) it->second.version = ++revision_;
        }
    }
    if (request.kind == StoreRequestKind::transact) {
        const auto held = std::find_if(locks_.begin(), locks_.end(), [&](const auto& entry) {
            return entry.second.id == request.lock_id &&
                   (request.path.empty() || entry.first == request.path);
        });
        if (held == locks_.end()) return {.status = StoreStatus::lock_lost, .text = "the lock key is gone"};
    }
    for (const StorePut& p : request.puts) {
        const auto it = m.values.find(p.path);
        const std::int64_t version = it == m.values.end() ? 0 : it->second.version;
        if (version != p.expected) return {.status = StoreStatus::conflict, .text = p.path};
    }
    std::vector<StoreChange> changes;
    for (const StorePut& p : request.puts) changes.push_back(change_of(m, p.path, p.bytes));
    apply(m, manager, request.held, std::move(changes));
    StoreReply reply;
    reply.versions.assign(request.puts.size(), revision_);
    return reply;
}

StoreChange FakeStore::change_of(const Member& m, const std::string& path, std::optional<std::string> bytes) {
    StoreChange change{m.cell, path, std::nullopt, std::move(bytes)};
    if (const auto it = m.values.find(path); it != m.values.end()) change.before = it->second.bytes;
    return change;
}

// The listener hears of it while the old values still stand.
void FakeStore::apply(Member& m, const std::string& manager, std::int64_t lock_id,
                      std::vector<StoreChange> changes) {
    listener_.store_written(manager, lock_id, changes);
    ++changes_;
    ++revision_;
    for (StoreChange& change : changes) {
        if (change.after) {
            m.values[change.path] = StoreValue{std::move(*change.after), revision_};
        } else {
            m.values.erase(change.path);
        }
    }
    notify(m);
}

// ---- the shard lock

StoreReply FakeStore::take_lock(const std::string& manager, const StoreRequest& request) {
    if (const auto it = locks_.find(request.path); it != locks_.end()) {
        return {.status = StoreStatus::held, .text = it->second.content};
    }
    StoreLock lock{++revision_, request.path, request.content, manager, scheduler_.now() + request.lease};
    const std::int64_t id = lock.id;
    locks_.emplace(request.path, lock);
    ++changes_;
    watch_lease(request.path, id, lock.expires);
    listener_.shard_lock_taken(manager, id);
    StoreReply reply;
    reply.lock_id = id;
    return reply;
}

StoreReply FakeStore::renew(const StoreRequest& request) {
    const auto it = locks_.find(request.path);
    if (it == locks_.end() || it->second.id != request.lock_id) {
        return {.status = StoreStatus::lock_lost, .text = "the lock key is gone"};
    }
    const Instant expires = scheduler_.now() + request.lease;
    const bool sooner = expires < it->second.expires;
    it->second.expires = expires;
    if (sooner) watch_lease(request.path, request.lock_id, expires);
    return {};
}

StoreReply FakeStore::unlock(const StoreRequest& request) {
    const auto it = locks_.find(request.path);
    if (it == locks_.end() || it->second.id != request.lock_id) {
        return {.status = StoreStatus::lock_lost, .text = "the lock key is gone"};
    }
    release(it, false);
    return {};
}

void FakeStore::release(std::map<std::string, StoreLock, std::less<>>::iterator lock, bool expired) {
    const StoreLock gone = lock->second;
    locks_.erase(lock);
    ++changes_;
    listener_.shard_lock_released(gone.manager, gone.id, expired);
}

// A renewal moves the end, and the timer finds out when it fires; only an end that comes sooner needs a timer
// of its own.
void FakeStore::watch_lease(const std::string& path, std::int64_t id, Instant expires) {
    scheduler_.at(process(""), expires, [this, path, id] {
        const auto it = locks_.find(path);
        if (it == locks_.end() || it->second.id != id) return;
        if (it->second.expires > scheduler_.now()) {
            watch_lease(path, id, it->second.expires);
        } else {
            release(it, true);
        }
    });
}

bool FakeStore::expire_lease(std::string_view path) {
    const auto it = locks_.find(path);
    if (it == locks_.end()) return false;
    ++struck_.lease;
    release(it, true);
    return true;
}

std::optional<StoreLock> FakeStore::lock(std::string_view path) const {
    const auto it = locks_.find(path);
    if (it == locks_.end()) return std::nullopt;
    return it->second;
}

// ---- watches

void FakeStore::watch(StoreWatcher& watcher) {
    if (std::find(watchers_.begin(), watchers_.end(), &watcher) == watchers_.end())
        watchers_.push_back(&watcher);
}
void FakeStore::unwatch(StoreWatcher& watcher) {
    std::erase(watchers_, &watcher);
}

void FakeStore::notify(const Member& m) {
    for (StoreWatcher* watcher : watchers_) {
        if (outage(m, watcher->watcher_name()) != nullptr) continue;
        int times = 1;
        Duration later{};
        for (ToStrikeWatch& strike : watches_to_strike_) {
            if (strike.left == 0 || !(strike.manager.empty() || strike.manager == watcher->watcher_name()))
                continue;
            --strike.left;
            ++struck_.watch;
            if (strike.fault == WatchFault::lost) times = 0;
            if (strike.fault == WatchFault::doubled) times *= 2;
            if (strike.fault == WatchFault::late) later += strike.late;
            break;
        }
        for (int i = 0; i < times; ++i) watcher->send_watch_event(m.endpoint, later);
    }
}

// ---- by hand

std::optional<StoreValue> FakeStore::peek(std::string_view cell, std::string_view path) const {
    const Member& m = member(cell);
    const auto it = m.values.find(path);
    if (it == m.values.end()) return std::nullopt;
    return it->second;
}

std::vector<StoreListed> FakeStore::peek_list(std::string_view cell, std::string_view prefix) const {
    std::vector<StoreListed> found;
    const Member& m = member(cell);
    for (auto it = m.values.lower_bound(prefix); it != m.values.end() && it->first.starts_with(prefix);
         ++it) {
        found.push_back(StoreListed{it->first, it->second});
    }
    return found;
}

void FakeStore::edit(std::string_view cell, const std::string& path, std::string bytes) {
    Member& m = member(cell);
    apply(m, "", 0, {change_of(m, path, std::move(bytes))});
}

bool FakeStore::erase(std::string_view cell, const std::string& path) {
    Member& m = member(cell);
    if (!m.values.contains(path)) return false;
    apply(m, "", 0, {change_of(m, path, std::nullopt)});
    return true;
}

// ---- faults

void FakeStore::set_down(std::string_view cell, std::string_view manager, bool silent) {
    member(cell).outages.push_back(Outage{std::string(manager), silent});
}

bool FakeStore::set_up(std::string_view cell, std::string_view manager) {
    return std::erase_if(member(cell).outages,
                         [&](const Outage& o) { return manager.empty() || o.manager == manager; }) > 0;
}

void FakeStore::set_slow(std::string_view cell, std::string_view manager, Duration extra) {
    member(cell).slow.push_back(Slow{std::string(manager), extra});
}

bool FakeStore::set_fast(std::string_view cell, std::string_view manager) {
    return std::erase_if(member(cell).slow,
                         [&](const Slow& s) { return manager.empty() || s.manager == manager; }) > 0;
}

void FakeStore::disarm() {
    answers_to_lose_.clear();
    writes_to_delay_.clear();
    conflicts_to_make_.clear();
    watches_to_strike_.clear();
}

void FakeStore::lose_next_answer(std::string_view manager) {
    answers_to_lose_.emplace_back(manager);
}
void FakeStore::delay_next_write(std::string_view manager, Duration late) {
    writes_to_delay_.emplace_back(manager, late);
}
void FakeStore::conflict_next(std::string_view manager) {
    conflicts_to_make_.emplace_back(manager);
}
void FakeStore::next_watch_event(std::string_view manager, WatchFault fault, Duration late, int count) {
    watches_to_strike_.push_back(ToStrikeWatch{std::string(manager), fault, late, count});
}

std::optional<Duration> FakeStore::take_late(std::string_view manager) {
    const auto it = std::ranges::find_if(
        writes_to_delay_, [&](const auto& armed) { return armed.first.empty() || armed.first == manager; });
    if (it == writes_to_delay_.end()) return std::nullopt;
    const Duration late = it->second;
    writes_to_delay_.erase(it);
    return late;
}

bool FakeStore::take(std::vector<std::string>& armed, std::string_view manager) {
    const auto it = std::find_if(armed.begin(), armed.end(),
                                 [&](const std::string& name) { return name.empty() || name == manager; });
    if (it == armed.end()) return false;
    armed.erase(it);
    return true;
}

}  // namespace fixpoint::sim
