// How long somebody else has kept the file to itself, without a break. A process that is suspended in the
// midst of a transaction keeps it for ever, and no lease ends that: so after a lease of it the store says who
// it is. Whatever is committed meanwhile, by whomever, ends the stretch: then the file is only contended.
#pragma once

#include <optional>
#include <string>

#include "real_adapters/sqlite/store_file.hpp"
#include "real_adapters/sqlite/writer.hpp"

namespace fixpoint::real {

class BusyWatch {
  public:
    explicit BusyWatch(Duration store_locked_after) : store_locked_after_(store_locked_after) {}

    // The file was busy just now. Returns what is to be said of it, should nobody try again.
    std::string busy(StoreFile& file);
    void free() { began_.reset(); }
    // Whoever locks here says how long a lease is.
    void lease_is(Duration lease) { store_locked_after_ = lease; }

  private:
    Duration store_locked_after_;
    std::optional<Duration> began_;
    std::int64_t data_version_ = 0;
    Writer writer_;
    Duration looked_at_{};
};

}  // namespace fixpoint::real
