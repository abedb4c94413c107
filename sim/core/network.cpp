// Packets, latencies and link faults.
// Latencies are drawn before faults are looked at, and faults draw from a stream of their own: so adding or
// removing a fault never shifts the latencies of the run.
// It refuses to tell a sender what became of a packet.
#include "sim/core/network.hpp"

#include <algorithm>

#include "fixpoint/model/assert.hpp"

namespace fixpoint::sim {

struct Network::Packet {
    Link* link;
    Process* receiver;
    Action action;
};

const char* name(LinkFaultKind kind) {
    switch (kind) {
        case LinkFaultKind::cut:
            return "cut";
        case LinkFaultKind::loss:
            return "loss";
        case LinkFaultKind::delay:
            return "delay";
        case LinkFaultKind::duplicate:
            return "duplicate";
        case LinkFaultKind::reorder:
            return "reorder";
        case LinkFaultKind::clog:
            return "clog";
    }
    return "?";
}

Network::Network(Scheduler& scheduler, Latency default_latency)
    : scheduler_(scheduler), default_latency_(default_latency) {}

Network::~Network() {
    for (Process* process : listened_to_) process->stop_listening(*this);
}

// ---- endpoints and links

Endpoint Network::endpoint(std::string_view name) {
    if (const auto found = index_.find(name); found != index_.end()) return Endpoint{found->second};
    const auto index = static_cast<std::uint32_t>(names_.size());
    names_.emplace_back(name);
    index_.emplace(names_.back(), index);
    return Endpoint{index};
}

const std::string& Network::name(Endpoint endpoint) const {
    return names_[endpoint.index];
}

Network::Link& Network::link(Endpoint from, Endpoint to) {
    if (links_.size() < names_.size()) links_.resize(names_.size());
    auto& row = links_[from.index];
    if (row.size() < names_.size()) row.resize(names_.size());
    auto& slot = row[to.index];
    if (slot == nullptr) {
        slot = std::make_unique<Link>();
        slot->from = from;
        slot->to = to;
        slot->latency = default_latency_;
        const std::string ends = name(from) + ">" + name(to);
        slot->latency_stream = scheduler_.chooser().stream("network/" + ends);
        slot->fault_stream = scheduler_.chooser().stream("network-faults/" + ends);
    }
    return *slot;
}

const Network::Link* Network::find_link(Endpoint from, Endpoint to) const {
    if (from.index >= links_.size() || to.index >= links_[from.index].size()) return nullptr;
    return links_[from.index][to.index].get();
}

void Network::set_latency(Endpoint from, Endpoint to, Latency latency) {
    link(from, to).latency = latency;
}

Duration Network::draw_latency(Link& link) {
    const Latency& latency = link.latency;
    if (frozen_) return latency.base;
    Chooser& chooser = scheduler_.chooser();
    Duration drawn = latency.base + chooser.duration(link.latency_stream, Duration::zero(), latency.jitter);
    if (chooser.chance(link.latency_stream, latency.tail_permille)) {
        drawn += chooser.duration(link.latency_stream, Duration::zero(), latency.tail);
    }
    return drawn;
}

// ---- sending

void Network::send(Endpoint from, Endpoint to, Process& receiver, Action on_delivery) {
    Link& used = link(from, to);
    transmit(used, used.order, receiver, std::move(on_delivery));
}

void Network::send(Channel& channel, Process& receiver, Action on_delivery) {
    transmit(link(channel.from, channel.to), channel, receiver, std::move(on_delivery));
}

void Network::send_copyable(Channel& channel, Process& receiver, std::function<void()> on_delivery) {
    Link& used = link(channel.from, channel.to);
    if (!has(used, LinkFaultKind::cut)) {
        for (const std::uint64_t id : used.faults) {
            ActiveFault& active = faults_.at(id);
            if (active.fault.kind != LinkFaultKind::duplicate) continue;
            if (!scheduler_.chooser().chance(used.fault_stream, active.fault.permille)) continue;
            touch(active);
            ++counters_.duplicated;
            const Duration later =
                used.latency.base +
                scheduler_.chooser().duration(used.fault_stream, Duration::zero(), used.latency.tail);
            schedule(used, scheduler_.now() + later, receiver, on_delivery);
        }
    }
    transmit(used, channel, receiver, std::move(on_delivery));
}

void Network::transmit(Link& link, Channel& channel, Process& receiver, Action action) {
    ++counters_.sent;
    Duration latency = draw_latency(link);
    bool keep_order = true;
    if (!link.faults.empty() && !delay_or_lose(link, latency, keep_order)) {
        ++counters_.dropped;
        return;
    }
    Instant when = scheduler_.now() + latency;
    if (keep_order) {
        when = std::max(when, channel.last_delivery);
        channel.last_delivery = when;
    }
    schedule(link, when, receiver, std::move(action));
}

// False: the packet is lost.
bool Network::delay_or_lose(Link& link, Duration& latency, bool& keep_order) {
    if (touch(link, LinkFaultKind::cut)) return false;
    Chooser& chooser = scheduler_.chooser();
    for (const std::uint64_t id : link.faults) {
        ActiveFault& active = faults_.at(id);
        const LinkFault& fault = active.fault;
        switch (fault.kind) {
            case LinkFaultKind::loss:
                if (!chooser.chance(link.fault_stream, fault.permille)) break;
                touch(active);
                return false;
            case LinkFaultKind::delay:
                touch(active);
                latency += fault.extra;
                break;
            case LinkFaultKind::reorder:
                if (!chooser.chance(link.fault_stream, fault.permille)) break;
                touch(active);
                latency += chooser.duration(link.fault_stream, Duration::zero(), fault.extra);
                keep_order = false;
                break;
            case LinkFaultKind::cut:        // seen above
            case LinkFaultKind::duplicate:  // only send_copyable
            case LinkFaultKind::clog:       // at arrival
                break;
        }
    }
    return true;
}

void Network::schedule(Link& link, Instant when, Process& receiver, Action action) {
    scheduler_.note(std::uint64_t{link.from.index} << 32 | link.to.index);
    std::unique_ptr<Packet> packet(new Packet{&link, &receiver, std::move(action)});
    scheduler_.at(
        receiver, when, [this, sent = std::move(packet)]() mutable { arrive(std::move(sent)); },
        EventKind::delivery);
}

// ---- arriving

void Network::arrive(std::unique_ptr<Packet> packet) {
    Link& link = *packet->link;
    const bool nothing_ahead = link.held.empty();
    if (has(link, LinkFaultKind::cut) || (nothing_ahead && !has(link, LinkFaultKind::clog))) {
        deliver(link, packet->action);
        return;
    }
    Process& receiver = *packet->receiver;
    hold(std::move(packet));
    if (touch(link, LinkFaultKind::clog)) {
        ++counters_.held;
    } else {
        pump(link, receiver);  // a clog was healed at this instant: who was held goes first
    }
}

// Delivers the oldest held packet of this receiver.
void Network::pump(Link& link, Process& receiver) {
    if (has(link, LinkFaultKind::clog)) return;  // clogged anew: the next heal pumps again
    if (const auto packet = take_held(link, receiver)) deliver(link, packet->action);
}

void Network::deliver(Link& link, Action& action) {
    if (!link.faults.empty() && touch(link, LinkFaultKind::cut)) {
        ++counters_.dropped;
        scheduler_.note(counters_.dropped);
        return;
    }
    ++counters_.delivered;
    action();
}

void Network::hold(std::unique_ptr<Packet> packet) {
    Process* receiver = packet->receiver;
    if (std::ranges::find(listened_to_, receiver) == listened_to_.end()) {
        receiver->listen(*this);
        listened_to_.push_back(receiver);
    }
    packet->link->held.push_back(std::move(packet));
}

std::unique_ptr<Network::Packet> Network::take_held(Link& link, const Process& receiver) {
    const auto found =
        std::ranges::find_if(link.held, [&](const auto& packet) { return packet->receiver == &receiver; });
    if (found == link.held.end()) return nullptr;
    std::unique_ptr<Packet> packet = std::move(*found);
    link.held.erase(found);
    return packet;
}

void Network::on_kill(Process& process) {
    for (auto& row : links_) {
        for (auto& link : row) {
            if (link == nullptr) continue;
            while (take_held(*link, process) != nullptr) ++counters_.dropped;
        }
    }
}

// ---- faults

template <class Visit>
void Network::for_each_link(const LinkFault& fault, Visit visit) {
    for (const Endpoint from : fault.from) {
        for (const Endpoint to : fault.to) {
            if (from == to) continue;
            visit(link(from, to));
            if (fault.both_ways) visit(link(to, from));
        }
    }
}

LinkFaultId Network::add_fault(LinkFault fault) {
    const std::uint64_t id = next_fault_++;
    LinkFaultCounters& counters = fault_counters_[static_cast<std::size_t>(fault.kind)];
    ++counters.requested;
    bool lies_somewhere = false;
    for_each_link(fault, [&](Link& link) {
        lies_somewhere = true;
        if (std::ranges::find(link.faults, id) == link.faults.end()) link.faults.push_back(id);
    });
    if (lies_somewhere) ++counters.delivered;
    faults_.emplace(id, ActiveFault{std::move(fault)});
    return LinkFaultId{id};
}

LinkFaultId Network::cut(std::vector<Endpoint> a, std::vector<Endpoint> b, bool both_ways) {
    return add_fault({LinkFaultKind::cut, std::move(a), std::move(b), both_ways});
}

LinkFaultId Network::clog(std::vector<Endpoint> from, std::vector<Endpoint> to, bool both_ways) {
    return add_fault({LinkFaultKind::clog, std::move(from), std::move(to), both_ways});
}

bool Network::heal(LinkFaultId fault) {
    const auto found = faults_.find(fault.id);
    if (found == faults_.end()) return false;
    const ActiveFault healed = std::move(found->second);
    faults_.erase(found);
    healed_touched_[fault.id] = healed.touched;
    for_each_link(healed.fault, [&](Link& link) {
        if (std::erase(link.faults, fault.id) == 0) return;  // the same link twice in the sets
        if (healed.fault.kind != LinkFaultKind::clog || has(link, LinkFaultKind::clog)) return;
        for (const auto& packet : link.held) {
            scheduler_.post(
                *packet->receiver, [this, &link, receiver = packet->receiver] { pump(link, *receiver); },
                EventKind::delivery);
        }
    });
    return true;
}

void Network::heal_all() {
    while (!faults_.empty()) heal(LinkFaultId{faults_.begin()->first});
}

std::uint64_t Network::touched(LinkFaultId fault) const {
    if (const auto found = faults_.find(fault.id); found != faults_.end()) return found->second.touched;
    if (const auto found = healed_touched_.find(fault.id); found != healed_touched_.end())
        return found->second;
    return 0;
}

bool Network::reachable(Endpoint from, Endpoint to) const {
    const Link* found = find_link(from, to);
    if (found == nullptr) return true;
    return std::ranges::none_of(found->faults, [&](std::uint64_t id) {
        const LinkFault& fault = faults_.at(id).fault;
        const bool loses_all = fault.kind == LinkFaultKind::loss && fault.permille >= 1000;
        return fault.kind == LinkFaultKind::cut || fault.kind == LinkFaultKind::clog || loses_all;
    });
}

bool Network::has(const Link& link, LinkFaultKind kind) const {
    return std::ranges::any_of(link.faults,
                               [&](std::uint64_t id) { return faults_.at(id).fault.kind == kind; });
}

void Network::touch(ActiveFault& active) {
    ++active.touched;
    ++fault_counters_[static_cast<std::size_t>(active.fault.kind)].observed;
}

// Counts the packet for every fault of that kind on the link; false when there is none.
bool Network::touch(const Link& link, LinkFaultKind kind) {
    bool any = false;
    for (const std::uint64_t id : link.faults) {
        ActiveFault& active = faults_.at(id);
        if (active.fault.kind != kind) continue;
        touch(active);
        any = true;
    }
    return any;
}

}  // namespace fixpoint::sim
