// See owners.hpp. The kernel names a connection's inode, which is among the open files of its process.
#include "property_tests/real/shard/owners.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string_view>

namespace fixpoint::real_shards {
namespace {

// One question about one connection (sock_diag): the kernel's table as text takes tens of milliseconds where
// many connections have just ended, and whoever waits for it gives up and comes again.
std::uint64_t inode_of(std::uint16_t from, std::uint16_t to) {
    struct {
        nlmsghdr header{};
        inet_diag_req_v2 question{};
    } request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.question.sdiag_family = AF_INET;
    request.question.sdiag_protocol = IPPROTO_TCP;
    request.question.idiag_states = ~0U;
    request.question.id.idiag_sport = htons(from);
    request.question.id.idiag_dport = htons(to);
    request.question.id.idiag_src[0] = request.question.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
    request.question.id.idiag_cookie[0] = request.question.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    const int kernel = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (kernel < 0) throw std::runtime_error("this kernel does not say whose a connection is (sock_diag)");
    alignas(nlmsghdr) char bytes[4096];
    ssize_t size = ::send(kernel, &request, sizeof request, 0);
    if (size > 0) size = ::recv(kernel, bytes, sizeof bytes, 0);
    ::close(kernel);
    const auto* answer = reinterpret_cast<const nlmsghdr*>(bytes);
    if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return 0;
    if (answer->nlmsg_type != SOCK_DIAG_BY_FAMILY) return 0;  // there is none
    return static_cast<const inet_diag_msg*>(NLMSG_DATA(answer))->idiag_inode;
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
