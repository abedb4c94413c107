// Somebody who listens where a MySQL server should: another protocol, another product, one that is too old or
// full, one that hangs or hangs up. The handshakes are those of the wire protocol, byte for byte.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

namespace fixpoint::daemon_tests {

enum class Manner {
    says_nothing,
    hangs_up,
    speaks_ssh,
    speaks_http,  // waits to be asked
    speaks_pop3,
    is_mariadb,
    is_too_old,
    is_full,
};

class Impostor {
  public:
    explicit Impostor(Manner manner);
    ~Impostor();
    Impostor(const Impostor&) = delete;
    Impostor& operator=(const Impostor&) = delete;

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    int connections() const { return connections_; }

  private:
    void run();
    void welcome(int client);
    bool answer(int client);  // false: it is to be closed

    Manner manner_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> ending_ = false;
    std::atomic<int> connections_ = 0;
    std::map<int, int> packets_;  // by client: how many it has sent
    std::thread thread_;
};

}  // namespace fixpoint::daemon_tests
