// Which process holds the write lock of a store's file, so that a person can end it or let it go on. It reads
// /proc only: opening the file to ask the kernel would, when it is closed again, release this very process's
// own locks on it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace fixpoint::real {

struct ProcessSeen {
    pid_t pid = 0;
    std::string name;  // of its program, "" where it cannot be read
    char state = '?';  // as in /proc: 'T' is suspended, 'D' waits for a disk
    bool operator==(const ProcessSeen&) const = default;
};

struct Writer {
    bool known = false;                  // whether the lock itself names its holder
    std::vector<ProcessSeen> processes;  // the holder; else all others that have the file open
    std::string to_text() const;         // "process 123 (fixpoint), which is suspended"
};

Writer writer_of(const std::filesystem::path& file);

}  // namespace fixpoint::real
