// What every test of the contract stands on: one body, run once on each arm, and the calls of the port with a
// limit that is no subject.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "property_tests/store_contract/arm.hpp"

namespace fixpoint::store_contract {

enum class ArmKind { fake, sqlite };

std::unique_ptr<Arm> make_arm(ArmKind kind);

class StoreContract : public testing::TestWithParam<ArmKind> {
  protected:
    static constexpr Duration limit = 2s;
    static constexpr int one = 0, two = 1;  // the managers' processes

    Arm& arm() { return *arm_; }

    topo::Result<std::optional<topo::Value>> get(int process, std::string path) {
        return arm().await(process, arm().store(process).get(std::move(path), limit));
    }
    topo::Result<std::vector<topo::Listed>> list(int process, std::string prefix) {
        return arm().await(process, arm().store(process).list(std::move(prefix), limit));
    }
    topo::Result<std::vector<topo::Listed>> list_cell(int process, std::string cell, std::string prefix) {
        return arm().await(process,
                           arm().store(process).list_cell(std::move(cell), std::move(prefix), limit));
    }
    topo::Result<topo::Version> put(int process, std::string path, std::string bytes,
                                    topo::Version expected) {
        topo::Put put{std::move(path), std::move(bytes), expected};
        return arm().await(process, arm().store(process).put_declared(std::move(put), limit));
    }
    topo::Result<topo::Version> put_cell(int process, std::string cell, std::string path, std::string bytes,
                                         topo::Version expected) {
        topo::Put put{std::move(path), std::move(bytes), expected};
        return arm().await(process, arm().store(process).put_cell(std::move(cell), std::move(put), limit));
    }
    topo::Result<std::vector<topo::Version>> transact(int process, topo::LockKey key,
                                                      std::vector<topo::Put> puts) {
        return arm().await(process, arm().store(process).transact(std::move(key), std::move(puts), limit));
    }
    topo::Result<topo::LockKey> lock(int process, std::string path, Duration lease = 60s,
                                     std::string content = "somebody") {
        return arm().await(
            process, arm().store(process).lock_shard(std::move(path), std::move(content), lease, limit));
    }
    topo::Result<void> renew(int process, topo::LockKey key, Duration lease) {
        return arm().await(process, arm().store(process).renew(std::move(key), lease, limit));
    }
    topo::Result<void> unlock(int process, topo::LockKey key) {
        return arm().await(process, arm().store(process).unlock(std::move(key), limit));
    }
    topo::Result<std::optional<topo::LockHolder>> holder(int process, std::string path) {
        return arm().await(process, arm().store(process).lock_holder(std::move(path), limit));
    }

    // With a success that is not in question.
    topo::LockKey locked(int process, std::string path, Duration lease = 60s) {
        return lock(process, std::move(path), lease).value();
    }
    topo::Version written(int process, std::string path, std::string bytes, topo::Version expected = 0) {
        return put(process, std::move(path), std::move(bytes), expected).value();
    }
    std::string bytes_of(std::string path, int process = one) {
        const auto found = get(process, std::move(path)).value();
        return found ? found->bytes : "(nothing)";
    }
    topo::Version version_of(std::string path, int process = one) {
        const auto found = get(process, std::move(path)).value();
        return found ? found->version : 0;
    }

  private:
    std::unique_ptr<Arm> arm_ = make_arm(GetParam());
};

template <class T>
std::string kind_of(const topo::Result<T>& result) {
    if (result) return "ok";
    switch (result.error().kind) {
        case topo::ErrorKind::unreachable:
            return "unreachable";
        case topo::ErrorKind::maybe:
            return "maybe";
        case topo::ErrorKind::conflict:
            return "conflict";
        case topo::ErrorKind::lock_lost:
            return "lock_lost";
        case topo::ErrorKind::held:
            return "held";
    }
    return "?";
}

}  // namespace fixpoint::store_contract
