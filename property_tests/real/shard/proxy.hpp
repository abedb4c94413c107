// The network of a real shard: a small TCP proxy in front of every server. Who connects to a tablet's address
// reaches its door here, is recognised by its process, and is led to the server; so every link between two
// ends can be cut one way or both, or slowed, while sessions stay open, as in a network that drops packets.
// A cut holds bytes and loses none (TCP would send them again). A door that is shut refuses, as the machine
// of a dead server does. It refuses to lose or double packets: above TCP nobody would see that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/model/time.hpp"
#include "property_tests/real/shard/owners.hpp"

namespace fixpoint::real_shards {

struct Link {  // in one direction
    bool cut = false;
    Duration delay{};
};

class Proxy {
  public:
    explicit Proxy(const Owners& owners);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    // A door to that server, shut; returns the address under which everybody knows it.
    MysqlAddress add(const std::string& tablet, const MysqlAddress& server);
    void open(const std::string& tablet);
    void shut(const std::string& tablet);

    void set(const std::string& from, const std::string& to, Link link);

    // Whose session the server sees as coming from that local port.
    std::optional<Owner> behind(std::uint16_t port) const;

    // Bytes that were held by a cut or a delay since the beginning: whether a fault was felt.
    std::uint64_t held(const std::string& from, const std::string& to) const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fixpoint::real_shards
