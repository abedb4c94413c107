// Translation, and nothing else: what a lost answer means was decided by the StoreClient.
#include "sim/asio/sim_topology_store.hpp"

#include <utility>

#include "fixpoint/model/assert.hpp"
#include "sim/asio/operation.hpp"

namespace fixpoint::sim {
namespace {

topo::Error error_of(const StoreReply& reply) {
    switch (reply.status) {
        case StoreStatus::unreachable:
            return {topo::ErrorKind::unreachable, reply.text};
        case StoreStatus::maybe:
            return {topo::ErrorKind::maybe, reply.text};
        case StoreStatus::conflict:
            return {topo::ErrorKind::conflict, reply.text};
        case StoreStatus::lock_lost:
            return {topo::ErrorKind::lock_lost, reply.text};
        case StoreStatus::held:
            return {topo::ErrorKind::held, reply.text};
        case StoreStatus::ok:
            break;
    }
    FIXPOINT_ASSERT(false, "a reply that is no error");
    return {};
}

// A call whose coroutine goes away is not answered any more.
class CallGuard {
  public:
    explicit CallGuard(StoreClient& client) : client_(&client) {}
    ~CallGuard() {
        if (client_ != nullptr) client_->cancel(call);
    }
    CallGuard(const CallGuard&) = delete;
    CallGuard& operator=(const CallGuard&) = delete;
    void answered() { client_ = nullptr; }
    std::uint64_t call = 0;

  private:
    StoreClient* client_;
};

StorePut translated(topo::Put&& put) {
    return StorePut{std::move(put.path), std::move(put.bytes), put.expected};
}

}  // namespace

SimTopologyStore::SimTopologyStore(SimProcess& process, StoreClient& client, const Clock& clock)
    : process_(process), client_(client), clock_(clock) {}

awaitable<StoreReply> SimTopologyStore::call(StoreRequest request, Duration limit) {
    CallGuard guard(client_);
    const auto starter = [this, &request, &guard, limit](Completion<StoreReply> done) {
        guard.call = client_.call(std::move(request), limit,
                                  [done](StoreReply reply) { done.complete(std::move(reply)); });
    };
    StoreReply reply = co_await await_result<StoreReply>(process_, starter);
    guard.answered();
    co_return reply;
}

awaitable<topo::Result<std::optional<topo::Value>>> SimTopologyStore::get(std::string path, Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::get;
    request.path = std::move(path);
    StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    if (!reply.value) co_return std::nullopt;
    co_return topo::Value{std::move(reply.value->bytes), reply.value->version};
}

awaitable<topo::Result<std::vector<topo::Listed>>> SimTopologyStore::list_in(std::string cell,
                                                                             std::string prefix,
                                                                             Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::list;
    request.cell = std::move(cell);
    request.path = std::move(prefix);
    StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    std::vector<topo::Listed> listed;
    listed.reserve(reply.listed.size());
    for (StoreListed& l : reply.listed) {
        listed.push_back(
            topo::Listed{std::move(l.path), topo::Value{std::move(l.value.bytes), l.value.version}});
    }
    co_return listed;
}

awaitable<topo::Result<std::vector<topo::Listed>>> SimTopologyStore::list(std::string prefix,
                                                                          Duration limit) {
    return list_in("", std::move(prefix), limit);
}
awaitable<topo::Result<std::vector<topo::Listed>>> SimTopologyStore::list_cell(std::string cell,
                                                                               std::string prefix,
                                                                               Duration limit) {
    return list_in(std::move(cell), std::move(prefix), limit);
}

awaitable<topo::Result<std::vector<topo::Version>>> SimTopologyStore::transact(topo::LockKey lock,
                                                                               std::vector<topo::Put> puts,
                                                                               Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::transact;
    request.path = std::move(lock.path);
    request.lock_id = lock.id;
    for (topo::Put& put : puts) request.puts.push_back(translated(std::move(put)));
    StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    co_return std::move(reply.versions);
}

awaitable<topo::Result<topo::Version>> SimTopologyStore::put_in(std::string cell, topo::Put put,
                                                                Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::put;
    request.cell = std::move(cell);
    request.puts.push_back(translated(std::move(put)));
    const StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    co_return reply.versions.at(0);
}

awaitable<topo::Result<topo::Version>> SimTopologyStore::put_declared(topo::Put put, Duration limit) {
    return put_in("", std::move(put), limit);
}
awaitable<topo::Result<topo::Version>> SimTopologyStore::put_cell(std::string cell, topo::Put put,
                                                                  Duration limit) {
    return put_in(std::move(cell), std::move(put), limit);
}

awaitable<topo::Result<topo::LockKey>> SimTopologyStore::lock_shard(std::string path, std::string content,
                                                                    Duration lease, Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::lock;
    request.path = path;
    request.content = std::move(content);
    request.lease = lease;
    const Instant asked_at = clock_.now();
    const StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    topo::LockKey key{std::move(path), reply.lock_id, asked_at};
    co_return key;
}

awaitable<topo::Result<void>> SimTopologyStore::renew(topo::LockKey lock, Duration lease, Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::renew;
    request.path = std::move(lock.path);
    request.lock_id = lock.id;
    request.lease = lease;
    const StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    co_return topo::Result<void>{};
}

awaitable<topo::Result<void>> SimTopologyStore::unlock(topo::LockKey lock, Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::unlock;
    request.path = std::move(lock.path);
    request.lock_id = lock.id;
    const StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    co_return topo::Result<void>{};
}

awaitable<topo::Result<std::optional<topo::LockHolder>>> SimTopologyStore::lock_holder(std::string path,
                                                                                       Duration limit) {
    StoreRequest request;
    request.kind = StoreRequestKind::holder;
    request.path = std::move(path);
    StoreReply reply = co_await call(std::move(request), limit);
    if (reply.status != StoreStatus::ok) co_return std::unexpected(error_of(reply));
    if (!reply.holder) co_return std::nullopt;
    co_return topo::LockHolder{reply.holder->id, std::move(reply.holder->content)};
}

void SimTopologyStore::on_change(std::function<void()> callback) {
    client_.on_change(std::move(callback));
}

}  // namespace fixpoint::sim
