// The network of the harness by itself: who is recognised, what a cut and a delay do to open sessions, and
// that a door that is shut refuses.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "property_tests/real/shard/proxy.hpp"

namespace fixpoint::real_shards {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// A server of one session that says what it hears.
class Echo {
  public:
    Echo() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in here = loopback(0);
        ::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here);
        ::listen(listener_, 4);
        socklen_t size = sizeof here;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
        port_ = ntohs(here.sin_port);
        thread_ = std::thread([this] {
            const int session = ::accept(listener_, nullptr, nullptr);
            char bytes[256];
            for (ssize_t n = 0; (n = ::read(session, bytes, sizeof bytes)) > 0;) {
                if (::write(session, bytes, static_cast<std::size_t>(n)) != n) break;
            }
            ::close(session);
        });
    }
    ~Echo() {
        ::shutdown(listener_, SHUT_RDWR);
        ::close(listener_);
        thread_.join();
    }
    std::uint16_t port() const { return port_; }

  private:
    int listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

class Client {
  public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_in there = loopback(port);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
    }
    ~Client() { ::close(socket_); }
    bool connected() const { return connected_; }
    void say(const std::string& text) {
        ASSERT_EQ(::write(socket_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    // What arrives first within that time; "": nothing.
    std::string hear(std::chrono::milliseconds limit) {
        pollfd wait{socket_, POLLIN, 0};
        if (::poll(&wait, 1, static_cast<int>(limit.count())) != 1) return "";
        char bytes[256];
        const ssize_t n = ::read(socket_, bytes, sizeof bytes);
        return n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : "";
    }

  private:
    int socket_;
    bool connected_ = false;
};

struct Stage {
    Stage() {
        owners.add(::getpid(), "clients");
        door = proxy.add("zone1-100", {"127.0.0.1", echo.port()}).port;
    }
    Echo echo;
    Owners owners;
    Proxy proxy{owners};
    std::uint16_t door = 0;
};

TEST(Proxy, RefusesWhileTheDoorIsShut) {
    Stage stage;
    EXPECT_FALSE(Client(stage.door).connected());
    stage.proxy.open("zone1-100");
    Client client(stage.door);
    ASSERT_TRUE(client.connected());
    client.say("hello");
    EXPECT_EQ(client.hear(5s), "hello");
    stage.proxy.shut("zone1-100");
    EXPECT_FALSE(Client(stage.door).connected());
    client.say("again");  // an open session goes on
    EXPECT_EQ(client.hear(5s), "again");
}

TEST(Proxy, ACutHoldsOneDirectionAndLosesNothing) {
    Stage stage;
    stage.proxy.open("zone1-100");
    Client client(stage.door);
    client.say("1");
    ASSERT_EQ(client.hear(5s), "1");
    stage.proxy.set("zone1-100", "clients", {.cut = true, .delay = {}});
    client.say("2");
    EXPECT_EQ(client.hear(200ms), "");
    EXPECT_GT(stage.proxy.held("zone1-100", "clients"), 0U);
    EXPECT_EQ(stage.proxy.held("clients", "zone1-100"), 0U);
    stage.proxy.set("zone1-100", "clients", {});
    EXPECT_EQ(client.hear(5s), "2");
}

TEST(Proxy, ACutOfSomebodyElseIsNotFelt) {
    Stage stage;
    stage.proxy.open("zone1-100");
    stage.proxy.set("m1", "zone1-100", {.cut = true, .delay = {}});
    stage.proxy.set("zone1-100", "m1", {.cut = true, .delay = {}});
    Client client(stage.door);
    client.say("here");
    EXPECT_EQ(client.hear(5s), "here");
}

TEST(Proxy, ADelayIsTheLinks) {
    Stage stage;
    stage.proxy.open("zone1-100");
    Client client(stage.door);
    client.say("1");
    ASSERT_EQ(client.hear(5s), "1");
    stage.proxy.set("clients", "zone1-100", {.cut = false, .delay = 300ms});
    const auto began = std::chrono::steady_clock::now();
    client.say("2");
    EXPECT_EQ(client.hear(5s), "2");
    EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);
}

TEST(Proxy, LetsNobodyInWhomItDoesNotKnow) {
    Stage stage;
    stage.owners.remove(::getpid());
    stage.proxy.open("zone1-100");
    Client client(stage.door);
    EXPECT_EQ(client.hear(2s), "");
}

}  // namespace
}  // namespace fixpoint::real_shards
