// See load.hpp. A refused write is tried again after a few milliseconds: that is how exact the figures are.
// Clients share the machine with the servers: they think between two writes, or only they would be measured.
#include "property_tests/daemon/bench/load.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fixpoint::daemon_tests {

namespace {

constexpr auto between_tries = 3ms;
constexpr int servers = 3;

}  // namespace

Load::Load(Stage& stage, int writers, std::chrono::milliseconds think, std::int64_t first_row)
    : login_{"client", stage.client_password(), real::Tls::off, ""},
      think_(think),
      primary_(stage.primary()),
      next_row_(first_row) {
    for (int i = 0; i < servers; ++i) addresses_.push_back(stage.server(i).address());
    for (int i = 0; i < servers + writers; ++i) {
        auto& client = clients_.emplace_back(std::make_unique<Client>());
        client->stays = i < servers;
        if (client->stays) client->server = i;
    }
    for (const auto& client : clients_) client->thread = std::thread([this, &c = *client] { run(c); });
}

Load::~Load() {
    end();
}

bool Load::ready(Client& client) {
    if (client.session && !client.session->seen_closed() && (client.stays || client.server == primary_))
        return true;
    if (!client.stays) client.server = primary_;
    {
        const std::scoped_lock lock(client.mutex);
        client.session.reset();
    }
    const MysqlAddress& address = addresses_.at(static_cast<std::size_t>(client.server));
    auto opened = real::BlockingSession::connect(address, login_, 1s);
    if (!opened) return false;
    const std::scoped_lock lock(client.mutex);
    client.session = *std::move(opened);
    return true;
}

void Load::insert(Client& client) {
    const std::int64_t row = next_row_++;
    const real::RawAnswer answer =
        client.session->query(fmt::format("INSERT INTO contract.`rows` VALUES ({})", row));
    const Instant now = std::chrono::system_clock::now();
    if (answer.error) {
        if (answer.error->is_maybe()) {
            const std::scoped_lock lock(client.mutex);
            client.session.reset();
        }
        std::this_thread::sleep_for(between_tries);
        return;
    }
    primary_ = client.server;
    {
        const std::scoped_lock lock(mutex_);
        acknowledged_.push_back({now, client.server, row});
    }
    std::this_thread::sleep_for(think_);
}

void Load::run(Client& client) {
    while (!ending_) {
        if (ready(client)) {
            insert(client);
        } else {
            std::this_thread::sleep_for(between_tries);
        }
    }
    client.done = true;
}

std::size_t Load::count(int server) const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(acknowledged_, server, &Acknowledged::server));
}

std::vector<Acknowledged> Load::end() {
    ending_ = true;
    for (const auto& client : clients_) {
        if (!client->thread.joinable()) continue;
        if (!eventually(1s, [&] { return client->done.load(); })) {
            const std::scoped_lock lock(client->mutex);
            if (client->session) client->session->break_off();
        }
        client->thread.join();
    }
    std::ranges::sort(acknowledged_, {}, &Acknowledged::at);
    return acknowledged_;
}

}  // namespace fixpoint::daemon_tests
