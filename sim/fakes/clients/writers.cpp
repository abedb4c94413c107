// One client is a pool of few sessions to the server that it believes to be the primary: a write that hangs
// does not keep the next one from being tried, as in a real application.
#include "sim/fakes/clients/writers.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fixpoint::sim {
namespace {

using namespace std::chrono_literals;
using Outcome = WriteAnswered::Outcome;

constexpr std::size_t sessions_per_client = 6;
constexpr Duration connect_limit = 1s;
constexpr Duration write_limit = 4s;
constexpr Duration retry_least = 40ms, retry_most = 120ms;  // until a client has read the topology again
constexpr Duration stale_least = 2s, stale_most = 6s;       // how old its view of the topology gets unasked

}  // namespace

struct Writers::Session {
    TabletAlias tablet;
    std::unique_ptr<Connection> connection;
    bool connected = false;
};

struct Writers::Client {
    int number = 0;
    Stream stream;
    std::optional<TabletAlias> primary;  // as it believes
    Instant read_at{};
    Duration stale_after{};
    bool retry_waits = false;
    std::vector<std::unique_ptr<Session>> sessions;
};

struct Writers::Errand {
    std::unique_ptr<Connection> connection;
    bool over = false;
};

Writers::Writers(ClientSide side, FindServer servers, ReadTopology topology, Observer& observer,
                 Options options)
    : side_(side),
      servers_(std::move(servers)),
      topology_(std::move(topology)),
      observer_(observer),
      options_(options) {
    for (int i = 0; i < std::max(1, options.clients); ++i) {
        auto client = std::make_unique<Client>();
        client->number = i;
        client->stream = side_.scheduler.chooser().stream("client " + std::to_string(i));
        clients_.push_back(std::move(client));
    }
}

Writers::~Writers() = default;

Duration Writers::draw(Client& client, Duration least, Duration most) {
    return drawing_ ? side_.scheduler.chooser().duration(client.stream, least, most) : least;
}

void Writers::start() {
    for (const auto& client : clients_) {
        const Duration first = draw(*client, 0ms, 200ms);
        side_.scheduler.after(side_.owner, first, [this, c = client.get()] { tick(*c); }, EventKind::client);
    }
}

void Writers::slow_down() {
    slow_ = true;
}

// ---- writing at a steady rate

void Writers::tick(Client& client) {
    if (slow_ && client.number != 0) return;
    const double rate = slow_ ? 1.0 : options_.writes_per_second / static_cast<double>(clients_.size());
    const auto period = Duration(static_cast<std::int64_t>(1e9 / std::max(rate, 0.01)));
    side_.scheduler.after(side_.owner, period, [this, &client] { tick(client); }, EventKind::client);
    write(client);
}

void Writers::write(Client& client) {
    if (!client.primary || side_.scheduler.now() - client.read_at > client.stale_after) {
        look_again(client, std::nullopt);
    }
    const WriteId id = next_write_id();
    if (!client.primary) return report(id, {}, Outcome::failed, 0);
    if (Session* session = free_session(client)) {
        run(client, *session, id);
    } else {
        report(id, *client.primary, Outcome::failed, 0);  // all of its sessions hang
    }
}

// A session to the server it believes in, idle or yet to be opened; sessions that broke, or lead elsewhere,
// go.
Writers::Session* Writers::free_session(Client& client) {
    std::erase_if(client.sessions, [&](const std::unique_ptr<Session>& s) {
        return !s->connection->busy() && (s->connection->broken() || s->tablet != *client.primary);
    });
    for (const auto& s : client.sessions) {
        if (s->connected && !s->connection->busy() && s->tablet == *client.primary) return s.get();
    }
    if (client.sessions.size() >= sessions_per_client) return nullptr;
    auto session = std::make_unique<Session>();
    session->tablet = *client.primary;
    session->connection = std::make_unique<Connection>(side_, servers_(session->tablet));
    client.sessions.push_back(std::move(session));
    return client.sessions.back().get();
}

void Writers::run(Client& client, Session& session, WriteId write) {
    if (session.connected) {
        session.connection->work(mysql::InsertRow{write, 0}, write_limit,
                                 [this, &client, &session, write](const mysql::ClientResult& result) {
                                     if (result)
                                         return told(client, session, write, Outcome::acknowledged, 0);
                                     told(client, session, write,
                                          result.error().is_maybe() ? Outcome::unknown : Outcome::failed,
                                          result.error().number);
                                 });
        return;
    }
    mysql::LoginRequest login;
    login.user = "app";
    session.connection->connect(
        std::move(login), connect_limit,
        [this, &client, &session, write](const std::expected<std::uint64_t, sql::Error>& id) {
            if (!id) return told(client, session, write, Outcome::failed, id.error().number);
            session.connected = true;
            run(client, session, write);
        });
}

void Writers::told(Client& client, Session& session, WriteId write, Outcome outcome, int error) {
    report(write, session.tablet, outcome, error);
    if (outcome == Outcome::acknowledged || client.retry_waits) return;
    // Refused, or left without an answer: look where the primary is now, and try another row soon.
    client.retry_waits = true;
    side_.scheduler.after(
        side_.owner, draw(client, retry_least, retry_most),
        [this, &client, refused_by = session.tablet] {
            client.retry_waits = false;
            look_again(client, refused_by);
            if (!slow_ || client.number == 0) this->write(client);
        },
        EventKind::client);
}

void Writers::look_again(Client& client, const std::optional<TabletAlias>& refused_by) {
    client.read_at = side_.scheduler.now();
    client.stale_after = draw(client, stale_least, stale_most);
    const std::vector<TabletAlias> primaries = topology_();
    if (primaries.empty()) return;
    const auto other =
        std::ranges::find_if(primaries, [&](const TabletAlias& alias) { return alias != refused_by; });
    client.primary = other != primaries.end() ? *other : primaries.front();
}

void Writers::report(WriteId write, const TabletAlias& tablet, Outcome outcome, int error) {
    observer_.on(side_.scheduler.now(), WriteAnswered{write, tablet, outcome, error});
}

// ---- single errands

Writers::Errand& Writers::new_errand(const TabletAlias& tablet) {
    std::erase_if(errands_, [](const std::unique_ptr<Errand>& e) { return e->over; });
    errands_.push_back(std::make_unique<Errand>());
    errands_.back()->connection = std::make_unique<Connection>(side_, servers_(tablet));
    return *errands_.back();
}

WriteId Writers::write_once(const TabletAlias& tablet, Duration limit, Done done) {
    const WriteId id = next_write_id();
    Errand& errand = new_errand(tablet);
    const auto over = [this, &errand, id, tablet, done = std::move(done)](Outcome outcome, int error) {
        errand.over = true;
        report(id, tablet, outcome, error);
        done(outcome);
    };
    mysql::LoginRequest login;
    login.user = "app";
    errand.connection->connect(
        std::move(login), connect_limit,
        [&errand, id, limit, over](const std::expected<std::uint64_t, sql::Error>& connected) {
            if (!connected) return over(Outcome::failed, connected.error().number);
            errand.connection->work(mysql::InsertRow{id, 0}, limit,
                                    [over](const mysql::ClientResult& result) {
                                        if (result) return over(Outcome::acknowledged, 0);
                                        over(result.error().is_maybe() ? Outcome::unknown : Outcome::failed,
                                             result.error().number);
                                    });
        });
    return id;
}

// The row that it would write is rolled back: nobody is ever told of it.
void Writers::hold_transaction(const TabletAlias& tablet, Duration lasts) {
    Errand& errand = new_errand(tablet);
    const WriteId id = next_write_id();
    mysql::LoginRequest login;
    login.user = "batch";
    const auto give_up = [&errand](const mysql::ClientResult&) { errand.over = true; };
    const auto end = [this, &errand, lasts, give_up](const mysql::ClientResult& result) {
        if (!result || lasts == Duration{}) return;
        side_.scheduler.after(side_.owner, lasts, [&errand, give_up] {
            if (errand.connection->broken()) return give_up({});
            errand.connection->work(mysql::RollbackTransaction{}, write_limit, give_up);
        });
    };
    const auto insert = [&errand, id, end](const mysql::ClientResult& result) {
        if (result) errand.connection->work(mysql::InsertRow{id, 0}, write_limit, end);
    };
    errand.connection->connect(std::move(login), connect_limit,
                               [&errand, insert](const std::expected<std::uint64_t, sql::Error>& connected) {
                                   if (!connected) return;
                                   errand.connection->work(mysql::BeginTransaction{}, write_limit, insert);
                               });
}

}  // namespace fixpoint::sim
