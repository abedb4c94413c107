// See greeting.hpp. Servers that wait for their client to begin are asked what a browser would ask: one that
// speaks HTTP answers that, and a MySQL server that hangs has dropped the connection by the time it goes on.
#include "real_adapters/mysql/greeting.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

namespace fixpoint::real {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t header_size = 4;  // of a packet: length and sequence number
constexpr unsigned char protocol_version = 10;
constexpr unsigned char refusal = 0xff;
constexpr std::size_t shown = 40;

class Socket {
  public:
    explicit Socket(int descriptor) : descriptor_(descriptor) {}
    ~Socket() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return descriptor_; }

    bool wait(short events, Clock::time_point deadline) const {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd waiting{descriptor_, events, 0};
        return left.count() > 0 && ::poll(&waiting, 1, static_cast<int>(left.count())) > 0;
    }

  private:
    int descriptor_;
};

bool connected(const Socket& socket, const addrinfo& to, Clock::time_point deadline) {
    if (::connect(socket.get(), to.ai_addr, to.ai_addrlen) == 0) return true;
    if (errno != EINPROGRESS || !socket.wait(POLLOUT, deadline)) return false;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

Greeting judged(std::string_view bytes) {
    Greeting greeting;
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (bytes.size() > header_size && at(3) == 0 &&
        (at(header_size) == protocol_version || at(header_size) == refusal)) {
        greeting.mysql = true;
        return greeting;
    }
    for (const char c : bytes.substr(0, std::min(bytes.find_first_of("\r\n"), shown)))
        greeting.said += c >= ' ' && c <= '~' ? c : '?';
    return greeting;
}

Greeting listened(const Socket& socket, Clock::time_point began, Clock::time_point deadline) {
    std::array<char, 256> bytes{};
    if (!socket.wait(POLLIN, began + (deadline - began) / 2)) {
        constexpr std::string_view question = "GET / HTTP/1.0\r\n\r\n";
        (void)::send(socket.get(), question.data(), question.size(), MSG_NOSIGNAL);
        if (!socket.wait(POLLIN, deadline)) return {false, true, {}};
    }
    const ssize_t size = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (size <= 0) return {};
    return judged({bytes.data(), static_cast<std::size_t>(size)});
}

}  // namespace

Greeting greeting_of(const MysqlAddress& address, std::chrono::nanoseconds limit) {
    const auto began = Clock::now();
    const auto deadline = began + std::chrono::duration_cast<Clock::duration>(limit);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &found) != 0)
        return {};
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
    for (const addrinfo* to = found; to != nullptr; to = to->ai_next) {
        const Socket socket(::socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (socket.get() >= 0 && connected(socket, *to, deadline)) return listened(socket, began, deadline);
    }
    return {};
}

}  // namespace fixpoint::real
