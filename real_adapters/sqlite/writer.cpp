// See writer.hpp. In WAL mode the lock of the one writer is a byte range of the file `-shm`; SQLite's file
// format fixes where.
#include "real_adapters/sqlite/writer.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace fixpoint::real {
namespace {

constexpr std::int64_t write_lock_byte = 120;

struct HeldLock {
    pid_t pid = 0;
    std::string inode;  // major:minor:inode, the numbers of the device in hexadecimal
    bool exclusive = false;
    std::int64_t first = 0, last = 0;
};

// "1: POSIX  ADVISORY  WRITE 1234 fe:00:5678 120 120"; a line that waits for another has "->" in it.
std::optional<HeldLock> parse(const std::string& line) {
    std::istringstream fields(line);
    std::string number, kind, advisory, mode, last;
    HeldLock lock;
    if (!(fields >> number >> kind >> advisory >> mode >> lock.pid >> lock.inode >> lock.first >> last))
        return std::nullopt;
    lock.exclusive = mode == "WRITE";
    lock.last = INT64_MAX;  // "EOF"
    std::from_chars(last.data(), last.data() + last.size(), lock.last);
    return lock;
}

ProcessSeen looked_at(pid_t pid) {
    ProcessSeen seen;
    seen.pid = pid;
    std::string line;
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::getline(file, line);
    const std::size_t open = line.find('('), close = line.rfind(')');
    if (close == std::string::npos || open == std::string::npos || close + 2 >= line.size()) return seen;
    seen.name = line.substr(open + 1, close - open - 1);
    seen.state = line[close + 2];
    return seen;
}

bool has_open(const std::filesystem::path& process, const std::string& file) {
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(process / "fd", error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        if (std::filesystem::read_symlink(entry->path(), error) == file) return true;
        error.clear();  // closed meanwhile
    }
    return false;
}

std::vector<ProcessSeen> others_with(const std::string& file) {
    std::vector<ProcessSeen> found;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator("/proc", error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        pid_t pid = 0;
        const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (bad != std::errc() || end != name.data() + name.size() || pid == ::getpid()) continue;
        if (has_open(entry->path(), file)) found.push_back(looked_at(pid));
    }
    return found;
}

}  // namespace

Writer writer_of(const std::filesystem::path& file) {
    const std::string shared = file.string() + "-shm";
    Writer writer;
    struct stat status{};
    if (::stat(shared.c_str(), &status) != 0) return writer;
    const std::string inode =
        fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
    std::ifstream table("/proc/locks");
    for (std::string line; std::getline(table, line);) {
        const std::optional<HeldLock> lock = parse(line);
        if (!lock || !lock->exclusive || lock->inode != inode || lock->pid <= 0) continue;
        if (lock->first > write_lock_byte || lock->last < write_lock_byte) continue;
        writer.known = true;
        writer.processes.push_back(looked_at(lock->pid));
        return writer;
    }
    writer.processes = others_with(shared);
    return writer;
}

std::string Writer::to_text() const {
    if (processes.empty()) return "a process that cannot be seen from here";
    std::string text = known ? "" : "one of: ";
    for (const ProcessSeen& process : processes) {
        if (&process != &processes.front()) text += ", ";
        text += fmt::format("process {} ({})", process.pid, process.name.empty() ? "?" : process.name);
        if (process.state == 'T' || process.state == 't') text += ", which is suspended";
        if (process.state == 'D') text += ", which waits for its disk";
    }
    return text;
}

}  // namespace fixpoint::real
