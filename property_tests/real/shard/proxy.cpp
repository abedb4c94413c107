// One thread with an io_context does everything; the doors' methods post to it and wait for it.
#include "property_tests/real/shard/proxy.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace fixpoint::real_shards {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_held = 4 << 20;  // then the sender's own buffers fill, as they would

struct LinkState {
    Link link;
    std::uint64_t held = 0;
};

// What one end sends and the other is to receive.
class Stream : public std::enable_shared_from_this<Stream> {
  public:
    Stream(asio::io_context& context, std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to,
           LinkState& link)
        : from_(std::move(from)), to_(std::move(to)), link_(link), timer_(context) {}

    void read() {
        reading_ = true;
        from_->async_read_some(asio::buffer(buffer_),
                               [self = shared_from_this()](Error error, std::size_t size) {
                                   self->reading_ = false;
                                   self->received(error, size);
                               });
    }

    // Something about the link has changed.
    void go_on() {
        timer_.cancel();
        send();
    }

  private:
    struct Chunk {
        std::vector<char> bytes;  // none: the end
        Clock::time_point due;
    };

    void received(Error error, std::size_t size) {
        if (over_) return;
        Chunk chunk{{}, Clock::now() + link_.link.delay};
        if (!error) chunk.bytes.assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
        if (link_.link.cut || link_.link.delay > Duration{}) link_.held += size + 1;
        waiting_ += size;
        queue_.push_back(std::move(chunk));
        if (!error && waiting_ < most_held) read();
        send();
    }

    void send() {
        if (over_ || writing_ || queue_.empty() || link_.link.cut) return;
        const auto due = queue_.front().due;
        if (link_.link.delay > Duration{} && Clock::now() < due) {
            timer_.expires_at(due);
            timer_.async_wait([self = shared_from_this()](Error error) {
                if (!error) self->send();
            });
            return;
        }
        if (queue_.front().bytes.empty()) {
            over_ = true;
            Error ignored;
            to_->close(ignored);
            from_->close(ignored);
            return;
        }
        writing_ = true;
        asio::async_write(*to_, asio::buffer(queue_.front().bytes),
                          [self = shared_from_this()](Error, std::size_t) { self->sent(); });
    }

    // What could not be written is nobody's loss: that end is gone, and its own stream says so.
    void sent() {
        writing_ = false;
        waiting_ -= queue_.front().bytes.size();
        queue_.pop_front();
        if (over_) return;
        if (!reading_ && (queue_.empty() || !queue_.back().bytes.empty())) read();
        send();
    }

    std::shared_ptr<tcp::socket> from_, to_;
    LinkState& link_;
    asio::steady_timer timer_;
    std::array<char, 16384> buffer_{};
    std::deque<Chunk> queue_;
    std::size_t waiting_ = 0;
    bool reading_ = false, writing_ = false, over_ = false;
};

}  // namespace

class Proxy::Impl {
  public:
    explicit Impl(const Owners& owners)
        : owners_(owners), work_(context_.get_executor()), thread_([this] { context_.run(); }) {}

    ~Impl() {
        context_.stop();
        thread_.join();
    }

    template <class Work>
    auto on_thread(Work work) -> decltype(work()) {
        std::packaged_task<decltype(work())()> task(work);
        auto result = task.get_future();
        asio::post(context_, [&task] { task(); });
        return result.get();
    }

    MysqlAddress add(const std::string& tablet, const MysqlAddress& server) {
        return on_thread([&] {
            auto door = std::make_unique<Door>(context_);
            door->tablet = tablet;
            door->server = {asio::ip::make_address(server.host), server.port};
            door->address = reserve(*door);
            const MysqlAddress address{"127.0.0.1", door->address.port()};
            doors_[tablet] = std::move(door);
            return address;
        });
    }

    void open(const std::string& tablet) {
        on_thread([&] {
            Door& door = *doors_.at(tablet);
            if (!door.acceptor.is_open()) {
                door.acceptor.open(tcp::v4());
                share_port(door.acceptor);
                door.acceptor.bind(door.address);
                door.acceptor.listen();
                accept(door);
            }
            return 0;
        });
    }

    void shut(const std::string& tablet) {
        on_thread([&] {
            doors_.at(tablet)->acceptor.close();
            return 0;
        });
    }

    void set(const std::string& from, const std::string& to, Link link) {
        on_thread([&] {
            state_of(from, to).link = link;
            for (const auto& weak : streams_) {
                if (const auto stream = weak.lock()) stream->go_on();
            }
            for (const auto& waiting : std::exchange(connecting_, {})) waiting();
            return 0;
        });
    }

    std::uint64_t held(const std::string& from, const std::string& to) {
        return on_thread([&] { return state_of(from, to).held; });
    }

    std::optional<Owner> behind(std::uint16_t port) const {
        const std::scoped_lock lock(mutex_);
        const auto it = behind_.find(port);
        return it == behind_.end() ? std::nullopt : std::optional(it->second);
    }

  private:
    struct Door {
        explicit Door(asio::io_context& context) : acceptor(context), reserved(context) {}
        std::string tablet;
        tcp::endpoint server, address;
        tcp::acceptor acceptor;
        tcp::socket reserved;  // keeps the port ours while the door is shut
    };
    struct Guest {
        std::shared_ptr<tcp::socket> client, server;
        Owner owner;
        Door* door = nullptr;
    };

    template <class Socket>
    static void share_port(Socket& socket) {
        const int on = 1;
        if (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
            throw std::runtime_error("SO_REUSEPORT cannot be set");
    }

    static tcp::endpoint reserve(Door& door) {
        door.reserved.open(tcp::v4());
        share_port(door.reserved);
        door.reserved.bind({asio::ip::address_v4::loopback(), 0});
        return door.reserved.local_endpoint();
    }

    LinkState& state_of(const std::string& from, const std::string& to) { return links_[{from, to}]; }

    void accept(Door& door) {
        auto client = std::make_shared<tcp::socket>(context_);
        door.acceptor.async_accept(*client, [this, &door, client](Error error) {
            if (error) return;  // the door is shut
            accept(door);
            admit(door, client);
        });
    }

    void admit(Door& door, const std::shared_ptr<tcp::socket>& client) {
        Error error;
        const tcp::endpoint peer = client->remote_endpoint(error);
        char first = 0;
        // One that has given up in the meantime needs no answer.
        if (error || ::recv(client->native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return;
        const auto owner = owners_.of_connection(peer.port(), door.address.port());
        if (!owner) return;  // it has gone again, or is nobody's of this shard
        connect({client, std::make_shared<tcp::socket>(context_), *owner, &door});
    }

    // Its first packet does not pass a link that is cut.
    void connect(const Guest& guest) {
        if (state_of(guest.owner.name, guest.door->tablet).link.cut) {
            connecting_.emplace_back([this, guest] { connect(guest); });
            return;
        }
        guest.server->async_connect(guest.door->server, [this, guest](Error error) {
            if (error) {
                Error ignored;
                guest.client->set_option(asio::socket_base::linger(true, 0), ignored);
                guest.client->close(ignored);
                return;
            }
            lead(guest);
        });
    }

    void lead(const Guest& guest) {
        Error error;
        const std::uint16_t port = guest.server->local_endpoint(error).port();
        guest.client->set_option(tcp::no_delay(true), error);
        guest.server->set_option(tcp::no_delay(true), error);
        {
            const std::scoped_lock lock(mutex_);
            behind_[port] = guest.owner;
        }
        const std::string& name = guest.owner.name;
        const std::string& tablet = guest.door->tablet;
        std::erase_if(streams_, [](const std::weak_ptr<Stream>& s) { return s.expired(); });
        for (const auto& stream :
             {std::make_shared<Stream>(context_, guest.client, guest.server, state_of(name, tablet)),
              std::make_shared<Stream>(context_, guest.server, guest.client, state_of(tablet, name))}) {
            streams_.push_back(stream);
            stream->read();
        }
    }

    const Owners& owners_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::map<std::pair<std::string, std::string>, LinkState> links_;  // addresses stay
    std::map<std::string, std::unique_ptr<Door>> doors_;
    std::list<std::weak_ptr<Stream>> streams_;
    std::vector<std::function<void()>> connecting_;
    mutable std::mutex mutex_;
    std::map<std::uint16_t, Owner> behind_;
    std::thread thread_;
};

Proxy::Proxy(const Owners& owners) : impl_(std::make_unique<Impl>(owners)) {}
Proxy::~Proxy() = default;
MysqlAddress Proxy::add(const std::string& tablet, const MysqlAddress& server) {
    return impl_->add(tablet, server);
}
void Proxy::open(const std::string& tablet) {
    impl_->open(tablet);
}
void Proxy::shut(const std::string& tablet) {
    impl_->shut(tablet);
}
void Proxy::set(const std::string& from, const std::string& to, Link link) {
    impl_->set(from, to, link);
}
std::optional<Owner> Proxy::behind(std::uint16_t port) const {
    return impl_->behind(port);
}
std::uint64_t Proxy::held(const std::string& from, const std::string& to) const {
    return impl_->held(from, to);
}

}  // namespace fixpoint::real_shards
