// The embedded topology store: one SQLite file on a local file system, shared by the processes of one
// machine. Its blocking calls run on a thread of the store's own, and each of them ends within its limit. A
// cell of it is whatever has a record `cells/<cell>/CellInfo`; reads and writes of any other are refused ("no
// such cell"). It makes no file unless told to, speaks to no server, and changes no bytes of a record.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <memory>

#include "fixpoint/ports/topology_store.hpp"
#include "real_adapters/sqlite/options.hpp"

namespace fixpoint::real {

// For people's eyes (`fixpoint topology show`): all that is in the file at one moment.
struct StoreContents {
    struct Record {
        std::string cell;  // "": the global store
        std::string path;
        topo::Value value;
    };
    struct Lock {
        std::string path;
        topo::LockHolder holder;
        Duration left{};  // of its lease; not above zero: expired, the next who asks gets it
    };
    std::vector<Record> records;  // the global ones first, then cell by cell; in the order of their paths
    std::vector<Lock> locks;
};

// An error text of the store begins with `store_locked` when another process has held the file for longer
// than a lease; the text names the process.
bool is_store_locked(const topo::Error& error);

class SqliteCalls;

class SqliteStore final : public topo::Store {
  public:
    // Opens the file, or creates it where the options say so (then an existing store is opened as it is, and
    // a half-made one completed). Blocks, for a second at most unless the disk hangs. The executor runs one
    // handler at a time (one thread's io_context, or a strand). `clock`: the manager's own, on which it
    // counts its leases (LockKey::taken_at). The store is destroyed when nobody awaits it any more, and
    // before the executor's context; it waits then for the call that is under way.
    static std::expected<std::unique_ptr<SqliteStore>, SqliteError> open(
        boost::asio::any_io_executor executor, const Clock& clock, const std::filesystem::path& file,
        SqliteOptions options = {});
    ~SqliteStore() override;

    awaitable<topo::Result<std::optional<topo::Value>>> get(std::string path, Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list(std::string prefix, Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Version>>> transact(topo::LockKey lock,
                                                                 std::vector<topo::Put> puts,
                                                                 Duration limit) override;
    awaitable<topo::Result<topo::Version>> put_declared(topo::Put put, Duration limit) override;

    awaitable<topo::Result<topo::LockKey>> lock_shard(std::string path, std::string content, Duration lease,
                                                      Duration limit) override;
    awaitable<topo::Result<void>> renew(topo::LockKey lock, Duration lease, Duration limit) override;
    awaitable<topo::Result<void>> unlock(topo::LockKey lock, Duration limit) override;
    awaitable<topo::Result<std::optional<topo::LockHolder>>> lock_holder(std::string path,
                                                                         Duration limit) override;

    awaitable<topo::Result<std::vector<topo::Listed>>> list_cell(std::string cell, std::string prefix,
                                                                 Duration limit) override;
    awaitable<topo::Result<topo::Version>> put_cell(std::string cell, topo::Put put, Duration limit) override;

    // Looks at the file's change counter every `watch_interval`. One's own changes count too.
    void on_change(std::function<void()> callback) override;

    // ---- no part of the port
    awaitable<topo::Result<StoreContents>> contents(Duration limit);

  private:
    explicit SqliteStore(std::shared_ptr<SqliteCalls> calls);
    std::shared_ptr<SqliteCalls> calls_;
};

}  // namespace fixpoint::real
