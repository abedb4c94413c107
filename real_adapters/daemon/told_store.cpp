// See told_store.hpp. A lock that somebody else holds is no trouble of the store's.
#include "real_adapters/daemon/told_store.hpp"

#include "real_adapters/daemon/clock.hpp"

namespace fixpoint::real {

void ToldStore::answered(const topo::Error* error) {
    if (error == nullptr) {
        said_ = false;
        return;
    }
    if (said_ || !error->text.starts_with("store_locked")) return;
    said_ = true;
    HistoryEntry entry;
    entry.time = to_rfc3339(log_.clock().wall_now());
    entry.shard = shard_.to_string();
    entry.text = error->text;
    log_.write(LogLevel::error, entry);
}

}  // namespace fixpoint::real
