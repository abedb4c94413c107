// A topology store laid around another one: it passes on every call and every answer as they are. Whoever
// lays one says only what is different there: which reads are answered otherwise, whether a write goes on,
// and what follows an answer. It keeps nothing of its own between two calls.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fixpoint/ports/topology_store.hpp"

namespace fixpoint::real {

class StoreDecorator : public topo::Store {
  public:
    explicit StoreDecorator(topo::Store* base) : base_(base) {}

    awaitable<topo::Result<std::optional<topo::Value>>> get(std::string path, Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list(std::string prefix, Duration limit) override;
    awaitable<topo::Result<std::optional<topo::LockHolder>>> lock_holder(std::string path,
                                                                         Duration limit) override;
    awaitable<topo::Result<std::vector<topo::Listed>>> list_cell(std::string cell, std::string prefix,
                                                                 Duration limit) override;
    void on_change(std::function<void()> callback) override;

    awaitable<topo::Result<std::vector<topo::Version>>> transact(topo::LockKey lock,
                                                                 std::vector<topo::Put> puts,
                                                                 Duration limit) final;
    awaitable<topo::Result<topo::Version>> put_declared(topo::Put put, Duration limit) final;
    awaitable<topo::Result<topo::Version>> put_cell(std::string cell, topo::Put put, Duration limit) final;
    awaitable<topo::Result<topo::LockKey>> lock_shard(std::string path, std::string content, Duration lease,
                                                      Duration limit) final;
    awaitable<topo::Result<void>> renew(topo::LockKey lock, Duration lease, Duration limit) final;
    awaitable<topo::Result<void>> unlock(topo::LockKey lock, Duration limit) final;

  protected:
    topo::Store* base() const { return base_; }

    // Writes and locks, before: an error is the answer, and the base is not asked.
    virtual std::optional<topo::Error> refusal() const { return std::nullopt; }
    // And after: how the base answered; null: it was done.
    virtual void answered(const topo::Error* /*error*/) {}

  private:
    template <class T>
    topo::Result<T> told(topo::Result<T> answer) {
        answered(answer ? nullptr : &answer.error());
        return answer;
    }

    topo::Store* base_;
};

}  // namespace fixpoint::real
