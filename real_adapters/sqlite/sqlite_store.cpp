// The port's calls, each handed to the store's thread. What a call means is in records.cpp; when it is given
// up, in calls.hpp.
#include "real_adapters/sqlite/sqlite_store.hpp"

#include <utility>

#include "real_adapters/sqlite/calls.hpp"
#include "real_adapters/sqlite/records.hpp"

namespace fixpoint::real {

bool is_store_locked(const topo::Error& error) {
    return error.text.starts_with("store_locked");
}

SqliteStore::SqliteStore(std::shared_ptr<SqliteCalls> calls) : calls_(std::move(calls)) {}

SqliteStore::~SqliteStore() {
    calls_->end();
}

std::expected<std::unique_ptr<SqliteStore>, SqliteError> SqliteStore::open(
    boost::asio::any_io_executor executor, const Clock& clock, const std::filesystem::path& file,
    SqliteOptions options) {
    auto opened = StoreFile::open(file, options);
    if (!opened) return std::unexpected(std::move(opened.error()));
    auto calls = std::make_shared<SqliteCalls>(std::move(executor), clock, *std::move(opened), options);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(calls)));
}

// ---- reads

awaitable<topo::Result<std::optional<topo::Value>>> SqliteStore::get(std::string path, Duration limit) {
    using Found = std::optional<topo::Value>;
    SqliteCalls::Work<Found> work = [path = std::move(path)](StoreFile& file, const MayCommit&) {
        return read_record(file, path);
    };
    return calls_->run<Found>(std::move(work), limit, false);
}

awaitable<topo::Result<std::vector<topo::Listed>>> SqliteStore::list_cell(std::string cell,
                                                                          std::string prefix,
                                                                          Duration limit) {
    using Found = std::vector<topo::Listed>;
    SqliteCalls::Work<Found> work = [cell = std::move(cell), prefix = std::move(prefix)](StoreFile& file,
                                                                                         const MayCommit&) {
        return read_records(file, cell, prefix);
    };
    return calls_->run<Found>(std::move(work), limit, false);
}

awaitable<topo::Result<std::vector<topo::Listed>>> SqliteStore::list(std::string prefix, Duration limit) {
    return list_cell("", std::move(prefix), limit);
}

awaitable<topo::Result<std::optional<topo::LockHolder>>> SqliteStore::lock_holder(std::string path,
                                                                                  Duration limit) {
    using Found = std::optional<topo::LockHolder>;
    SqliteCalls::Work<Found> work = [path = std::move(path)](StoreFile& file, const MayCommit&) {
        return read_lock_holder(file, path);
    };
    return calls_->run<Found>(std::move(work), limit, false);
}

awaitable<topo::Result<StoreContents>> SqliteStore::contents(Duration limit) {
    SqliteCalls::Work<StoreContents> work = [](StoreFile& file, const MayCommit&) {
        return read_contents(file);
    };
    return calls_->run<StoreContents>(std::move(work), limit, false);
}

// ---- writes

awaitable<topo::Result<std::vector<topo::Version>>> SqliteStore::transact(topo::LockKey lock,
                                                                          std::vector<topo::Put> puts,
                                                                          Duration limit) {
    using Versions = std::vector<topo::Version>;
    SqliteCalls::Work<Versions> work = [lock = std::move(lock), puts = std::move(puts)](
                                           StoreFile& file, const MayCommit& may) {
        return write_records(file, lock, puts, may);
    };
    return calls_->run<Versions>(std::move(work), limit, true);
}

awaitable<topo::Result<topo::Version>> SqliteStore::put_cell(std::string cell, topo::Put put,
                                                             Duration limit) {
    SqliteCalls::Work<topo::Version> work = [cell = std::move(cell), put = std::move(put)](
                                                StoreFile& file, const MayCommit& may) {
        return write_record(file, cell, put, may);
    };
    return calls_->run<topo::Version>(std::move(work), limit, true);
}

awaitable<topo::Result<topo::Version>> SqliteStore::put_declared(topo::Put put, Duration limit) {
    return put_cell("", std::move(put), limit);
}

// ---- the shard lock

awaitable<topo::Result<topo::LockKey>> SqliteStore::lock_shard(std::string path, std::string content,
                                                               Duration lease, Duration limit) {
    topo::LockKey key;
    key.path = std::move(path);
    key.taken_at = calls_->now();
    calls_->lease_is(lease);
    SqliteCalls::Work<LockTaken> work = [path = key.path, content = std::move(content), lease](
                                            StoreFile& file, const MayCommit& may) {
        return take_lock(file, path, content, lease, may);
    };
    auto taken = co_await calls_->run<LockTaken>(std::move(work), limit, true);
    if (!taken) co_return std::unexpected(std::move(taken.error()));
    key.id = taken->id;
    co_return key;
}

awaitable<topo::Result<void>> SqliteStore::renew(topo::LockKey lock, Duration lease, Duration limit) {
    calls_->lease_is(lease);
    SqliteCalls::Work<void> work = [lock = std::move(lock), lease](StoreFile& file, const MayCommit& may) {
        return renew_lock(file, lock, lease, may);
    };
    return calls_->run<void>(std::move(work), limit, true);
}

awaitable<topo::Result<void>> SqliteStore::unlock(topo::LockKey lock, Duration limit) {
    SqliteCalls::Work<void> work = [lock = std::move(lock)](StoreFile& file, const MayCommit& may) {
        return release_lock(file, lock, may);
    };
    return calls_->run<void>(std::move(work), limit, true);
}

void SqliteStore::on_change(std::function<void()> callback) {
    calls_->watch(std::move(callback));
}

}  // namespace fixpoint::real
