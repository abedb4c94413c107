// The simulated network: named endpoints (managers, tablets, store members, clients) and a directed link
// between any two. A packet is an Action that runs in the receiver's process after the link's latency.
// Packets keep their order per channel. Faults are laid over sets of links and taken away again one by one: a
// link is as bad as all faults that lie on it. A cut drops packets silently and resets nothing, also those
// that are in flight when it begins: who waits, waits. Whether a dead server refuses a connection at once or
// stays silent is the business of the fakes, not of the network, and so are sessions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/model/time.hpp"
#include "sim/core/action.hpp"
#include "sim/core/chooser.hpp"
#include "sim/core/scheduler.hpp"

namespace fixpoint::sim {

// An interned endpoint name, valid for the Network that made it.
struct Endpoint {
    std::uint32_t index = 0;
    auto operator<=>(const Endpoint&) const = default;
};

// latency = base + uniform [0, jitter], and in tail_permille of 1000 cases + uniform [0, tail] on top.
struct Latency {
    Duration base = std::chrono::microseconds(200);
    Duration jitter = std::chrono::microseconds(300);
    int tail_permille = 5;
    Duration tail = std::chrono::milliseconds(20);
    bool operator==(const Latency&) const = default;
};

// One ordered stream of packets between two endpoints, e.g. one direction of one session. Owned by the
// caller; the packets sent through it may outlive it.
struct Channel {
    Endpoint from;
    Endpoint to;
    Instant last_delivery{};
};

enum class LinkFaultKind : std::uint8_t { cut, loss, delay, duplicate, reorder, clog };
inline constexpr std::size_t link_fault_kinds = 6;
const char* name(LinkFaultKind kind);

// A fault on every link that leads from one of `from` to one of `to` (and back, when `both_ways`).
struct LinkFault {
    LinkFaultKind kind = LinkFaultKind::cut;
    std::vector<Endpoint> from;
    std::vector<Endpoint> to;
    bool both_ways = true;
    int permille = 1000;  // loss, duplicate, reorder: of 1000 packets
    Duration extra{};     // delay: added to each packet. reorder: uniform [0, extra], order not kept
};

// A fault that was added. Default-constructed: none.
struct LinkFaultId {
    std::uint64_t id = 0;
    explicit operator bool() const { return id != 0; }
    auto operator<=>(const LinkFaultId&) const = default;
};

// Per kind: faults asked for, those that lay on at least one link, packets that one of them touched.
struct LinkFaultCounters {
    std::uint64_t requested = 0, delivered = 0, observed = 0;
};

struct NetworkCounters {
    std::uint64_t sent = 0, delivered = 0, dropped = 0, duplicated = 0, held = 0;
};

class Network final : private KillListener {
  public:
    // The scheduler must outlive the network; packets in flight may outlive it, they are never delivered
    // then.
    explicit Network(Scheduler& scheduler, Latency default_latency = {});
    ~Network() override;
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // The endpoint of that name; the same name gives the same endpoint.
    Endpoint endpoint(std::string_view name);
    const std::string& name(Endpoint endpoint) const;
    std::size_t endpoints() const { return names_.size(); }

    void set_latency(Endpoint from, Endpoint to, Latency latency);
    void set_default_latency(Latency latency) { default_latency_ = latency; }  // of links not used yet

    // Sends a packet: `on_delivery` runs later as `receiver`, or is destroyed unrun (lost, cut, receiver
    // dead). Nobody is told of a loss. Order is kept within the link, or within the channel.
    void send(Endpoint from, Endpoint to, Process& receiver, Action on_delivery);
    void send(Channel& channel, Process& receiver, Action on_delivery);
    // As send; but a duplicate fault may have it run twice (on_delivery must bear that, and be copyable).
    void send_copyable(Channel& channel, Process& receiver, std::function<void()> on_delivery);

    LinkFaultId add_fault(LinkFault fault);
    // Short for the commonest faults.
    LinkFaultId cut(std::vector<Endpoint> a, std::vector<Endpoint> b, bool both_ways = true);
    LinkFaultId clog(std::vector<Endpoint> from, std::vector<Endpoint> to, bool both_ways = true);
    // Takes the fault away; what a clog held goes out in its order, now. False: it was not there.
    bool heal(LinkFaultId fault);
    void heal_all();
    // Packets that this fault (there, or healed) touched: dropped, delayed, doubled, held.
    std::uint64_t touched(LinkFaultId fault) const;

    // For the judge: would a packet sent now arrive, by what is known (no cut, no clog, not all lost)?
    bool reachable(Endpoint from, Endpoint to) const;
    bool reachable_both_ways(Endpoint a, Endpoint b) const { return reachable(a, b) && reachable(b, a); }

    // From here on nothing is drawn for latencies: every packet takes the link's base (faults still count).
    void freeze_latencies() { frozen_ = true; }
    void unfreeze_latencies() { frozen_ = false; }

    const LinkFaultCounters& counters(LinkFaultKind kind) const {
        return fault_counters_[static_cast<std::size_t>(kind)];
    }
    const NetworkCounters& counters() const { return counters_; }

  private:
    struct Packet;
    struct ActiveFault {
        LinkFault fault;
        std::uint64_t touched = 0;
    };
    struct Link {
        Endpoint from, to;
        Latency latency;
        Stream latency_stream, fault_stream;
        Channel order;                              // for packets sent without a channel
        std::vector<std::uint64_t> faults;          // ids of those that lie on it, oldest first
        std::vector<std::unique_ptr<Packet>> held;  // by a clog, oldest first
    };

    void on_kill(Process& process) override;
    Link& link(Endpoint from, Endpoint to);
    const Link* find_link(Endpoint from, Endpoint to) const;
    template <class Visit>
    void for_each_link(const LinkFault& fault, Visit visit);
    void transmit(Link& link, Channel& channel, Process& receiver, Action action);
    void schedule(Link& link, Instant when, Process& receiver, Action action);
    Duration draw_latency(Link& link);
    bool delay_or_lose(Link& link, Duration& latency, bool& keep_order);
    void arrive(std::unique_ptr<Packet> packet);
    void pump(Link& link, Process& receiver);
    void deliver(Link& link, Action& action);
    void hold(std::unique_ptr<Packet> packet);
    std::unique_ptr<Packet> take_held(Link& link, const Process& receiver);
    bool has(const Link& link, LinkFaultKind kind) const;
    bool touch(const Link& link, LinkFaultKind kind);
    void touch(ActiveFault& active);

    Scheduler& scheduler_;
    Latency default_latency_;
    bool frozen_ = false;
    std::vector<std::string> names_;
    std::map<std::string, std::uint32_t, std::less<>> index_;
    std::vector<std::vector<std::unique_ptr<Link>>> links_;  // [from][to], made at first use
    std::map<std::uint64_t, ActiveFault> faults_;
    std::map<std::uint64_t, std::uint64_t> healed_touched_;
    std::vector<Process*> listened_to_;  // receivers of held packets: a kill takes these away too
    std::uint64_t next_fault_ = 1;
    std::array<LinkFaultCounters, link_fault_kinds> fault_counters_{};
    NetworkCounters counters_;
};

}  // namespace fixpoint::sim
