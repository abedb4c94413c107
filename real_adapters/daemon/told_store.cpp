// See told_store.hpp. A lock that somebody else holds is no trouble of the store's.
#include "real_adapters/daemon/told_store.hpp"

#include "real_adapters/daemon/clock.hpp"

namespace fixpoint::real {

void ToldStore::say(const topo::Error* error) {
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

awaitable<topo::Result<std::optional<topo::Value>>> ToldStore::get(std::string path, Duration limit) {
    co_return co_await base_->get(std::move(path), limit);
}
awaitable<topo::Result<std::vector<topo::Listed>>> ToldStore::list(std::string prefix, Duration limit) {
    co_return co_await base_->list(std::move(prefix), limit);
}
awaitable<topo::Result<std::vector<topo::Version>>> ToldStore::transact(topo::LockKey lock,
                                                                        std::vector<topo::Put> puts,
                                                                        Duration limit) {
    co_return told(co_await base_->transact(std::move(lock), std::move(puts), limit));
}
awaitable<topo::Result<topo::Version>> ToldStore::put_declared(topo::Put put, Duration limit) {
    co_return told(co_await base_->put_declared(std::move(put), limit));
}
awaitable<topo::Result<topo::LockKey>> ToldStore::lock_shard(std::string path, std::string content,
                                                             Duration lease, Duration limit) {
    co_return told(co_await base_->lock_shard(std::move(path), std::move(content), lease, limit));
}
awaitable<topo::Result<void>> ToldStore::renew(topo::LockKey lock, Duration lease, Duration limit) {
    co_return told(co_await base_->renew(std::move(lock), lease, limit));
}
awaitable<topo::Result<void>> ToldStore::unlock(topo::LockKey lock, Duration limit) {
    co_return told(co_await base_->unlock(std::move(lock), limit));
}
awaitable<topo::Result<std::optional<topo::LockHolder>>> ToldStore::lock_holder(std::string path,
                                                                                Duration limit) {
    co_return co_await base_->lock_holder(std::move(path), limit);
}
awaitable<topo::Result<std::vector<topo::Listed>>> ToldStore::list_cell(std::string cell, std::string prefix,
                                                                        Duration limit) {
    co_return co_await base_->list_cell(std::move(cell), std::move(prefix), limit);
}
awaitable<topo::Result<topo::Version>> ToldStore::put_cell(std::string cell, topo::Put put, Duration limit) {
    co_return told(co_await base_->put_cell(std::move(cell), std::move(put), limit));
}

}  // namespace fixpoint::real
