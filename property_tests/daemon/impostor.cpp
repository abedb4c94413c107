// See impostor.hpp. One thread for all its clients; whoever was let in is answered with an error to whatever
// he asks.
#include "property_tests/daemon/impostor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace fixpoint::daemon_tests {

namespace {

using namespace std::string_literals;

constexpr int poll_ms = 20;

std::string packet(int sequence, const std::string& payload) {
    const auto size = payload.size();
    std::string bytes;
    for (const std::size_t shift : {0u, 8u, 16u}) bytes += static_cast<char>((size >> shift) & 0xff);
    return bytes + static_cast<char>(sequence) + payload;
}

// Protocol 10, mysql_native_password, no TLS: what both products understand.
std::string handshake(const std::string& version) {
    std::string p = "\x0a" + version + "\0"s;
    p += "\x2a\x00\x00\x00"s;  // its id for this connection
    p += "12345678\0"s;        // what the password is scrambled with
    p += "\xff\xf7"s;          // what it can: all of the lower half but TLS
    p += "\x2d\x02\x00"s;      // utf8mb4, autocommit
    p += "\x0b\x00"s;          // multi statements, multi results, authentication plugins
    p += "\x15"s + std::string(10, '\0') + "123456789012\0"s;
    return packet(0, p + "mysql_native_password\0"s);
}

std::string error(int sequence, int number, const std::string& text, bool with_state) {
    std::string p = "\xff"s;
    p += static_cast<char>(number & 0xff);
    p += static_cast<char>(number >> 8);
    return packet(sequence, p + (with_state ? "#HY000" : "") + text);
}

void say(int client, const std::string& bytes) {
    (void)::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

Impostor::Impostor(Manner manner) : manner_(manner) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&here), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0)
        throw std::runtime_error("nobody can listen here");
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this] { run(); });
}

Impostor::~Impostor() {
    ending_ = true;
    thread_.join();
    for (const auto& [client, count] : packets_) ::close(client);
    ::close(listener_);
}

void Impostor::welcome(int client) {
    ++connections_;
    switch (manner_) {
        case Manner::speaks_ssh:
            return say(client, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
        case Manner::speaks_pop3:
            return say(client, "+OK Dovecot ready.\r\n");
        case Manner::is_mariadb:
            return say(client, handshake("5.5.5-10.11.6-MariaDB-0+deb12u1"));
        case Manner::is_too_old:
            return say(client, handshake("5.7.44-log"));
        case Manner::is_full:
            return say(client, error(0, 1040, "Too many connections", false));
        default:
            return;
    }
}

bool Impostor::answer(int client) {
    std::array<char, 4096> bytes{};
    const ssize_t size = ::recv(client, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size <= 0) return false;
    const int count = ++packets_[client];
    switch (manner_) {
        case Manner::speaks_http:
            say(client, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return false;
        case Manner::is_mariadb:
        case Manner::is_too_old:
            say(client, count == 1 ? packet(2, "\0\0\0\x02\0\0\0"s)
                                   : error(1, 1193, "Unknown system variable", true));
            return true;
        default:
            return true;
    }
}

void Impostor::run() {
    while (!ending_) {
        std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
        for (const auto& [client, count] : packets_) waiting.push_back({client, POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), poll_ms) <= 0) continue;
        for (const pollfd& one : waiting) {
            if (one.revents == 0) continue;
            if (one.fd != listener_) {
                if (answer(one.fd)) continue;
                ::close(one.fd);
                packets_.erase(one.fd);
                continue;
            }
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) continue;
            welcome(client);
            if (manner_ == Manner::hangs_up || manner_ == Manner::is_full) {
                ::close(client);
            } else {
                packets_[client] = 0;
            }
        }
    }
}

}  // namespace fixpoint::daemon_tests
