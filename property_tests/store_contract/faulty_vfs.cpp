// See faulty_vfs.hpp. Each of our files is the real layer's file with a head of ours before it.
#include "property_tests/store_contract/faulty_vfs.hpp"

#include <sqlite3.h>

#include <mutex>
#include <utility>

namespace fixpoint::store_contract {
namespace {

std::mutex mutex;
DiskHook current;  // a copy runs without the mutex, so that a stalled disk does not stall the test

int ask(DiskCall call) {
    DiskHook hook;
    {
        const std::scoped_lock lock(mutex);
        hook = current;
    }
    return hook ? hook(call) : SQLITE_OK;
}

sqlite3_vfs* real() {
    static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    return vfs;
}

struct File {
    sqlite3_file base;
    DiskCall::File kind;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& ours(sqlite3_file* file) {
    return *reinterpret_cast<File*>(file);
}
sqlite3_file* under(sqlite3_file* file) {
    return ours(file).real();
}
const sqlite3_io_methods& methods(sqlite3_file* file) {
    return *under(file)->pMethods;
}

int close(sqlite3_file* f) {
    return methods(f).xClose(under(f));
}
int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
    return methods(f).xRead(under(f), to, size, at);
}
int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
    if (const int code = ask({DiskCall::What::write, ours(f).kind}); code != SQLITE_OK) return code;
    return methods(f).xWrite(under(f), from, size, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
    if (const int code = ask({DiskCall::What::truncate, ours(f).kind}); code != SQLITE_OK) return code;
    return methods(f).xTruncate(under(f), size);
}
int sync(sqlite3_file* f, int flags) {
    if (const int code = ask({DiskCall::What::sync, ours(f).kind}); code != SQLITE_OK) return code;
    return methods(f).xSync(under(f), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return methods(f).xFileSize(under(f), size);
}
int lock(sqlite3_file* f, int level) {
    return methods(f).xLock(under(f), level);
}
int unlock(sqlite3_file* f, int level) {
    return methods(f).xUnlock(under(f), level);
}
int check_reserved(sqlite3_file* f, int* answer) {
    return methods(f).xCheckReservedLock(under(f), answer);
}
int control(sqlite3_file* f, int op, void* argument) {
    return methods(f).xFileControl(under(f), op, argument);
}
int sector_size(sqlite3_file* f) {
    return methods(f).xSectorSize(under(f));
}
int characteristics(sqlite3_file* f) {
    return methods(f).xDeviceCharacteristics(under(f));
}
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** to) {
    return methods(f).xShmMap(under(f), page, size, extend, to);
}
int shm_lock(sqlite3_file* f, int offset, int count, int flags) {
    return methods(f).xShmLock(under(f), offset, count, flags);
}
void shm_barrier(sqlite3_file* f) {
    methods(f).xShmBarrier(under(f));
}
int shm_unmap(sqlite3_file* f, int remove) {
    return methods(f).xShmUnmap(under(f), remove);
}

const sqlite3_io_methods coat{
    2,         close,          read,    write,       truncate,        sync,    file_size, lock,
    unlock,    check_reserved, control, sector_size, characteristics, shm_map, shm_lock,  shm_barrier,
    shm_unmap, nullptr,        nullptr};

int open(sqlite3_vfs*, sqlite3_filename path, sqlite3_file* f, int flags, int* out) {
    File& file = ours(f);
    file.base.pMethods = nullptr;  // nothing to close, should it fail
    file.kind = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? DiskCall::File::database
                : (flags & SQLITE_OPEN_WAL) != 0   ? DiskCall::File::log
                                                   : DiskCall::File::other;
    if (const int code = ask({DiskCall::What::open, file.kind}); code != SQLITE_OK) return code;
    const int code = real()->xOpen(real(), path, file.real(), flags, out);
    if (file.real()->pMethods != nullptr) file.base.pMethods = &coat;
    return code;
}

int remove(sqlite3_vfs*, const char* path, int sync_directory) {
    if (const int code = ask({DiskCall::What::remove, DiskCall::File::other}); code != SQLITE_OK) return code;
    return real()->xDelete(real(), path, sync_directory);
}

}  // namespace

const std::string& FaultyVfs::name() {
    static const std::string name = "faulty";
    static sqlite3_vfs vfs = *real();
    static const bool registered = [] {
        vfs.szOsFile = static_cast<int>(sizeof(File)) + real()->szOsFile;
        vfs.zName = name.c_str();
        vfs.pNext = nullptr;
        vfs.xOpen = open;
        vfs.xDelete = remove;
        return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK;
    }();
    return registered ? name : name;
}

void FaultyVfs::hook(DiskHook hook) {
    const std::scoped_lock lock(mutex);
    current = std::move(hook);
}

}  // namespace fixpoint::store_contract
