// See store.hpp. One connection of its own, behind a mutex; records are decoded by the core's codecs.
#include "property_tests/real/shard/store.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/sqlite/records.hpp"
#include "real_adapters/sqlite/store_file.hpp"

namespace fixpoint::real_shards {
namespace {

using namespace std::chrono_literals;
using sim::LockState;
using sim::StoreState;

constexpr auto between_looks = 2ms;
constexpr int busy_for_ms = 5000;

template <class T>
std::optional<T> known(Decoded<T> decoded) {
    if (!decoded) return std::nullopt;
    return std::move(*decoded);
}

}  // namespace

class Store::Impl {
  public:
    Impl(const std::filesystem::path& file, ShardName shard, const std::vector<std::string>& cells)
        : shard_(std::move(shard)) {
        auto opened = real::StoreFile::open(file, {.create = true});
        if (!opened) throw std::runtime_error(opened.error().text);
        file_ = std::move(*opened);
        file_->database().wait_while_busy(busy_for_ms);
        for (const std::string& cell : cells)
            put("", cell_info_path(cell), encode_cell_info({.server_address = "", .root = "/" + cell}));
    }

    ~Impl() { end_watch(); }

    void watch(Changed changed) {
        {
            const std::scoped_lock lock(mutex_);
            state_ = read();
            changed_ = std::move(changed);
        }
        thread_ = std::thread([this] {
            while (!ending_) {
                look();
                std::this_thread::sleep_for(between_looks);
            }
        });
    }

    void end_watch() {
        ending_ = true;
        if (thread_.joinable()) thread_.join();
        const std::scoped_lock lock(mutex_);
        changed_ = nullptr;
    }

    StoreState now() const {
        const std::scoped_lock lock(mutex_);
        return state_;
    }

    void look() {
        const std::scoped_lock lock(mutex_);
        refresh(false);
    }

    void put(const std::string& cell, const std::string& path, const std::string& bytes) {
        by_hand([&] {
            for (;;) {
                const topo::Put put{path, bytes, version_of(cell, path)};
                const auto written = real::write_record(*file_, cell, put, [] { return true; });
                if (written) return true;
                // A manager wrote between the two: a person looks and writes again.
                if (written.error().kind != topo::ErrorKind::conflict)
                    throw std::runtime_error("the store: " + written.error().text);
            }
        });
    }

    bool erase(const std::string& cell, const std::string& path) {
        return by_hand([&] {
            if (version_of(cell, path) == 0) return false;
            real::Transaction transaction(file_->database(), real::Transaction::Kind::write);
            erase_row(cell, path);
            file_->database().statement("UPDATE change_counter SET revision = revision + 1").run();
            transaction.commit();
            return true;
        });
    }

    bool set_back(int versions) {
        std::string older;
        {
            const std::scoped_lock lock(mutex_);
            const auto wanted = static_cast<std::size_t>(std::max(1, versions));
            if (wanted > history_.size()) return false;
            older = history_[history_.size() - wanted];
        }
        put("", fixpoint_path(shard_), older);
        return true;
    }

    bool expire_lease(const std::string& manager) {
        return by_hand([&] {
            const StoreState state = read();
            if (!state.shard_lock || state.shard_lock->lease_expired) return false;
            if (!manager.empty() && state.shard_lock->manager != manager) return false;
            real::Transaction transaction(file_->database(), real::Transaction::Kind::write);
            file_->database()
                .statement("UPDATE shard_lock SET deadline_ns = 1 WHERE id = ?")
                .number(state.shard_lock->id)
                .run();
            transaction.commit();
            return true;
        });
    }

    const ShardName& shard() const { return shard_; }

  private:
    template <class Edit>
    bool by_hand(Edit edit) {
        const std::scoped_lock lock(mutex_);
        refresh(false);  // what others did before is theirs
        const bool done = edit();
        refresh(true);
        return done;
    }

    void erase_row(const std::string& cell, const std::string& path) {
        if (cell.empty()) {
            file_->database().statement("DELETE FROM global_record WHERE path = ?").text(path).run();
        } else {
            file_->database()
                .statement("DELETE FROM cell_record WHERE cell = ? AND path = ?")
                .text(cell)
                .text(path)
                .run();
        }
    }

    topo::Version version_of(const std::string& cell, const std::string& path) {
        real::Statement row = file_->database().statement(
            "SELECT version FROM global_record WHERE ?1 = '' AND path = ?2 UNION ALL "
            "SELECT version FROM cell_record WHERE cell = ?1 AND path = ?2");
        return row.text(cell).text(path).next() ? row.integer(0) : 0;
    }

    void refresh(bool by_hand) {
        const std::int64_t version = file_->database().ask_number("PRAGMA data_version");
        if (!by_hand && version == seen_) {
            lease_may_have_ended();
            return;
        }
        seen_ = version;
        StoreState after = read();
        const StoreState before = std::exchange(state_, after);
        if (changed_) changed_(before, after, by_hand);
    }

    // Leases run out without anybody's writing it down. Nothing else is taken over here: what changes
    // between the question and this reading is still to be reported.
    void lease_may_have_ended() {
        if (!state_.shard_lock || state_.shard_lock->lease_expired) return;
        const auto contents = real::read_contents(*file_);
        if (!contents) return;
        for (const real::StoreContents::Lock& lock : contents->locks) {
            if (lock.holder.id == state_.shard_lock->id)
                state_.shard_lock->lease_expired = lock.left <= Duration{};
        }
    }

    StoreState read() {
        const auto contents = real::read_contents(*file_);
        if (!contents) throw std::runtime_error("the store: " + contents.error().text);
        StoreState state;
        for (const real::StoreContents::Record& record : contents->records) {
            const std::string& bytes = record.value.bytes;
            if (!record.cell.empty()) {
                if (auto tablet = known(decode_tablet(bytes))) state.tablets[tablet->alias] = *tablet;
            } else if (record.path == keyspace_path(shard_.keyspace)) {
                state.keyspace = known(decode_keyspace(bytes));
            } else if (record.path == shard_path(shard_)) {
                state.shard = known(decode_shard(bytes));
            } else if (record.path == goal_path(shard_)) {
                state.goal = known(decode_goal(bytes));
            } else if (record.path == fixpoint_path(shard_)) {
                state.fixpoint = known(decode_fixpoint(bytes));
                if (bytes != fixpoint_bytes_) {
                    if (!fixpoint_bytes_.empty()) history_.push_back(fixpoint_bytes_);
                    fixpoint_bytes_ = bytes;
                }
            }
        }
        for (const real::StoreContents::Lock& lock : contents->locks) {
            if (lock.path != shard_lock_path(shard_)) continue;
            LockState held{lock.holder.id, "", false, lock.left <= Duration{}};
            if (const auto content = decode_lock_content(lock.holder.content))
                held.manager = content->host_name;
            state.shard_lock = held;
        }
        return state;
    }

    const ShardName shard_;
    mutable std::recursive_mutex mutex_;
    std::unique_ptr<real::StoreFile> file_;
    StoreState state_;
    std::int64_t seen_ = -1;
    std::string fixpoint_bytes_;
    std::vector<std::string> history_;  // of Fixpoint's record
    Changed changed_;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

Store::Store(const std::filesystem::path& file, ShardName shard, std::vector<std::string> cells)
    : impl_(std::make_unique<Impl>(file, std::move(shard), cells)) {}
Store::~Store() = default;
void Store::watch(Changed changed) {
    impl_->watch(std::move(changed));
}
void Store::end_watch() {
    impl_->end_watch();
}
StoreState Store::now() const {
    return impl_->now();
}
void Store::look() {
    impl_->look();
}
const ShardName& Store::shard() const {
    return impl_->shard();
}

std::vector<TabletAlias> Store::primaries_for_clients() const {
    const StoreState state = now();
    std::vector<std::pair<WallTime, TabletAlias>> claims;
    for (const auto& [alias, tablet] : state.tablets) {
        if (tablet.type == TabletType::primary) claims.emplace_back(tablet.primary_term_start_time, alias);
    }
    if (state.shard && state.shard->primary_alias)
        claims.emplace_back(state.shard->primary_term_start_time, *state.shard->primary_alias);
    std::ranges::sort(claims, std::greater<>());
    std::vector<TabletAlias> primaries;
    for (const auto& [time, alias] : claims) {
        if (std::ranges::find(primaries, alias) == primaries.end()) primaries.push_back(alias);
    }
    return primaries;
}

// ---- people's hand

void Store::put(const std::string& cell, const std::string& path, const std::string& bytes) {
    impl_->put(cell, path, bytes);
}
std::optional<FixpointRecord> Store::fixpoint() const {
    return now().fixpoint;
}
bool Store::delete_fixpoint() {
    return impl_->erase("", fixpoint_path(shard()));
}
bool Store::delete_tablet(const TabletAlias& alias) {
    return impl_->erase(alias.cell, tablet_path(alias));
}
bool Store::set_back_fixpoint(int versions) {
    return impl_->set_back(versions);
}
bool Store::expire_lease(const std::string& manager) {
    return impl_->expire_lease(manager);
}

namespace {

// Nothing is written where nothing changed.
template <class T, class Put>
bool edited(std::optional<T> record, const std::function<void(T&)>& change, Put put) {
    if (!record) return false;
    const T before = *record;
    change(*record);
    if (*record == before) return false;
    put(*record);
    return true;
}

}  // namespace

bool Store::edit_keyspace(const std::function<void(KeyspaceRecord&)>& change) {
    return edited<KeyspaceRecord>(now().keyspace, change, [this](const KeyspaceRecord& r) {
        put("", keyspace_path(shard().keyspace), encode_keyspace(r));
    });
}
bool Store::edit_shard(const std::function<void(ShardRecord&)>& change) {
    return edited<ShardRecord>(
        now().shard, change, [this](const ShardRecord& r) { put("", shard_path(shard()), encode_shard(r)); });
}
bool Store::edit_goal(const std::function<void(Goal&)>& change) {
    return edited<Goal>(now().goal, change,
                        [this](const Goal& r) { put("", goal_path(shard()), encode_goal(r)); });
}
bool Store::edit_tablet(const TabletAlias& alias, const std::function<void(::fixpoint::Tablet&)>& change) {
    const StoreState state = now();
    const auto it = state.tablets.find(alias);
    if (it == state.tablets.end()) return false;
    return edited<::fixpoint::Tablet>(it->second, change, [this](const ::fixpoint::Tablet& r) {
        put(r.alias.cell, tablet_path(r.alias), encode_tablet(r));
    });
}

}  // namespace fixpoint::real_shards
