// The source's side of semi-synchronous replication as bookkeeping: who has acknowledged up to where, and up
// to where enough have. Acknowledgements count per server_id, as the server has it, and also when whoever
// gave them has gone. No time, no sessions; commits and threads are elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/fakes/mysql/durable.hpp"

namespace fixpoint::sim::mysql {

class AckTable {
  public:
    using Position = BinaryLog::Position;
    struct Ack {
        std::int64_t server_id;
        Position position;
    };

    // Enough have acknowledged everything up to here; 0: nothing.
    Position acknowledged_by(std::int64_t count) const {
        if (count < 1 || static_cast<std::int64_t>(acks_.size()) < count) return 0;
        if (count == 1) return std::ranges::max_element(acks_, {}, &Ack::position)->position;
        std::vector<Position> positions;
        positions.reserve(acks_.size());
        for (const Ack& ack : acks_) positions.push_back(ack.position);
        const auto nth = positions.begin() + static_cast<std::ptrdiff_t>(count - 1);
        std::nth_element(positions.begin(), nth, positions.end(), std::greater<>());
        return *nth;
    }

    void acknowledge(std::int64_t server_id, Position position) {
        for (Ack& ack : acks_) {
            if (ack.server_id == server_id) {
                ack.position = std::max(ack.position, position);
                return;
            }
        }
        acks_.push_back({server_id, position});
    }

    void clear() { acks_.clear(); }

  private:
    std::vector<Ack> acks_;
};

}  // namespace fixpoint::sim::mysql
