// See records.hpp. A record's version is the number of the transaction that wrote it, counted for the whole
// file, so no key ever sees a version twice. A lock whose lease has run out is no lock, whether or not its
// row is still there; the next acquisition removes the row.
#include "real_adapters/sqlite/records.hpp"

#include <fmt/format.h>

namespace fixpoint::real {
namespace {

using topo::ErrorKind;

std::unexpected<topo::Error> failed(ErrorKind kind, std::string text) {
    return std::unexpected(topo::Error{kind, std::move(text)});
}

// Runs `body` in one write transaction and commits what it did, if it did it all and it is still wanted.
template <class Body>
auto written(StoreFile& file, const MayCommit& may, Body body) -> decltype(body()) {
    Transaction transaction(file.database(), Transaction::Kind::write);
    auto result = body();
    if (!result) return result;
    if (!may()) return failed(ErrorKind::unreachable, "given up before anything was written");
    transaction.commit();
    return result;
}

// ---- records

std::string cell_info_path(const std::string& cell) {
    return "cells/" + cell + "/CellInfo";
}

std::int64_t global_version(Database& db, const std::string& path) {
    Statement row = db.statement("SELECT version FROM global_record WHERE path = ?");
    return row.text(path).next() ? row.integer(0) : 0;
}

std::int64_t version_of(Database& db, const std::string& cell, const std::string& path) {
    if (cell.empty()) return global_version(db, path);
    Statement row = db.statement("SELECT version FROM cell_record WHERE cell = ? AND path = ?");
    return row.text(cell).text(path).next() ? row.integer(0) : 0;
}

std::optional<topo::Error> unknown(StoreFile& file, const std::string& cell) {
    if (cell.empty() || global_version(file.database(), cell_info_path(cell)) != 0) return std::nullopt;
    return topo::Error{ErrorKind::unreachable,
                       fmt::format("no such cell: {} (there is no record {} in {}: declare the cell first)",
                                   cell, cell_info_path(cell), file.path().string())};
}

topo::Version next_revision(Database& db) {
    db.statement("UPDATE change_counter SET revision = revision + 1").run();
    return db.ask_number("SELECT revision FROM change_counter");
}

void store(Database& db, const std::string& cell, const topo::Put& put, topo::Version version) {
    if (cell.empty()) {
        Statement row = db.statement("INSERT OR REPLACE INTO global_record VALUES (?, ?, ?)");
        row.text(put.path).bytes(put.bytes).number(version).run();
    } else {
        Statement row = db.statement("INSERT OR REPLACE INTO cell_record VALUES (?, ?, ?, ?)");
        row.text(cell).text(put.path).bytes(put.bytes).number(version).run();
    }
}

// All versions are compared before anything is written.
topo::Result<topo::Version> put_all(StoreFile& file, const std::string& cell,
                                    const std::vector<topo::Put>& puts) {
    Database& db = file.database();
    for (const topo::Put& put : puts) {
        if (version_of(db, cell, put.path) != put.expected) return failed(ErrorKind::conflict, put.path);
    }
    const topo::Version version = next_revision(db);
    for (const topo::Put& put : puts) store(db, cell, put, version);
    return version;
}

// ---- locks

constexpr const char* lock_is_gone = "the lock key is gone";

struct LockRow {
    topo::LockHolder holder;
    Duration left{};  // not above zero: expired
};

Duration left_of(const StoreFile& file, std::int64_t deadline_ns, const std::string& boot_id) {
    if (boot_id != file.boot_id()) return Duration::zero();
    return Duration(deadline_ns) - file.now();
}

std::optional<LockRow> lock_row(StoreFile& file, const std::string& path) {
    Statement row =
        file.database().statement("SELECT id, content, deadline_ns, boot_id FROM shard_lock WHERE path = ?");
    if (!row.text(path).next()) return std::nullopt;
    LockRow found;
    found.holder.id = row.integer(0);
    found.holder.content = row.string(1);
    found.left = left_of(file, row.integer(2), row.string(3));
    return found;
}

std::optional<LockRow> live_lock(StoreFile& file, const std::string& path) {
    std::optional<LockRow> row = lock_row(file, path);
    if (row && row->left <= Duration::zero()) row.reset();
    return row;
}

bool holds(StoreFile& file, const topo::LockKey& lock) {
    const std::optional<LockRow> row = live_lock(file, lock.path);
    return row && row->holder.id == lock.id;
}

// A lease for ever is one of a hundred years, which a number can hold.
std::int64_t deadline_after(const StoreFile& file, Duration lease) {
    const Duration longest = std::chrono::hours(24 * 365 * 100);
    return (file.now() + std::min(lease, longest)).count();
}

}  // namespace

// ---- reads

topo::Result<std::optional<topo::Value>> read_record(StoreFile& file, const std::string& path) {
    Statement row = file.database().statement("SELECT bytes, version FROM global_record WHERE path = ?");
    std::optional<topo::Value> value;
    if (row.text(path).next()) value = topo::Value{row.string(0), row.integer(1)};
    return value;
}

topo::Result<std::vector<topo::Listed>> read_records(StoreFile& file, const std::string& cell,
                                                     const std::string& prefix) {
    Database& db = file.database();
    Transaction snapshot(db, Transaction::Kind::read);
    if (std::optional<topo::Error> error = unknown(file, cell)) return std::unexpected(*std::move(error));
    Statement rows = db.statement(
        cell.empty()
            ? "SELECT path, bytes, version FROM global_record WHERE path >= ? ORDER BY path"
            : "SELECT path, bytes, version FROM cell_record WHERE cell = ? AND path >= ? ORDER BY path");
    if (!cell.empty()) rows.text(cell);
    rows.text(prefix);
    std::vector<topo::Listed> listed;
    while (rows.next()) {
        std::string path = rows.string(0);
        if (!path.starts_with(prefix)) break;
        listed.push_back({std::move(path), topo::Value{rows.string(1), rows.integer(2)}});
    }
    return listed;
}

topo::Result<std::optional<topo::LockHolder>> read_lock_holder(StoreFile& file, const std::string& path) {
    std::optional<topo::LockHolder> holder;
    if (std::optional<LockRow> row = live_lock(file, path)) holder = std::move(row->holder);
    return holder;
}

topo::Result<std::int64_t> read_revision(StoreFile& file) {
    return file.database().ask_number("SELECT revision FROM change_counter");
}

topo::Result<StoreContents> read_contents(StoreFile& file) {
    Database& db = file.database();
    Transaction snapshot(db, Transaction::Kind::read);
    StoreContents contents;
    Statement records = db.statement(
        "SELECT '' AS cell, path, bytes, version FROM global_record UNION ALL "
        "SELECT cell, path, bytes, version FROM cell_record ORDER BY 1, 2");
    while (records.next()) {
        contents.records.push_back(
            {records.string(0), records.string(1), topo::Value{records.string(2), records.integer(3)}});
    }
    Statement locks =
        db.statement("SELECT path, id, content, deadline_ns, boot_id FROM shard_lock ORDER BY path");
    while (locks.next()) {
        contents.locks.push_back({locks.string(0), topo::LockHolder{locks.integer(1), locks.string(2)},
                                  left_of(file, locks.integer(3), locks.string(4))});
    }
    return contents;
}

// ---- writes

topo::Result<std::vector<topo::Version>> write_records(StoreFile& file, const topo::LockKey& lock,
                                                       const std::vector<topo::Put>& puts,
                                                       const MayCommit& may) {
    return written(file, may, [&]() -> topo::Result<std::vector<topo::Version>> {
        if (!holds(file, lock)) return failed(ErrorKind::lock_lost, lock_is_gone);
        auto version = put_all(file, "", puts);
        if (!version) return std::unexpected(std::move(version.error()));
        return std::vector<topo::Version>(puts.size(), *version);
    });
}

topo::Result<topo::Version> write_record(StoreFile& file, const std::string& cell, const topo::Put& put,
                                         const MayCommit& may) {
    return written(file, may, [&]() -> topo::Result<topo::Version> {
        if (std::optional<topo::Error> error = unknown(file, cell)) return std::unexpected(*std::move(error));
        return put_all(file, cell, {put});
    });
}

topo::Result<LockTaken> take_lock(StoreFile& file, const std::string& path, const std::string& content,
                                  Duration lease, const MayCommit& may) {
    return written(file, may, [&]() -> topo::Result<LockTaken> {
        Database& db = file.database();
        if (std::optional<LockRow> row = live_lock(file, path))
            return failed(ErrorKind::held, std::move(row->holder.content));
        db.statement("DELETE FROM shard_lock WHERE path = ?").text(path).run();
        Statement row =
            db.statement("INSERT INTO shard_lock (path, content, deadline_ns, boot_id) VALUES (?, ?, ?, ?)");
        row.text(path).bytes(content).number(deadline_after(file, lease)).text(file.boot_id()).run();
        return LockTaken{db.last_id()};
    });
}

topo::Result<void> renew_lock(StoreFile& file, const topo::LockKey& lock, Duration lease,
                              const MayCommit& may) {
    return written(file, may, [&]() -> topo::Result<void> {
        if (!holds(file, lock)) return failed(ErrorKind::lock_lost, lock_is_gone);
        Statement row = file.database().statement("UPDATE shard_lock SET deadline_ns = ? WHERE id = ?");
        row.number(deadline_after(file, lease)).number(lock.id).run();
        return {};
    });
}

topo::Result<void> release_lock(StoreFile& file, const topo::LockKey& lock, const MayCommit& may) {
    return written(file, may, [&]() -> topo::Result<void> {
        if (!holds(file, lock)) return failed(ErrorKind::lock_lost, lock_is_gone);
        file.database().statement("DELETE FROM shard_lock WHERE id = ?").number(lock.id).run();
        return {};
    });
}

}  // namespace fixpoint::real
