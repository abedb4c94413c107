// A topology store that says on the log what keeps a manager from writing: the core only tries again at its
// next pass, and would be silent about it. It passes on every call and every answer as they are.
#pragma once

#include <memory>
#include <utility>

#include "real_adapters/daemon/event_log.hpp"
#include "real_adapters/daemon/store_decorator.hpp"

namespace fixpoint::real {

class ToldStore final : public StoreDecorator {
  public:
    ToldStore(std::unique_ptr<topo::Store> base, Log& log, ShardName shard)
        : StoreDecorator(base.get()), owned_(std::move(base)), log_(log), shard_(std::move(shard)) {}

  private:
    // Said once, until a write succeeds again.
    void answered(const topo::Error* error) override;

    std::unique_ptr<topo::Store> owned_;
    Log& log_;
    ShardName shard_;
    bool said_ = false;
};

}  // namespace fixpoint::real
