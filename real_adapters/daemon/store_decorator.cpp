// See store_decorator.hpp.
#include "real_adapters/daemon/store_decorator.hpp"

#include <utility>

namespace fixpoint::real {

// ---- reads

awaitable<topo::Result<std::optional<topo::Value>>> StoreDecorator::get(std::string path, Duration limit) {
    co_return co_await base_->get(std::move(path), limit);
}
awaitable<topo::Result<std::vector<topo::Listed>>> StoreDecorator::list(std::string prefix, Duration limit) {
    co_return co_await base_->list(std::move(prefix), limit);
}
awaitable<topo::Result<std::optional<topo::LockHolder>>> StoreDecorator::lock_holder(std::string path,
                                                                                     Duration limit) {
    co_return co_await base_->lock_holder(std::move(path), limit);
}
awaitable<topo::Result<std::vector<topo::Listed>>> StoreDecorator::list_cell(std::string cell,
                                                                             std::string prefix,
                                                                             Duration limit) {
    co_return co_await base_->list_cell(std::move(cell), std::move(prefix), limit);
}
void StoreDecorator::on_change(std::function<void()> callback) {
    base_->on_change(std::move(callback));
}

// ---- writes and locks

awaitable<topo::Result<std::vector<topo::Version>>> StoreDecorator::transact(topo::LockKey lock,
                                                                             std::vector<topo::Put> puts,
                                                                             Duration limit) {
    if (auto error = refusal()) co_return std::unexpected(*std::move(error));
    co_return told(co_await base_->transact(std::move(lock), std::move(puts), limit));
}
awaitable<topo::Result<topo::Version>> StoreDecorator::put_declared(topo::Put put, Duration limit) {
    if (auto error = refusal()) co_return std::unexpected(*std::move(error));
    co_return told(co_await base_->put_declared(std::move(put), limit));
}
awaitable<topo::Result<topo::Version>> StoreDecorator::put_cell(std::string cell, topo::Put put,
                                                                Duration limit) {
    if (auto error = refusal()) co_return std::unexpected(*std::move(error));
    co_return told(co_await base_->put_cell(std::move(cell), std::move(put), limit));
}
awaitable<topo::Result<topo::LockKey>> StoreDecorator::lock_shard(std::string path, std::string content,
                                                                  Duration lease, Duration limit) {
    if (auto error = refusal()) co_return std::unexpected(*std::move(error));
    co_return told(co_await base_->lock_shard(std::move(path), std::move(content), lease, limit));
}
awaitable<topo::Result<void>> StoreDecorator::renew(topo::LockKey lock, Duration lease, Duration limit) {
    if (auto error = refusal()) co_return std::unexpected(*std::move(error));
    co_return told(co_await base_->renew(std::move(lock), lease, limit));
}
awaitable<topo::Result<void>> StoreDecorator::unlock(topo::LockKey lock, Duration limit) {
    if (auto error = refusal()) co_return std::unexpected(*std::move(error));
    co_return told(co_await base_->unlock(std::move(lock), limit));
}

}  // namespace fixpoint::real
