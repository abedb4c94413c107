// See owners.hpp. A connection's inode stands in /proc/net/tcp, and among the open files of its process.
#include "property_tests/real/shard/owners.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace fixpoint::real_shards {
namespace {

std::uint64_t inode_of(std::uint16_t from, std::uint16_t to) {
    std::ifstream table("/proc/net/tcp");
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
        unsigned local = 0, remote = 0;
        unsigned long long inode = 0;
        if (std::sscanf(line.c_str(), " %*d: %*8x:%4x %*8x:%4x %*x %*x:%*x %*x:%*x %*x %*u %*u %llu", &local,
                        &remote, &inode) == 3 &&
            local == from && remote == to)
            return inode;
    }
    return 0;
}

bool has_open(pid_t pid, const std::string& file) {
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> files(::opendir(folder.c_str()), ::closedir);
    if (!files) return false;
    while (const dirent* entry = ::readdir(files.get())) {
        char target[64];
        const ssize_t length = ::readlinkat(::dirfd(files.get()), entry->d_name, target, sizeof target);
        if (length > 0 && std::string_view(target, static_cast<std::size_t>(length)) == file) return true;
    }
    return false;
}

}  // namespace

void Owners::add(pid_t pid, const std::string& name) {
    const std::scoped_lock lock(mutex_);
    names_[pid] = name;
}

void Owners::remove(pid_t pid) {
    const std::scoped_lock lock(mutex_);
    names_.erase(pid);
}

bool Owners::lives(pid_t pid) const {
    const std::scoped_lock lock(mutex_);
    return names_.contains(pid);
}

std::optional<Owner> Owners::of_connection(std::uint16_t from, std::uint16_t to) const {
    const std::uint64_t inode = inode_of(from, to);
    if (inode == 0) return std::nullopt;
    const std::string file = fmt::format("socket:[{}]", inode);
    const std::map<pid_t, std::string> names = [this] {
        const std::scoped_lock lock(mutex_);
        return names_;
    }();
    for (const auto& [pid, name] : names) {
        if (has_open(pid, file)) return Owner{pid, name};
    }
    return std::nullopt;
}

}  // namespace fixpoint::real_shards
