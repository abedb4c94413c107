// The store's file: found or made, refused where it is none of ours, and the same file as long as it is open.
// Blocking. It knows the schema, which is written here and nowhere else, but not what a call of the port does
// with it.
#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "fixpoint/ports/topology_store.hpp"
#include "real_adapters/sqlite/database.hpp"
#include "real_adapters/sqlite/options.hpp"

namespace fixpoint::real {

class StoreFile {
  public:
    static std::expected<std::unique_ptr<StoreFile>, SqliteError> open(const std::filesystem::path& file,
                                                                       const SqliteOptions& options);

    Database& database() { return *database_; }
    const std::filesystem::path& path() const { return path_; }
    const SqliteMachine& machine() const { return machine_; }
    const std::string& boot_id() const { return boot_id_; }
    Duration now() const { return machine_.boot_time(); }

    // Whether the path still leads to the file that was opened. Another one has other locks: two managers
    // would each hold the only one.
    bool still_there() const;
    topo::Error gone() const;

  private:
    StoreFile() = default;
    void make(bool create);

    std::filesystem::path path_;
    SqliteMachine machine_;
    std::string boot_id_;
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::unique_ptr<Database> database_;
};

}  // namespace fixpoint::real
