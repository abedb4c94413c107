// The machine itself. Leases are counted on CLOCK_BOOTTIME, which nobody can set back and which goes on while
// the machine sleeps. A file system that other machines may write to, or that a program of its own serves,
// has no locks and no shared memory that WAL could rest on: it is named, so that the store can refuse it.
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

#include "fixpoint/model/assert.hpp"
#include "real_adapters/sqlite/options.hpp"

namespace fixpoint::real {
namespace {

Duration clock_boottime() {
    timespec now{};
    const int code = ::clock_gettime(CLOCK_BOOTTIME, &now);
    FIXPOINT_ASSERT(code == 0, "a Linux without CLOCK_BOOTTIME");
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::string id_of_boot() {
    std::string id;
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, id);
    return id;
}

struct Foreign {
    std::uint32_t magic;
    const char* name;
};

// Those that linux/magic.h does not name are written out.
constexpr std::array<Foreign, 15> foreign{{{NFS_SUPER_MAGIC, "nfs"},
                                           {SMB_SUPER_MAGIC, "smb"},
                                           {0xFF534D42, "cifs"},
                                           {0xFE534D42, "smb2"},
                                           {AFS_SUPER_MAGIC, "afs"},
                                           {AFS_FS_MAGIC, "afs"},
                                           {CODA_SUPER_MAGIC, "coda"},
                                           {0x00C36400, "ceph"},
                                           {0x01161970, "gfs2"},
                                           {0x7461636F, "ocfs2"},
                                           {0x0BD00BD0, "lustre"},
                                           {0x47504653, "gpfs"},
                                           {0x786F4256, "vboxsf"},
                                           {V9FS_MAGIC, "9p"},
                                           {0x65735546, "fuse"}}};

// "fuse" has many kinds; the table of mounts tells them apart, by the device in its third field.
std::string kind_in_mount_table(const std::filesystem::path& place) {
    struct stat status{};
    if (::stat(place.c_str(), &status) != 0) return "";
    const std::string device = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
    std::ifstream table("/proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
        std::istringstream fields(line);
        std::string field;
        for (int i = 0; i < 3; ++i) fields >> field;
        if (field != device) continue;
        while (fields >> field && field != "-") {
        }
        if (fields >> field) return field;
    }
    return "";
}

// Served by a program, yet of this machine alone, with locks and shared memory.
bool is_local_after_all(std::string_view kind) {
    return kind == "fuseblk" || kind == "fuse.fuse-overlayfs";
}

std::string foreign_kind(const std::filesystem::path& place) {
    struct statfs status{};
    if (::statfs(place.c_str(), &status) != 0) return "";  // the opening will say what is wrong with it
    for (const Foreign& row : foreign) {
        if (static_cast<std::uint32_t>(status.f_type) != row.magic) continue;
        const std::string kind = kind_in_mount_table(place);
        if (is_local_after_all(kind)) return "";
        return kind.empty() ? row.name : kind;
    }
    return "";
}

}  // namespace

SqliteMachine SqliteMachine::real() {
    SqliteMachine machine;
    machine.boot_time = clock_boottime;
    machine.boot_id = id_of_boot;
    machine.foreign_file_system = foreign_kind;
    return machine;
}

}  // namespace fixpoint::real
