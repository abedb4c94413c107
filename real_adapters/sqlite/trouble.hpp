// What SQLite complains of, for people: each of its codes becomes a kind of fault and a sentence that names
// the file and the remedy. Thrown within this folder only; the store's doors turn it into values.
#pragma once

#include <exception>
#include <filesystem>
#include <string>

#include "real_adapters/sqlite/options.hpp"

namespace fixpoint::real {

class SqliteTrouble final : public std::exception {
  public:
    // `system_errno`: of the system call that failed, 0 where none did.
    SqliteTrouble(int extended_code, std::string message, int system_errno)
        : code_(extended_code), message_(std::move(message)), system_errno_(system_errno) {}

    const char* what() const noexcept override { return message_.c_str(); }
    SqliteFault fault() const;
    bool busy() const { return fault() == SqliteFault::busy; }

    // A COMMIT that fails otherwise than by BUSY may have left its last page in the log.
    bool in_commit = false;

  private:
    friend SqliteError explain(const SqliteTrouble& trouble, const std::filesystem::path& file);
    int code_;
    std::string message_;
    int system_errno_;
};

SqliteError explain(const SqliteTrouble& trouble, const std::filesystem::path& file);

}  // namespace fixpoint::real
