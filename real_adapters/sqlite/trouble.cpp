// See trouble.hpp. A code without a row of its own is an error of input or output, with SQLite's own words.
#include "real_adapters/sqlite/trouble.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace fixpoint::real {
namespace {

bool is_forbidden(int system_errno) {
    return system_errno == EACCES || system_errno == EPERM || system_errno == EROFS;
}

bool is_out_of_space(int system_errno) {
    return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG;
}

}  // namespace

SqliteFault SqliteTrouble::fault() const {
    switch (code_ & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return SqliteFault::busy;
        case SQLITE_FULL:
            return SqliteFault::full;
        case SQLITE_CORRUPT:
            return SqliteFault::damaged;
        case SQLITE_NOTADB:
            return SqliteFault::not_a_store;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return SqliteFault::not_permitted;
        default:
            break;
    }
    if (is_out_of_space(system_errno_)) return SqliteFault::full;
    if (is_forbidden(system_errno_)) return SqliteFault::not_permitted;
    return SqliteFault::io;
}

SqliteError explain(const SqliteTrouble& trouble, const std::filesystem::path& file) {
    const std::string name = file.string();
    std::string text;
    switch (trouble.fault()) {
        case SqliteFault::busy:
            text = fmt::format("{} is busy: another process is writing to it", name);
            break;
        case SqliteFault::full:
            text =
                fmt::format("the file system of {} is full (or the user's quota is): free space there", name);
            break;
        case SqliteFault::damaged:
            text =
                fmt::format("{} is damaged: put a backup in its place, with no process running on it", name);
            break;
        case SqliteFault::not_a_store:
            text = fmt::format("{} is no SQLite database: name the topology store's own file", name);
            break;
        case SqliteFault::not_permitted:
            text = fmt::format(
                "{} may not be written: give this user the right to write the file, its -wal "
                "and -shm beside it, and their directory",
                name);
            break;
        default:
            text = fmt::format("{} cannot be read or written: look at its directory, and at the kernel's log",
                               name);
            break;
    }
    text += fmt::format(" (SQLite {}: {}", trouble.code_, trouble.message_);
    if (trouble.system_errno_ != 0) text += fmt::format("; {}", std::strerror(trouble.system_errno_));
    text += ")";
    return {trouble.fault(), std::move(text)};
}

}  // namespace fixpoint::real
