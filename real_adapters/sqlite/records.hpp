// The calls of the port as transactions on the file: blocking, one at a time, each of them whole or not at
// all. What a store can answer is a value; what SQLite complains of is thrown (SqliteTrouble). Nothing in
// here waits for anything but the disk, least of all while it holds the file's write lock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/ports/topology_store.hpp"
#include "real_adapters/sqlite/sqlite_store.hpp"
#include "real_adapters/sqlite/store_file.hpp"

namespace fixpoint::real {

// Asked when all is ready and nothing is written yet: does anybody still want it?
using MayCommit = std::function<bool()>;

struct LockTaken {
    std::int64_t id = 0;
};

topo::Result<std::optional<topo::Value>> read_record(StoreFile& file, const std::string& path);
// Of a cell, or with "" of the global store.
topo::Result<std::vector<topo::Listed>> read_records(StoreFile& file, const std::string& cell,
                                                     const std::string& prefix);
topo::Result<std::optional<topo::LockHolder>> read_lock_holder(StoreFile& file, const std::string& path);
topo::Result<StoreContents> read_contents(StoreFile& file);
topo::Result<std::int64_t> read_revision(StoreFile& file);

topo::Result<std::vector<topo::Version>> write_records(StoreFile& file, const topo::LockKey& lock,
                                                       const std::vector<topo::Put>& puts,
                                                       const MayCommit& may);
topo::Result<topo::Version> write_record(StoreFile& file, const std::string& cell, const topo::Put& put,
                                         const MayCommit& may);
topo::Result<LockTaken> take_lock(StoreFile& file, const std::string& path, const std::string& content,
                                  Duration lease, const MayCommit& may);
topo::Result<void> renew_lock(StoreFile& file, const topo::LockKey& lock, Duration lease,
                              const MayCommit& may);
topo::Result<void> release_lock(StoreFile& file, const topo::LockKey& lock, const MayCommit& may);

}  // namespace fixpoint::real
