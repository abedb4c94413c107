// SQLite's file layer with a hook before each write, so that a test can let the disk fail, stall, or be the
// last thing that a process does. It is a thin coat over the real layer: the files are real ones. It has one
// hook for the whole process.
#pragma once

#include <functional>
#include <string>

namespace fixpoint::store_contract {

struct DiskCall {
    enum class What { open, write, truncate, sync, remove } what;
    enum class File { database, log, other } file;
    bool operator==(const DiskCall&) const = default;
};

// Called on SQLite's thread before the call; a code other than 0 (SQLITE_OK) is what the call returns
// instead.
using DiskHook = std::function<int(DiskCall)>;

class FaultyVfs {
  public:
    // Its name, for SqliteMachine::vfs. Registered at the first use.
    static const std::string& name();
    static void hook(DiskHook hook);  // nullptr: none. Not while a call is under way.
};

}  // namespace fixpoint::store_contract
