// The way of a request: out through the network, served when it arrives, back through the network, and only
// then counted as a notification that a fault may lose.
#include "sim/fakes/store/store_client.hpp"

#include <utility>

namespace fixpoint::sim {

StoreClient::StoreClient(Scheduler& scheduler, Network& network, FakeStore& store, NotificationGate& gate,
                         Process& manager, Endpoint endpoint)
    : scheduler_(scheduler),
      network_(network),
      store_(store),
      gate_(gate),
      manager_(manager),
      endpoint_(endpoint) {}

StoreClient::~StoreClient() {
    store_.unwatch(*this);
    for (auto& [id, pending] : pending_) scheduler_.cancel(pending.timer);
}

std::uint64_t StoreClient::call(StoreRequest request, Duration limit, Done done) {
    const std::uint64_t id = next_call_++;
    if (!store_.has_cell(request.cell)) {
        scheduler_.post(manager_, [done = std::move(done)] {
            done(StoreReply{.status = StoreStatus::unreachable, .text = "no such cell"});
        });
        return id;
    }
    gate_.request_leaves(manager_.name(), id, request);
    if (!manager_.alive()) return id;
    request.held = request.lock_id != 0 ? request.lock_id : held_;
    if (request.kind == StoreRequestKind::unlock && request.lock_id == held_) held_ = 0;
    Pending& pending = pending_[id];
    pending.done = std::move(done);
    pending.kind = request.kind;
    pending.writes = request.writes();
    pending.writes_records = request.writes_records();
    pending.timer = scheduler_.after(manager_, limit, [this, id] { limit_passed(id); });

    const Endpoint store = store_.endpoint(request.cell);
    Process& server = store_.process(request.cell);
    // What runs at the store knows the client only through `alive`: the manager may be gone by then.
    network_.send(endpoint_, store, server,
                  [&network = network_, &scheduler = scheduler_, &fake = store_, &server, store,
                   to = endpoint_, &manager = manager_, alive = std::weak_ptr<Alive>(alive_), this, id,
                   request = std::move(request)]() mutable {
                      std::optional<StoreReply> reply = fake.serve(manager.name(), request);
                      if (!reply) return;
                      auto back = [&network, store, to, &manager, alive, this, id,
                                   answer = std::move(*reply)]() mutable {
                          network.send(store, to, manager,
                                       [alive, this, id, answer = std::move(answer)]() mutable {
                                           if (!alive.expired()) answered(id, std::move(answer));
                                       });
                      };
                      const Duration later = fake.slowness(request.cell, manager.name());
                      if (later > Duration{}) {
                          scheduler.after(server, later, std::move(back));
                      } else {
                          back();
                      }
                  });
    return id;
}

void StoreClient::cancel(std::uint64_t call) {
    const auto it = pending_.find(call);
    if (it == pending_.end()) return;
    scheduler_.cancel(it->second.timer);
    pending_.erase(it);
}

void StoreClient::answered(std::uint64_t call, StoreReply reply) {
    const auto it = pending_.find(call);
    if (it == pending_.end()) return;  // the limit had passed
    if (it->second.writes_records) {
        const std::string name =
            gate_.wants_names() ? "record write answer to " + manager_.name() : std::string();
        const bool lost = gate_.lose(manager_.name(), name);
        gate_.record_write_answered(manager_.name(), call);
        if (lost || !manager_.alive() || !pending_.contains(call)) return;  // the limit will tell
    }
    if (pending_.at(call).kind == StoreRequestKind::lock && reply.status == StoreStatus::ok)
        held_ = reply.lock_id;
    finish(call, std::move(reply));
}

void StoreClient::limit_passed(std::uint64_t call) {
    const auto it = pending_.find(call);
    if (it == pending_.end()) return;
    StoreReply reply;
    reply.status = it->second.writes ? StoreStatus::maybe : StoreStatus::unreachable;
    reply.text = "no answer within the limit";
    finish(call, std::move(reply));
}

void StoreClient::finish(std::uint64_t call, StoreReply reply) {
    const auto it = pending_.find(call);
    scheduler_.cancel(it->second.timer);
    const Done done = std::move(it->second.done);
    pending_.erase(it);
    done(std::move(reply));
}

void StoreClient::on_change(std::function<void()> callback) {
    on_change_ = std::move(callback);
    store_.watch(*this);
}

void StoreClient::send_watch_event(Endpoint from, Duration later) {
    const auto arrive = [alive = std::weak_ptr<Alive>(alive_), this] {
        if (alive.expired() || !on_change_) return;
        const std::string name = gate_.wants_names() ? "watch event to " + manager_.name() : std::string();
        if (!gate_.lose(manager_.name(), name)) on_change_();
    };
    if (later > Duration{}) {
        scheduler_.after(store_.process(""), later,
                         [&network = network_, from, to = endpoint_, &manager = manager_, arrive] {
                             Channel channel{from, to};
                             network.send_copyable(channel, manager, arrive);
                         });
        return;
    }
    Channel channel{from, endpoint_};
    network_.send_copyable(channel, manager_, arrive);
}

}  // namespace fixpoint::sim
