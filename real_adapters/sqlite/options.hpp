// How a store's file is opened, why that may fail, and what the store wants to know of its machine: the clock
// that leases are counted on, and the kind of file system. Tests put their own in its place; there is no
// other reason to.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "fixpoint/model/time.hpp"

namespace fixpoint::real {

enum class SqliteFault {
    missing,       // no such file: `fixpoint init` makes it
    not_local,     // on a network file system, where locks and WAL do not work
    not_a_store,   // another program's file, or no database at all
    other_schema,  // made by another version of Fixpoint
    damaged,
    not_permitted,
    full,
    busy,  // somebody holds the file
    io,    // anything else that the system says
};

struct SqliteError {
    SqliteFault fault = SqliteFault::io;
    std::string text;  // names the file and the remedy
};

struct SqliteMachine {
    std::function<Duration()> boot_time;   // CLOCK_BOOTTIME
    std::function<std::string()> boot_id;  // leases of another boot have expired
    // The file system's kind, as the system names it ("nfs", "fuse.sshfs", …); "" where it may be used.
    std::function<std::string(const std::filesystem::path&)> foreign_file_system;
    std::string vfs;  // SQLite's layer below; "": the default one

    static SqliteMachine real();
};

struct SqliteOptions {
    bool create = false;
    Duration watch_interval = std::chrono::milliseconds(100);
    // One lease: this, until somebody locks here and says how long his is.
    Duration store_locked_after = std::chrono::seconds(10);
    SqliteMachine machine = SqliteMachine::real();
};

}  // namespace fixpoint::real
